"""A worker killed while a unit is on its way to the line: the line is served all the same."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import aiohttp
import pytest

from tests.crashes.system import HEALS_WITHIN_S, SHOP, System, call, until

pytestmark = pytest.mark.timeout(200)


def test_a_killed_worker_serves_the_line(system: System) -> None:
    """kill -9 of the worker, and a unit comes free: its successor offers it to the first who waits, nobody passes."""
    asyncio.run(_served(system))


async def _served(system: System) -> None:
    async with aiohttp.ClientSession() as session:

        async def ask(who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
            key = secrets.token_hex(12) if method == "POST" else ""
            return await call(session, method, system.api + path, system.tokens[who], body, key)

        async def did(who: str, method: str, path: str, body: Any = None) -> Any:
            status, answer = await ask(who, method, path, body)
            assert status in (200, 201), (path, status, answer)
            return answer

        show = (await did("host", "POST", "/shows", {"title": "Line", "shop": SHOP, "currency": "EUR"}))["id"]
        product = (await did("host", "GET", f"/products?shop={SHOP}"))["items"][0]
        wanted = {"product": product["id"], "price": product["price"], "quantity": 1}
        offer = (await did("host", "POST", f"/shows/{show}/offers", wanted))["id"]
        await did("host", "POST", f"/shows/{show}/start")
        hold, line = {"lines": [{"offer": offer, "quantity": 1}]}, f"/offers/{offer}/waitlist"
        order = await did("buyer0", "POST", f"/shows/{show}/orders", hold)
        for who in ("buyer1", "buyer2"):
            await did(who, "POST", line)
        dead = system.kill("worker")
        await did("buyer0", "POST", f"/orders/{order['id']}/cancel")
        assert (await ask("buyer3", "POST", f"/shows/{show}/orders", hold))[0] == 409

        async def served() -> bool:
            return bool((await did("buyer1", "GET", line))["state"] == "offered")

        await until(lambda: system.pids().get("worker", dead) != dead, HEALS_WITHIN_S, "the worker is back")
        await until(served, HEALS_WITHIN_S, f"the line is served\n{system.log_of('worker')}")
        assert (await did("buyer2", "GET", line))["place"] == 1
        await did("buyer1", "POST", f"/shows/{show}/orders", hold)
    verified = await asyncio.to_thread(system.verify, show)
    assert verified.returncode == 0, verified.stdout + verified.stderr
