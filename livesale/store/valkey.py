"""Store: the connection to Valkey, owner of the batch of commits that leave in the same turn of the event loop.

Law: commits ready in one turn share one pipeline and so one fsync; each caller gets its own outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any, Protocol

import msgpack
import msgspec
import redis.asyncio as redis
from msgspec.structs import replace
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from livesale.kernel.refusals import Refusal
from livesale.store import active
from livesale.store.decision import (
    Committed,
    Conflict,
    Decision,
    Early,
    Invalid,
    KeyReused,
    Lack,
    NotCommitted,
    Once,
    Short,
)
from livesale.store.wire import Asked, Wires

MOST_IN_A_PIPELINE = 32  # about what Valkey reads from a connection before it syncs its file
CONNECTIONS = 8  # pipelines under way at once that can share an fsync
MOST_TRIES = 40  # a conflict means somebody else's commit won, so the system as a whole always gets on
CLOCK_SAMPLE_S = 5.0
PASSING = (OutOfMemoryError, ReadOnlyError, ClusterDownError, MasterDownError, TryAgainError)


class Versioned(msgspec.Struct, frozen=True):
    """A record as stored: `version` is the log position of the commit that wrote it.

    `past`: empty while it is on its shelf; else with what it left the shelf and can be brought back.
    """

    version: int
    data: bytes
    past: str = ""


Records = Mapping[str, Versioned | None]
Ask = Callable[..., Awaitable[Any]]


class Past(Protocol):
    """Where records are that have left their shelf for good, unless something late happens (`orders/archiving.py`)."""

    async def missing(self, shelf: str, found: Records) -> dict[str, Versioned]:
        """Those of the names without a record that have left, with `past` set; not even asked for most names."""
        ...

    async def bring_back(self, shelf: str, past: str) -> None:
        """Put everything that left together on the shelf again, in one commit; nothing when somebody else has."""
        ...


class Store:
    """One process's connection to the store. Make it with `connect`, end it with `close`.

    `client` is for what is rare: subscribing, scanning, transactions.
    """

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.past: Past | None = None
        self._url = url
        self._wires = Wires(url, CONNECTIONS)
        self._waiting: list[Asked] = []
        self._active: set[str] = set()
        self._offset_ms = 0.0
        self._clock: asyncio.Task[None] | None = None

    async def commit(self, decision: Decision) -> Committed:
        """Carry out `decision`; raises Conflict, Short, Early, KeyReused, Invalid, Stopped, or Refusal store_unavailable.

        Once this returns, the change is on disk (`appendfsync always`).
        """
        if decision.shelf not in self._active and decision.changes():
            await active.enter(self, decision.shelf)
            self._active.add(decision.shelf)
        command = commit_command(decision)
        reply = await self._call(*command)
        while isinstance(reply, list) and reply[0] == b"asleep":
            if reply[1] == active.STOPPED:
                raise active.Stopped
            await active.wake(self, decision.shelf, reply[1])
            reply = await self._call(*command)
        return _outcome(reply, decision.once)

    async def act(
        self, shelf: str, records: Iterable[str], decide: Callable[[Records, int], Decision], act: str = ""
    ) -> Committed:
        """Read `records`, let `decide(records, now_ms)` say what to do, commit it; again after each conflict.

        What has left the shelf comes back before it is changed, and stays away when there is nothing to change.
        With an id for the `act`, what has been done under it is not decided, let alone done, again.
        """
        names = tuple(records)
        for attempt in range(MOST_TRIES):
            if act and (told := await self.ask("GET", f"{{{shelf}}}:once:d:{act}")):
                return _outcome([b"replay", told])
            found = await self.read(shelf, *names)
            decision = decide(found, self.now_ms())
            if self.past and (gone := _left(found, decision)):
                await self.past.bring_back(shelf, gone)
                continue
            if act:
                decision = replace(decision, id=act)
            try:
                return await self.commit(decision)
            except Conflict:
                await asyncio.sleep(min(0.02, 0.001 * attempt))
        raise Refusal("conflict", "Too many changes at the same moment. Please try again.")

    async def read(self, shelf: str, *records: str) -> dict[str, Versioned | None]:
        """The named records of a shelf, or as they were when they left it; None where there is none."""
        if not records:
            return {}
        stored = await self.ask("HMGET", f"{{{shelf}}}:r", *records)
        found = {name: _versioned(raw) for name, raw in zip(records, stored, strict=True)}
        if self.past and None in stored:
            found |= await self.past.missing(shelf, found)
        return found

    async def records(self, shelf: str) -> dict[str, Versioned]:
        """Every record of a shelf: for verification and snapshots, not for the hot path."""
        stored = await self.ask("HGETALL", f"{{{shelf}}}:r")
        found = {name.decode(): _versioned(raw) for name, raw in stored.items()}
        return {name: record for name, record in found.items() if record is not None}

    async def counters(self, shelf: str, *names: str) -> dict[str, int]:
        """The named counters (0 where there is none); without names, every counter that is not zero."""
        if not names:
            every = await self.ask("HGETALL", f"{{{shelf}}}:c")
            return {name.decode(): int(value) for name, value in every.items()}
        stored = await self.ask("HMGET", f"{{{shelf}}}:c", *names)
        return {name: int(value or 0) for name, value in zip(names, stored, strict=True)}

    async def seq(self, shelf: str) -> int:
        """The position of the shelf's last log entry; 0 when it has none."""
        return int(await self.ask("GET", f"{{{shelf}}}:seq") or 0)

    async def due(self, shelf: str, index: str, until_ms: int, most: int = 100) -> list[str]:
        """Members of a mark index with a score up to `until_ms`, lowest first."""
        found = await self.ask("ZRANGEBYSCORE", f"{{{shelf}}}:m:{index}", "-inf", until_ms, "LIMIT", 0, most)
        return [member.decode() for member in found]

    async def first(self, shelf: str, index: str, most: int) -> list[str]:
        """At most `most` members of a mark index, lowest score first."""
        return [member.decode() for member in await self.ask("ZRANGE", f"{{{shelf}}}:m:{index}", 0, most - 1)]

    async def rank(self, shelf: str, index: str, member: str) -> int | None:
        """How many members of a mark index have a lower score than `member`; None when it is not in there."""
        found: int | None = await self.ask("ZRANK", f"{{{shelf}}}:m:{index}", member)
        return found

    async def active_shelves(self) -> list[str]:
        """Every shelf that readers and deadlines look at."""
        return sorted(name.decode() for name in await self.ask("SMEMBERS", active.ACTIVE))

    def now_ms(self) -> int:
        """The store's clock as last sampled, carried on by this machine's monotonic one."""
        return int(time.monotonic() * 1000 + self._offset_ms)

    async def open(self) -> None:
        """Connect; RedisError when the store does not answer."""
        await self._wires.open()

    async def close(self) -> None:
        """End the connection; who still waits for an answer is told that the store is not available."""
        if self._clock:
            self._clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clock
        await self._wires.close()
        await self.client.aclose()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._wires.send(waiting)

    async def _call(self, *command: Any) -> Any:
        """The reply to one command, sent with the others of this turn; an error is returned, not raised."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._flush)
        asked = Asked(command, loop.create_future())
        self._waiting.append(asked)
        if len(self._waiting) >= MOST_IN_A_PIPELINE:  # the store begins while the rest of this turn is still made
            self._flush()
        return await asked.outcome

    @contextlib.asynccontextmanager
    async def aside(self) -> AsyncIterator[Ask]:
        """`ask` over a connection of its own: for commands that wait in the store."""
        wires = Wires(self._url, 1)
        await wires.open()

        async def ask(*command: Any) -> Any:
            asked = Asked(command, asyncio.get_running_loop().create_future())
            wires.send((asked,))
            return _read(await asked.outcome)

        try:
            yield ask
        finally:
            await wires.close()

    async def ask(self, *command: Any) -> Any:
        """The reply to one reading command; Refusal store_unavailable when there is none."""
        return _read(await self._call(*command))

    async def sample_clock(self) -> None:
        """Compare the store's clock with this machine's monotonic one."""
        before = time.monotonic()
        seconds, micros = await self.ask("TIME")
        middle = (before + time.monotonic()) / 2
        self._offset_ms = int(seconds) * 1000 + int(micros) / 1000 - middle * 1000

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_SAMPLE_S)
            with contextlib.suppress(Refusal):
                await self.sample_clock()

    def start_clock(self) -> None:
        """Go on sampling the store's clock until closed."""
        self._clock = asyncio.create_task(self._keep_clock())


