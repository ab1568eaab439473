"""A running payment sandbox for tests: real sockets, its own file, a receiver that keeps what webhooks
bring.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from livesale.payments.paysim.app import serve
from livesale.payments.paysim.faults import FaultSettings
from livesale.payments.sandbox import SandboxProvider
from livesale.payments.webhooks import SIGNATURE_HEADER, WebhookEvent, read, verify

SECRET_KEY = "sk_test_of_the_tests"
WEBHOOK_SECRET = "whsec_of_the_tests"


@dataclass
class Receiver:
    """A merchant's webhook address. `refuse` deliveries are answered 503 first; `changed` is set by each
    delivery.
    """

    refuse: int = 0
    events: list[WebhookEvent] = field(default_factory=list)
    refused: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = read(body)
        verify(WEBHOOK_SECRET, request.headers.get(SIGNATURE_HEADER), body, event.at // 1000)
        async with self.changed:
            if self.refused < self.refuse:
                self.refused += 1
                return web.Response(status=503)
            self.events.append(event)
            self.changed.notify_all()
        return web.Response(status=204)

    async def wait_for(self, count: int) -> list[WebhookEvent]:
        """The events, once there are `count`."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(lambda: len(self.events) >= count), 20)
        return self.events


@dataclass
class RunningSandbox:
    """One running sandbox: its address, a client of the port, and raw HTTP."""

    url: str
    provider: SandboxProvider
    http: aiohttp.ClientSession
    receiver: Receiver
    runner: web.AppRunner

    async def balance(self) -> dict[str, dict[str, int]]:
        async with self.http.get("/v1/balance") as answer:
            return (await answer.json())["accounts"]

    async def entries(self) -> list[dict]:
        items, after = [], 0
        while after is not None:
            async with self.http.get("/v1/ledger", params={"after": after}) as answer:
                page = await answer.json()
            items, after = items + page["items"], page["next"]
        return items


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[str]:
    """The receiver on a port of its own; its address."""
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(
    folder: Path, faults: FaultSettings | None = None, refuse: int = 0, timeout_s: float = 5.0
) -> AsyncIterator[RunningSandbox]:
    """A sandbox over `folder`, its receiver and its client."""
    receiver = Receiver(refuse)
    async with receiving(receiver) as hook:
        db = folder / "paysim.db"
        runner = await serve("127.0.0.1", 0, db, SECRET_KEY, hook, WEBHOOK_SECRET, faults=faults)
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        async with SandboxProvider(url, SECRET_KEY, timeout_s=timeout_s) as provider:
            async with aiohttp.ClientSession(url, headers=headers) as http:
                try:
                    yield RunningSandbox(url, provider, http, receiver, runner)
                finally:
                    await runner.cleanup()
