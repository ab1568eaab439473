"""The guard of an allowance, shown by what happens without it: the ceiling over what a month has."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from livesale.guardians import allowance as rules
from livesale.guardians.allowance import ALLOWANCE, Allowance, Bought
from livesale.guardians.family import FAMILY, Family, Tie
from livesale.store.decision import Decision, Put, Short
from livesale.store.record import encode
from livesale.store.valkey import Store
from tests.races.blind import carried_out, unbounded
from tests.support.market import Market

MONTHLY, PRICE = 5_000, 1_000
SHELF = "person:mia"
TOYS = Bought("demo", ["Toys"], gated=False)


async def read_at_once(store: Store) -> list[Decision]:
    """What the requests of a minor in two shows would set aside, decided on the same reading: where races begin."""
    allowance = Allowance("gita", MONTHLY, PRICE, "EUR", 0, token=b"pm_ok")
    family = Family([Tie("fl_1", "gita", 0, verified=True)])
    puts = (Put(ALLOWANCE, 0, encode(allowance)), Put(FAMILY, 0, encode(family)))
    await store.commit(Decision(SHELF, puts=puts))
    asked = []
    for market in (Market(store), Market(store)):
        market.people.bands, market.people.wards = {"mia": "14-15"}, {"mia"}
        await market.open(*[20] * 5)
        orders = [await market.check_out(await market.hold("mia", (offer, 1))) for offer in range(5)]
        asked += [await market.approval(order) for order in orders]
    records = await store.read(SHELF, ALLOWANCE, FAMILY)
    return [rules.set_aside(records, one, TOYS, "DE", store.now_ms()) for one in asked]


async def spent(store: Store, decided: list[Decision]) -> int:
    name = decided[0].counters[0].name
    return (await store.counters(SHELF, name))[name]


@pytest.mark.parametrize("guarded", [False, True])
async def test_two_shows_one_allowance(store: Store, guarded: bool) -> None:
    """Ten requests of 10 in two shows on a month of 50: without the ceiling all ten are bought, with it five, never six."""
    decided = await read_at_once(store)
    sent = decided if guarded else [unbounded(one, "spent:") for one in decided]
    done = await asyncio.gather(*(store.commit(one) for one in sent), return_exceptions=True)
    assert all(not isinstance(one, Exception) or isinstance(one, Short) for one in done)
    taken = sum(not isinstance(one, Exception) for one in done)
    assert taken == (MONTHLY // PRICE if guarded else len(decided))
    assert await spent(store, decided) == taken * PRICE


async def test_one_request_is_set_aside_once(store: Store) -> None:
    """A request told twice is one sum: its id follows from the request, and the record must not exist."""
    decided = await read_at_once(store)
    again = [replace(decided[0], id="another-act")]
    assert await carried_out(store, [decided[0], *again]) == [True, False]
    assert await spent(store, decided) == PRICE


async def test_a_lowered_allowance_is_read_again(store: Store) -> None:
    """What was decided under the old limits, or before a stop, is refused: the records' versions are expected."""
    decided = await read_at_once(store)
    lowered = Allowance("gita", PRICE - 1, PRICE - 1, "EUR", 0, token=b"pm_ok")
    stored = (await store.read(SHELF, ALLOWANCE))[ALLOWANCE]
    assert stored
    await store.commit(Decision(SHELF, puts=(Put(ALLOWANCE, stored.version, encode(lowered)),)))
    assert await carried_out(store, decided) == [False] * len(decided)
