"""How SQLite carries a query out: what a test asks to know that a list is read by an index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


async def plan_of(engine: AsyncEngine, read: Callable[[], Awaitable[Any]]) -> list[str]:
    """The lines of the plan of the last SELECT that `read` sends."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        sent.append((statement, values))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        await read()
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    statement, values = next(one for one in reversed(sent) if one[0].startswith("SELECT"))
    async with engine.connect() as connection:
        explained = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return [row[3] for row in explained]
