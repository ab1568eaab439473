"""The price log: what rooms said prices were, by product, in any show; it is filled from older archives too."""

from __future__ import annotations

import asyncio

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import DAY_MS
from livesale.ledger import tables
from livesale.ledger.prices import lowest_price
from livesale.store import database
from livesale.store.database import reading
from livesale.store.valkey import Store
from tests.ledger.conftest import Running, archived
from tests.support.market import HOST, Market


async def lowered(market: Market) -> str:
    """An offer at 10.00, reduced to 8.00, raised to 12.00, then dealt at 9.00; its product."""
    offer = market.offers[0]
    for price in (800, 1200):
        await market.reprice(offer, price)
        told_ms = market.store.now_ms()
        while market.store.now_ms() - told_ms < 2:  # a price that was in force for no time was nobody's
            await asyncio.sleep(0)
    await market.shows.deal(HOST, market.shelf.partition(":")[2], offer, 900, 0, 30)
    return f"p_{offer[-4:]}"


async def rows(engine: AsyncEngine) -> list[tuple[int, int | None]]:
    async with reading(engine) as db:
        found = (await db.execute(select(tables.prices).order_by(tables.prices.c.seq, tables.prices.c.id))).all()
    return [(row.price, row.until_ms and row.until_ms - row.from_ms) for row in found]


async def test_every_price_is_logged(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Prices as they were set, and the deal with its end; the lowest of 30 days is the one they were sold at least for."""
    market = Market(store)
    await market.open(20)
    product = await lowered(market)
    async with running():
        await archived(store, engine, market.shelf)
    told = await rows(engine)
    assert [price for price, _ in told][-3:] == [800, 1200, 900] and told[-1][1] == 30_000
    now_ms = store.now_ms()
    assert await lowest_price(engine, product, "EUR", now_ms) == 800
    assert await lowest_price(engine, product, "USD", now_ms) is None
    assert await lowest_price(engine, "another", "EUR", now_ms) is None
    assert await lowest_price(engine, product, "EUR", now_ms + 31 * DAY_MS) == 1200


async def test_the_log_is_filled_from_the_archive(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Whoever upgrades has the prices of the last 30 days at once: the revision reads them out of the archived entries."""
    market = Market(store)
    await market.open(20)
    await lowered(market)
    async with running():
        await archived(store, engine, market.shelf)
    before = await rows(engine)
    async with engine.begin() as db:
        await db.execute(delete(tables.prices))
        back = "UPDATE alembic_version SET version_num = '0006_consents'"
        for statement in ("DROP TABLE prices", "DROP INDEX ix_offers_product", back):
            await db.execute(text(statement))
        await db.run_sync(database.upgrade, "0007_price_log")
    assert await rows(engine) == before
