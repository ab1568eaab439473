"""Readers: only what a reaction takes reaches it, at least once, and the cursor never passes what is still open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.store import readers
from livesale.store.decision import Decision
from livesale.store.readers import Cursor, Reaction, Reactions, Reader
from livesale.store.record import load
from livesale.store.rest import Rest
from livesale.store.valkey import Store

SHELF, OTHER = "show:abc", "show:xyz"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cursors are written at once."""
    monkeypatch.setattr(readers, "CURSOR_EVERY_S", 0.02)


async def tell(store: Store, shelf: str, **event: object) -> int:
    """An entry with one event; its position."""
    return (await store.commit(Decision(shelf, events=(dict(event),)))).seq


@asynccontextmanager
async def reading(store: Store, *reactions: Reaction) -> AsyncIterator[None]:
    """A reader at work; on its way out it is killed."""
    work = asyncio.create_task(Reader(store, "test", reactions).run())
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def cursor(store: Store, shelf: str) -> int:
    """How far the reader says it is."""
    found = load(Cursor, (await store.read(shelf, "cursor:test"))["cursor:test"])
    return found.seq if found else 0


async def test_a_reaction_gets_its_types_and_states_alone(store: Store) -> None:
    """Other types, other states and events without a state pass it by; no `states` means whatever the state."""
    paid: list[Event] = []
    every: list[Event] = []

    async def act_paid(_shelf: str, event: Event) -> None:
        paid.append(event)

    async def act_every(_shelf: str, event: Event) -> None:
        every.append(event)

    for state in ("held", "paid", None, {"odd": 1}):
        await tell(store, SHELF, type="order", state=state)
    await tell(store, SHELF, type="chat", state="paid")
    await tell(store, SHELF, type="check")
    last = await tell(store, SHELF, type="check", n=2)
    async with reading(store, Reaction("order", act_paid, frozenset({"paid"})), Reaction("check", act_every)):
        await until(lambda: len(every) == 2)
        assert [event["state"] for event in paid] == ["paid"]
        async with asyncio.timeout(30):
            while await cursor(store, SHELF) < last:
                await asyncio.sleep(0.01)


async def test_the_cursor_waits_for_what_is_open(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every place taken, an entry that waits for one is not passed: killed now, it is read again."""
    monkeypatch.setattr(readers, "MOST_AT_ONCE", 1)
    begun: list[tuple[str, int]] = []

    async def hang(shelf: str, event: Event) -> None:
        begun.append((shelf, event["n"]))
        await asyncio.Event().wait()

    await tell(store, SHELF, type="pay", n=1)
    async with reading(store, Reaction("pay", hang)):
        await until(lambda: len(begun) == 1)
        passed = [await tell(store, OTHER, type="said") for _ in range(2)][-1]
        for number in range(2, 5):
            await tell(store, OTHER, type="pay", n=number)
        async with asyncio.timeout(30):
            while await cursor(store, OTHER) < passed:
                await asyncio.sleep(0.01)
        assert (await cursor(store, SHELF), await cursor(store, OTHER)) == (0, passed)
    again: list[int] = []

    async def act(_shelf: str, event: Event) -> None:
        again.append(event["n"])

    async with reading(store, Reaction("pay", act)):
        await until(lambda: sorted(again) == [1, 2, 3, 4])


def test_several_may_take_the_same_event() -> None:
    """In the order they were given."""

    async def one(_shelf: str, _event: Event) -> None: ...

    async def two(_shelf: str, _event: Event) -> None: ...

    taken = Reactions((Reaction("a", one), Reaction("b", two), Reaction("a", two, frozenset({"x"}))))
    assert taken.to({"type": "a", "state": "x"}) == [one, two]
    assert taken.to({"type": "a"}) == [one]
    assert taken.to({"type": "c"}) == []


async def test_a_shelf_that_rested_is_read_from_its_cursor_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the reader runs: forgotten with the shelf at rest, followed again with its next commit, nothing missed."""
    monkeypatch.setattr(readers, "LOOK_EVERY_S", 0.02)
    seen: list[int] = []

    async def act(_shelf: str, event: Event) -> None:
        seen.append(event["n"])

    async def archived(_shelf: str) -> int:
        return 2**50

    async def is_over(_shelf: str) -> bool:
        return True

    rest = Rest(store, ("test",), archived, is_over)
    async with reading(store, Reaction("said", act)):
        for number in range(5):
            await tell(store, SHELF, type="said", n=number)
            async with asyncio.timeout(30):
                while not await rest.try_to(SHELF):
                    await asyncio.sleep(0.01)
                assert len(seen) == number + 1
                if number % 2:  # long enough to be forgotten, or not
                    await asyncio.sleep(0.1)
        assert await store.active_shelves() == []
    assert seen == [0, 1, 2, 3, 4]


async def test_a_reaction_that_cannot_ends_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that refuses, and one that fails however often it is asked, are told of in the log; the next event comes."""
    monkeypatch.setattr(readers, "RETRY_S", (0.0, 0.0))
    refused, failed, done = [], [], []

    async def refuses(_shelf: str, event: Event) -> None:
        refused.append(event["type"])
        raise Refusal("short", "Nothing is left.")

    async def fails(_shelf: str, event: Event) -> None:
        failed.append(event["type"])
        raise ZeroDivisionError

    async def goes(_shelf: str, event: Event) -> None:
        done.append(event["type"])

    async with reading(store, Reaction("a", refuses), Reaction("b", fails), Reaction("c", goes)):
        for kind in ("a", "b", "c"):
            await tell(store, SHELF, type=kind)
        await until(lambda: done == ["c"] and len(failed) == 3)
        last = await tell(store, SHELF, type="c")
        await until(lambda: done == ["c", "c"])
        async with asyncio.timeout(30):
            while await cursor(store, SHELF) < last:
                await asyncio.sleep(0.01)
    assert (refused, failed) == (["a"], ["b"] * 3)
