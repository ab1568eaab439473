"""The guards of a line, each shown by what happens without it: who passes, who waits beside units that are free."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order, nobody_waits
from livesale.orders.placing import Wish, place, record_names
from livesale.orders.waitlist import join, record_name, serve
from livesale.store.decision import Conflict, Decision, Short
from livesale.store.valkey import Store
from tests.support.market import TO, Market

BUYERS = 40


async def freed(store: Store, *waiting: str) -> Market:
    """One unit has just come free, these wait for it, and no worker has looked yet."""
    market = Market(store)
    await market.open(1)
    order = await market.hold("sue", (0, 1))
    for account in waiting:
        await market.waiting.join(market.buyer(account), market.offers[0], 1)
    await market.orders.cancel(market.buyer("sue"), order.id)
    assert await market.units_in("free") == 1
    return market


async def outsiders(market: Market) -> list[Decision]:
    """What forty who never waited would do, decided on the same reading."""
    wishes = [Wish(market.offers[0], 1)]
    records = await market.store.read(market.shelf, *record_names(wishes))
    now_ms = market.store.now_ms()
    return [place(market.shelf, records, f"b{number}", wishes, None, now_ms, TO)[1] for number in range(BUYERS)]


async def accepted(market: Market, decisions: list[Decision]) -> int:
    """How many were carried out, all sent at once."""
    done = await asyncio.gather(*(market.store.commit(one) for one in decisions), return_exceptions=True)
    assert all(not isinstance(one, Exception) or isinstance(one, Short | Conflict) for one in done)
    return sum(not isinstance(one, Exception) for one in done)


def without(guard: str, decision: Decision) -> Decision:
    """The same Decision without one of its counters."""
    return replace(decision, counters=tuple(one for one in decision.counters if one.name != guard))


async def test_without_the_guard_somebody_passes(store: Store) -> None:
    """A unit comes free while ann waits: without the guard one of forty takes it before she is asked."""
    market = await freed(store, "ann")
    guard = nobody_waits(market.offers[0]).name
    assert await accepted(market, [without(guard, one) for one in await outsiders(market)]) == 1
    await market.waiting.advance(market.shelf, market.offers[0])
    assert (await market.waiting.standing(market.buyer("ann"), market.offers[0])).state == "waiting"


async def test_with_it_nobody_does(store: Store) -> None:
    """The same moment, guarded: none of the forty, and it is her turn."""
    market = await freed(store, "ann")
    outside = await outsiders(market)
    done, *_ = await asyncio.gather(
        accepted(market, outside), market.waiting.advance(market.shelf, market.offers[0])
    )
    assert done == 0
    assert await accepted(market, await outsiders(market)) == 0
    assert (await market.waiting.standing(market.buyer("ann"), market.offers[0])).state == "offered"
    await market.check_units()


async def test_without_its_guard_a_join_waits_beside_a_free_unit(store: Store) -> None:
    """The unit comes free between reading and joining: blind, ann waits while anyone might buy; guarded, she is told."""
    market = await freed(store)
    offer = market.offers[0]
    records = await market.store.read(market.shelf, "show", f"offer:{offer}", *(record_name(offer, x) for x in ("ann", "bob")))
    guarded, blind = (join(market.shelf, records, account, offer, 1, behind=False) for account in ("ann", "bob"))
    assert await accepted(market, [guarded]) == 0
    assert await accepted(market, [without(f"free:{offer}", blind)]) == 1


async def test_without_its_version_a_place_is_served_twice(store: Store) -> None:
    """Two workers offer at once: blind to the record, ann's one wish takes two units; by its version it takes one."""
    market = await freed(store, "ann", "bob")
    offer, name = market.offers[0], record_name(market.offers[0], "ann")
    records = await market.store.read(market.shelf, "show", name)
    twice = [serve(market.shelf, records, offer, ["ann"], 1, market.store.now_ms()) for _ in range(2)]
    assert await accepted(market, [one for one in twice if one]) == 1
    assert await market.units_in("free") == 0
    for one in twice:
        assert one
        unbounded = tuple(replace(counter, floor=None) for counter in one.counters)
        assert await accepted(market, [replace(one, id=random_name(), puts=(), counters=unbounded)]) == 1
    assert await market.units_in("free") == -2


async def test_two_workers_and_a_crowd(store: Store) -> None:
    """Units freed, offered, taken, declined and asked for by outsiders, all at once: served in the order of joining."""
    market = Market(store)
    await market.open(8)
    offer = market.offers[0]
    orders = [await market.hold(f"s{number}", (0, 1)) for number in range(8)]
    line = [f"w{number}" for number in range(12)]
    for account in line:
        await market.waiting.join(market.buyer(account), offer, 1)
    done = await asyncio.gather(
        *(market.orders.cancel(market.buyer(order.account), order.id) for order in orders),
        *(market.waiting.advance(market.shelf, offer) for _ in range(6)),
        *(market.hold(f"b{number}", (0, 1)) for number in range(BUYERS)),
        market.waiting.leave(market.buyer("w3"), offer),
        return_exceptions=True,
    )
    await market.waiting.advance(market.shelf, offer)
    bought = [one for one in done if isinstance(one, Order) and one.state == "held"]
    assert not bought
    assert {one.code for one in done if isinstance(one, Refusal)} <= {"sold_out"}
    states = [(await market.waiting.standing(market.buyer(account), offer)).state for account in line]
    assert states in (
        ["offered"] * 3 + ["none"] + ["offered"] * 5 + ["waiting"] * 3,
    )
    await market.check_units()
