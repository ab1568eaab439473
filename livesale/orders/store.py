"""Shipping tables in SQL: a row for each country of a shop and currency; and what orders ask of them for every hold.

Law: a hold reads no SQL. A shop's table is remembered for less than the two seconds any reading may be old, and while it
is read anew everyone else waits for that one reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.countries import Countries
from livesale.kernel.money import Money
from livesale.orders import shipping
from livesale.orders.pricing import Destination
from livesale.orders.shipping import Row
from livesale.store.database import metadata, reading

REMEMBER_MS = 1_500
MOST_REMEMBERED = 1_000

shipping_prices = Table(
    "shipping_prices",
    metadata,
    Column("shop", String(40), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("place", Integer, nullable=False),  # of the row it was written in
    Column("price", BigInteger, nullable=False),
    Column("free_from", BigInteger),
)


class ShippingTables:
    """The port `Prices` of `service.py`, and the table itself for whoever reads or replaces it."""

    def __init__(self, database: AsyncEngine, now_ms: Callable[[], int], countries: Countries) -> None:
        self._database = database
        self._countries = countries
        self._now_ms = now_ms
        self._known: dict[str, tuple[int, shipping.Table]] = {}
        self._reading = asyncio.Lock()

    async def to(self, shop: str, country: str) -> Destination:
        """What going to that country means for the price of an order of the shop."""
        return Destination(country, self._countries.rates(country), await self._remembered(shop))

    async def table(self, shop: str) -> shipping.Table:
        """The shop's table as it was written; empty when it has none."""
        query = select(shipping_prices).where(shipping_prices.c.shop == shop).order_by("place", "country")
        rows: dict[int, Row] = {}
        async with reading(self._database) as connection:
            for found in await connection.execute(query):
                free_from = None if found.free_from is None else Money(found.free_from, found.currency)
                row = rows.setdefault(found.place, Row([], Money(found.price, found.currency), free_from))
                row.countries.append(found.country)
        return list(rows.values())

    async def replace(self, shop: str, table: shipping.Table) -> None:
        """Make this the shop's table; orders held before keep what they were held for."""
        rows = [
            {
                "shop": shop, "country": country, "currency": row.price.currency, "place": place,
                "price": row.price.amount, "free_from": row.free_from.amount if row.free_from else None,
            }
            for place, row in enumerate(shipping.checked(table))
            for country in row.countries
        ]  # fmt: skip
        async with self._database.begin() as connection:
            await connection.execute(delete(shipping_prices).where(shipping_prices.c.shop == shop))
            if rows:
                await connection.execute(insert(shipping_prices), rows)
        self._known.pop(shop, None)

    async def _remembered(self, shop: str) -> shipping.Table:
        if (known := self._fresh(shop)) is not None:
            return known
        async with self._reading:
            if (known := self._fresh(shop)) is not None:
                return known
            table = await self.table(shop)
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            self._known[shop] = (self._now_ms(), table)
            return table

    def _fresh(self, shop: str) -> shipping.Table | None:
        found = self._known.get(shop)
        return found[1] if found and self._now_ms() - found[0] <= REMEMBER_MS else None
