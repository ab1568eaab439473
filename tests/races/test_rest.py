"""A shelf that rests and comes back: whatever interleaves, and whoever dies in between, no mark is ever unseen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from livesale.store.active import ACTIVE, LOOKED_AT
from livesale.store.decision import Decision, Mark, Once
from livesale.store.rest import Rest
from livesale.store.valkey import Store, connect
from tests.support.valkey import ValkeyProcess

SHELF = "show:abc"
SCHEDULES = 400

Act = Callable[[Store], Awaitable[Any]]


class Actor:
    """A process of its own whose every call to the store waits for its turn."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._call = store._call
        self._turn = asyncio.Semaphore(0)
        self._idle = asyncio.Event()
        self._work: asyncio.Future[Any] | None = None
        store._call = self._gated  # type: ignore[method-assign]
        assert store._clock
        store._clock.cancel()  # its calls would take turns

    async def _gated(self, *command: Any) -> Any:
        self._idle.set()
        await self._turn.acquire()
        return await self._call(*command)

    def begin(self, act: Act) -> None:
        """Start `act`, up to its first call."""
        self._work = asyncio.ensure_future(act(self.store))

    async def step(self) -> bool:
        """Let it make its next call and come to the one after; whether it has more to do."""
        assert self._work is not None
        await self._settled()
        if self._work.done():
            self._work.result()
            return False
        self._idle.clear()
        self._turn.release()
        await self._settled()
        return True

    async def kill(self) -> None:
        """It is gone; what it has sent stays sent."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        self._turn = asyncio.Semaphore(0)

    async def _settled(self) -> None:
        assert self._work is not None
        waiting = asyncio.ensure_future(self._idle.wait())
        await asyncio.wait({waiting, self._work}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()


async def put_mark(store: Store) -> None:
    await store.commit(Decision(SHELF, marks=(Mark("due", "hold:1", 1),)))


async def take_mark(store: Store) -> None:
    await store.commit(Decision(SHELF, marks=(Mark("due", "hold:1", None),)))


async def all_archived(_shelf: str) -> int:
    return 2**50


async def is_over(_shelf: str) -> bool:
    return True


async def rest(store: Store) -> None:
    await Rest(store, (), all_archived, is_over).try_to(SHELF)


async def rest_carelessly(store: Store) -> None:
    """The guard taken off: look, and leave when there is nothing."""
    if not await store.ask("ZCARD", f"{{{SHELF}}}:m:due"):
        await store.ask("SREM", ACTIVE, SHELF)


@pytest.fixture
async def actors(valkey: ValkeyProcess, store: Store) -> AsyncIterator[list[Actor]]:
    stores = [await connect(valkey.url) for _ in range(5)]
    for one in stores:
        await put_mark(one)  # each knows the shelf as active from now on
    await take_mark(store)
    yield [Actor(one) for one in stores]
    for one in stores:
        await one.close()


async def unseen(store: Store) -> bool:
    """Whether the shelf has a mark and is not in the set, seen in one moment."""
    looking = store.client.pipeline(transaction=True)
    looking.zcard(f"{{{SHELF}}}:m:due")
    looking.sismember(ACTIVE, SHELF)
    marks, member = await looking.execute()
    return bool(marks) and not member


async def run(store: Store, actors: list[Actor], resting: Act, chance: random.Random) -> int:
    """A random schedule of two that let it rest and three that commit, each killed at times; how often it was unseen."""
    times = 0
    acts = [resting, resting, put_mark, put_mark, take_mark]
    chance.shuffle(acts)
    running = list(zip(actors, acts, strict=True))
    for actor, act in running:
        actor.begin(act)
    while running:
        one = chance.choice(running)
        if chance.random() < 0.05:
            await one[0].kill()
            running.remove(one)
        elif not await one[0].step():
            running.remove(one)
        times += await unseen(store)
    return times


async def test_without_tokens_a_mark_gets_lost(store: Store, actors: list[Actor]) -> None:
    """The race is there: looked, then another's mark, then left."""
    chance = random.Random(7)
    assert sum([await run(store, actors, rest_carelessly, chance) for _ in range(40)]) > 0


async def test_no_mark_is_ever_unseen(store: Store, actors: list[Actor]) -> None:
    """At no moment of any schedule does a shelf have a mark without being in the set; it does rest, and comes back."""
    chance = random.Random(11)
    rested = 0
    for _ in range(SCHEDULES):
        assert await run(store, actors, rest, chance) == 0
        rested += SHELF not in await store.active_shelves()
        if chance.random() < 0.5:
            await take_mark(store)
            await rest(store)
    assert 0 < rested < SCHEDULES


async def test_a_commit_on_a_sleeping_shelf_brings_it_back(store: Store, valkey: ValkeyProcess) -> None:
    """By whoever makes it, knowing the shelf as active or not; and an answer kept under a key wakes nobody."""
    await put_mark(store)
    await rest(store)
    assert await store.active_shelves() == [SHELF]  # it has a mark
    await take_mark(store)
    await rest(store)
    assert await store.active_shelves() == []
    await store.commit(Decision(SHELF, once=Once("a", "k", "f")))
    assert await store.active_shelves() == []
    await put_mark(store)
    assert await store.active_shelves() == [SHELF]
    await take_mark(store)
    await rest(store)
    stranger = await connect(valkey.url)
    await put_mark(stranger)
    assert await store.active_shelves() == [SHELF]
    await stranger.close()


@pytest.mark.parametrize("index", LOOKED_AT)
async def test_any_mark_keeps_a_shelf_awake(store: Store, index: str) -> None:
    """A deadline, or a mail that waits: as long as it is there, the shelf is looked at."""
    await store.commit(Decision(SHELF, marks=(Mark(index, "x", 2**45),)))
    await rest(store)
    assert await store.active_shelves() == [SHELF]
    await store.commit(Decision(SHELF, marks=(Mark(index, "x", None),)))
    await rest(store)
    assert await store.active_shelves() == []
