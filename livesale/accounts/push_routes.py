"""Pushes over HTTP: tell me in this browser, or not any more. What a browser needs to subscribe (`key`) comes with the list."""

from __future__ import annotations

from typing import Annotated

import msgspec

from livesale.accounts.devices import device_of
from livesale.accounts.pushes import Pushes, Subscription
from livesale.kernel.clock import rfc3339
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewPush(msgspec.Struct, forbid_unknown_fields=True):
    """What `PushSubscription.toJSON()` of the browser gives."""

    endpoint: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    p256dh: Key
    auth: Key


class PushView(msgspec.Struct):
    """A browser you are told in."""

    id: str
    device: str
    created_at: str
    endpoint: str


class PushPage(msgspec.Struct):
    """The browsers you are told in, oldest first. `key`: our public key, the browser's `applicationServerKey` (base64url)."""

    key: str
    items: list[PushView]
    next: str | None = None


def routes(pushes: Pushes, public_key: str) -> list[Route]:
    """Every route about pushes."""
    handlers = _Handlers(pushes, public_key)
    return [
        Route("GET", "/me/pushes", handlers.list, "Browsers you are told in", ACCOUNT, answer=PushPage),
        Route(
            "PUT", "/me/pushes", handlers.subscribe, "Tell me in this browser when a ward asks; adults only", ACCOUNT, NewPush,
            PushPage, refuses=("adults_only", "limit_reached"),
        ),
        Route("DELETE", "/me/pushes/{id}", handlers.unsubscribe, "Not in this browser any more", ACCOUNT, answer=PushPage),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, pushes: Pushes, public_key: str) -> None:
        self._pushes = pushes
        self._public_key = public_key

    async def list(self, call: Call) -> Answer:
        return Answer(await self._page(call))

    async def subscribe(self, call: Call) -> Answer:
        body: NewPush = call.body
        wanted = Subscription(body.endpoint, body.p256dh, body.auth)
        await self._pushes.subscribe(call.account(), wanted, device_of(call.headers.get("user-agent", "")))
        return Answer(await self._page(call))

    async def unsubscribe(self, call: Call) -> Answer:
        await self._pushes.unsubscribe(call.account(), call.path["id"])
        return Answer(await self._page(call))

    async def _page(self, call: Call) -> PushPage:
        found = await self._pushes.of(call.account().account)
        return PushPage(
            self._public_key, [PushView(one.id, one.device, rfc3339(one.created_ms), one.endpoint) for one in found]
        )
