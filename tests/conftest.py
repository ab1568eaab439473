"""Fixtures every test may use: one real store process a session, emptied for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from livesale.store.valkey import Store, connect
from tests.support.valkey import ValkeyProcess


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyProcess]:
    """The session's store process."""
    process = ValkeyProcess()
    process.start()
    yield process
    process.kill()
    shutil.rmtree(process.folder, ignore_errors=True)


@pytest.fixture
async def store(valkey: ValkeyProcess) -> AsyncIterator[Store]:
    """A connection to an empty store."""
    made = await connect(valkey.url)
    await made.client.flushall()
    yield made
    await made.close()
