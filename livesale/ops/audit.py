"""Audit: who did what to money, stock, age and accounts, newest first: the ledger's and the accounts' lines merged."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts.store import account_audit
from livesale.kernel.clock import rfc3339
from livesale.ledger.reads import place_of, token
from livesale.ledger.tables import audit
from livesale.store.database import reading

NEWEST = (2**62, 2**31 - 1)  # above every id of either table, within the type of its column


async def list_audit(engine: AsyncEngine, limit: int = 50, after: str | None = None) -> dict[str, Any]:
    """`{items: [{id, at, actor, action, data}], next}`; `next` says how far either table has been read."""
    below = [min(pair) for pair in zip(place_of(after, int, int), NEWEST, strict=True)] if after else list(NEWEST)
    async with reading(engine) as connection:
        rows = await _newest(connection, audit, below[0], limit + 1)
        rows += await _newest(connection, account_audit, below[1], limit + 1)
    rows.sort(key=lambda row: -int(row["at_ms"]))  # stable: each table's own order stays
    for row in rows[:limit]:
        below[row["table"] is account_audit] = row["id"]
    more = token(below) if len(rows) > limit else None
    return {"items": [_shaped(row) for row in rows[:limit]], "next": more}


async def _newest(connection: AsyncConnection, table: Table, below: int, most: int) -> list[dict[str, Any]]:
    query = select(table).where(table.c.id < below).order_by(table.c.id.desc()).limit(most)
    return [{**row, "table": table} for row in (await connection.execute(query)).mappings()]


def _shaped(row: dict[str, Any]) -> dict[str, Any]:
    of_account = row["table"] is account_audit
    data = {"account": row["account"]} if of_account else {}
    return {
        "id": f"{'a' if of_account else 'l'}{row['id']}",
        "at": rfc3339(row["at_ms"]),
        "actor": row["actor"],
        "action": row["action"],
        "data": data | json.loads(row["data"]),
    }
