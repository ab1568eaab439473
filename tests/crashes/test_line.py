"""A worker killed while a unit is on its way to the line, and when a family's two weeks are over: its successor does it."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import aiohttp
import msgspec
import pytest

from livesale.accounts.tokens import Claims, Tokens
from livesale.guardians.model import Approval
from livesale.kernel.clock import DAY_MS, SECOND_MS
from livesale.kernel.ids import shelf
from livesale.store.decision import Decision, Mark
from livesale.store.record import load, put
from tests.crashes import judge
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


def test_silence_survives_a_killed_worker(system: System, shows: dict[str, Any]) -> None:
    """kill -9 of the worker, and the two weeks of a question after the sale end: its successor counts them as a refusal, once;
    money and units are back, and the show is verified (§ 108 (2) BGB)."""
    asyncio.run(_silent(system, shows["mine"], shows["offers"][0]))


async def _silent(system: System, show: str, offer: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def did(who: str, path: str, body: Any) -> Any:
            token = operator(system) if who == "operator" else system.tokens[who]
            status, answer = await call(session, "POST", system.api + path, token, body, secrets.token_hex(12))
            assert status in (200, 201), (path, status, answer)
            return answer

        async def order_is(state: str) -> bool:
            found = await call(session, "GET", f"{system.api}/orders/{order['id']}", system.tokens["liar"])
            return bool(found[0] == 200 and found[1]["state"] == state)

        order = await did("liar", f"/shows/{show}/orders", {"lines": [{"offer": offer, "quantity": 1}]})
        ship_to = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
        pays = {"ship_to": ship_to, "price_total": order["total"], "payment": {"method": "card", "token": "pm_ok"}}
        await did("liar", f"/orders/{order['id']}/checkout", pays)
        await until(lambda: order_is("paid"), HEALS_WITHIN_S, "the order is paid")
        notice = {"born": "2011-05-04", "reason": "document_seen", "guardian_email": "parent@crash.example"}
        asked = await did("operator", f"/orders/{order['id']}/minor-buyer", notice)
        dead = system.kill("worker")
        await two_weeks_later(system, show, asked["approval"])
        await until(lambda: system.pids().get("worker", dead) != dead, HEALS_WITHIN_S, "the worker is back")
        await until(lambda: order_is("refunded"), HEALS_WITHIN_S, f"the money is back\n{system.log_of('worker')}")
    verified = await asyncio.to_thread(system.verify, show)
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def two_weeks_later(system: System, show: str, approval_id: str) -> None:
    """The question's end, and its mark, are now."""
    on_shelf, name = shelf("show", show), f"approval:{approval_id}"
    async with judge.store_of(system) as store:
        stored = (await store.read(on_shelf, name))[name]
        approval = load(Approval, stored)
        assert approval
        over = msgspec.structs.replace(approval, expires_at=store.now_ms() - SECOND_MS)
        marks = (Mark("due", name, over.expires_at),)
        await store.commit(Decision(on_shelf, puts=(put(name, stored, over),), marks=marks))


def operator(system: System) -> str:
    """A token of an operator's, as the token command signs them."""
    now_ms = int(time.time() * 1000)
    claims = Claims("token", "operator00", ("operator",), "DE", now_ms, now_ms + DAY_MS, "s-operator", now_ms)
    return Tokens(system.settings.key("token.key")).sign(claims)
