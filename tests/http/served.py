"""An application over a few routes that stand for all rooms', and the callers of its tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient

from livesale.http.app import HttpOptions, make_app
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal, not_found
from livesale.kernel.routing import ACCOUNT, HOST, Answer, Call, Route
from livesale.store.valkey import Store

Client = TestClient[web.Request, web.Application]
Connect = Callable[[web.Application], Awaitable[Client]]

CALLERS = {
    "viewer": Actor("v000000001", frozenset({"viewer"})),
    "other": Actor("v000000002", frozenset({"viewer"})),
    "host": Actor("h000000001", frozenset({"host"})),
}
VIEWER = {"Authorization": "Bearer viewer"}
OTHER = {"Authorization": "Bearer other"}
HOSTING = {"Authorization": "Bearer host"}


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line."""

    offer: str
    quantity: Annotated[int, msgspec.Meta(ge=1)]


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """Lines, and a note."""

    lines: list[Line]
    note: str | None = None


class Made(msgspec.Struct):
    """What was made."""

    count: int


class Callers:
    """An authenticator whose tokens and session cookies are the callers' names."""

    async def actor(self, bearer: str | None, cookie: str | None) -> Actor | None:
        return CALLERS.get(bearer or cookie or "")


class Room:
    """Handlers that say what they were called with, count, wait and refuse as told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.may_end = asyncio.Event()
        self.began = asyncio.Event()
        self.refusal: Exception | None = None

    async def make(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.refusal is not None:
            raise self.refusal
        return Answer(Made(len(self.calls)), 201, {"Location": f"/made/{len(self.calls)}"})

    async def slow(self, call: Call) -> Answer:
        self.calls.append(call)
        self.began.set()
        await self.may_end.wait()
        return Answer({})

    async def echo(self, call: Call) -> Answer:
        self.calls.append(call)
        account = call.actor.account if call.actor else None
        return Answer({"path": call.path, "query": call.query, "peer": call.peer, "host": call.host,
                       "secure": call.secure, "account": account})  # fmt: skip

    async def sign_in(self, call: Call) -> Answer:
        self.calls.append(call)
        cookie = "livesale_session=viewer; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        return Answer({}, headers={"Set-Cookie": cookie})

    async def sign_out(self, _call: Call) -> Answer:
        return Answer(None, 204, {"Set-Cookie": "livesale_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"})

    async def missing(self, _call: Call) -> Answer:
        raise not_found("show")

    async def broken(self, _call: Call) -> Answer:
        raise ZeroDivisionError("secret detail")

    async def full(self, _call: Call) -> Answer:
        raise Refusal("sold_out", "Sold out.", [{"line": 0, "left": 0}])

    async def take(self, call: Call) -> Answer:
        return Answer({"bytes": len(call.body)})

    def routes(self) -> list[Route]:
        """One route of every kind."""
        wish: dict[str, Any] = {"who": ACCOUNT, "body": Wish}
        return [
            Route("POST", "/shows/{show}/wishes", self.make, "Wish", **wish, answer=Made, status=201),
            Route("POST", "/shows/{show}/atomic", self.make, "Wish", **wish, status=201, atomic=True),
            Route("POST", "/shows/{show}/keyed", self.make, "Wish", **wish, status=201, key_required=True),
            Route("POST", "/open", self.make, "Make without an account", body=Wish, status=201),
            Route("POST", "/slow", self.slow, "Take a while", ACCOUNT),
            Route("POST", "/slow-atomic", self.slow, "Take a while", ACCOUNT, atomic=True),
            Route("GET", "/echo/{name}", self.echo, "Say what was asked", query=("limit", "after")),
            Route("GET", "/mine", self.echo, "Say who asks", ACCOUNT),
            Route("PUT", "/hosting", self.echo, "Only for hosts", HOST),
            Route("POST", "/session", self.sign_in, "Sign in"),
            Route("DELETE", "/session", self.sign_out, "Sign out", status=204),
            Route("GET", "/missing", self.missing, "Nothing"),
            Route("GET", "/broken", self.broken, "An accident"),
            Route("POST", "/full", self.full, "Sold out"),
            Route("POST", "/shops/{shop}/feed", self.take, "Take a file", HOST, bytes, most_bytes=100_000),
        ]


def application(room: Room, store: Store | None = None, **options: Any) -> web.Application:
    """The application over `room`."""
    return make_app(room.routes(), Callers(), store, HttpOptions(**options), {})
