"""Deadlines: fires the `due` marks of all active shelves.

Law: nobody waits for somebody else's mark: shelves do not wait for each other, nor one kind of mark for another, and a
handler that hangs holds one place of its own kind on its own shelf until its time is up.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog

from livesale.kernel.refusals import Refusal
from livesale.store.active import is_stopped
from livesale.store.decision import NotCommitted
from livesale.store.readers import going_on
from livesale.store.valkey import Store

log = structlog.get_logger(__name__)

DueHandler = Callable[[str, str], Awaitable[None]]  # (shelf, what stands behind the colon of the mark)

POLL_S = 0.5
MOST_READ = 5_000  # marks of a shelf begun in one poll
MOST_AT_ONCE = 100  # of one kind on one shelf
FIRE_WITHIN_S = 30.0


class Deadlines:
    """What a mark's prefix does is given by `handlers`; firing twice is harmless: each handler's commit is guarded."""

    def __init__(self, store: Store, handlers: dict[str, DueHandler]) -> None:
        self._store = store
        self._handlers = handlers
        self._firing: dict[str, set[str]] = defaultdict(set)
        self._places: dict[str, dict[str, asyncio.Semaphore]] = defaultdict(dict)

    async def run(self) -> None:
        """Poll until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                with going_on("polling deadlines"):
                    shelves = await self._store.active_shelves()
                    await asyncio.gather(*(self._begin(group, shelf) for shelf in shelves))
                await asyncio.sleep(POLL_S)

    async def _begin(self, group: asyncio.TaskGroup, shelf: str) -> None:
        """Start on every mark that is due and not being worked on."""
        firing = self._firing[shelf]
        now_ms = self._store.now_ms()
        found = await self._store.due(shelf, "due", now_ms, MOST_READ + len(firing))
        if found and await is_stopped(self._store, shelf):
            found = []
        for member in found:
            if member not in firing:
                firing.add(member)
                group.create_task(self._fire(shelf, member))
        if not firing:  # a shelf that rests leaves nothing here
            del self._firing[shelf]
            self._places.pop(shelf, None)

    async def _fire(self, shelf: str, member: str) -> None:
        kind, _, rest = member.partition(":")
        try:
            async with self._places[shelf].setdefault(kind, asyncio.Semaphore(MOST_AT_ONCE)):
                async with asyncio.timeout(FIRE_WITHIN_S):
                    await self._handlers[kind](shelf, rest)
        except (Refusal, NotCommitted) as refusal:
            log.info("a deadline did not fire", shelf=shelf, mark=member, why=str(refusal))
        except Exception:
            log.exception("a deadline failed", shelf=shelf, mark=member)
        finally:
            self._firing[shelf].discard(member)
