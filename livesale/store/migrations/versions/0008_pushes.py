"""Pushes: the browsers that adults want to be told in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_pushes"
down_revision = "0007_price_log"


def upgrade() -> None:
    """The table of subscriptions."""
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("sid", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_push_subscriptions_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
    )
    op.create_index(op.f("ix_push_subscriptions_account"), "push_subscriptions", ["account"], unique=False)


def downgrade() -> None:
    """Without it."""
    op.drop_index(op.f("ix_push_subscriptions_account"), table_name="push_subscriptions")
    op.drop_table("push_subscriptions")
