"""The one door for refunds: what keeps money from going back twice, shown by what happens without it."""

from __future__ import annotations

from collections import Counter

import pytest

from livesale.orders import refunds
from livesale.orders.aftersale import names
from livesale.orders.refunds import Wish
from livesale.store.log import read_log
from livesale.store.valkey import Store
from tests.races.blind import blindly, carried_out
from tests.support.market import HOST, Hurried, Market


@pytest.mark.parametrize(("blind", "times"), [(False, 1), (True, 2)])
async def test_two_refunds_of_everything(store: Store, blind: bool, times: int) -> None:
    """Decided on one reading, each within what was captured: without the versions together they are twice of it."""
    market = Market(store)
    await market.open(5)
    async with market.running():
        order = await market.paid("ann", (0, 1))
    records, now_ms = await store.read(market.shelf, *names(order.id)), store.now_ms()
    wish = Wish(None, None, "EUR", False)
    both = [refunds.ask(records, order.id, HOST.account, wish, ("", ""), now_ms) for _ in range(2)]
    await (blindly if blind else carried_out)(store, both)
    assert await _asked(market) == times * order.total


@pytest.mark.parametrize(("blind", "units"), [(False, 5), (True, 6)])
async def test_a_refunds_end_told_twice(store: Store, blind: bool, units: int) -> None:
    """Settled by two workers: without the versions a unit of another order is put on sale with this one's."""
    market = Market(store)
    market.sold = Hurried(store, market.may_sell)
    await market.open(6)
    async with market.running():
        order, _bobs = await market.paid("ann", (0, 1)), await market.paid("bob", (0, 1))
    await market.refund(order, restock=True)
    for _ in range(2):
        await market.refunds.go_on(order.id)
    records, now_ms = await store.read(market.shelf, *names(order.id)), store.now_ms()
    twice = [refunds.settle(records, order.id, now_ms) for _ in range(2)]
    await (blindly if blind else carried_out)(store, twice)
    assert await market.units_in("free") == units


async def _asked(market: Market) -> int:
    """Minor units of all refunds that were asked for."""
    told: Counter[str] = Counter()
    for entry in await read_log(market.store, market.shelf):
        for event in entry.fields()["events"]:
            if event["type"] == "refund_changed" and event["state"] == "requested":
                told[event["refund"]] += event["amount"]
    return sum(told.values())
