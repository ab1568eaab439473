"""Products over HTTP: lists, one product, and a shop's feed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.catalog import store
from livesale.catalog.feed import RejectedRow
from livesale.catalog.model import Product
from livesale.catalog.shops import ensure_shop, owner_of, shop_exists
from livesale.kernel.actor import Actor
from livesale.kernel.ids import is_name
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.routing import HOST, Answer, Call, Route
from livesale.store.database import reading

FEED_BYTES = 16 * 1024 * 1024
LISTED = 50

InStock = Callable[[list[Product]], Awaitable[dict[str, int]]]  # units left of each product
CanSell = Callable[[Actor, str], Awaitable[bool]]


class ProductView(msgspec.Struct):
    """A product as everybody sees it; `quantity`: units the shop has left for shows, null when its feed counts none."""

    id: str
    shop: str
    sku: str
    title: str
    description: str
    link: str
    image: str | None
    price: Money
    sale_price: Money | None
    availability: str
    quantity: int | None
    brand: str
    gtin: str
    condition: str
    category: str
    age_gate: int | None
    listed: bool


class ProductPage(msgspec.Struct):
    """Products in the order they were first imported; `next` is the following page's `after`."""

    items: list[ProductView]
    next: str | None


class FeedAnswer(msgspec.Struct):
    """What became of a feed; `rejected` has line, field and reason of each row not taken."""

    imported: int
    updated: int
    removed: int
    rejected: list[RejectedRow]


# Keeps what became of a feed, in the transaction that imports it; the stock is still to be told to the shelf.
KeepFeed = Callable[[AsyncConnection, FeedAnswer], Awaitable[None]]
ImportFeed = Callable[[str, bytes, KeepFeed], Awaitable[FeedAnswer]]  # (shop, feed, keep)


def routes(database: AsyncEngine, feed: ImportFeed, in_stock: InStock, can_sell: CanSell) -> list[Route]:
    """Every route of the catalog room; `feed` imports, `can_sell` says whose shop it is."""
    handlers = _Handlers(database, feed, in_stock, can_sell)
    return [
        Route("GET", "/products", handlers.list, "Products", answer=ProductPage, query=("shop", "limit", "after")),
        Route("GET", "/products/{id}", handlers.get, "A product, listed or no more", answer=ProductView),
        Route(
            "POST", "/shops/{shop}/feed", handlers.feed, "Make a shop's products those of this feed (RSS 2.0)", HOST,
            bytes, FeedAnswer, most_bytes=FEED_BYTES, sql=True,
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, database: AsyncEngine, feed: ImportFeed, in_stock: InStock, can_sell: CanSell) -> None:
        self._database = database
        self._feed = feed
        self._in_stock = in_stock
        self._can_sell = can_sell

    async def list(self, call: Call) -> Answer:
        limit = int(call.query.get("limit", LISTED))
        async with reading(self._database) as connection:
            found = await store.list_products(connection, call.query.get("shop"), call.query.get("after"), limit)
        left = await self._in_stock(found)
        items = [_view(product, left) for product in found]
        return Answer(ProductPage(items, items[-1].id if len(items) == limit else None))

    async def get(self, call: Call) -> Answer:
        async with reading(self._database) as connection:
            found = await store.product(connection, call.path["id"])
        if found is None:
            raise not_found("product")
        return Answer(_view(found, await self._in_stock([found])))

    async def feed(self, call: Call) -> Answer:
        actor, shop = call.account(), call.path["shop"]
        if not is_name(shop):
            raise invalid("shop", "a shop's name has 1 to 40 of a-z, 0-9 and -")
        founds = await self._founds(actor, shop)

        async def keep(db: AsyncConnection, answer: FeedAnswer) -> None:
            if founds:  # with the first products, so that a feed nobody can read founds nothing
                if await owner_of(db, shop) is not None:
                    raise _not_yours(shop)  # another host was faster
                await ensure_shop(db, shop, actor.account, time.time_ns() // 1_000_000)
            await call.keep(db, Answer(answer), finished=False)

        return Answer(await self._feed(shop, call.raw, keep))

    async def _founds(self, actor: Actor, shop: str) -> bool:
        """A host's first feed founds the shop; from then on it is that host's, and refused to others."""
        if await self._can_sell(actor, shop):
            return False
        async with reading(self._database) as connection:
            if await shop_exists(connection, shop):
                raise _not_yours(shop)
        return True


def _not_yours(shop: str) -> Refusal:
    return Refusal("forbidden", f"You do not run the shop {shop}.")


def _view(product: Product, left: dict[str, int]) -> ProductView:
    fields: dict[str, Any] = {name: getattr(product, name, None) for name in ProductView.__struct_fields__}
    quantity = max(0, left[product.id]) if product.tracked else None
    listed = product.removed_at is None
    return ProductView(**{**fields, "image": product.image or None, "listed": listed, "quantity": quantity})
