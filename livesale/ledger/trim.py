"""Trim: takes entries out of the store's log once nobody needs them there any more.

Law: an entry goes only when it is archived, below every durable cursor on its shelf (`cursor:*` records), and outside
the hubs' resume window: more than 10,000 positions back, or over an hour old. The entry at the ledger's own cursor
stays, for it is what the ledger compares. Where the log begins is written into SQL first, so that a lost entry cannot
pass as a trimmed one.
"""

from __future__ import annotations

from typing import Any

import msgpack
import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import HOUR_MS
from livesale.ledger import meters
from livesale.ledger.tables import archive, cursor
from livesale.store.database import reading
from livesale.store.log import read_log
from livesale.store.valkey import Store

WINDOW_ENTRIES = 10_000
WINDOW_MS = HOUR_MS
MOST_PER_SCAN = 1_000

log = structlog.get_logger("livesale.ledger")


class Trimmer:
    """Trims shelves below `seq`, the ledger's own position on each."""

    def __init__(self, store: Store, engine: AsyncEngine, readers: tuple[str, ...]) -> None:
        self._store = store
        self._engine = engine
        self._readers = readers

    async def trim(self, shelf: str, seq: int) -> int:
        """Take out what may go from the log of `shelf`; how many entries went."""
        key = f"{{{shelf}}}:log"
        first = await read_log(self._store, shelf, most=1)
        if not first:
            return 0
        begins = first[0].seq
        keep = min(seq, await self._outside_window(shelf, seq))
        if keep <= begins:
            return 0
        keep = min(keep, await self._lowest_cursor(shelf))
        if keep <= begins:
            return 0
        async with self._engine.begin() as connection:
            await connection.execute(update(cursor).where(cursor.c.shelf == shelf).values(trimmed=keep))
        gone = int(await self._store.ask("XTRIM", key, "MINID", "=", f"{keep}-0"))
        meters.TRIMMED.inc(gone)
        return gone

    async def _outside_window(self, shelf: str, seq: int) -> int:
        """The first position inside the hubs' resume window."""
        since = self._store.now_ms() - WINDOW_MS
        young = (
            select(archive.c.seq)
            .where(archive.c.shelf == shelf, archive.c.seq > seq - WINDOW_ENTRIES, archive.c.at_ms >= since)
            .order_by(archive.c.seq)
            .limit(1)
        )
        async with reading(self._engine) as connection:
            found = (await connection.execute(young)).scalar()
        return seq if found is None else max(int(found), 1)

    async def _lowest_cursor(self, shelf: str) -> int:
        """The lowest position a reader on this shelf still wants; 0 when one is missing or cannot be read."""
        wanted = dict.fromkeys((f"cursor:{name}" for name in self._readers), 0)
        key = f"{{{shelf}}}:r"
        async for name, raw in self._store.client.hscan_iter(key, match="cursor:*", count=MOST_PER_SCAN):
            wanted[name.decode()] = _read_cursor(raw.partition(b":")[2]) + 1
        return min(wanted.values(), default=2**53)


def _read_cursor(data: bytes) -> int:
    """The last seq a reader has dealt with: decimal text, or msgpack of a number or of a map with `seq`."""
    if data.isdigit():
        return int(data)
    try:
        value: Any = msgpack.unpackb(data, raw=False)
    except (ValueError, msgpack.UnpackException):
        value = None
    if isinstance(value, dict):
        value = value.get("seq")
    if not isinstance(value, int):
        log.warning("a reader's cursor cannot be read: its shelf is not trimmed", data=data[:40].hex())
        return -1
    return value
