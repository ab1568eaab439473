"""An older copy of the store's file put back: the ledger notices, and what was sold is not sold again."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from livesale.ledger.positions import archived
from livesale.store import database
from tests.crashes.judge import store_of
from tests.crashes.rush import Scene, casting, scene
from tests.crashes.system import COMES_UP_WITHIN_S, SETTLES_WITHIN_S, System, call, until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A system of its own: its store does not survive the test."""
    made = System(tmp_path / "data", options=())
    made.start()
    yield made
    made.stop()


def test_a_lost_tail_stops_its_shelf(system: System) -> None:
    """Orders acknowledged after the copy are gone from the store: their show sells nothing more, is not renumbered, and
    says why to the operators and to `verify`; another show goes on and has no difference.
    """
    sold, sound, before = asyncio.run(_sold(system))
    _put_back(system)
    asyncio.run(_stopped(system, sold, sound, before))
    found = system.verify(sold.show)
    assert found.returncode == 1
    assert "lost entries" in found.stdout
    verified = system.verify(sound.show)
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def _sold(system: System) -> tuple[Scene, Scene, int]:
    """One show with orders behind the copy, one without; how far the first is archived."""
    sold, sound = await scene(system), await scene(system)
    async with aiohttp.ClientSession() as session:
        for on in (sold, sound):
            assert (await _hold(session, system, on))[0] == 201
        await _archived(system, sold, sound)
        shutil.copytree(system.data / "valkey", system.data / "older")
        for _ in range(5):
            assert (await _hold(session, system, sold))[0] == 201
    return sold, sound, (await _archived(system, sold, sound))[0]


def _put_back(system: System) -> None:
    system.stop()
    shutil.rmtree(system.data / "valkey")
    (system.data / "older").rename(system.data / "valkey")
    system.start()


async def _stopped(system: System, sold: Scene, sound: Scene, before: int) -> None:
    async with aiohttp.ClientSession() as session:

        async def refused() -> bool:
            return (await _hold(session, system, sold))[0] == 503

        await until(refused, COMES_UP_WITHIN_S, "the show that forgot orders sells nothing more")
        assert (await _hold(session, system, sound))[0] == 201
        async with casting(system) as cast:
            [operator] = await cast.people(1, "operator")
        told = (await call(session, "GET", f"{system.api}/ops/overview", operator.token))[1]
        [alarm] = told["alarms"]
        assert alarm["shelf"] == f"show:{sold.show}"
        assert "lost entries" in alarm["reason"]
        async with session.get(f"http://127.0.0.1:{system.port}/metrics") as answer:
            assert "livesale_ledger_stopped_shelves 1.0" in await answer.text()
    assert (await _archived(system, sound))[0] > 0
    assert await _position(system, sold) == before


async def _hold(session: aiohttp.ClientSession, system: System, on: Scene) -> tuple[int, Any]:
    wanted = {"lines": [{"offer": on.offers[0], "quantity": 1}]}
    key = secrets.token_hex(12)
    return await call(session, "POST", f"{system.api}/shows/{on.show}/orders", on.tokens[0], wanted, key)


async def _archived(system: System, *scenes: Scene) -> list[int]:
    """How far the ledger is, once it has all there is, readers' moves included."""
    async with store_of(system) as store:
        for on in scenes:
            last = [0, -1]

            async def quiet(on: Scene = on, last: list[int] = last) -> bool:
                """Nothing came in the time in which a reader moves its cursor."""
                last[:] = [await store.seq(f"show:{on.show}"), last[0]]
                done = last[0] == last[1] == await _position(system, on)
                return done or bool(await asyncio.sleep(3))

            await until(quiet, SETTLES_WITHIN_S, f"all of show {on.show} is archived")
    return [await _position(system, on) for on in scenes]


async def _position(system: System, on: Scene) -> int:
    engine = database.engine(system.settings.sql_url)
    try:
        return await archived(engine, f"show:{on.show}")
    finally:
        await engine.dispose()
