"""The ledger: copies every shelf's log into SQL, chains it there, and projects it; one SQL transaction a batch.

Law: an entry's bytes, the cursor and the entry's effects become visible together or not at all, so a kill at any moment
repeats nothing and skips nothing. Before going on it compares its last entry with the store's; a shelf whose history
differs is stopped with an alarm and never renumbered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.refusals import Refusal
from livesale.ledger import alarm, positions
from livesale.ledger.positions import Position
from livesale.ledger.publish import publish_heads, published
from livesale.ledger.trim import Trimmer
from livesale.ledger.whole import whole
from livesale.ledger.write import write_batch
from livesale.store import active
from livesale.store.log import Entry, LogGap, Tail
from livesale.store.valkey import Store

MOST_IN_A_TRANSACTION = 2_000  # keeps SQLite's write lock under about a quarter of a second
REST_S = 0.1  # lists may lag a second; a transaction costs the same for one entry as for many
NEW_SHELVES_S = 0.1
REFRESH_S = 1.0
HEADS_S = 1.0
TRIM_S = 30.0
RETRY_S = 1.0
CANCEL_S = 0.2
MOST_COMPARED = 500  # shelves compared with the store in each refresh, beside those that get entries

PASSING = (RedisError, OSError, Refusal, OperationalError)  # a store or database that is away comes back
POISON = (DBAPIError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError)

log = structlog.get_logger("livesale.ledger")


class Overtaken(Exception):
    """Another worker's ledger archived this first: start again from what SQL says."""


