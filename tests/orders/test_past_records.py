"""The archive's rows: the newest version of each, found by an index."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.orders import past_records as past_store
from livesale.orders.past import PastRecord
from livesale.store import database
from livesale.store.database import reading
from tests.support import sqlite
from tests.support.plans import plan_of


async def test_of_a_record_the_newest_version_is_kept(engine: AsyncEngine) -> None:
    """Two workers, the slower one with what was: the archive says so, and keeps what is."""
    old = PastRecord("show:a", "order:o", "o", 3, b"old", False)
    new = PastRecord("show:a", "order:o", "o", 5, b"new", False)
    over = msgspec.structs.replace(new, released=True)
    for given, standing in ((old, {old}), (new, {new}), (old, set()), (over, {over}), (new, set()), (over, {over})):
        async with engine.begin() as connection:
            assert await past_store.keep(connection, [given]) == standing
    async with reading(engine) as connection:
        assert await past_store.of_order(connection, "o") == [over]


async def test_past_records_are_found_by_an_index(tmp_path: Path) -> None:
    """However many there are: asked for by a crowd, from several shelves, and by their order."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'livesale.db'}"
    await asyncio.to_thread(sqlite.migrate, url)
    engine = database.engine(url)

    async def asked() -> None:
        async with reading(engine) as connection:
            await past_store.named(connection, [("a", "order:1"), ("a", "payment:1"), ("b", "order:2"), ("c", "approval:3")])

    async def of_order() -> None:
        async with reading(engine) as connection:
            await past_store.of_order(connection, "o")

    for read in (asked, of_order):
        plan = await plan_of(engine, read)
        assert any("SEARCH past_records USING INDEX" in line for line in plan), plan
        assert not any("SCAN past_records" in line for line in plan), plan
    await engine.dispose()
