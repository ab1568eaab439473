"""Consents: a receipt for every yes and no."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_consents"
down_revision = "0005_sealed_addresses"


def upgrade() -> None:
    """The table of receipts."""
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_consents_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index("consents_of", "consents", ["account", "purpose", "id"], unique=False)


def downgrade() -> None:
    """Without it."""
    op.drop_index("consents_of", table_name="consents")
    op.drop_table("consents")
