"""Fixtures every test may use: one real store process a session, emptied for each test."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from livesale.store.valkey import Store, connect
from tests.support.valkey import ValkeyProcess


def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """Ask again every half minute: what the alarm raises inside a callback of a busy loop is only logged there."""

    def fail(*_: object) -> None:
        pytest.fail(f"not done within {settings.timeout:g} s")

    signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, 30)
    return True


def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    """The test has ended."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    return True


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
