"""Positions: how far each shelf is archived, and whether the store still tells the same history up to there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.chain import genesis
from livesale.ledger.tables import archive, cursor
from livesale.store.database import reading
from livesale.store.valkey import Store


@dataclass(frozen=True, slots=True)
class Position:
    """The last archived entry of a shelf: its seq, its chained hash and its bytes (0, genesis, empty: none yet)."""

    seq: int
    hash: bytes
    raw: bytes = b""


def start_of(shelf: str) -> Position:
    """The position before a shelf's first entry."""
    return Position(0, genesis(shelf))


async def load(engine: AsyncEngine, shelf: str | None = None) -> dict[str, Position]:
    """The position of every shelf with a cursor (or of one shelf), with empty bytes where the archive lost it."""
    last = and_(archive.c.shelf == cursor.c.shelf, archive.c.seq == cursor.c.seq)
    query = select(cursor.c.shelf, cursor.c.seq, archive.c.hash, archive.c.bytes).outerjoin(archive, last)
    if shelf is not None:
        query = query.where(cursor.c.shelf == shelf)
    async with reading(engine) as connection:
        found = (await connection.execute(query)).all()
    return {name: _position(name, seq, digest, raw) for name, seq, digest, raw in found}


async def archived(engine: AsyncEngine, shelf: str) -> int:
    """The seq up to which the log of `shelf` is archived."""
    async with reading(engine) as connection:
        return (await connection.execute(select(cursor.c.seq).where(cursor.c.shelf == shelf))).scalar() or 0


def _position(shelf: str, seq: int, digest: bytes | None, raw: bytes | None) -> Position:
    if seq == 0:
        return start_of(shelf)
    return Position(seq, digest or b"", raw or b"")


async def differences(store: Store, positions: dict[str, Position]) -> dict[str, str]:
    """Why the store's entry at each position is not the one archived; shelves that agree are left out."""
    asked = {shelf: position for shelf, position in positions.items() if position.seq}
    if not asked:
        return {}
    kept = [store.ask("XRANGE", f"{{{shelf}}}:log", f"{at.seq}-0", f"{at.seq}-0") for shelf, at in asked.items()]
    replies = await asyncio.gather(*kept, *map(store.seq, asked))
    reasons = {}
    for (shelf, position), found, seq in zip(asked.items(), replies[: len(asked)], replies[len(asked) :], strict=True):
        reason = _difference(position, found[0][1][1] if found else None, seq)
        if reason:
            reasons[shelf] = reason
    return reasons


def _difference(position: Position, stored: bytes | None, seq: int) -> str:
    if not position.raw:
        return f"the archive's last entry {position.seq} is missing"
    if seq < position.seq:
        return f"the store is at {seq}, the archive at {position.seq}: the store has lost entries"
    if stored is None:
        return f"the store does not hold entry {position.seq} any more"
    return "" if stored == position.raw else f"the store's entry {position.seq} is not the one archived"
