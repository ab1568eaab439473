"""The first schema: accounts, products, shops, family links, the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account_audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_audit")),
    )
    op.create_index("account_audit_at", "account_audit", ["at_ms"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("roles", sa.String(length=200), nullable=False),
        sa.Column("band", sa.String(length=10), nullable=False),
        sa.Column("band_ends_month", sa.String(length=7), nullable=False),
        sa.Column("age_method", sa.String(length=10), nullable=False),
        sa.Column("age_issuer", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("order_id", sa.String(length=160), server_default="", nullable=False),
        sa.Column("shelf", sa.String(length=64), server_default="", nullable=False),
        sa.Column("minor", sa.String(length=160), server_default="", nullable=False),
        sa.Column("guardian", sa.String(length=160), server_default="", nullable=False),
        sa.Column("state", sa.String(length=32), server_default="", nullable=False),
        sa.Column("digest", sa.String(length=160), server_default="", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("requested_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("updated_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index("ix_approvals_minor_requested", "approvals", ["minor", "requested_ms"], unique=False)
    op.create_index(op.f("ix_approvals_order_id"), "approvals", ["order_id"], unique=False)
    op.create_index(op.f("ix_approvals_state"), "approvals", ["state"], unique=False)
    op.create_table(
        "archive",
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shelf", "seq", name=op.f("pk_archive")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("actor", sa.String(length=160), server_default="", nullable=False),
        sa.Column("action", sa.String(length=64), server_default="", nullable=False),
        sa.Column("data", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counters",
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("shelf", "name", name=op.f("pk_counters")),
    )
    op.create_table(
        "cursor",
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trimmed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stopped", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("shelf", name=op.f("pk_cursor")),
    )
    op.create_table(
        "family_links",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("minor", sa.String(length=40), nullable=False),
        sa.Column("guardian", sa.String(length=40), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("active_since", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_links")),
        sa.UniqueConstraint("minor", "guardian", name=op.f("uq_family_links_minor_guardian")),
    )
    op.create_index(op.f("ix_family_links_guardian"), "family_links", ["guardian"], unique=False)
    op.create_index(op.f("ix_family_links_minor"), "family_links", ["minor"], unique=False)
    op.create_table(
        "heads",
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("published_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("shelf", "seq", name=op.f("pk_heads")),
    )
    op.create_table(
        "money",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shelf", sa.String(length=64), server_default="", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("account", sa.String(length=160), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("what", sa.String(length=32), server_default="", nullable=False),
        sa.Column("payment", sa.String(length=160), server_default="", nullable=False),
        sa.Column("order_id", sa.String(length=160), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_money_payment"), "money", ["payment"], unique=False)
    op.create_index("ix_money_shelf_seq", "money", ["shelf", "seq"], unique=False)
    op.create_table(
        "offers",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("shelf", sa.String(length=64), server_default="", nullable=False),
        sa.Column("product", sa.String(length=160), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("price", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index(op.f("ix_offers_shelf"), "offers", ["shelf"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("shelf", sa.String(length=64), server_default="", nullable=False),
        sa.Column("shop", sa.String(length=160), server_default="", nullable=False),
        sa.Column("account", sa.String(length=160), server_default="", nullable=False),
        sa.Column("state", sa.String(length=32), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("lines", sa.Text(), server_default="[]", nullable=False),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.Column("reserved_until", sa.BigInteger(), nullable=True),
        sa.Column("updated_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_account_held", "orders", ["account", "held_at"], unique=False)
    op.create_index(op.f("ix_orders_shelf"), "orders", ["shelf"], unique=False)
    op.create_table(
        "products",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=50), nullable=False),
        sa.Column("title", sa.String(length=150), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sale_price", sa.BigInteger(), nullable=True),
        sa.Column("availability", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("gtin", sa.String(length=70), nullable=False),
        sa.Column("brand", sa.String(length=70), nullable=False),
        sa.Column("condition", sa.String(length=20), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("age_gate", sa.Integer(), nullable=True),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("shop", "number", name=op.f("uq_products_shop_number")),
        sa.UniqueConstraint("shop", "sku", name=op.f("uq_products_shop_sku")),
    )
    op.create_table(
        "revocations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
    )
    op.create_index(op.f("ix_revocations_at_ms"), "revocations", ["at_ms"], unique=False)
    op.create_index(op.f("ix_revocations_until_ms"), "revocations", ["until_ms"], unique=False)
    op.create_table(
        "shops",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shops")),
    )
    op.create_index(op.f("ix_shops_owner"), "shops", ["owner"], unique=False)
    op.create_table(
        "shows",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("shop", sa.String(length=160), server_default="", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("owner", sa.String(length=160), server_default="", nullable=False),
        sa.Column("state", sa.String(length=32), server_default="", nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shows")),
    )
    op.create_index("ix_shows_state_created", "shows", ["state", "created_ms"], unique=False)
    op.create_table(
        "sealing_keys",
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sealing_keys_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_sealing_keys")),
    )
    op.create_table(
        "sessions",
        sa.Column("sid", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sessions_account")),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"], unique=False)
    op.create_index(op.f("ix_sessions_expires_ms"), "sessions", ["expires_ms"], unique=False)
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
    op.create_index(op.f("ix_passkeys_account"), "passkeys", ["account"], unique=False)
    op.create_table(
        "spent",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_spent")),
    )
    op.create_index(op.f("ix_spent_until_ms"), "spent", ["until_ms"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sign_in_links_account")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in_links")),
    )
    op.create_index(op.f("ix_sign_in_links_account"), "sign_in_links", ["account"], unique=False)
    op.create_index(op.f("ix_sign_in_links_until_ms"), "sign_in_links", ["until_ms"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_sign_in_links_until_ms"), table_name="sign_in_links")
    op.drop_index(op.f("ix_sign_in_links_account"), table_name="sign_in_links")
    op.drop_table("sign_in_links")
    op.drop_index(op.f("ix_spent_until_ms"), table_name="spent")
    op.drop_table("spent")
    op.drop_index(op.f("ix_passkeys_account"), table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index(op.f("ix_sessions_expires_ms"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_account"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("sealing_keys")
    op.drop_index("ix_shows_state_created", table_name="shows")
    op.drop_table("shows")
    op.drop_index(op.f("ix_shops_owner"), table_name="shops")
    op.drop_table("shops")
    op.drop_index(op.f("ix_revocations_until_ms"), table_name="revocations")
    op.drop_index(op.f("ix_revocations_at_ms"), table_name="revocations")
    op.drop_table("revocations")
    op.drop_table("products")
    op.drop_index(op.f("ix_orders_shelf"), table_name="orders")
    op.drop_index("ix_orders_account_held", table_name="orders")
    op.drop_table("orders")
    op.drop_index(op.f("ix_offers_shelf"), table_name="offers")
    op.drop_table("offers")
    op.drop_index("ix_money_shelf_seq", table_name="money")
    op.drop_index(op.f("ix_money_payment"), table_name="money")
    op.drop_table("money")
    op.drop_table("heads")
    op.drop_index(op.f("ix_family_links_minor"), table_name="family_links")
    op.drop_index(op.f("ix_family_links_guardian"), table_name="family_links")
    op.drop_table("family_links")
    op.drop_table("cursor")
    op.drop_table("counters")
    op.drop_table("audit")
    op.drop_table("archive")
    op.drop_index(op.f("ix_approvals_state"), table_name="approvals")
    op.drop_index(op.f("ix_approvals_order_id"), table_name="approvals")
    op.drop_index("ix_approvals_minor_requested", table_name="approvals")
    op.drop_table("approvals")
    op.drop_table("accounts")
    op.drop_index("account_audit_at", table_name="account_audit")
    op.drop_table("account_audit")
