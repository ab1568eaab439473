"""The database: a commit is on disk, writers queue instead of failing, readers wait for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store as _accounts
from livesale.apps import web
from livesale.kernel.sealing import lookup, new_key, unseal
from livesale.store import database
from livesale.store.database import metadata, reading

ROOMS = web  # imports every room that has tables on `metadata`


@pytest.fixture
async def sql(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A database with one counter."""
    made = database.engine(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    async with made.begin() as connection:
        await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)"))
        await connection.execute(text("INSERT INTO t VALUES (1, 0)"))
    yield made
    await made.dispose()


async def read(sql: AsyncEngine, query: str) -> object:
    async with reading(sql) as connection:
        return (await connection.execute(text(query))).scalar()


async def test_a_commit_is_synced_to_disk(sql: AsyncEngine) -> None:
    """Every connection has the WAL, an fsync on each commit, and foreign keys."""
    assert await read(sql, "PRAGMA journal_mode") == "wal"
    assert await read(sql, "PRAGMA synchronous") == 2
    assert await read(sql, "PRAGMA foreign_keys") == 1


async def test_concurrent_read_then_write_loses_no_update(sql: AsyncEngine) -> None:
    """Twenty transactions that read and then write the same row each count: none fails with a locked database."""

    async def one_more() -> None:
        async with sql.begin() as connection:
            before = (await connection.execute(text("SELECT n FROM t"))).scalar()
            await asyncio.sleep(0)
            await connection.execute(text("UPDATE t SET n = :n"), {"n": int(before or 0) + 1})

    await asyncio.gather(*(one_more() for _ in range(20)))
    assert await read(sql, "SELECT n FROM t") == 20


async def test_a_reader_waits_for_no_writer(sql: AsyncEngine) -> None:
    """While a transaction writes, `reading` sees what was committed before, at once."""
    async with sql.begin() as connection:
        await connection.execute(text("UPDATE t SET n = 7"))
        assert await read(sql, "SELECT n FROM t") == 0
    assert await read(sql, "SELECT n FROM t") == 7


async def test_a_transaction_that_fails_leaves_nothing(sql: AsyncEngine) -> None:
    """What was written before the failing statement is gone too."""

    async def fail() -> None:
        async with sql.begin() as connection:
            await connection.execute(text("UPDATE t SET n = 9"))
            await connection.execute(text("INSERT INTO t VALUES (1, 1)"))

    with pytest.raises(IntegrityError):
        await fail()
    assert await read(sql, "SELECT n FROM t") == 0


async def test_a_read_sees_one_moment(sql: AsyncEngine) -> None:
    """Two reads in one `reading` agree, whatever is committed between them."""
    async with reading(sql) as connection:
        before = (await connection.execute(text("SELECT n FROM t"))).scalar()
        async with sql.begin() as writer:
            await writer.execute(text("UPDATE t SET n = 5"))
        assert (await connection.execute(text("SELECT n FROM t"))).scalar() == before


async def test_the_revisions_make_the_tables_the_rooms_declare(tmp_path: Path) -> None:
    """A database brought to the newest revision has every declared table with its columns; doing it twice is harmless."""
    made = database.engine(f"sqlite+aiosqlite:///{tmp_path / 'y.db'}")
    for _ in range(2):
        async with made.begin() as connection:
            await connection.run_sync(database.upgrade)
    async with made.connect() as connection:
        found = await connection.run_sync(
            lambda sync: {
                name: {column["name"] for column in inspect(sync).get_columns(name)}
                for name in inspect(sync).get_table_names()
            }
        )
    await made.dispose()
    declared = {table.name: {column.name for column in table.columns} for table in metadata.tables.values()}
    assert ROOMS
    assert declared.items() <= found.items()


async def test_the_revisions_say_what_the_rooms_say(engine: AsyncEngine) -> None:
    """Columns, nullability and indexes too, on both databases: nothing is left to generate."""
    async with engine.connect() as connection:
        left = await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), metadata))
    assert ROOMS
    assert [one for one in left if one[0] != "remove_table" or one[1].name != "alembic_version"] == []


async def test_a_database_of_the_first_revision_keeps_its_rows(tmp_path: Path) -> None:
    """An order from before, its time never told, is still there after the upgrade."""
    made = database.engine(f"sqlite+aiosqlite:///{tmp_path / 'z.db'}")
    old = "INSERT INTO orders (id, shelf, account, state, held_at) VALUES ('o_1', 'show:a', 'ann', 'paid', NULL)"
    async with made.begin() as connection:
        await connection.run_sync(lambda sync: database.upgrade(sync, "0001"))
        await connection.execute(text(old))
    async with made.begin() as connection:
        await connection.run_sync(database.upgrade)
    assert await read(made, "SELECT id || held_at FROM orders") == "o_10"
    await made.dispose()


async def test_addresses_of_the_third_revision_are_sealed(tmp_path: Path) -> None:
    """Each is found by its hash and opens with its account's key; none is left in the file, nor in its journal."""
    path, key, own = tmp_path / "w.db", b"k" * 32, new_key()
    made = database.engine(f"sqlite+aiosqlite:///{path}")
    columns = "id, email, name, country, roles, band, band_ends_month, age_method, age_issuer, password_hash, created_ms"
    async with made.begin() as connection:
        await connection.run_sync(lambda sync: database.upgrade(sync, "0004_privacy"))
        for name in ("ann", "bob"):
            values = f"'{name}', '{name}@marker.example', x'', 'DE', 'viewer', 'adult', '', 'declared', '', '', 1"
            await connection.execute(text(f"INSERT INTO accounts ({columns}) VALUES ({values})"))
        await connection.execute(text("INSERT INTO sealing_keys (account, key) VALUES ('ann', :key)"), {"key": own})
    with pytest.raises(RuntimeError, match=r"no address\.key"):
        async with made.begin() as connection:
            await connection.run_sync(database.upgrade)
    async with made.begin() as connection:
        await connection.run_sync(lambda sync: database.upgrade(sync, address_key=key))
    async with reading(made) as connection:
        rows = (await connection.execute(select(_accounts.accounts).order_by(text("id")))).mappings().all()
        assert [row["email_hash"] for row in rows] == [lookup(key, f"{name}@marker.example") for name in ("ann", "bob")]
        assert unseal(own, rows[0]["email_sealed"], "email:ann") == b"ann@marker.example"
        assert rows[1]["email_sealed"] == b""
    await made.dispose()
    assert b"marker.example" not in b"".join(file.read_bytes() for file in tmp_path.glob("w.db*"))
