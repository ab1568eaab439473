"""kill -9 of `livesale up` itself: nothing outlives it, and the same DATA comes back on air with every order."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import psutil
import pytest

from tests.crashes.buyers import Buyers
from tests.crashes.system import (
    COMES_UP_WITHIN_S,
    HEALS_WITHIN_S,
    LOADS_WITHIN_S,
    SETTLES_WITHIN_S,
    System,
    call,
    until,
)
from tests.crashes.viewer import Viewer

pytestmark = pytest.mark.timeout(300)
LOADED_BEFORE = 60


def test_kill_of_the_supervisor(system: System, shows: dict[str, Any]) -> None:
    """Under load: no process is left, and after a new start what was acknowledged is there and pictures flow."""
    buyers = Buyers(system, shows["mine"], shows["offers"], patience=0)
    asyncio.run(_until_killed(system, buyers))
    system.start()
    asyncio.run(_back_on_air(system, shows, buyers))
    verified = system.verify(shows["mine"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def _until_killed(system: System, buyers: Buyers) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        buying = asyncio.create_task(buyers.run(session))
        await until(lambda: len(buyers.told) > LOADED_BEFORE, LOADS_WITHIN_S, "the load runs")
        children = system.kill_supervisor()
        _, left = await asyncio.to_thread(psutil.wait_procs, children, HEALS_WITHIN_S)
        assert left == []
        await buyers.stop()
        await buying


async def _back_on_air(system: System, shows: dict[str, Any], buyers: Buyers) -> None:
    viewer = Viewer(system, shows["demo"])
    async with aiohttp.ClientSession() as session:
        watching = asyncio.create_task(viewer.run(session))
        await until(lambda: viewer.last_media > 0, COMES_UP_WITHIN_S, "the demo's show has a picture again")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for order, told in buyers.told.items():

            async def kept(order: str = order, told: str = told) -> bool:
                status, found = await call(
                    session, "GET", f"{system.api}/orders/{order}", system.tokens[buyers.owner[order]]
                )
                return status == 200 and buyers.is_legal(told, found["state"])

            await until(kept, SETTLES_WITHIN_S, f"{order}, told {told}")
