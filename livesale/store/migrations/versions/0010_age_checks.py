"""Age checks of operators, with what was known before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_age_checks"
down_revision = "0009_chat_lines"


def upgrade() -> None:
    """The table of checks."""
    op.create_table(
        "age_checks",
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.String(length=20), nullable=False),
        sa.Column("band", sa.String(length=10), nullable=False),
        sa.Column("ends_month", sa.String(length=7), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("issuer", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_age_checks_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_age_checks")),
    )


def downgrade() -> None:
    """Without it."""
    op.drop_table("age_checks")