async def connect(url: str) -> Store:
    """A Store on the Valkey at `url` (`unix:///…` or `redis://…`), with the commit function loaded."""
    store = Store(url)
    await store.open()
    await load(store)
    await store.sample_clock()
    store.start_clock()
    return store


async def load(store: Store) -> None:
    """Load (or replace) the commit function; a store that restarted from its own file has it already."""
    source = files("livesale.store").joinpath("commit.lua").read_text()
    await store.ask("FUNCTION", "LOAD", "REPLACE", source)


def commit_command(decision: Decision) -> tuple[Any, ...]:
    """The command that carries `decision` out."""
    keys = _keys(decision)
    return ("FCALL", "livesale_commit", len(keys), *keys, decision.packed())


def _keys(decision: Decision) -> list[str]:
    tag = f"{{{decision.shelf}}}"
    marks = [f"{tag}:m:{index}" for index in decision.indexes()]
    once = f"{tag}:once:{decision.once_key()}"
    return [f"{tag}:seq", f"{tag}:log", f"{tag}:r", f"{tag}:c", once, f"{tag}:asleep", *marks]


def _versioned(raw: bytes | None) -> Versioned | None:
    if raw is None:
        return None
    version, _, data = raw.partition(b":")
    return Versioned(int(version), data)


def _left(found: Records, decision: Decision) -> str:
    """With what a record that `decision` is about left the shelf; empty when all it is about is there."""
    if not (decision.puts or decision.drops or decision.expect or decision.counters):
        return ""
    return next((record.past for record in found.values() if record and record.past), "")


