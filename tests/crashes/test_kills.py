"""Killing any one process loses no acknowledged order and heals by itself within ten seconds."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import av
import pytest

from livesale.media.recording import takes_in
from tests.crashes import judge
from tests.crashes.buyers import LEGAL_AFTER, Buyers
from tests.crashes.system import HEALS_WITHIN_S, LOADS_WITHIN_S, System, call, until
from tests.crashes.viewer import Viewer

LOADED_BEFORE = 60  # acknowledged orders before the kill
PROCESSES = ("store", "web", "studio", "edge", "worker", "paysim", "demo")

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("name", PROCESSES)
def test_kill(system: System, shows: dict[str, Any], name: str) -> None:
    """kill -9 under load: every acknowledged order is there in a legal state, all else goes on within 10 s."""
    asyncio.run(_kill(system, shows, name))


async def _kill(system: System, shows: dict[str, Any], name: str) -> None:
    buyers = Buyers(system, shows["mine"], shows["offers"])
    viewer = Viewer(system, shows["demo"])
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        async with _going_on(session, system, buyers, viewer):
            dead = system.kill(name)
            took = await _healed(system, buyers, viewer, name, dead)
            await asyncio.sleep(1)  # some load on the healed system
        print(f"{name}: {took}, {len(buyers.told)} orders, {viewer.joins} joins, {viewer.resyncs} resyncs")
        assert not buyers.unexpected, buyers.unexpected[:3]
        assert not viewer.holes
        await judge.settled(system, shows["mine"])
        await _judge(session, system, buyers)
    await judge.units(system, shows["mine"], shows["offers"])
    paid = {order: buyers.totals[order] for order, state in buyers.told.items() if state == "paid"}
    judge.money(system, shows["mine"], paid)
    verified = await asyncio.to_thread(system.verify, shows["mine"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


@contextlib.asynccontextmanager
async def _going_on(
    session: aiohttp.ClientSession, system: System, buyers: Buyers, viewer: Viewer
) -> AsyncIterator[None]:
    """Buyers, a viewer and a chat, all at work; at the end the viewer has read all that was said, but for what a resync
    stood for: the state that it brings has no chat in it (PROTOCOL.md)."""
    said: dict[str, float] = {}

    def unread() -> set[str]:
        return {line for line, at in said.items() if at > viewer.resynced} - viewer.chat

    watching = asyncio.create_task(viewer.run(session))
    buying = asyncio.create_task(buyers.run(session))
    try:
        await until(lambda: viewer.last_media > 0, LOADS_WITHIN_S, "the viewer has a picture")
        talking = asyncio.create_task(_chat(session, system, viewer.show, said))
        await until(lambda: len(buyers.told) > LOADED_BEFORE, LOADS_WITHIN_S, "the load runs")
        yield
        talking.cancel()
        await buyers.stop()
        await until(lambda: not unread(), HEALS_WITHIN_S, "the viewer has read what was said")
    finally:
        await buyers.stop()
        for task in (watching, buying):
            task.cancel()
        await asyncio.gather(watching, buying, return_exceptions=True)


async def _healed(system: System, buyers: Buyers, viewer: Viewer, name: str, dead: int) -> dict[str, float]:
    """Seconds from the kill until each thing went on; each within ten."""
    killed = time.monotonic()
    waits = {
        "process": lambda: system.pids().get(name, dead) != dead,
        "hold": lambda: buyers.last_hold > max(killed, healthy["process"]),
        "ticket": lambda: viewer.last_ticket > killed or viewer.last_event > max(killed, healthy["process"]),
        "media": lambda: viewer.last_media > max(killed, healthy["process"]),
    }
    healthy: dict[str, float] = {"process": killed}
    took = {}
    for what, condition in waits.items():
        left = HEALS_WITHIN_S - (time.monotonic() - killed)
        await until(condition, max(left, 0), f"{what} after kill -9 of {name}\n{system.log_of(name)}")
        healthy[what] = time.monotonic()
        took[what] = round(healthy[what] - killed, 2)
    return took


async def _chat(session: aiohttp.ClientSession, system: System, show: str, said: dict[str, float]) -> None:
    """A buyer who keeps talking; `said` has the ids of what was acknowledged, and when."""
    while True:
        status, told = await call(
            session, "POST", f"{system.api}/shows/{show}/chat", system.tokens["buyer0"],
            {"text": f"said {secrets.token_hex(4)}"}, secrets.token_hex(12),
        )  # fmt: skip
        if status == 201:
            said[told["id"]] = time.monotonic()
        await asyncio.sleep(0.2)


async def _judge(session: aiohttp.ClientSession, system: System, buyers: Buyers) -> None:
    """What buyers were told is what they read, now that nothing moves."""
    at_once = asyncio.Semaphore(16)
    wrong: list[tuple[str, str, Any]] = []

    async def look(order: str, told: str) -> None:
        async with at_once:
            status, found = await call(
                session, "GET", f"{system.api}/orders/{order}", system.tokens[buyers.owner[order]]
            )
        state = found["state"] if status == 200 else status
        if state not in LEGAL_AFTER[told]:
            wrong.append((order, told, state))

    await asyncio.gather(*(look(order, told) for order, told in buyers.told.items()))
    assert not wrong, wrong[:5]


def test_a_recording_outlives_its_studio(system: System, shows: dict[str, Any]) -> None:
    """kill -9 of the studio in the middle of the demo's show: what was recorded plays, and the next studio goes on behind
    it in a file of its own, a second of show later at the earliest."""
    folder = system.data / "recordings" / shows["demo"]

    def studios() -> set[str]:
        return {take.studio for take in takes_in(folder)}

    async def killed() -> None:
        await until(lambda: len(takes_in(folder)) > 0, LOADS_WITHIN_S, "something is recorded")
        before = studios()
        system.kill("studio")
        await until(lambda: studios() > before, LOADS_WITHIN_S, "the next studio records")

    asyncio.run(killed())
    takes = takes_in(folder)
    for first, second in pairwise(takes):
        assert first.end_us + (1_000_000 if first.studio != second.studio else 0) <= second.start_us
    for take in takes:
        with av.open(str(folder / take.file)) as file:
            assert sum(packet.size > 0 for packet in file.demux(video=0)) > 0
