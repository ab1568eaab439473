"""Who and what a measurement needs on a system: accounts with tokens, a shop with one product, shows with one offer.

Accounts are rows like anyone's, written in bulk; shows and offers are made over the public API by their host.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import insert

from livesale.accounts import store as account_store
from livesale.accounts.tokens import Claims, Tokens
from livesale.apps.feeds import import_feed
from livesale.apps.wiring import Wiring
from livesale.bench.system import System
from livesale.kernel.clock import DAY_MS
from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal
from livesale.kernel.sealing import lookup, new_key, seal

TOKEN_MS = DAY_MS
FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>{shop}</title><item>
<g:id>hot</g:id><title>Bench</title><description>One hot offer</description><link>http://127.0.0.1/</link>
<g:price>19.99 EUR</g:price><g:availability>in stock</g:availability><g:quantity>{quantity}</g:quantity>
</item></channel></rss>"""
MOST_ROWS = 500
AT_ONCE = 16  # requests for tickets


@dataclass(frozen=True, slots=True)
class Person:
    """An account and its API token."""

    account: str
    token: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A live show, its one offer, and where and with what token its host publishes."""

    show: str
    offer: str
    whip_url: str
    whip_token: str


class Cast:
    """Makes people and shows on a system for one measurement."""

    def __init__(self, system: System, wiring: Wiring) -> None:
        self._system = system
        self._wiring = wiring
        self._tokens = Tokens(wiring.settings.key("token.key"))
        self._host: Person | None = None
        self._shop = f"bench-{random_name(8)}"

    async def people(self, count: int, role: str = "viewer") -> list[Person]:
        """`count` grown-up accounts, each with a token of its own."""
        now_ms = self._wiring.store.now_ms()
        made, rows, keys = [], [], []
        for _ in range(count):
            account, key = random_name(10), new_key()
            rows.append(_row(account, key, role, now_ms, self._wiring.settings.key("address.key")))
            keys.append({"account": account, "key": key})
            claims = Claims("token", account, (role,), "DE", now_ms, now_ms + TOKEN_MS, random_name())
            made.append(Person(account, self._tokens.sign(claims)))
        for start in range(0, count, MOST_ROWS):
            async with self._wiring.database.begin() as db:
                await db.execute(insert(account_store.accounts), rows[start : start + MOST_ROWS])
                await db.execute(insert(account_store.sealing_keys), keys[start : start + MOST_ROWS])
        return made

    async def shop(self, quantity: int) -> None:
        """The host's shop with `quantity` units of its one product."""
        self._host = (await self.people(1, "host"))[0]
        feed = FEED.format(shop=self._shop, quantity=quantity)
        await import_feed(self._wiring, self._shop, feed.encode(), self._host.account)

    async def show(self, title: str, stock: int) -> Stage:
        """A live show with `stock` units of the product on sale."""
        products = (await self.call("GET", f"/products?shop={self._shop}"))["items"]
        show = await self.call("POST", "/shows", {"title": title, "shop": self._shop, "currency": "EUR"})
        path = f"/shows/{show['id']}"
        wanted = {"product": products[0]["id"], "price": {"amount": 1999, "currency": "EUR"}, "quantity": stock}
        offer = await self.call("POST", f"{path}/offers", wanted)
        started = await self.call("POST", f"{path}/start")
        return Stage(show["id"], offer["id"], started["whip"]["url"], started["whip"]["token"])

    async def end(self, stage: Stage) -> None:
        """Ends a show."""
        await self.call("POST", f"/shows/{stage.show}/end")

    async def until_listed(self, show: str) -> None:
        """Waits until a hub lets viewers of the show in."""
        for _ in range(200):
            try:
                await self.call("POST", f"/shows/{show}/ticket")
                return
            except Refusal:
                await asyncio.sleep(0.1)
        raise Refusal("store_unavailable", "no hub took the show of the measurement")

    async def tickets(self, show: str, count: int) -> list[tuple[int, str]]:
        """Port and path with which as many strangers join, now: a ticket runs out in half a minute."""
        places = []
        async with aiohttp.ClientSession(self._system.url, connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

            async def ask() -> None:
                async with session.post(f"/api/v1/shows/{show}/ticket") as answer:
                    answer.raise_for_status()
                    told = await answer.json()
                port = urlsplit(told["hub"]).port
                assert port is not None, "a hub's address has a port"
                places.append((port, f"/v1/shows/{show}?ticket={told['ticket']}"))

            await asyncio.gather(*(ask() for _ in range(count)))
        return places

    async def call(self, method: str, path: str, body: Any = None, who: Person | None = None) -> Any:
        """One call of the public API by `who`, else the host; Refusal when the server refuses."""
        caller = who or self._host
        assert caller is not None
        headers = {"Authorization": f"Bearer {caller.token}", "Idempotency-Key": random_name()}
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(self._system.url, timeout=timeout) as session:
            async with session.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
                told = await answer.json(content_type=None)
        if answer.status >= 400:
            raise Refusal(told["code"], f"{method} {path}: {told['detail']}")
        return told


def _row(account: str, key: bytes, role: str, now_ms: int, address_key: bytes) -> dict[str, Any]:
    email = f"{account}@bench.invalid"
    return {
        "id": account,
        "email_hash": lookup(address_key, email),
        "email_sealed": seal(key, email.encode(), f"email:{account}"),
        "name": seal(key, b"Bench", f"name:{account}"),
        "country": "DE",
        "roles": role,
        "band": "adult",
        "band_ends_month": "",
        "age_method": "verified",
        "age_issuer": "bench",
        "password_hash": "",
        "created_ms": now_ms,
    }
