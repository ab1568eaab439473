"""Shipping: what a shop takes to send one order to a country. One amount an order, however many lines. Pure.

Without any table there is nothing to pay. Free delivery goes by what the goods cost before a coupon, so that a coupon
never makes an order dearer.
"""

from __future__ import annotations

import msgspec

from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal, invalid

MOST_ROWS = 100


class Row(msgspec.Struct, frozen=True):
    """Sending to any of `countries` costs `price`; nothing from `free_from` on."""

    countries: list[str]
    price: Money
    free_from: Money | None = None


Table = list[Row]


def checked(table: Table) -> Table:
    """The table, if every country has one price in a currency; invalid, naming the row, otherwise."""
    seen: set[tuple[str, str]] = set()
    for place, row in enumerate(table):
        if row.free_from and row.free_from.currency != row.price.currency:
            raise invalid(f"rows.{place}.free_from", f"must be in {row.price.currency} as the price is")
        for country in row.countries:
            if (country, row.price.currency) in seen:
                raise invalid(f"rows.{place}.countries", f"{country} is named twice in {row.price.currency}")
            seen.add((country, row.price.currency))
    return table


def cost(table: Table, country: str, currency: str, goods: int) -> int:
    """Minor units for an order whose goods cost `goods`; `no_delivery`, naming where it does deliver, otherwise."""
    offered = [row for row in table if row.price.currency == currency]
    row = next((row for row in offered if country in row.countries), None)
    if row is not None:
        return 0 if row.free_from and goods >= row.free_from.amount else row.price.amount
    if not table:
        return 0
    reached = sorted({one for row in offered for one in row.countries})
    where = f" It delivers to: {', '.join(reached)}." if reached else ""
    errors = [{"field": "ship_to.country", "country": country, "countries": reached}]
    raise Refusal("no_delivery", f"This shop does not deliver to {country}.{where}", errors)
