"""The one set of SQL tables and how to reach them: every room's store declares its own on `metadata`."""

from __future__ import annotations

import asyncio
import importlib

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from livesale.settings import Settings

metadata = MetaData()


def engine(url: str) -> AsyncEngine:
    """An engine on `url`, which names an async driver."""
    return create_async_engine(url)


def migrate(settings: Settings) -> None:
    """Bring the database to this version's tables."""
    importlib.import_module("livesale.accounts.store")
    asyncio.run(_create(settings.sql_url))


async def _create(url: str) -> None:
    database = engine(url)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.dispose()
