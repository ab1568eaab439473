"""Privacy: the state someone lives in, where majority differs by state; codes to step up with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_privacy"
down_revision = "0003"


def upgrade() -> None:
    """What the privacy of accounts adds."""
    op.add_column("accounts", sa.Column("region", sa.String(length=3), server_default="", nullable=False))
    op.create_table(
        "step_up_codes",
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("sid", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("window_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_step_up_codes_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_step_up_codes")),
    )


def downgrade() -> None:
    """Without it."""
    op.drop_table("step_up_codes")
    op.drop_column("accounts", "region")
