"""Killing any one process loses no acknowledged order and heals by itself within ten seconds."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from livesale.store.valkey import connect
from tests.crashes.buyers import LEGAL_AFTER, Buyers
from tests.crashes.system import HEALS_WITHIN_S, SETTLES_WITHIN_S, System, call, until
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
        await _settled(system, shows["mine"])
        await _judge(session, system, buyers)
    await _units(system, shows["mine"], shows["offers"])
    _money(system, shows["mine"], buyers)
    verified = await asyncio.to_thread(system.verify, shows["mine"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


@contextlib.asynccontextmanager
async def _going_on(
    session: aiohttp.ClientSession, system: System, buyers: Buyers, viewer: Viewer
) -> AsyncIterator[None]:
    """Buyers, a viewer and a chat, all at work; at the end the viewer has read all that was said."""
    said: set[str] = set()
    watching = asyncio.create_task(viewer.run(session))
    buying = asyncio.create_task(buyers.run(session))
    try:
        await until(lambda: viewer.last_media > 0, 30, "the viewer has a picture")
        talking = asyncio.create_task(_chat(session, system, viewer.show, said))
        await until(lambda: len(buyers.told) > LOADED_BEFORE, 30, "the load runs")
        yield
        talking.cancel()
        await buyers.stop()
        await until(lambda: said <= viewer.chat, HEALS_WITHIN_S, "the viewer has read what was said")
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


async def _chat(session: aiohttp.ClientSession, system: System, show: str, said: set[str]) -> None:
    """A buyer who keeps talking; `said` has the ids of what was acknowledged."""
    while True:
        status, told = await call(
            session, "POST", f"{system.api}/shows/{show}/chat", system.tokens["buyer0"],
            {"text": f"said {secrets.token_hex(4)}"}, secrets.token_hex(12),
        )  # fmt: skip
        if status == 201:
            said.add(told["id"])
        await asyncio.sleep(0.2)


async def _settled(system: System, show: str) -> None:
    """No order is on its way any more."""
    store = await connect(system.settings.store_url)
    try:

        async def quiet() -> bool:
            found = await store.counters(f"show:{show}", "n:awaiting_payment")
            return found["n:awaiting_payment"] == 0

        await until(quiet, SETTLES_WITHIN_S, "every payment has come to an end")
    finally:
        await store.close()


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


async def _units(system: System, show: str, offers: list[str]) -> None:
    """free + offered + held + paying + claimed = loaded, none below zero, for every offer."""
    store = await connect(system.settings.store_url)
    try:
        counters = await store.counters(f"show:{show}")
    finally:
        await store.close()
    for offer in offers:
        kept = [counters.get(f"{where}:{offer}", 0) for where in ("free", "offered", "held", "paying", "claimed")]
        assert min(kept) >= 0
        assert sum(kept) == counters[f"loaded:{offer}"]


def _money(system: System, show: str, buyers: Buyers) -> None:
    """The provider's own book has each paid order captured once, in full, and no other."""
    with contextlib.closing(sqlite3.connect(system.data / "paysim.db", timeout=10)) as book:
        rows = book.execute("SELECT id, reference, captured FROM intents WHERE reference LIKE ?", (f"o_s{show}_%",))
        captured: Counter[str] = Counter()
        intents = {}
        for intent, order, amount in rows.fetchall():
            captured[order] += amount
            intents[intent] = order
        acts = Counter(
            intents[intent]
            for (intent,) in book.execute("SELECT intent FROM entries WHERE act LIKE 'capture%'")
            if intent in intents
        )
    paid = {order for order, state in buyers.told.items() if state == "paid"}
    assert {order: captured[order] for order in paid} == {order: buyers.totals[order] for order in paid}
    assert max(acts.values(), default=0) <= 1
    assert {order for order, amount in captured.items() if amount} == set(acts)
