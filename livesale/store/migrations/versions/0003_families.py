"""Families: links copied from their record by version; invitations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Invitations, and of which version a link is the copy."""
    op.add_column("family_links", sa.Column("version", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "family_invitations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("inviter", sa.String(length=40), nullable=False),
        sa.Column("invites", sa.String(length=10), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_invitations")),
    )
    op.create_index("ix_family_invitations_inviter", "family_invitations", ["inviter"], unique=False)


def downgrade() -> None:
    """Back to the second."""
    op.drop_table("family_invitations")
    with op.batch_alter_table("family_links") as links:
        links.drop_column("version")
