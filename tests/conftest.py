"""Fixtures every test may use: one real store process a session, emptied for each test."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from xdist.scheduler import LoadScopeScheduling

from livesale.store import database
from livesale.store.valkey import Store, connect
from tests.support import sqlite
from tests.support.postgres import PostgresProcess
from tests.support.valkey import ValkeyProcess

hypothesis.settings.register_profile("house", deadline=None, max_examples=50)  # no test asserts a wall-clock time
hypothesis.settings.load_profile("house")

SHARED = {"contract": "demo", "journeys": "demo", "bench": "systems", "crashes": "systems"}


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """For runs in two processes (scripts/test)."""
    config.option.loadscopereorder = False  # what takes longest is not what has most tests
    return Pieces(config, log)


class Pieces(LoadScopeScheduling):
    """What shares a running system stays in one process, and so does a file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return SHARED.get(path.split("/")[1], path)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresProcess]:
    """The session's PostgreSQL."""
    process = PostgresProcess()
    yield process
    process.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database at the newest revision: on SQLite, and again on PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").emptied())
    url = f"{sqlite.PREFIX}{tmp_path / 'livesale.db'}"
    sqlite.migrate(url)
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on that database."""
    made = database.engine(database_url)
    yield made
    await made.dispose()
