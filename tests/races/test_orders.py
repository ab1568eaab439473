"""The guards of an order's way from hold to paid, each shown by what happens without it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from livesale.kernel.ids import random_name
from livesale.orders import model, reactions, service
from livesale.orders.model import MOST_PAYING_ORDERS, Order
from livesale.orders.placing import Wish, place, record_names
from livesale.orders.service import Checkout
from livesale.payments.model import Payment
from livesale.shows.model import Deal
from livesale.store.decision import Counter, Decision, Once, Put
from livesale.store.record import encode, load
from livesale.store.valkey import Records, Store
from tests.races.blind import blindly, carried_out, unbounded
from tests.support.market import SHIP_TO, TO, Market

MANY = 4


async def opened(store: Store, stock: int = 20, limit: int | None = None) -> Market:
    market = Market(store)
    await market.open(stock, limit=limit)
    market.orders.next_state = _as_it_is  # type: ignore[method-assign]
    return market


async def _as_it_is(order: Order) -> Order:
    return order


async def holds(market: Market, *accounts: str) -> list[Decision]:
    """What these buyers do, decided on the same reading."""
    wishes = [Wish(market.offers[0], 1)]
    records = await market.store.read(market.shelf, *record_names(wishes))
    now_ms = market.store.now_ms()
    return [place(market.shelf, records, account, wishes, None, now_ms, TO)[1] for account in accounts]


async def read(market: Market, order: Order) -> Records:
    """What a command on an order reads."""
    names = (*service._names(order.id), f"approval:{order.approval}")
    return await market.store.read(market.shelf, *names)


def pays(records: Records, order: Order, now_ms: int) -> Decision:
    """A checkout."""
    return service._pay(records, order.id, Checkout(SHIP_TO, "pm_ok", order.total, "EUR"), b"", now_ms)


async def counter(market: Market, name: str) -> int:
    return (await market.store.counters(market.shelf, name))[name]


@pytest.mark.parametrize(("guarded", "held"), [(False, MANY), (True, 2)])
async def test_a_buyers_limit(store: Store, guarded: bool, held: int) -> None:
    """Four holds of one buyer at once, two allowed: without the ceiling of the buyer's counter all four are held."""
    market = await opened(store, limit=2)
    decided = await holds(market, *["ann"] * MANY)
    bounds = ("",) if guarded else ("buyer:",)
    done = decided if guarded else [unbounded(one, *bounds) for one in decided]
    assert sum(await carried_out(store, done)) == held


@pytest.mark.parametrize(("guarded", "held"), [(False, MANY), (True, 2)])
async def test_a_deals_quantity(store: Store, guarded: bool, held: int) -> None:
    """Four want the deal's price, it is for two: without the floor of the deal's counter all four have it."""
    market = await opened(store)
    deal = Deal("d_x", market.offers[0], 500, 0, store.now_ms() + 60_000, quantity=2)
    await store.commit(Decision(market.shelf, puts=(Put("deal", 0, encode(deal)),), counters=(Counter("deal:d_x", 2),)))
    decided = await holds(market, "ann", "bob", "cid", "dan")
    assert sum(await carried_out(store, decided if guarded else [unbounded(one, "deal:") for one in decided])) == held


@pytest.mark.parametrize(("guarded", "units"), [(False, 2), (True, 1)])
async def test_a_buyers_own_turn(store: Store, guarded: bool, units: int) -> None:
    """A hold decided without a look at its buyer's own turn: without the expectation ann has a unit beside the one offered."""
    market = await opened(store, stock=1)
    sold = await market.hold("sue", (0, 1))
    await market.waiting.join(market.buyer("ann"), market.offers[0], 1)
    await market.orders.cancel(market.buyer("sue"), sold.id)
    await market.waiting.advance(market.shelf, market.offers[0])
    more = tuple(Counter(f"{place}:{market.offers[0]}", 1) for place in ("free", "loaded"))
    await store.commit(Decision(market.shelf, counters=more))
    [decided] = await holds(market, "ann")
    await carried_out(store, [decided if guarded else replace(decided, expect=())])
    assert await market.units_in("offered") + await market.units_in("held") == units


@pytest.mark.parametrize(("guarded", "paying"), [(False, MANY), (True, MOST_PAYING_ORDERS)])
async def test_orders_being_paid(store: Store, guarded: bool, paying: int) -> None:
    """Four checkouts of one buyer at once: without the ceiling all four are being paid."""
    market = await opened(store)
    orders = [await market.hold("ann", (0, 1)) for _ in range(MANY)]
    decided = [pays(await read(market, order), order, store.now_ms()) for order in orders]
    done = decided if guarded else [unbounded(one, "paying_orders:") for one in decided]
    assert sum(await carried_out(store, done)) == paying


