"""Mail addresses: found by a keyed hash, sealed with their account's key. Needs DATA/keys/address.key where there are any.

The column is renamed and its values replaced: a table others refer to cannot be made anew on SQLite.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from livesale.kernel.sealing import lookup, seal, unseal

revision = "0005_sealed_addresses"
down_revision = "0004_privacy"

ACCOUNTS = sa.table(
    "accounts", sa.column("id"), sa.column("email"), sa.column("email_hash"), sa.column("email_sealed", sa.LargeBinary)
)
KEYS = sa.table("sealing_keys", sa.column("account"), sa.column("key", sa.LargeBinary))
WITH_KEY = ACCOUNTS.outerjoin(KEYS, KEYS.c.account == ACCOUNTS.c.id)


def upgrade() -> None:
    """Hash and seal every address there is."""
    op.execute("ALTER TABLE accounts RENAME COLUMN email TO email_hash")
    op.add_column("accounts", sa.Column("email_sealed", sa.LargeBinary(), server_default="", nullable=False))
    db, key = op.get_bind(), context.config.attributes.get("address_key", b"")
    found = db.execute(sa.select(ACCOUNTS.c.id, ACCOUNTS.c.email_hash, KEYS.c.key).select_from(WITH_KEY)).all()
    if found and not key:
        raise RuntimeError("there are mail addresses to be sealed, and no address.key")
    for account, email, own in found:
        sealed = seal(own, email.encode(), f"email:{account}") if own else b""
        values = {"email_hash": lookup(key, email), "email_sealed": sealed}
        db.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(**values))


def downgrade() -> None:
    """Plain addresses again; of an erased account what stood for its."""
    db = op.get_bind()
    columns = (ACCOUNTS.c.id, ACCOUNTS.c.email_sealed, KEYS.c.key)
    for account, sealed, own in db.execute(sa.select(*columns).select_from(WITH_KEY)).all():
        if own:
            email = unseal(own, sealed, f"email:{account}").decode()
            db.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(email_hash=email))
    op.drop_column("accounts", "email_sealed")
    op.execute("ALTER TABLE accounts RENAME COLUMN email_hash TO email")
