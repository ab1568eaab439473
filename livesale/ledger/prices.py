"""Prices: reads the append-only price log, for the reference price of a reduction (`shows/reductions.py`)."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.tables import offers, prices, shows
from livesale.shows.reductions import WINDOW_MS, OnAir, Priced, lowest
from livesale.store.database import reading

_SHOW = "show:"


async def lowest_price(engine: AsyncEngine, product: str, currency: str, now_ms: int) -> int | None:
    """The lowest price a product was sold at in any show of the 30 days before `now_ms`; None when it was not on sale.

    It lags the shelves by up to a second, as all lists do: whoever asks counts the price of this moment as well.
    """
    on_sale = or_(shows.c.ended_ms.is_(None), shows.c.ended_ms > now_ms - WINDOW_MS)
    query = (
        select(prices, shows.c.started_ms, shows.c.ended_ms)
        .join(offers, offers.c.id == prices.c.offer)
        .join(shows, _SHOW + shows.c.id == prices.c.shelf)
        .where(offers.c.product == product, prices.c.currency == currency, prices.c.from_ms < now_ms)
        .where(shows.c.started_ms.is_not(None), on_sale)
        .order_by(prices.c.shelf, prices.c.seq, prices.c.id)
    )
    async with reading(engine) as connection:
        rows = (await connection.execute(query)).all()
    log = [
        (Priced(row.offer, row.price, row.from_ms, row.until_ms), OnAir(row.started_ms, row.ended_ms)) for row in rows
    ]
    return lowest(log, now_ms)
