"""The SQL database beside the store: one engine a process, SQLite (WAL, fsync on every commit) or PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from typing import Any

from sqlalchemy import Connection, MetaData, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

log = logging.getLogger(__name__)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def engine(url: str) -> AsyncEngine:
    """An engine on `url` (`sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`)."""
    made = create_async_engine(url, hide_parameters=True)  # a failed statement's values may be personal: not for logs
    if made.dialect.name == "sqlite":
        event.listen(made.sync_engine, "connect", _tune_sqlite)
        event.listen(made.sync_engine, "begin", _begin_immediate)
    return made


@asynccontextmanager
async def reading(database: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for reading: on SQLite outside any write lock."""
    async with database.connect() as connection:
        yield await connection.execution_options(livesale_reads=True)


async def scrub(database: AsyncEngine) -> None:
    """Leave nothing of deleted rows on the disk. SQLite's journal still has pages as they were; in the file itself they are
    zeroed (`secure_delete`). It waits for those who read the old state, ten seconds at most (`busy_timeout`).
    """
    if database.dialect.name != "sqlite":
        return  # PostgreSQL's own vacuum sees to it
    async with database.connect() as connection:  # no statement of SQLAlchemy's: that would begin a transaction
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        row = await (await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")).fetchone()
    if row[0]:
        log.warning("the journal is still read: what was deleted stays in it until its next turn")


def _tune_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # our `begin` listener starts transactions, not the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Any) -> None:
    # A deferred transaction that turns into a write can fail with SQLITE_BUSY at once, whatever the timeout.
    reads = connection.get_execution_options().get("livesale_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def migrate(url: str, address_key: bytes = b"") -> None:
    """Bring the schema at `url` to the newest revision; blocking, run by `livesale up` before the processes.

    `address_key` (DATA/keys/address.key) is needed where there are accounts from before addresses were sealed.
    """
    asyncio.run(_migrate(url, address_key))


async def _migrate(url: str, address_key: bytes) -> None:
    database = engine(url)
    try:
        async with database.begin() as connection:
            await connection.run_sync(lambda sync: upgrade(sync, address_key=address_key))
    finally:
        await database.dispose()


def upgrade(connection: Connection, to: str = "head", address_key: bytes = b"") -> None:
    """Run every revision up to `to` that `connection`'s database does not have yet."""
    from alembic import command  # a quarter of a second that no other process needs
    from alembic.config import Config

    with as_file(files("livesale.store").joinpath("migrations")) as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        config.attributes["address_key"] = address_key
        command.upgrade(config, to)
