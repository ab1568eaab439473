"""Feed import: products into SQL, quantities onto the shop's shelf; used by the command and by HTTP."""

from __future__ import annotations

import asyncio

from livesale.apps.wiring import Wiring
from livesale.catalog import store as catalog
from livesale.catalog.feed import read_feed
from livesale.catalog.routes import FeedAnswer, KeepFeed
from livesale.catalog.shops import ensure_shop
from livesale.orders.unavailable import tell_withdrawn
from livesale.store.database import reading

MOST_AT_ONCE = 200


async def import_feed(
    wiring: Wiring, shop: str, data: bytes, owner: str | None, keep: KeepFeed | None = None
) -> FeedAnswer:
    """Make the shop's products those of the feed; Refusal malformed when it is none."""
    report = await asyncio.to_thread(read_feed, data)  # seconds for a large one
    now_ms = wiring.store.now_ms()
    async with wiring.database.begin() as connection:
        await ensure_shop(connection, shop, owner, now_ms)
        counts = await catalog.upsert_products(connection, shop, report.products, now_ms)
        answer = FeedAnswer(counts.imported, counts.updated + counts.unchanged, len(counts.gone), report.rejected)
        if keep is not None:
            await keep(connection, answer)
    await _set_stock(wiring, shop)
    for change in counts.stock:
        if change.now == 0:
            await wiring.transfers.adjust(shop, change.product, 0, "feed")
    await tell_withdrawn(wiring.store, shop, counts.gone)
    return answer


async def _set_stock(wiring: Wiring, shop: str) -> None:
    """The shelf follows SQL: done again by the next import if a crash comes between."""
    after: str | None = None
    while True:
        async with reading(wiring.database) as connection:
            products = await catalog.list_products(connection, shop, after, MOST_AT_ONCE)
        await asyncio.gather(*(wiring.transfers.adjust(shop, one.id, one.quantity, "feed") for one in products))
        if len(products) < MOST_AT_ONCE:
            return
        after = products[-1].id
