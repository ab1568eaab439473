"""A stopped shelf: nothing on it changes, nothing of it is passed over, and no other shelf waits for it."""

from __future__ import annotations

import asyncio

import pytest

from livesale.kernel.events import Event
from livesale.store import active, readers
from livesale.store.active import Stopped
from livesale.store.deadlines import Deadlines
from livesale.store.decision import Counter, Decision, Mark
from livesale.store.readers import Reaction, Reader
from livesale.store.rest import Rest
from livesale.store.valkey import Store

SHELF, OTHER = "show:abc", "show:xyz"


def sold(shelf: str) -> Decision:
    """One unit more, and somebody reacts."""
    return Decision(shelf, counters=(Counter("sold", 1),), events=({"type": "sold"},))


async def test_nothing_changes_it(store: Store) -> None:
    """Neither a commit nor a shelf's rest, and trying does not let it go on."""
    await store.commit(sold(SHELF))
    await active.stop(store, SHELF)

    async def archived(_shelf: str) -> int:
        return 2**50

    async def is_over(_shelf: str) -> bool:
        return True

    for _ in range(2):
        with pytest.raises(Stopped):
            await store.commit(sold(SHELF))
        assert not await Rest(store, (), archived, is_over).try_to(SHELF)
    assert await store.counters(SHELF) == {"sold": 1}
    await store.commit(sold(OTHER))


async def test_its_entries_are_not_passed_and_others_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more of them than there are places, the other shelf's are handled and its own cursor stays."""
    monkeypatch.setattr(readers, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(readers, "CURSOR_EVERY_S", 0.02)
    for _ in range(5):
        await store.commit(sold(SHELF))
    await active.stop(store, SHELF)
    await store.commit(sold(OTHER))

    async def react(shelf: str, _event: Event) -> None:
        await store.commit(Decision(shelf, counters=(Counter("done", 1),)))

    reading = asyncio.create_task(Reader(store, "test", [Reaction("sold", react)]).run())
    try:
        async with asyncio.timeout(30):
            while "cursor:test" not in await store.records(OTHER):
                await asyncio.sleep(0.01)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert (await store.counters(OTHER))["done"] == 1
    assert (await store.read(SHELF, "cursor:test"))["cursor:test"] is None


async def test_its_marks_wait(store: Store) -> None:
    """What is due on it does not fire; what is due elsewhere does."""
    for shelf in (SHELF, OTHER):
        await store.commit(Decision(shelf, marks=(Mark("due", "hold:x", 1),)))
    await active.stop(store, SHELF)
    fired: list[str] = []
    looked = asyncio.Event()

    async def fire(shelf: str, _member: str) -> None:
        fired.append(shelf)
        if fired.count(OTHER) == 2:  # a whole poll has passed since the first
            looked.set()

    firing = asyncio.create_task(Deadlines(store, {"hold": fire}).run())
    try:
        async with asyncio.timeout(30):
            await looked.wait()
    finally:
        firing.cancel()
        await asyncio.gather(firing, return_exceptions=True)
    assert set(fired) == {OTHER}
