"""A process's wiring and a live show, for the tests of studios."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livesale.apps.keys import make_keys
from livesale.apps.wiring import Wiring
from livesale.settings import load_settings
from livesale.shows.model import Show
from livesale.store.valkey import Store
from tests.apps.studios import HOST
from tests.support.valkey import ValkeyProcess


@pytest.fixture
async def wiring(tmp_path: Path, valkey: ValkeyProcess, store: Store) -> AsyncIterator[Wiring]:
    """What a process works with, on the session's store."""
    make_keys(tmp_path)
    async with Wiring(load_settings(tmp_path, {"valkey_url": valkey.url})) as wired:
        yield wired


@pytest.fixture
async def show(wiring: Wiring) -> Show:
    """A live show."""
    made = await wiring.shows.create(HOST, "Fenced", "shop", "EUR", None)
    return await wiring.shows.move(HOST, made.id, "start")
