"""Alarm: a shelf whose history in the store is not the archived one. Said in the log, the audit and the cursor."""

from __future__ import annotations

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.batch import write_rows
from livesale.ledger.tables import cursor, write_audit

log = structlog.get_logger("livesale.ledger")


async def raise_alarm(engine: AsyncEngine, at_ms: int, shelf: str, reason: str) -> None:
    """Note that `shelf` is stopped; a reason already noted (after a restart) is not audited twice."""
    log.error("shelf stopped: its history differs", shelf=shelf, reason=reason)
    async with engine.begin() as connection:
        query = select(cursor.c.stopped).where(cursor.c.shelf == shelf)
        if (await connection.execute(query)).scalar() == reason:
            return
        await write_rows(connection, "cursor", ("stopped",), [{"shelf": shelf, "seq": 0, "stopped": reason}])
        await write_audit(connection, at_ms, "ledger", "ledger.stopped", {"shelf": shelf, "reason": reason})
