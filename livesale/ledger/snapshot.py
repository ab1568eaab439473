"""Snapshot: what the store and SQL hold of one shelf, each read as of one moment, for verification."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.ledger import tables
from livesale.store.database import reading
from livesale.store.log import Entry, read_log
from livesale.store.valkey import Store

PAGE = 2_000
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Shelved:
    """The store's side: counters and records as of `seq`."""

    seq: int
    counters: dict[str, int]
    digests: dict[str, tuple[int, str]]


async def of_store(store: Store, shelf: str) -> Shelved:
    """Position, counters and record digests in one atomic read: the show may go on meanwhile."""
    tag = f"{{{shelf}}}"
    pipeline = store.client.pipeline(transaction=True)
    pipeline.get(f"{tag}:seq")
    pipeline.hgetall(f"{tag}:c")
    pipeline.hgetall(f"{tag}:r")
    seq, counters, records = await pipeline.execute()
    return Shelved(
        int(seq or 0),
        {name.decode(): int(value) for name, value in counters.items()},
        {name.decode(): _digest(raw) for name, raw in records.items()},
    )


def _digest(raw: bytes) -> tuple[int, str]:
    version, _, data = raw.partition(b":")
    return int(version), hashlib.sha1(data, usedforsecurity=False).hexdigest()


async def kept_log(store: Store, shelf: str, after: int = 0) -> AsyncIterator[Entry]:
    """Every entry the store still keeps, in order."""
    while page := await read_log(store, shelf, after, PAGE):
        for entry in page:
            yield entry
        after = page[-1].seq


async def kept_from(store: Store, shelf: str) -> int:
    """The first position the store keeps; 0 when its log is empty."""
    first = await read_log(store, shelf, most=1)
    return first[0].seq if first else 0


async def caught_up(engine: AsyncEngine, shelf: str, seq: int, wait_s: float) -> str:
    """Wait until `seq` is archived under a signed head; what is missing when it does not happen (empty: nothing)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while True:
        async with reading(engine) as connection:
            place = await row(connection, tables.cursor, shelf)
            head = select(func.max(tables.heads.c.seq)).where(tables.heads.c.shelf == shelf)
            signed = (await connection.execute(head)).scalar() or 0
        if place.get("stopped"):
            return f"the ledger stopped this shelf: {place['stopped']}"
        if place.get("seq", 0) >= seq and signed >= seq:
            return ""
        if loop.time() >= until:
            return f"archived up to {place.get('seq', 0)}, signed up to {signed}"
        await asyncio.sleep(POLL_S)


async def row(connection: AsyncConnection, table: Table, shelf: str) -> dict[str, Any]:
    """The row of `shelf` in a table with one row a shelf."""
    found = (await connection.execute(select(table).where(table.c.shelf == shelf))).mappings().first()
    return dict(found or {})


async def rows(connection: AsyncConnection, table: Table, shelf: str) -> list[dict[str, Any]]:
    """Every row of `shelf`."""
    found = await connection.execute(select(table).where(table.c.shelf == shelf))
    return [dict(one) for one in found.mappings()]


async def archived(connection: AsyncConnection, shelf: str) -> AsyncIterator[tuple[int, bytes, bytes, bytes]]:
    """(seq, bytes, hash, previous) of every archived entry, in order."""
    entry, after = tables.archive.c, 0
    page = select(entry.seq, entry.bytes, entry.hash, entry.previous).where(entry.shelf == shelf)
    while True:
        found = await connection.execute(page.where(entry.seq > after).order_by(entry.seq).limit(PAGE))
        got = found.all()
        for seq, raw, digest, previous in got:
            yield seq, raw, digest, previous
        if len(got) < PAGE:
            return
        after = got[-1][0]
