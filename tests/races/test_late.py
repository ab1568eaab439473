"""The guard of late money, shown by what happens without it: ended orders that claim the last unit again."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from livesale.orders import aftersale, late
from livesale.orders.model import Order
from livesale.payments.model import Payment
from livesale.store.decision import Decision, Short
from livesale.store.record import load
from livesale.store.valkey import Store
from tests.support.market import Market

BUYERS = 8


async def all_late(store: Store) -> tuple[Market, list[Decision]]:
    """One unit, eight orders that ended without it, and the money of all eight: what each would do on the same reading."""
    market = Market(store)
    await market.open(1)
    orders = []
    async with market.running():
        for number in range(BUYERS):
            order = await market.check_out(await market.hold(f"b{number}", (0, 1)), "pm_declined")
            orders.append(await market.state(order, "payment_failed"))
    decisions = []
    for order in orders:
        payment = await market.orders.payment(order)
        assert payment
        market.provider.passed_3ds(payment.provider_id)
        await market.payments.go_on(order.id)
        records = await store.read(market.shelf, *aftersale.names(order.id))
        found, paid = load(Order, records[f"order:{order.id}"]), load(Payment, records[f"payment:{order.id}"])
        assert found
        assert paid
        decision = late.revive(records, found, paid)
        assert decision
        decisions.append(decision)
    return market, decisions


async def accepted(market: Market, decisions: list[Decision]) -> int:
    """How many came back to life, all at once."""
    done = await asyncio.gather(*(market.store.commit(one) for one in decisions), return_exceptions=True)
    assert all(not isinstance(one, Exception) or isinstance(one, Short) for one in done)
    return sum(not isinstance(one, Exception) for one in done)


async def test_without_its_floors_late_money_oversells(store: Store) -> None:
    """All eight get the one unit."""
    market, decisions = await all_late(store)
    unguarded = [
        replace(one, counters=tuple(replace(row, floor=None, ceiling=None) for row in one.counters)) for one in decisions
    ]
    assert await accepted(market, unguarded) == BUYERS
    assert await market.units_in("free") == 1 - BUYERS


async def test_with_them_one_order_lives_again(store: Store) -> None:
    """The unit is claimed once; the others are short, and their money is let go."""
    market, decisions = await all_late(store)
    assert await accepted(market, decisions) == 1
    assert await market.units_in("free") == 0
    await market.check_units()


async def test_late_money_waits_behind_the_line(store: Store) -> None:
    """A unit is free but somebody waits for it: nobody comes back to life before them."""
    market, decisions = await all_late(store)
    held = await market.hold("eve", (0, 1))
    await market.waiting.join(market.buyer("ann"), market.offers[0], 1)
    await market.orders.cancel(market.buyer("eve"), held.id)
    assert await market.units_in("free") == 1
    assert await accepted(market, decisions) == 0