@pytest.mark.parametrize("other", ["cancel", "pay"])
async def test_a_checkout_and_its_rival(store: Store, other: str) -> None:
    """Paid and cancelled, or paid twice, on one reading: without the order's version both happen, with somebody else's
    unit; with it one does.
    """
    market = await opened(store)
    order, _bobs = await market.hold("ann", (0, 1)), await market.hold("bob", (0, 1))
    records, now_ms = await read(market, order), store.now_ms()
    rivals = [
        pays(records, order, now_ms),
        service._cancel(records, order.id, now_ms) if other == "cancel" else pays(records, order, now_ms),
    ]
    assert await carried_out(store, rivals) == [True, False]
    assert await market.units_in("held") == 1
    again, now = await market.hold("ann", (0, 1)), store.now_ms()
    records = await read(market, again)
    rivals = [
        pays(records, again, now),
        service._cancel(records, again.id, now) if other == "cancel" else pays(records, again, now),
    ]
    assert await blindly(store, [unbounded(one, "paying_orders:") for one in rivals]) == [True, True]
    assert await market.units_in("held") == 0  # bob's is gone


async def test_a_hold_ends_by_the_stores_clock(store: Store) -> None:
    """A worker whose clock is fast: without `not_before` the hold ends early, with it the store says when."""
    market = await opened(store)
    order = await market.hold("ann", (0, 1))
    early = service._expire(await read(market, order), market.shelf, order.id)
    assert await carried_out(store, [early]) == [False]
    assert await carried_out(store, [replace(early, id=random_name(), not_before=None)]) == [True]


async def paid_for(market: Market, account: str, state: str, unit: bool = True) -> Order:
    """An order whose payment the provider has just brought to a state."""
    order = await market.check_out(await market.hold(account, (0, 1)))
    for wanted in ("authorised", "capturing", "captured"):
        if wanted == "capturing":
            records = await read(market, order)
            await market.store.commit(reactions.claim(records, order.id, market.store.now_ms()))
        else:
            await market.payments.go_on(order.id)
        if wanted == state:
            return order
    raise AssertionError(state)


@pytest.mark.parametrize(("blind", "claimed"), [(False, 1), (True, 2)])
async def test_a_claim_told_twice(store: Store, blind: bool, claimed: int) -> None:
    """`authorised` read by two workers: without the records' versions the second claims a unit somebody else pays for."""
    market = await opened(store)
    order, _bobs = await paid_for(market, "ann", "authorised"), await paid_for(market, "bob", "authorised")
    records, now_ms = await read(market, order), store.now_ms()
    twice = [reactions.claim(records, order.id, now_ms) for _ in range(2)]
    await (blindly if blind else carried_out)(store, twice)
    assert await market.units_in("claimed") == claimed


@pytest.mark.parametrize(("blind", "times"), [(False, 1), (True, 2)])
async def test_a_capture_told_twice(store: Store, blind: bool, times: int) -> None:
    """`captured` read by two workers: without the order's version the revenue is counted twice."""
    market = await opened(store)
    order, _bobs = await paid_for(market, "ann", "captured"), await paid_for(market, "bob", "captured")
    records, now_ms = await read(market, order), store.now_ms()
    assert load(Payment, records[f"payment:{order.id}"])
    twice = [unbounded(reactions.settle(records, order.id, now_ms), "paying_orders:") for _ in range(2)]
    await (blindly if blind else carried_out)(store, twice)
    assert await counter(market, "revenue") == times * order.total


async def test_authorised_and_not_claimed_is_let_go_of(store: Store) -> None:
    """The order has ended and its unit is bob's by the time the payment is authorised: the buyer's money is free again."""
    market = await opened(store, stock=1)
    order = await paid_for(market, "ann", "authorised")
    records, now_ms = await read(market, order), store.now_ms()
    now = await market.orders.load(order.id)
    ended = model.changed(now, state="cancelled", reservation="released")
    await store.commit(service.ending(records, now, ended))
    await market.hold("bob", (0, 1))
    assert await carried_out(store, [reactions.claim(records, order.id, now_ms)]) == [False]  # read before it ended
    await market.reactions._payment(market.shelf, {"order": order.id, "state": "authorised"})
    await market.payments.go_on(order.id)
    assert market.provider.outstanding() == []
    assert market.provider.captured == {}
    assert await market.units_in("held") == 1


@pytest.mark.parametrize(("guarded", "held"), [(False, 2), (True, 1)])
async def test_a_key_pressed_twice(store: Store, guarded: bool, held: int) -> None:
    """One Idempotency-Key, decided in two processes: without `once` two orders, with it the first answer again."""
    market = await opened(store)
    key = Once("ann:place", "k", "f", b"the answer")
    decided = [replace(one, once=key if guarded else None) for one in await holds(market, "ann", "ann")]
    answers = [await store.commit(one) for one in decided]
    assert await market.units_in("held") == held
    assert [one.answer for one in answers] == ([b"the answer"] * 2 if guarded else [b"", b""])
