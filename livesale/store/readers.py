"""Readers: named cursors over the logs of all active shelves, and the deadlines of their marks.

Law: an entry's effect is guarded by the records it changes, so reading it again is harmless; the cursor (record
`cursor:NAME` on the shelf) is the position below which nothing is open, moved by a commit of its own after the effects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

import msgspec
import structlog

from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.store.decision import Decision, NotCommitted
from livesale.store.log import Entry, LogGap, Tail
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

log = structlog.get_logger(__name__)

Handler = Callable[[str, Event], Awaitable[None]]
DueHandler = Callable[[str, str], Awaitable[None]]  # (shelf, what stands behind the colon of the mark)

MOST_AT_ONCE = 256
CURSOR_EVERY_S = 2.0
LOOK_EVERY_S = 0.2
POLL_DUE_S = 0.5
RETRY_S = (0.1, 0.5, 2.0, 5.0)


@contextlib.contextmanager
def going_on(what: str) -> Iterator[None]:
    """Let no failure end a loop: a store that is away comes back, and anything else is logged and tried again."""
    try:
        yield
    except (Refusal, NotCommitted) as refusal:
        log.info("tried again", what=what, why=str(refusal))
    except Exception:
        log.exception("tried again", what=what)


class Cursor(msgspec.Struct, frozen=True):
    """Everything up to `seq` has been handled."""

    seq: int


class Reader:
    """Calls `handlers` for every event of every active shelf, several at once, each until it succeeds."""

    def __init__(self, store: Store, name: str, handlers: tuple[Handler, ...]) -> None:
        self._store = store
        self._record = f"cursor:{name}"
        self._handlers = handlers
        self._tail = Tail(store)
        self._open: dict[str, set[int]] = defaultdict(set)
        self._read: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_for_shelves())
            group.create_task(self._keep_cursors())
            await self._follow(group)

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                async for batch in self._tail.batches():
                    for entry in batch:
                        with going_on(f"reading {entry.shelf} {entry.seq}"):
                            await self._begin(group, entry)
            except LogGap as gap:
                log.error("log gap: this shelf is no longer read", shelf=gap.shelf, what=str(gap))
                self._tail.leave(gap.shelf)

    async def _begin(self, group: asyncio.TaskGroup, entry: Entry) -> None:
        self._read[entry.shelf] = entry.seq
        events = entry.fields()["events"]
        if events:
            await self._room.acquire()
            self._open[entry.shelf].add(entry.seq)
            group.create_task(self._handle(entry, events))

    async def _handle(self, entry: Entry, events: list[Event]) -> None:
        try:
            for event in events:
                for handler in self._handlers:
                    await self._until_done(handler, entry.shelf, event)
        finally:
            self._open[entry.shelf].discard(entry.seq)
            self._room.release()

    async def _until_done(self, handler: Handler, shelf: str, event: Event) -> None:
        attempt = 0
        while True:
            try:
                return await handler(shelf, event)
            except Refusal as refusal:
                if refusal.code not in ("store_unavailable", "conflict"):
                    log.info("nothing to do", shelf=shelf, event=event["type"], why=refusal.code)
                    return None
            except Exception:
                log.exception("a reaction failed", shelf=shelf, event=event["type"], attempt=attempt)
                if attempt >= len(RETRY_S):
                    return None
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def _look_for_shelves(self) -> None:
        while True:
            with going_on("looking for shelves"):
                for shelf in await self._store.active_shelves():
                    if shelf not in self._read:
                        found = await self._store.read(shelf, self._record)
                        cursor = load(Cursor, found[self._record])
                        self._read[shelf] = self._told[shelf] = cursor.seq if cursor else 0
                        self._tail.follow(shelf, self._read[shelf])
            await asyncio.sleep(LOOK_EVERY_S)

    async def _keep_cursors(self) -> None:
        while True:
            await asyncio.sleep(CURSOR_EVERY_S)
            for shelf, seq in list(self._read.items()):
                done = min(self._open[shelf], default=seq + 1) - 1
                if done > self._told[shelf] + 1:  # +1: the entry of the cursor's own last move
                    with going_on("moving a cursor"):
                        self._told[shelf] = await self._move(shelf, done)

    async def _move(self, shelf: str, seq: int) -> int:
        def decide(records: Records, _now_ms: int) -> Decision:
            return Decision(shelf, puts=(put(self._record, records[self._record], Cursor(seq)),))

        return (await self._store.act(shelf, (self._record,), decide)).seq


class Deadlines:
    """Fires the `due` marks of all active shelves; what a mark's prefix does is given by `handlers`."""

    def __init__(self, store: Store, handlers: dict[str, DueHandler]) -> None:
        self._store = store
        self._handlers = handlers

    async def run(self) -> None:
        """Poll until cancelled; firing twice is harmless because each handler's commit is guarded."""
        while True:
            with going_on("polling deadlines"):
                for shelf in await self._store.active_shelves():
                    due = await self._store.due(shelf, "due", self._store.now_ms())
                    await asyncio.gather(*(self._fire(shelf, member) for member in due))
            await asyncio.sleep(POLL_DUE_S)

    async def _fire(self, shelf: str, member: str) -> None:
        kind, _, rest = member.partition(":")
        handler = self._handlers.get(kind)
        if handler is None:
            log.error("a mark nobody knows", shelf=shelf, mark=member)
            return
        try:
            await handler(shelf, rest)
        except (Refusal, NotCommitted) as refusal:
            log.info("a deadline did not fire", shelf=shelf, mark=member, why=str(refusal))
        except Exception:
            log.exception("a deadline failed", shelf=shelf, mark=member)
