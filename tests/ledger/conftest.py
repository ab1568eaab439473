"""The ledger's fixtures: a signing key, a ledger that runs beside the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger import reads
from livesale.ledger.archive import Ledger
from livesale.store.valkey import Store
from tests.ledger.sale import Sale

SIGNING_KEY = bytes(range(32))
PUBLIC_KEY = Ed25519PrivateKey.from_private_bytes(SIGNING_KEY).public_key().public_bytes_raw()

Running = Callable[[], AbstractAsyncContextManager[Ledger]]


@pytest.fixture
def running(store: Store, engine: AsyncEngine) -> Running:
    """`async with running() as ledger`: a ledger at work until the block ends."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Ledger]:
        ledger = Ledger(store, engine, SIGNING_KEY)
        task = asyncio.create_task(ledger.run())
        try:
            yield ledger
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and task.exception():
                raise task.exception()

    return run


async def story(store: Store, engine: AsyncEngine, running: Running) -> Sale:
    """A show with some of everything, wholly archived and signed; the ledger has stopped."""
    sale = Sale(store)
    await sale.whole_story()
    async with running():
        await archived(store, engine, sale.shelf)
    return sale


async def archived(store: Store, engine: AsyncEngine, shelf: str) -> None:
    """Wait until everything on `shelf` is archived and signed."""

    async def signed() -> bool:
        found = await reads.head(engine, shelf)
        return found is not None and found["seq"] == await store.seq(shelf)

    await until(signed)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until `condition` holds; the test's own timeout is the limit."""
    while not await condition():
        await asyncio.sleep(0.02)
