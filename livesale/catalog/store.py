"""Products in SQL: one import makes a shop's list equal to its feed; nothing is ever deleted, only unlisted.

Orders and offers go on naming a product that a later feed no longer has, so its row stays with `removed_ms`
set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.catalog.model import STANDARD, FeedProduct, Product, own_picture
from livesale.kernel.ids import new_id, shelf
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata

MAX_LISTED = 200

products = Table(
    "products",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("shop", String(40), nullable=False),
    Column(
        "number", Integer, nullable=False
    ),  # order of first import: stable, so pages neither skip nor repeat
    Column("sku", String(50), nullable=False),
    Column("title", String(150), nullable=False),
    Column("description", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("sale_price", BigInteger),
    Column("availability", String(20), nullable=False),
    Column("quantity", BigInteger),
    Column("gtin", String(70), nullable=False),
    Column("brand", String(70), nullable=False),
    Column("condition", String(20), nullable=False),
    Column("category", Text, nullable=False),
    Column("age_gate", Integer),
    Column("tax", String(10), nullable=False, server_default=STANDARD),
    Column("updated_ms", BigInteger, nullable=False),
    Column("removed_ms", BigInteger),
    UniqueConstraint("shop", "sku"),
    UniqueConstraint("shop", "number"),
)

_STATED = [
    column for column in products.c if column.name not in ("id", "shop", "number", "updated_ms", "removed_ms")
]

_FOREIGN_PICTURE = products.c.removed_ms.is_(None) & products.c.image.like("http%")


class StockChange(msgspec.Struct, frozen=True):
    """A product whose feed quantity changed: None is untracked (endless); 0 stands for not listed, too."""

    product: str
    before: int | None
    now: int | None


class Upserted(msgspec.Struct, frozen=True):
    """What an import changed: counts, and every product whose stock the shop's shelf has to learn."""

    imported: int
    updated: int
    unchanged: int
    gone: list[str]
    stock: list[StockChange]


async def upsert_products(
    conn: AsyncConnection, shop: str, feed: Iterable[FeedProduct], now_ms: int
) -> Upserted:
    """Make the shop's list equal to `feed`, inside the caller's transaction.

    A product keeps its id as long as its sku; one that comes back counts as updated. Refusal `conflict` when
    another import of the same shop runs at the same time (the caller's transaction is then to be rolled
    back).
    """
    known = await _known(conn, shop)
    plan = _Plan(shop, max((row["number"] for row in known.values()), default=0))
    seen = set()
    for stated in map(_stated, feed):
        seen.add(stated["sku"])
        plan.take(stated, known.get(stated["sku"]))
    gone = [row for sku, row in known.items() if sku not in seen and row["removed_ms"] is None]
    plan.stock += [StockChange(row["id"], row["quantity"], 0) for row in gone]
    await _write(conn, plan, [row["id"] for row in gone], now_ms)
    unchanged = len(seen) - len(plan.fresh) - len(plan.changed)
    return Upserted(len(plan.fresh), len(plan.changed), unchanged, [row["id"] for row in gone], plan.stock)


async def list_products(
    conn: AsyncConnection, shop: str | None = None, after: str | None = None, limit: int = 50
) -> list[Product]:
    """Listed products behind the product `after`, at most `limit` (≤ 200), in the order they were first
    imported.
    """
    query = select(products).where(products.c.removed_ms.is_(None))
    if shop is not None:
        query = query.where(products.c.shop == shop)
    if after is not None:
        place = (
            await conn.execute(select(products.c.shop, products.c.number).where(products.c.id == after))
        ).first()
        if place is None:
            raise Refusal("invalid", "after: must be the `next` of the page before")
        query = query.where(tuple_(products.c.shop, products.c.number) > tuple_(place.shop, place.number))
    query = query.order_by(products.c.shop, products.c.number).limit(max(1, min(limit, MAX_LISTED)))
    return [_product(row) for row in (await conn.execute(query)).mappings()]


async def pictures_changed(conn: AsyncConnection) -> dict[str, int]:
    """When each shop that names pictures at other hosts last changed, in ms."""
    query = select(products.c.shop, func.max(products.c.updated_ms)).where(_FOREIGN_PICTURE).group_by(products.c.shop)
    return {shop: changed_ms for shop, changed_ms in await conn.execute(query)}


