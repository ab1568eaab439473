"""What is sent again happens once: with its guard off it happens as often as it is sent."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from livesale.kernel.ids import random_name
from livesale.orders.placing import Wish, place, record_names
from livesale.store.decision import Decision
from livesale.store.log import LogGap, Tail
from livesale.store.valkey import Store
from tests.support.market import TO, Market

TIMES = 8


async def decided(market: Market) -> Decision:
    """One buyer's hold."""
    wishes = [Wish(market.offers[0], 1)]
    records = await market.store.read(market.shelf, *record_names(wishes))
    return place(market.shelf, records, "ann", wishes, None, market.store.now_ms(), TO)[1]


async def held(market: Market) -> int:
    """Units held."""
    name = f"held:{market.offers[0]}"
    return (await market.store.counters(market.shelf, name))[name]


async def test_without_a_stable_id_a_repeated_decision_counts_again(store: Store) -> None:
    """A client that tries again after a lost answer, under a new id each time and without its record's guard."""
    market = Market(store)
    await market.open(20)
    one = replace(await decided(market), puts=(), marks=())
    await asyncio.gather(*(store.commit(replace(one, id=random_name())) for _ in range(TIMES)))
    assert await held(market) == TIMES


async def test_with_it_a_repeated_decision_happens_once(store: Store) -> None:
    """The same, under its own id: one entry, and everyone is told the same."""
    market = Market(store)
    await market.open(20)
    one = replace(await decided(market), puts=(), marks=())
    done = await asyncio.gather(*(store.commit(one) for _ in range(TIMES)))
    assert await held(market) == 1
    assert len({answer.seq for answer in done}) == 1


async def test_a_gap_in_one_log_costs_the_other_shelves_nothing(store: Store) -> None:
    """A shelf whose log was trimmed too far is reported; entries of the others read with it still arrive."""
    shelves = [f"show:{letter * 10}" for letter in "abc"]
    for shelf in shelves:
        for _ in range(20):
            await store.commit(Decision(shelf, events=({"type": "said"},)))
    await store.client.xtrim("{show:bbbbbbbbbb}:log", minid="11-0", approximate=False)
    tail = Tail(store)
    for shelf in shelves:
        tail.follow(shelf, 0)
    seen: dict[str, list[int]] = {shelf: [] for shelf in shelves}
    gaps = []
    async with asyncio.timeout(20):
        while sum(map(len, seen.values())) < 40 or not gaps:
            try:
                async for batch in tail.batches():
                    for entry in batch:
                        seen[entry.shelf].append(entry.seq)
            except LogGap as gap:
                gaps.append(gap.shelf)
                tail.leave(gap.shelf)
                if sum(map(len, seen.values())) == 40:
                    break
    assert gaps == ["show:bbbbbbbbbb"]
    assert seen == {shelves[0]: list(range(1, 21)), shelves[1]: [], shelves[2]: list(range(1, 21))}
