"""A shop's own shelf: products sold beside its shows, at today's price, from the units the shop has."""

from __future__ import annotations

from typing import Any

import pytest

from livesale.catalog.model import Product
from livesale.kernel.ids import new_id
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.orders.placing import Wish
from livesale.orders.service import Orders
from livesale.store.decision import Counter, Decision, Once
from livesale.store.record import encode
from livesale.store.valkey import Store
from tests.support.market import Market

SHELF = "shop:demo"


@pytest.fixture
async def market(store: Store) -> Market:
    """Buyers, a catalogue, and no show."""
    return Market(store)


def product(price: int, currency: str = "EUR", **changed: Any) -> Product:
    return Product(
        new_id("p", SHELF), "demo", "SKU", "Pan", "", "", "", Money(price, currency), None, "in_stock", 5, "", "", "new", "",
        None, 0, **changed,
    )  # fmt: skip


async def stocked(market: Market, units: int, *products: Product) -> None:
    market.catalogue = {one.id: one for one in products}
    counters = tuple(Counter(f"free:{one.id}", units) for one in products)
    await market.store.commit(Decision(SHELF, counters=counters))


async def hold(market: Market, *wishes: Wish, key: str = "k") -> Order:
    orders: Orders = market.orders
    placed: list[Order] = []

    def render(order: Order) -> bytes:
        placed.append(order)
        return encode(order)

    await orders.place(market.buyer("ada"), SHELF, list(wishes), None, Once("ada:place", key, key), render)
    return placed[-1]


async def free(market: Market, of: Product) -> int:
    return (await market.store.counters(SHELF, f"free:{of.id}"))[f"free:{of.id}"]


async def code(market: Market, *wishes: Wish, key: str) -> str:
    with pytest.raises(Refusal) as refused:
        await hold(market, *wishes, key=key)
    return refused.value.code


async def test_a_product_is_bought_without_a_show(market: Market) -> None:
    """Units of the shop's own, at the catalogue's price, paid like any order; and none is sold twice."""
    pan = product(1999)
    await stocked(market, 3, pan)
    order = await hold(market, Wish(pan.id, 2))
    assert (order.shop, order.total, order.state) == ("demo", 3998, "held")
    assert await free(market, pan) == 1
    assert await code(market, Wish(pan.id, 2), key="second") == "sold_out"
    async with market.running():
        await market.check_out(order)
        assert (await market.state(order, "paid")).state == "paid"
    assert await free(market, pan) == 1


async def test_units_come_back(market: Market) -> None:
    """What is cancelled is the shop's again, for whoever comes."""
    pan = product(500)
    await stocked(market, 1, pan)
    order = await hold(market, Wish(pan.id, 1))
    await market.orders.cancel(market.buyer("ada"), order.id)
    assert await free(market, pan) == 1


async def test_it_costs_what_it_costs_today(market: Market) -> None:
    """A page that shows yesterday's price is told so; a sale's price counts; what the shop has no more cannot be had."""
    dear, cheap, gone = product(2000), product(2000), product(100, removed_at=1)
    sale = Product(**{name: getattr(cheap, name) for name in cheap.__struct_fields__} | {"sale_price": Money(900, "EUR")})
    await stocked(market, 5, dear, sale, gone)
    assert await code(market, Wish(dear.id, 1, 1500), key="a") == "price_changed"
    assert (await hold(market, Wish(sale.id, 1, 900), key="b")).total == 900
    assert await code(market, Wish(gone.id, 1), key="c") == "not_found"
    assert await code(market, Wish(new_id("p", SHELF), 1), key="d") == "not_found"
    francs = product(100, "CHF")
    await stocked(market, 5, dear, francs)
    assert await code(market, Wish(dear.id, 1), Wish(francs.id, 1), key="e") == "invalid"
