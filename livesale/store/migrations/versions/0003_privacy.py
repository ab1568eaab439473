"""Privacy: the state someone lives in, where majority differs by state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_privacy"
down_revision = "0003"


def upgrade() -> None:
    """The new column."""
    op.add_column("accounts", sa.Column("region", sa.String(length=3), server_default="", nullable=False))


def downgrade() -> None:
    """Without it."""
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("region")
