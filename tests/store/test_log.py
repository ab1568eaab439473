"""The tail: each shelf's entries in order and without a gap, through a restart of the store, or LogGap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from livesale.kernel.refusals import Refusal
from livesale.store.decision import Counter, Decision
from livesale.store.log import Entry, LogGap, Tail, events_of, read_log
from livesale.store.valkey import Store
from tests.support.valkey import ValkeyProcess

SHELF, OTHER = "show:abc", "show:xyz"


def sold(shelf: str = SHELF) -> Decision:
    return Decision(shelf, counters=(Counter("sold", 1),))


async def commits(store: Store, number: int, shelf: str = SHELF) -> None:
    for _ in range(number):
        await store.commit(sold(shelf))


async def gather(tail: Tail, enough: Callable[[list[Entry]], bool]) -> list[Entry]:
    """What a tail delivers until it is enough."""
    found: list[Entry] = []
    batches: AsyncIterator[list[Entry]] = tail.batches()
    async for batch in batches:
        found += batch
        if enough(found):
            break
    await batches.aclose()  # type: ignore[attr-defined]
    return found


def positions(entries: list[Entry], shelf: str = SHELF) -> list[int]:
    return [entry.seq for entry in entries if entry.shelf == shelf]


async def test_entries_come_in_order_from_the_wanted_position(store: Store) -> None:
    """After position 2 come 3, 4, 5 of that shelf, and every entry of the other, each in order."""
    await commits(store, 5)
    await commits(store, 3, OTHER)
    tail = Tail(store)
    tail.follow(SHELF, 2)
    tail.follow(OTHER, 0)
    found = await gather(tail, lambda found: len(found) >= 6)
    assert positions(found) == [3, 4, 5]
    assert positions(found, OTHER) == [1, 2, 3]
    assert tail.following() == {SHELF: 5, OTHER: 3}


async def test_a_shelf_followed_later_is_delivered(store: Store) -> None:
    """`follow` while the tail waits needs no restart; `leave` ends a shelf."""
    await commits(store, 1)
    tail = Tail(store)
    waiting = asyncio.create_task(gather(tail, lambda found: bool(positions(found, OTHER))))
    await asyncio.sleep(0)  # the tail waits with nothing to follow
    tail.follow(SHELF, 1)
    tail.follow(OTHER, 0)
    await commits(store, 1, OTHER)
    assert positions(await waiting, OTHER) == [1]
    tail.leave(OTHER)
    await commits(store, 1, OTHER)
    await commits(store, 1)
    assert [entry.shelf for entry in await gather(tail, bool)] == [SHELF]


async def test_more_entries_than_one_batch_come_whole(store: Store) -> None:
    """1,200 entries come in several batches, none twice and none left out."""
    await asyncio.gather(*(store.commit(sold()) for _ in range(1_200)))
    tail = Tail(store)
    tail.follow(SHELF, 0)
    assert positions(await gather(tail, lambda found: len(found) >= 1_200)) == list(range(1, 1_201))


async def test_a_trimmed_log_is_a_gap(store: Store) -> None:
    """A reader whose position was trimmed away is told, instead of going on behind the hole."""
    await commits(store, 5)
    await store.client.xtrim("{show:abc}:log", minid="4-0", approximate=False)
    tail = Tail(store)
    tail.follow(SHELF, 1)
    with pytest.raises(LogGap) as gap:
        await gather(tail, bool)
    assert gap.value.shelf == SHELF


async def test_a_hole_in_the_log_is_a_gap(store: Store) -> None:
    """One missing entry in the middle is found, though entries follow it."""
    await commits(store, 5)
    await store.client.xdel("{show:abc}:log", "3-0")
    tail = Tail(store)
    tail.follow(SHELF, 0)
    with pytest.raises(LogGap):
        await gather(tail, lambda found: len(found) >= 5)


async def test_nothing_acknowledged_is_lost_when_the_store_is_killed(store: Store, valkey: ValkeyProcess) -> None:
    """The store killed (-9) under load three times: every commit that was answered is in the log, in order, once.

    The same tail follows throughout. A commit without an answer may have happened or not, but never half.
    """
    tail = Tail(store)
    tail.follow(SHELF, 0)
    delivered: list[Entry] = []
    following = asyncio.create_task(_follow(tail, delivered))
    answered: set[int] = set()
    enough = asyncio.Event()
    load = [asyncio.create_task(_keep_selling(store, answered, enough)) for _ in range(20)]
    for _ in range(3):
        before = len(answered)
        await _until(lambda before=before: len(answered) > before + 100)
        await asyncio.to_thread(valkey.kill)  # beside the loop, so that commits are under way when it dies
        await asyncio.to_thread(valkey.start)
    enough.set()
    await asyncio.gather(*load)
    last = (await store.commit(sold())).seq
    await _until(lambda: following.done() or (bool(delivered) and delivered[-1].seq == last))
    following.cancel()
    assert positions(delivered) == list(range(1, last + 1))
    assert answered <= set(positions(delivered))
    assert await store.counters(SHELF) == {"sold": last}
    assert [entry.raw for entry in await read_log(store, SHELF, most=last)] == [entry.raw for entry in delivered]


async def _follow(tail: Tail, delivered: list[Entry]) -> None:
    async for batch in tail.batches():
        delivered += batch


async def _keep_selling(store: Store, answered: set[int], enough: asyncio.Event) -> None:
    """Commit until there is enough, whether or not the store is there.

    A kill between two pipelines is never seen from here: the pool connects again by itself.
    """
    while not enough.is_set():
        try:
            answered.add((await store.commit(sold())).seq)
        except Refusal:
            await asyncio.sleep(0)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def test_an_entry_tells_its_events(store: Store) -> None:
    """`fields` and `events_of` give what the Decision said."""
    await store.commit(Decision(SHELF, events=({"type": "said", "text": "ä"},)))
    [entry] = await read_log(store, SHELF)
    assert events_of(entry.fields()) == [{"type": "said", "text": "ä"}]


async def test_a_shelf_followed_anew_while_the_tail_waits_has_no_gap(store: Store) -> None:
    """Left and followed from an earlier position while a read is under way: its entries come from there on, in order."""
    await commits(store, 3)
    tail = Tail(store)
    tail.follow(SHELF, 3)
    gathering = asyncio.create_task(gather(tail, lambda found: len(found) >= 3))
    await blocked(store)
    tail.leave(SHELF)
    tail.follow(SHELF, 1)
    await commits(store, 1)
    assert positions(await gathering) == [2, 3, 4]


async def blocked(store: Store) -> None:
    """Wait until a read of the tail waits in the store."""
    async with asyncio.timeout(20):
        while b"blocked_clients:0" in await store.ask("INFO", "clients"):
            await asyncio.sleep(0.01)
