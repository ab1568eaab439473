"""Tail: follows the logs of many shelves over one connection, in order and without a gap for each shelf."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgpack
import msgspec
from redis.exceptions import RedisError

from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.store.valkey import Ask, Store

BLOCK_MS = 200  # the longest a shelf added meanwhile waits for its first entry
MOST_AT_ONCE = 500
RETRY_S = 0.25
PAUSE_S_PER_ENTRY = 0.001


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit as the log tells it: `raw` is the entry's exact bytes, the rest is what they say."""

    shelf: str
    seq: int
    raw: bytes

    def fields(self) -> dict[str, Any]:
        """`{id, at, counters, puts, drops, events}` (design section 2, law 2)."""
        decoded: dict[str, Any] = msgpack.unpackb(self.raw, raw=False)
        return decoded


class Glimpse(msgspec.Struct, frozen=True):
    """What tells whether an event concerns a reader, without the rest of it."""

    type: str
    state: Any = None
    order: Any = None


class _Glimpses(msgspec.Struct):
    events: list[Glimpse]


_glimpsed = msgspec.msgpack.Decoder(_Glimpses).decode


def glimpses(entry: Entry) -> list[Glimpse]:
    """The types and states of an entry's events: a tenth of the cost of decoding all it says."""
    return _glimpsed(entry.raw).events


def events_of(fields: dict[str, Any]) -> list[Event]:
    """The events of a decoded entry."""
    return list(fields["events"])


class LogGap(Exception):
    """Entries after the wanted position are gone: the log was trimmed further, or the store lost its tail."""

    def __init__(self, shelf: str, wanted: int, found: int) -> None:
        super().__init__(f"{shelf}: wanted entry {wanted}, the log goes on at {found}")
        self.shelf = shelf


class Tail:
    """Follows shelves from given positions. `follow` and `leave` may be called while it runs.

    `rest_s`: in a rush it rests this long between two reads (1 ms for each entry read, at most), so that entries come
    by the dozen: a read costs the store, and who is told, far more than an entry in it. A lone entry waits for nothing.
    """

    def __init__(self, store: Store, rest_s: float = 0.0, block_ms: int = BLOCK_MS) -> None:
        self._store = store
        self._rest_s = rest_s
        self._block_ms = block_ms
        self._after: dict[str, int] = {}
        self._changed = asyncio.Event()

    def follow(self, shelf: str, after: int) -> None:
        """Deliver the entries of `shelf` with seq > `after`."""
        self._after[shelf] = after
        self._changed.set()

    def leave(self, shelf: str) -> None:
        """Deliver nothing more of `shelf`."""
        self._after.pop(shelf, None)

    def following(self) -> dict[str, int]:
        """Each shelf followed and the last position delivered."""
        return dict(self._after)

    async def batches(self) -> AsyncIterator[list[Entry]]:
        """Entries as they come, at most 500 a shelf and batch; goes on through a restart of the store."""
        while True:
            try:
                async with self._store.aside() as ask:
                    async for batch in self._read(ask):
                        yield batch
            except (RedisError, Refusal):
                await asyncio.sleep(RETRY_S)

    async def _read(self, ask: Ask) -> AsyncIterator[list[Entry]]:
        while True:
            if not self._after:
                self._changed.clear()
                await self._changed.wait()
            batch = await self._next(ask)
            if batch:
                yield batch
            if len(batch) < MOST_AT_ONCE:
                await asyncio.sleep(min(self._rest_s, PAUSE_S_PER_ENTRY * len(batch)))

    async def _next(self, ask: Ask) -> list[Entry]:
        asked = dict(self._after)
        keys, after = [f"{{{shelf}}}:log" for shelf in asked], [f"{seq}-0" for seq in asked.values()]
        found = await ask("XREAD", "COUNT", MOST_AT_ONCE, "BLOCK", self._block_ms, "STREAMS", *keys, *after)
        batch: list[Entry] = []
        gaps: list[LogGap] = []
        for key, entries in (found or {}).items():
            shelf = key.decode()[1 : -len("}:log")]
            if self._after.get(shelf) != asked[shelf]:  # left, or followed from elsewhere, since we asked
                continue
            try:
                self._in_order(shelf, entries, batch)
            except LogGap as gap:
                gaps.append(gap)
        if gaps and not batch:  # what was read beside it is delivered first: its position has moved already
            raise gaps[0]
        return batch

    def _in_order(self, shelf: str, entries: list[Any], batch: list[Entry]) -> None:
        for stream_id, fields in entries:
            after = self._after[shelf]
            seq = int(stream_id.split(b"-")[0])
            if seq != after + 1:
                raise LogGap(shelf, after + 1, seq)
            batch.append(Entry(shelf, seq, fields[1]))  # its one field is `e`
            self._after[shelf] = seq


async def read_log(store: Store, shelf: str, after: int = 0, most: int = 1000) -> list[Entry]:
    """At most `most` entries of a shelf's log with seq > `after`, as still kept."""
    found = await store.ask("XRANGE", f"{{{shelf}}}:log", f"{after + 1}-0", "+", "COUNT", most)
    return [Entry(shelf, int(stream_id.split(b"-")[0]), fields[1]) for stream_id, fields in found]
