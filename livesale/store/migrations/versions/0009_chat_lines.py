"""Chat lines by who said them, sealed; those said before lie in the archive only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_chat_lines"
down_revision = "0008_pushes"


def upgrade() -> None:
    """The list of lines."""
    op.create_table(
        "chat_lines",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("show", sa.String(length=160), server_default="", nullable=False),
        sa.Column("account", sa.String(length=160), server_default="", nullable=False),
        sa.Column("at_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sealed", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_lines")),
    )
    op.create_index(op.f("ix_chat_lines_account"), "chat_lines", ["account"], unique=False)


def downgrade() -> None:
    """Without it."""
    op.drop_index(op.f("ix_chat_lines_account"), table_name="chat_lines")
    op.drop_table("chat_lines")
