"""Deadlines: nobody waits for somebody else's mark, and what hangs holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from livesale.store import deadlines
from livesale.store.deadlines import MOST_AT_ONCE, Deadlines, DueHandler
from livesale.store.decision import Decision, Mark
from livesale.store.valkey import Store

SHELF, OTHER = "show:abc", "show:xyz"


async def mark(store: Store, shelf: str, *members: str) -> None:
    """Marks whose time has come."""
    for start in range(0, len(members), 400):
        marks = tuple(Mark("due", member, 1) for member in members[start : start + 400])
        await store.commit(Decision(shelf, marks=marks))


def ending(store: Store, kind: str) -> DueHandler:
    """A handler that does what all do: its commit takes the mark away."""

    async def end(shelf: str, rest: str) -> None:
        await store.commit(Decision(shelf, marks=(Mark("due", f"{kind}:{rest}", None),)))

    return end


async def hang(_shelf: str, _rest: str) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def firing(store: Store, **handlers: DueHandler) -> AsyncIterator[None]:
    """Deadlines at work."""
    work = asyncio.create_task(Deadlines(store, handlers).run())
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def until(store: Store, shelf: str, enough: Callable[[list[str]], bool]) -> list[str]:
    """The marks of a shelf that are due, once they are as wanted."""
    async with asyncio.timeout(60):
        while not enough(due := await store.due(shelf, "due", store.now_ms(), 20_000)):
            await asyncio.sleep(0.02)
    return due


async def test_ten_thousand_marks_of_one_moment_are_fired(store: Store) -> None:
    """Holds that run out together all end, and the shelf beside them does not wait for the last of them."""
    await mark(store, SHELF, *(f"hold:{number}" for number in range(10_000)))
    await mark(store, OTHER, "hold:1")
    async with firing(store, hold=ending(store, "hold")):
        await until(store, OTHER, lambda due: not due)
        assert await store.due(SHELF, "due", store.now_ms(), 1)
        await until(store, SHELF, lambda due: not due)


async def test_a_handler_that_hangs_stops_neither_its_shelf_nor_others(store: Store) -> None:
    """With every place of its kind hanging, other kinds and other shelves go on."""
    stuck = [f"pay:{number}" for number in range(MOST_AT_ONCE + 5)]
    await mark(store, SHELF, *stuck, "hold:1")
    await mark(store, OTHER, "hold:1")
    async with firing(store, pay=hang, hold=ending(store, "hold")):
        await until(store, OTHER, lambda due: not due)
        assert set(await until(store, SHELF, lambda due: "hold:1" not in due)) == set(stuck)


async def test_what_hangs_is_tried_again_when_its_time_is_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place is not lost for good: the mark fires again."""
    monkeypatch.setattr(deadlines, "FIRE_WITHIN_S", 0.05)
    tries = 0

    async def hang_once(shelf: str, rest: str) -> None:
        nonlocal tries
        tries += 1
        await (hang if tries == 1 else ending(store, "pay"))(shelf, rest)

    await mark(store, SHELF, "pay:1")
    async with firing(store, pay=hang_once):
        await until(store, SHELF, lambda due: not due)
    assert tries == 2


async def test_a_mark_that_fails_or_that_nobody_knows_holds_nothing_up(store: Store) -> None:
    """It stays, for a later version or a human to see; the next one fires."""

    async def fail(_shelf: str, _rest: str) -> None:
        raise RuntimeError

    await mark(store, SHELF, "bad:1", "new:1", "hold:1")
    async with firing(store, bad=fail, hold=ending(store, "hold")):
        assert await until(store, SHELF, lambda due: "hold:1" not in due) == ["bad:1", "new:1"]


async def test_a_shelf_without_marks_is_not_remembered(store: Store) -> None:
    """What is kept of a shelf ends with its marks: old shows cost the process nothing."""
    await mark(store, SHELF, "hold:1", "pay:1")
    polling = Deadlines(store, {"hold": ending(store, "hold"), "pay": ending(store, "pay")})
    work = asyncio.create_task(polling.run())
    await until(store, SHELF, lambda due: not due)
    async with asyncio.timeout(20):
        while polling._firing or polling._places:
            await asyncio.sleep(0.02)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