async def pictures_of(conn: AsyncConnection, shop: str) -> list[str]:
    """The addresses of a shop's pictures at other hosts."""
    query = select(products.c.image).where(products.c.shop == shop, _FOREIGN_PICTURE).distinct()
    return list((await conn.execute(query)).scalars())


async def product(conn: AsyncConnection, product_id: str) -> Product | None:
    """The product, listed or removed; None when there never was one."""
    row = (await conn.execute(select(products).where(products.c.id == product_id))).mappings().first()
    return None if row is None else _product(row)


async def product_of_sku(conn: AsyncConnection, shop: str, sku: str) -> Product | None:
    """The shop's product with `sku`, listed or removed."""
    query = select(products).where(products.c.shop == shop, products.c.sku == sku)
    row = (await conn.execute(query)).mappings().first()
    return None if row is None else _product(row)


async def count_products(conn: AsyncConnection, shop: str) -> int:
    """How many products the shop lists."""
    query = select(func.count()).where(products.c.shop == shop, products.c.removed_ms.is_(None))
    return int((await conn.execute(query)).scalar_one())


class _Plan:
    """What an import is about to write."""

    def __init__(self, shop: str, number: int) -> None:
        self.fresh: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self.stock: list[StockChange] = []
        self._shop = shop
        self._number = number

    def take(self, stated: dict[str, Any], row: RowMapping | None) -> None:
        """Plan one row of the feed beside what is known of its sku."""
        if row is None:
            self._number += 1
            product_id = new_id("p", shelf("shop", self._shop))
            self.fresh.append({**stated, "id": product_id, "shop": self._shop, "number": self._number})
            self.stock.append(StockChange(product_id, 0, stated["quantity"]))
            return
        before = row["quantity"] if row["removed_ms"] is None else 0
        if row["removed_ms"] is not None or any(row[name] != value for name, value in stated.items()):
            self.changed.append({**stated, "b_id": row["id"]})
        if before != stated["quantity"]:
            self.stock.append(StockChange(row["id"], before, stated["quantity"]))


async def _known(conn: AsyncConnection, shop: str) -> dict[str, RowMapping]:
    columns = [products.c.id, products.c.number, products.c.removed_ms, *_STATED]
    rows = await conn.execute(select(*columns).where(products.c.shop == shop))
    return {row["sku"]: row for row in rows.mappings()}


async def _write(conn: AsyncConnection, plan: _Plan, gone: list[str], now_ms: int) -> None:
    try:
        if plan.fresh:
            await conn.execute(insert(products).values(updated_ms=now_ms), plan.fresh)
    except IntegrityError as error:
        raise Refusal("conflict", "Another import of this shop is running; try again.") from error
    if plan.changed:
        replace = update(products).where(products.c.id == bindparam("b_id"))
        await conn.execute(replace.values(updated_ms=now_ms, removed_ms=None), plan.changed)
    if gone:
        unlist = (
            update(products)
            .where(products.c.id == bindparam("b_id"))
            .values(removed_ms=now_ms, updated_ms=now_ms)
        )
        await conn.execute(unlist, [{"b_id": product_id} for product_id in gone])


def _stated(feed: FeedProduct) -> dict[str, Any]:
    return {
        "sku": feed.sku,
        "title": feed.title,
        "description": feed.description,
        "link": feed.link,
        "image": feed.image,
        "price": feed.price.amount,
        "currency": feed.price.currency,
        "sale_price": feed.sale_price.amount if feed.sale_price else None,
        "availability": feed.availability,
        "quantity": feed.quantity,
        "gtin": feed.gtin,
        "brand": feed.brand,
        "condition": feed.condition,
        "category": feed.category,
        "age_gate": feed.age_gate,
        "tax": feed.tax,
    }


def _product(row: RowMapping) -> Product:
    currency, sale = row["currency"], row["sale_price"]
    return Product(
        **{name: row[name] for name in ("id", "shop", "sku", "title", "description", "link")},
        image=own_picture(row["shop"], row["image"]),
        **{name: row[name] for name in ("availability", "quantity", "gtin", "brand", "condition")},
        **{name: row[name] for name in ("category", "age_gate", "tax")},
        price=Money(row["price"], currency),
        sale_price=None if sale is None else Money(sale, currency),
        updated_at=row["updated_ms"],
        removed_at=row["removed_ms"],
    )