class Ledger:
    """Follows all active shelves until cancelled. Copies may run: the archive's primary key lets one of them win.

    `signing_key`: raw Ed25519 private key. `readers`: names whose record `cursor:NAME` a log waits for before it is
    trimmed, even while that record does not exist yet.
    """

    def __init__(self, store: Store, engine: AsyncEngine, signing_key: bytes, readers: Iterable[str] = ()) -> None:
        self._store = store
        self._engine = engine
        self._key = Ed25519PrivateKey.from_private_bytes(signing_key)
        self._trimmer = Trimmer(store, engine, tuple(readers))
        self._tail = Tail(store, REST_S)
        self._positions: dict[str, Position] = {}
        self._stopped: dict[str, str] = {}
        self._published: dict[str, int] = {}
        self._compared: list[str] = []
        self._grew = asyncio.Event()
        self._admitting = asyncio.Lock()

    def stopped(self) -> dict[str, str]:
        """Shelves that are not followed any more, and why."""
        return dict(self._stopped)

    async def run(self) -> None:
        """Archive, publish heads and trim until cancelled; goes on through restarts of the store and the database."""
        acts = (
            self._archive(),
            self._repeat(NEW_SHELVES_S, self._admit_new),
            self._repeat(REFRESH_S, self._compare_some),
            self._repeat(0, self._publish),
            self._repeat(TRIM_S, self._trim),
        )
        tasks = [asyncio.create_task(act) for act in acts]
        try:
            await asyncio.gather(*tasks)
        finally:
            await _end(tasks)

    async def _archive(self) -> None:
        while True:
            try:
                await self._start()
                async with aclosing(self._tail.batches()) as batches:  # type: ignore[type-var]
                    async for batch in batches:
                        await self._take(batch)
            except LogGap as gap:
                await self._guarded(partial(self._doubt, gap.shelf, str(gap)))
            except Overtaken:
                await asyncio.sleep(RETRY_S)
            except PASSING as error:
                log.warning("the ledger waits for the store or the database", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _start(self) -> None:
        """Follow every active shelf from where SQL says it is archived."""
        async with self._admitting:
            self._tail = Tail(self._store, REST_S)
            self._positions = {}
            known = await whole(positions.load(self._engine))
            self._published = await whole(published(self._engine))
            await self._admit(await self._store.active_shelves(), known)
        self._grew.set()  # a predecessor may have been killed between archiving and signing

    async def _admit_new(self) -> None:
        async with self._admitting:
            active, followed = set(await self._store.active_shelves()), self._tail.following().keys()
            for shelf in followed - active:  # it rests: all of it is archived
                self._tail.leave(shelf)
                self._positions.pop(shelf, None)
            for shelf in active - followed - self._stopped.keys():
                await self._admit([shelf], await whole(positions.load(self._engine, shelf)))

    async def _admit(self, shelves: Iterable[str], known: dict[str, Position]) -> None:
        wanted = {
            shelf: known.get(shelf) or positions.start_of(shelf) for shelf in shelves if shelf not in self._stopped
        }
        reasons = await positions.differences(self._store, wanted)
        for shelf, position in wanted.items():
            self._positions[shelf] = position
            if shelf in reasons:
                await self._doubt(shelf, reasons[shelf])
            else:
                self._tail.follow(shelf, position.seq)

    async def _take(self, batch: list[Entry]) -> None:
        """Archive a batch, if the store still agrees about what was before it."""
        ours = {entry.shelf: self._positions[entry.shelf] for entry in batch if entry.shelf in self._positions}
        for shelf, reason in (await positions.differences(self._store, ours)).items():
            await self._doubt(shelf, reason)
        for start in range(0, len(batch), MOST_IN_A_TRANSACTION):
            await self._write(batch[start : start + MOST_IN_A_TRANSACTION])

    async def _write(self, batch: list[Entry]) -> None:
        """Write `batch`; halve it until the one entry that cannot be written stands alone and stops its shelf."""
        batch = [entry for entry in batch if entry.shelf in self._positions]
        if not batch:
            return
        try:
            self._positions |= await whole(write_batch(self._engine, batch, self._positions))
            self._grew.set()
        except POISON as error:
            if isinstance(error, OperationalError) or getattr(error, "connection_invalidated", False):
                raise
            if len(batch) == 1:
                await self._doubt(batch[0].shelf, f"entry {batch[0].seq} cannot be archived: {error!r}", lost=False)
                return
            await self._write(batch[: len(batch) // 2])
            await self._write(batch[len(batch) // 2 :])

    async def _doubt(self, shelf: str, reason: str, lost: bool = True) -> None:
        """Stop `shelf`, unless the trouble is only that another worker went ahead."""
        stored = (await whole(positions.load(self._engine, shelf))).get(shelf) or positions.start_of(shelf)
        if stored != self._positions.get(shelf, stored):
            raise Overtaken(shelf)
        await self._stop(shelf, reason, lost)

    async def _stop(self, shelf: str, reason: str, lost: bool) -> None:
        """Archive no more of `shelf`; where entries may be lost, nothing more happens on it: it would sell twice."""
        if lost:
            await active.stop(self._store, shelf)
        self._tail.leave(shelf)
        self._positions.pop(shelf, None)
        self._stopped[shelf] = reason
        await whole(alarm.raise_alarm(self._engine, self._store.now_ms(), shelf, reason))

    async def _compare_some(self) -> None:
        """Go round all shelves, so that a store which lost its tail is found out before it grows a new one."""
        if not self._compared:
            self._compared = sorted(self._positions)
        names, self._compared = self._compared[:MOST_COMPARED], self._compared[MOST_COMPARED:]
        asked = {shelf: self._positions[shelf] for shelf in names if shelf in self._positions}
        for shelf, reason in (await positions.differences(self._store, asked)).items():
            if self._positions.get(shelf) == asked[shelf]:  # else it moved on and was trimmed while we asked
                await self._doubt(shelf, reason)

    async def _publish(self) -> None:
        """Sign what has grown: the first entry after a quiet second at once, in a rush once a second."""
        await self._grew.wait()
        self._grew.clear()
        grown = {
            shelf: position
            for shelf, position in self._positions.items()
            if position.seq > self._published.get(shelf, 0)
        }
        if grown:
            await whole(publish_heads(self._engine, self._key, grown, self._store.now_ms()))
            self._published |= {shelf: position.seq for shelf, position in grown.items()}
            await asyncio.sleep(HEADS_S)

    async def _trim(self) -> None:
        for shelf, position in list(self._positions.items()):
            await whole(self._trimmer.trim(shelf, position.seq))

    async def _repeat(self, pause_s: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._guarded(act)
            await asyncio.sleep(pause_s)

    async def _guarded(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except Overtaken:
            pass  # the archive finds out with its next batch
        except PASSING as error:
            log.warning("the ledger waits for the store or the database", error=str(error))
            await asyncio.sleep(RETRY_S)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until it takes: Python 3.11's `wait_for`, inside redis-py, can swallow a cancellation (gh-86296)."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_S)
