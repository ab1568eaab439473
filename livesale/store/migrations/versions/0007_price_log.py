"""The price log, for the lowest price of 30 days beside a reduction; filled from the archived logs."""

from __future__ import annotations

from typing import Any

import msgpack
import sqlalchemy as sa
from alembic import op

revision = "0007_price_log"
down_revision = "0006_consents"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """The table, with every price there was."""
    prices = op.create_table(
        "prices",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("shelf", sa.String(length=64), server_default="", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("offer", sa.String(length=160), server_default="", nullable=False),
        sa.Column("price", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("from_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_prices_offer", "prices", ["offer"], unique=False)
    op.create_index("ix_prices_shelf_seq", "prices", ["shelf", "seq"], unique=False)
    op.create_index("ix_offers_product", "offers", ["product"], unique=False)
    archive = sa.table("archive", *map(sa.column, ("shelf", "seq", "bytes")))
    query = sa.select(archive).where(archive.c.shelf.like("show:%")).order_by(archive.c.shelf, archive.c.seq)
    for shelf, seq, raw in op.get_bind().execute(query).all():
        if rows := _prices(shelf, seq, raw):
            op.bulk_insert(prices, rows)


def _prices(shelf: str, seq: int, raw: bytes) -> list[dict[str, Any]]:
    entry = msgpack.unpackb(raw, raw=False, unicode_errors="surrogateescape")
    rows = []
    for event in entry["events"]:
        told = event.get("offer") if event["type"] == "offer_set" else event.get("deal") if event["type"] == "deal_set" else None
        if told:
            deal, price, currency = event["type"] == "deal_set", told["price"], told.get("currency", "")
            amount, currency = (price["amount"], price["currency"]) if isinstance(price, dict) else (price, currency)
            rows.append(
                {
                    "shelf": shelf, "seq": seq, "offer": told["offer"] if deal else told["id"],
                    "price": amount, "currency": currency,
                    "from_ms": told["starts_at"] if deal else entry["at"], "until_ms": told["ends_at"] if deal else None,
                }
            )  # fmt: skip
    return rows


def downgrade() -> None:
    """Without it."""
    op.drop_index("ix_offers_product", table_name="offers")
    op.drop_table("prices")