def _read(reply: Any) -> Any:
    if isinstance(reply, ResponseError) and not _passing(reply):
        raise reply
    if isinstance(reply, Exception):
        raise _unavailable() from reply
    return reply


def _outcome(reply: Any, once: Once | None = None) -> Committed:
    if isinstance(reply, Exception):
        raise _failure(reply)
    kind = reply[0]
    if kind == b"ok":
        return Committed(reply[1], reply[2], once.answer if once else b"", replayed=False)
    if kind == b"replay":
        _, _, told, seq, at, payload = msgpack.unpackb(reply[1], raw=True)
        if told == b"short":
            raise _short(payload)
        return Committed(seq, at, payload, replayed=True)
    raise _refused(kind, reply)


def _refused(kind: bytes, reply: list[Any]) -> NotCommitted:
    if kind == b"conflict":
        return Conflict([name.decode() for name in reply[1:]])
    if kind == b"short":
        return _short(reply[1])
    return KeyReused() if kind == b"reused" else Early()


def _short(payload: bytes) -> Short:
    return Short([Lack(name, int(now), int(delta)) for name, now, delta in msgpack.unpackb(payload)])


def _failure(error: Exception) -> Exception:
    if isinstance(error, ResponseError) and "INVALID" in str(error):
        return Invalid(str(error))
    return _unavailable()


def _passing(error: ResponseError) -> bool:
    """Whether the store says "not now" (a full disk, no memory, a replica, a moving slot): no fault of the asker."""
    return isinstance(error, PASSING) or str(error).startswith("MISCONF")


def _unavailable() -> Refusal:
    return Refusal("store_unavailable", "The store does not answer right now. Please try again.", retry_after_s=1)
