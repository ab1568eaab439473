"""The two guards of a hold, each shown by what happens without it: the counter's floor and the expected records."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.orders.placing import Wish, place, record_names
from livesale.store.decision import Conflict, Decision, Short
from livesale.store.valkey import Store
from tests.support.market import HOST, TO, Market

BUYERS = 40
STOCK = 5


async def opened(store: Store) -> Market:
    """A show with five units of one offer."""
    market = Market(store)
    await market.open(STOCK)
    return market


async def read_by_all(market: Market) -> list[tuple[Order, Decision]]:
    """What every buyer would do, decided on the same reading: the moment in which races begin."""
    wishes = [Wish(market.offers[0], 1)]
    records = await market.store.read(market.shelf, *record_names(wishes))
    now_ms = market.store.now_ms()
    return [place(market.shelf, records, f"b{number}", wishes, None, now_ms, TO) for number in range(BUYERS)]


async def carried_out(market: Market, decisions: list[Decision]) -> int:
    """How many of them were accepted, all sent at once."""
    done = await asyncio.gather(*(market.store.commit(one) for one in decisions), return_exceptions=True)
    assert all(not isinstance(one, Exception) or isinstance(one, Short | Conflict) for one in done)
    return sum(not isinstance(one, Exception) for one in done)


async def free(market: Market) -> int:
    """Free units of the offer."""
    name = f"free:{market.offers[0]}"
    return (await market.store.counters(market.shelf, name))[name]


def unguarded(decision: Decision) -> Decision:
    """The same Decision with no floor under any counter."""
    return replace(decision, counters=tuple(replace(one, floor=None) for one in decision.counters))


async def test_without_its_floor_a_hold_oversells(store: Store) -> None:
    """Forty buyers decide on the same reading: without the floor all forty get one of five units."""
    market = await opened(store)
    decided = await read_by_all(market)
    assert await carried_out(market, [unguarded(decision) for _, decision in decided]) == BUYERS
    assert await free(market) == STOCK - BUYERS


async def test_with_its_floor_it_does_not(store: Store) -> None:
    """The same moment, guarded: five get one, nobody gets a sixth."""
    market = await opened(store)
    decided = await read_by_all(market)
    assert await carried_out(market, [decision for _, decision in decided]) == STOCK
    assert await free(market) == 0
    await market.check_units()


async def test_without_its_expectation_a_hold_sells_at_yesterdays_price(store: Store) -> None:
    """The host reprices between reading and commit: without `expect` the old price is sold, with it nothing is."""
    market = await opened(store)
    (_, blind), (_, guarded) = (await read_by_all(market))[:2]
    await market.reprice(market.offers[0], 9_999)
    assert await carried_out(market, [replace(blind, expect=())]) == 1
    assert await carried_out(market, [guarded]) == 0


async def test_without_its_expectation_a_hold_outlives_the_show(store: Store) -> None:
    """The show ends between reading and commit: the same."""
    market = await opened(store)
    (_, blind), (_, guarded) = (await read_by_all(market))[:2]
    await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
    assert await carried_out(market, [replace(blind, expect=())]) == 1
    assert await carried_out(market, [guarded]) == 0


async def test_buyers_against_a_host_who_reprices(store: Store) -> None:
    """Whatever the interleaving, each order has a price that was the price, and stock is exact."""
    market = await opened(store)
    offer = market.offers[0]
    prices = (1000, 1100, 1200, 1300)
    done = await asyncio.gather(
        *(market.hold(f"b{number}", (0, 1)) for number in range(20)),
        *(market.reprice(offer, price) for price in prices),
        return_exceptions=True,
    )
    orders = [one for one in done if isinstance(one, Order)]
    assert {one.code for one in done if isinstance(one, Refusal)} <= {"sold_out", "conflict"}
    assert len(orders) <= STOCK
    assert {order.lines[0].price for order in orders} <= set(prices)
    assert await free(market) == STOCK - len(orders)
    await market.check_units()
