"""The whole sale (answers kept with their effect, past orders, VAT, shipping, lists by index); passkeys, links to sign in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INDEXES = (
    ("answers_at", "answers", ["at_ms"]),
    ("ix_approvals_minor_requested", "approvals", ["minor", "requested_ms", "id"]),
    ("ix_approvals_requested", "approvals", ["requested_ms", "id"]),
    ("ix_approvals_state_requested", "approvals", ["state", "requested_ms", "id"]),
    ("ix_counters_name", "counters", ["name"]),
    ("ix_orders_account_held", "orders", ["account", "held_at", "id"]),
    ("ix_orders_shop_state_held", "orders", ["shop", "state", "held_at", "id"]),
    ("ix_passkeys_account", "passkeys", ["account"]),
    ("ix_past_records_order_id", "past_records", ["order_id"]),
    ("ix_sign_in_links_account", "sign_in_links", ["account"]),
    ("ix_sign_in_links_until_ms", "sign_in_links", ["until_ms"]),
    ("ix_spent_until_ms", "spent", ["until_ms"]),
)
REPLACED = (
    ("ix_approvals_minor_requested", "approvals", ["minor", "requested_ms"]),
    ("ix_approvals_state", "approvals", ["state"]),
    ("ix_orders_account_held", "orders", ["account", "held_at"]),
)


def upgrade() -> None:
    """Everything the second release of the schema adds."""
    op.create_table(
        "answers",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_answers")),
    )
    op.create_table(
        "past_records",
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("record", sa.String(length=512), nullable=False),
        sa.Column("order_id", sa.String(length=160), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("shelf", "record", name=op.f("pk_past_records")),
    )
    op.create_table(
        "shipping_prices",
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("free_from", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shop", "country", "currency", name=op.f("pk_shipping_prices")),
    )
    _sign_ins()
    op.add_column("products", sa.Column("tax", sa.String(length=10), server_default="standard", nullable=False))
    op.execute("UPDATE orders SET held_at = 0 WHERE held_at IS NULL")
    with op.batch_alter_table("orders") as orders:
        orders.alter_column("held_at", existing_type=sa.BigInteger(), server_default="0", nullable=False)
    for name, table, _ in REPLACED:
        op.drop_index(name, table_name=table)
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns, unique=False)


def _sign_ins() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_passkeys_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkeys_credential")),
    )
    op.create_table(
        "spent",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_spent")),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sign_in_links_account")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in_links")),
    )
    for name, kind in (("device", sa.String(length=40)), ("name", sa.LargeBinary()), ("scopes", sa.Text())):
        op.add_column("sessions", sa.Column(name, kind, server_default="", nullable=False))
    sessions = sa.table("sessions", sa.column("name", sa.LargeBinary()))
    op.execute(sa.update(sessions).values(name=b""))  # SQLite's default is text


def downgrade() -> None:
    """Back to the first."""
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    for name, table, columns in REPLACED:
        op.create_index(name, table, columns, unique=False)
    with op.batch_alter_table("orders") as orders:
        orders.alter_column("held_at", existing_type=sa.BigInteger(), server_default=None, nullable=True)
    with op.batch_alter_table("products") as products:
        products.drop_column("tax")
    with op.batch_alter_table("sessions") as sessions:
        for column in ("device", "name", "scopes"):
            sessions.drop_column(column)
    for table in ("sign_in_links", "spent", "passkeys", "shipping_prices", "past_records", "answers"):
        op.drop_table(table)
