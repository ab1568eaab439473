"""Statements: what was earned, from the money entries alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.money import CAPTURED, PROVIDER, REFUNDED
from livesale.ledger.tables import money
from livesale.store.database import reading


async def revenue(engine: AsyncEngine, shelf: str) -> list[dict[str, Any]]:
    """For each currency sold in on `shelf`: `{currency, captured, refunded, net}` in minor units."""
    entry = money.c
    query = (
        select(entry.currency, entry.what, func.sum(entry.amount))
        .where(entry.shelf == shelf, entry.account == PROVIDER)
        .group_by(entry.currency, entry.what)
    )
    sums: dict[str, dict[str, int]] = {}
    async with reading(engine) as connection:
        for currency, what, total in await connection.execute(query):
            sums.setdefault(currency, {CAPTURED: 0, REFUNDED: 0})[what] = int(total)
    return [
        {
            "currency": currency,
            "captured": one[CAPTURED],
            "refunded": -one[REFUNDED],
            "net": one[CAPTURED] + one[REFUNDED],
        }
        for currency, one in sorted(sums.items())
    ]
