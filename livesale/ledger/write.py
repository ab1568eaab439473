"""Write: one SQL transaction that archives entries, chains them, projects them and moves the cursors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger import meters
from livesale.ledger.batch import Batch, touch_shows, write_rows
from livesale.ledger.chain import link
from livesale.ledger.positions import Position
from livesale.ledger.projection import decode, project
from livesale.store.log import Entry


async def write_batch(engine: AsyncEngine, entries: list[Entry], before: Mapping[str, Position]) -> dict[str, Position]:
    """Archive `entries`, which go on after `before`, whole or not at all; the positions they lead to."""
    began = time.monotonic()
    told = [decode(entry.raw) for entry in entries]
    rows, after = _chained(entries, told, before)
    batch = Batch()
    for entry, fields in zip(entries, told, strict=True):
        batch.add(project(entry, fields))
    cursors = [{"shelf": shelf, "seq": position.seq, "stopped": ""} for shelf, position in after.items()]
    async with engine.begin() as connection:
        await write_rows(connection, "archive", None, rows)
        await batch.write(connection)
        await touch_shows(connection, {shelf: position.seq for shelf, position in after.items()})
        await write_rows(connection, "cursor", ("seq", "stopped"), cursors)
    meters.ENTRIES.inc(len(entries))
    meters.BATCH_SECONDS.inc(time.monotonic() - began)
    return after


def _chained(
    entries: list[Entry], told: list[dict[str, Any]], before: Mapping[str, Position]
) -> tuple[list[dict[str, Any]], dict[str, Position]]:
    rows: list[dict[str, Any]] = []
    after: dict[str, Position] = {}
    for entry, fields in zip(entries, told, strict=True):
        last = after.get(entry.shelf) or before[entry.shelf]
        if entry.seq != last.seq + 1:
            raise ValueError(f"{entry.shelf}: entry {entry.seq} does not follow {last.seq}")
        digest = link(last.hash, entry.seq, entry.raw)
        rows.append(
            {
                "shelf": entry.shelf,
                "seq": entry.seq,
                "at_ms": fields["at"],
                "bytes": entry.raw,
                "hash": digest,
                "previous": last.hash,
            }
        )
        after[entry.shelf] = Position(entry.seq, digest, entry.raw)
    return rows, after
