"""Readers: named cursors over the logs of all active shelves.

Law: an entry's effect is guarded by the records it changes, so reading it again is harmless; the cursor (record
`cursor:NAME` on the shelf) is the position below which nothing is open, moved by a commit of its own after the effects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator

import msgspec
import structlog

from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.store.active import Stopped
from livesale.store.decision import Decision, NotCommitted
from livesale.store.log import Entry, LogGap, Tail, events_of, glimpses
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

log = structlog.get_logger(__name__)

Handler = Callable[[str, Event], Awaitable[None]]

MOST_AT_ONCE = 256
REST_S = 0.02
CURSOR_EVERY_S = 2.0
LOOK_EVERY_S = 0.2
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


class Reaction(msgspec.Struct, frozen=True):
    """`act` is called for each event of `type` whose `state` is one of `states` (none given: whatever its state)."""

    type: str
    act: Handler
    states: frozenset[str] = frozenset()


class Reactions:
    """Who reacts to what: the events nobody takes cost a look-up."""

    def __init__(self, reactions: Iterable[Reaction]) -> None:
        self._of_type: dict[str, list[Reaction]] = defaultdict(list)
        for one in reactions:
            self._of_type[one.type].append(one)

    def concern(self, entry: Entry) -> bool:
        """Whether anybody takes an event of `entry`."""
        types = self._of_type
        return any(
            not one.states or seen.state in one.states for seen in glimpses(entry) for one in types.get(seen.type, ())
        )

    def to(self, event: Event) -> list[Handler]:
        """Those who take `event`."""
        reactions = self._of_type.get(event["type"], ())
        return [one.act for one in reactions if not one.states or event.get("state") in one.states]


class Cursor(msgspec.Struct, frozen=True):
    """Everything up to `seq` has been handled."""

    seq: int


class Reader:
    """Lets `reactions` act on the events of every active shelf, several entries at once, each until it succeeds."""

    def __init__(self, store: Store, name: str, reactions: Iterable[Reaction]) -> None:
        self._store = store
        self._record = f"cursor:{name}"
        self._reactions = Reactions(reactions)
        self._tail = Tail(store, REST_S)
        self._open: dict[str, set[int]] = defaultdict(set)
        self._read: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._moved: dict[str, int] = {}
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
        if entry.shelf not in self._read:  # forgotten since this batch was read; its cursor will say where to begin
            return
        if self._reactions.concern(entry):
            await self._room.acquire()
            self._open[entry.shelf].add(entry.seq)
            group.create_task(self._handle(entry))
        self._read[entry.shelf] = entry.seq

    async def _handle(self, entry: Entry) -> None:
        try:
            for event in events_of(entry.fields()):
                for handler in self._reactions.to(event):
                    await self._until_done(handler, entry.shelf, event)
        finally:
            self._open[entry.shelf].discard(entry.seq)
            self._room.release()

    async def _until_done(self, handler: Handler, shelf: str, event: Event) -> None:
        attempt = 0
        while True:
            try:
                return await handler(shelf, event)
            except Stopped:  # its cursor stays too: with the right history back, this is read again
                return None
            except Refusal as refusal:
                if refusal.code not in ("store_unavailable", "conflict"):
                    log.info("nothing to do", shelf=shelf, told=event["type"], why=refusal.code)
                    return None
            except Exception:
                log.exception("a reaction failed", shelf=shelf, told=event["type"], attempt=attempt)
                if attempt >= len(RETRY_S):
                    return None
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def _look_for_shelves(self) -> None:
        while True:
            with going_on("looking for shelves"):
                shelves = set(await self._store.active_shelves())
                for shelf in self._read.keys() - shelves:
                    self._forget(shelf)
                for shelf in shelves - self._read.keys():
                    await self._begin_at_cursor(shelf)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _begin_at_cursor(self, shelf: str) -> None:
        cursor = load(Cursor, (await self._store.read(shelf, self._record))[self._record])
        self._read[shelf] = self._told[shelf] = cursor.seq if cursor else 0
        self._moved[shelf] = 0
        self._tail.follow(shelf, self._read[shelf])

    def _forget(self, shelf: str) -> None:
        """The shelf rests: all of it has been handled. When it comes back, its cursor says where to begin."""
        self._tail.leave(shelf)
        for known in (self._read, self._told, self._moved):
            known.pop(shelf, None)

    async def _keep_cursors(self) -> None:
        while True:
            await asyncio.sleep(CURSOR_EVERY_S)
            for shelf, seq in list(self._read.items()):
                if shelf not in self._read:
                    continue
                done, told = min(self._open[shelf], default=seq + 1) - 1, self._told[shelf]
                if done > told and not (done == told + 1 == self._moved[shelf]):  # all that came is its own last move
                    with going_on("moving a cursor"):
                        self._moved[shelf] = await self._move(shelf, done)
                        self._told[shelf] = done

    async def _move(self, shelf: str, seq: int) -> int:
        def decide(records: Records, _now_ms: int) -> Decision:
            return Decision(shelf, puts=(put(self._record, records[self._record], Cursor(seq)),))

        return (await self._store.act(shelf, (self._record,), decide)).seq
