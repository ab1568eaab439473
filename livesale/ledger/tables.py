"""The ledger's SQL tables: the archive of every log, what it projects from it, and the audit.

Law: the archive, `cursor` and every projection are written only by the ledger, in one transaction a batch; `audit`
takes rows from every room (`write_audit`) and loses none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.store.database import metadata

MOST_ID = 160
MOST_SHELF = 64

_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only as INTEGER


def _text(name: str, size: int = MOST_ID, **more: Any) -> Column[str]:
    return Column(name, String(size), nullable=False, server_default="", **more)


def _number(name: str, **more: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0", **more)


def _moment(name: str) -> Column[int]:
    """Milliseconds since 1970, or NULL for never."""
    return Column(name, BigInteger)


archive = Table(
    "archive",
    metadata,
    Column("shelf", String(MOST_SHELF), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _number("at_ms"),
    Column("bytes", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
)

heads = Table(
    "heads",
    metadata,
    Column("shelf", String(MOST_SHELF), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    _number("published_ms"),
)

# `trimmed` is the first position the store may still keep, written before the log is trimmed; `stopped` says why the
# ledger takes nothing more of this shelf (empty: it goes on).
cursor = Table(
    "cursor",
    metadata,
    Column("shelf", String(MOST_SHELF), primary_key=True),
    _number("seq"),
    _number("trimmed"),
    Column("stopped", Text, nullable=False, server_default=""),
)

shows = Table(
    "shows",
    metadata,
    Column("id", String(MOST_ID), primary_key=True),
    Column("title", Text, nullable=False, server_default=""),
    _text("shop"),
    _text("currency", 3),
    _text("owner"),
    _text("state", 32),
    _moment("starts_ms"),
    _moment("started_ms"),
    _moment("ended_ms"),
    _number("created_ms"),
    _number("last_seq"),
    Index("ix_shows_state_created", "state", "created_ms"),
)

offers = Table(
    "offers",
    metadata,
    Column("id", String(MOST_ID), primary_key=True),
    _text("shelf", MOST_SHELF, index=True),
    _text("product", index=True),
    Column("title", Text, nullable=False, server_default=""),
    _number("price"),
    _text("currency", 3),
)

# The price log (§ 11 PAngV): every price an offer was given, never changed; `until_ms` of a deal, which ends by itself.
prices = Table(
    "prices",
    metadata,
    Column("id", _Serial, primary_key=True),
    _text("shelf", MOST_SHELF),
    _number("seq"),
    _text("offer", index=True),
    _number("price"),
    _text("currency", 3),
    _number("from_ms"),
    _moment("until_ms"),
    Index("ix_prices_shelf_seq", "shelf", "seq"),
    sqlite_autoincrement=True,
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(MOST_ID), primary_key=True),
    _text("shelf", MOST_SHELF, index=True),
    _text("shop"),
    _text("account"),
    _text("state", 32),
    _number("version"),
    _number("total"),
    _text("currency", 3),
    Column("lines", Text, nullable=False, server_default="[]"),
    _number("held_at"),
    _moment("reserved_until"),
    _number("updated_ms"),
    Column("reason", Text, nullable=False, server_default=""),
    Index("ix_orders_account_held", "account", "held_at", "id"),
    Index("ix_orders_shop_state_held", "shop", "state", "held_at", "id"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(MOST_ID), primary_key=True),
    _text("order_id", index=True),
    _text("shelf", MOST_SHELF),
    _text("minor"),
    _text("guardian"),
    _text("state", 32),
    _text("digest"),
    _number("total"),
    _text("currency", 3),
    _number("requested_ms"),
    _moment("expires_ms"),
    _number("updated_ms"),
    Index("ix_approvals_minor_requested", "minor", "requested_ms", "id"),
    Index("ix_approvals_state_requested", "state", "requested_ms", "id"),
    Index("ix_approvals_requested", "requested_ms", "id"),
)

# What was said in chats, by whom; a text is sealed with its author's key.
chat_lines = Table(
    "chat_lines",
    metadata,
    Column("id", String(MOST_ID), primary_key=True),
    _text("show"),
    _text("account", index=True),
    _number("at_ms"),
    Column("sealed", Text, nullable=False, server_default=""),
)

# Double entry: the rows of one (shelf, seq, payment, what) sum to zero; debit positive, credit negative.
money = Table(
    "money",
    metadata,
    Column("id", _Serial, primary_key=True),
    _text("shelf", MOST_SHELF),
    _number("seq"),
    _number("at_ms"),
    _text("account"),
    _number("amount"),
    _text("currency", 3),
    _text("what", 32),
    _text("payment", index=True),
    _text("order_id"),
    Index("ix_money_shelf_seq", "shelf", "seq"),
    sqlite_autoincrement=True,
)

counters = Table(
    "counters",
    metadata,
    Column("shelf", String(MOST_SHELF), primary_key=True),
    Column("name", String(512), primary_key=True, index=True),
    _number("value"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Serial, primary_key=True),
    _number("at_ms"),
    _text("actor"),
    _text("action", 64),
    Column("data", Text, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)


async def write_audit(
    connection: AsyncConnection, at_ms: int, actor: str, action: str, data: Mapping[str, Any]
) -> None:
    """One line of the audit in the caller's transaction: account id, dotted action, ids and figures (no names)."""
    row = {"at_ms": at_ms, "actor": actor, "action": action, "data": json.dumps(data, ensure_ascii=False)}
    await connection.execute(insert(audit).values(row))
