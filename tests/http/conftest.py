"""The whole web process as `livesale web` makes it, on a store and a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from aiohttp import web

from livesale.apps.desk import Desk
from livesale.apps.keys import make_keys
from livesale.apps.web import all_routes, application
from livesale.apps.wiring import Wiring
from livesale.http.server import Runner
from livesale.kernel.routing import Route
from livesale.settings import load_settings
from livesale.store.valkey import Store
from tests.support import sqlite
from tests.support.valkey import ValkeyProcess


@dataclass
class Whole:
    """A running web process, its routes, and tokens of an account of each kind."""

    wiring: Wiring
    runner: Runner
    host: str
    port: int
    routes: list[Route]
    tokens: dict[str, str]

    def url(self, path: str) -> str:
        """An address under `/api/v1`."""
        return f"http://{self.host}:{self.port}/api/v1{path}"


@pytest.fixture
async def whole(valkey: ValkeyProcess, store: Store, tmp_path: Path) -> AsyncIterator[Whole]:
    make_keys(tmp_path)
    settings = load_settings(tmp_path, {"valkey_url": valkey.url})
    await asyncio.to_thread(sqlite.migrate, settings.sql_url)
    async with Wiring(settings) as wiring:
        tokens = {}
        for role in ("viewer", "host", "guardian", "operator"):
            email = f"{role}@example.org"
            await wiring.accounts.create_account(
                email=email, name=role, country="DE", born=date(1990, 1, 1), roles=[role], method="verified"
            )
            tokens[role] = await wiring.accounts.issue_token(email, 1)
        runner = Runner(await application(wiring))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield Whole(wiring, runner, host, port, all_routes(wiring, Desk(wiring.store)), tokens)
        await runner.cleanup()
