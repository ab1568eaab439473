"""The stable WHIP address: whoever holds the show now, hosts publish to the same place. Holds no state."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

from livesale.apps.wiring import Wiring
from livesale.http.bodies import read_body
from livesale.kernel.ids import is_name
from livesale.kernel.refusals import Refusal, not_found
from livesale.media.uplink_door import MAX_MESSAGE_BYTES, SILENT_S

WHIP_BYTES = 256 * 1024
WHIP = {"/whip/{show}": ("POST", "OPTIONS"), "/whip/{show}/{session}": ("PATCH", "DELETE", "OPTIONS")}
PASSED_ON = ("Content-Type", "Authorization", "If-Match")
PASSED_BACK = ("Content-Type", "Location", "ETag", "Link", "Retry-After", "WWW-Authenticate", "Accept-Post", "Accept-Patch")
UNSENDABLE = (1005, 1006, 1015)  # what a broken connection's end is called; nobody may send it

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class WhipDoor:
    """Hands each request, and each host's WebSocket, to the studio that holds the show."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._session: aiohttp.ClientSession | None = None

    async def client(self, _app: web.Application) -> Any:
        """The connections to studios, for as long as the application runs."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            self._session = session
            yield

    def routes(self) -> list[web.RouteDef]:
        """What is served here."""
        whip = [web.route(method, path, self.pass_on) for path, methods in WHIP.items() for method in methods]
        return [*whip, web.get("/whip/{show}/socket", self.pass_through, allow_head=False)]

    async def pass_on(self, request: web.Request) -> web.Response:
        """The studio's answer to this request."""
        studio = await self._studio_of(request.match_info["show"])
        body = await read_body(request, WHIP_BYTES)
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        assert self._session is not None
        try:
            async with self._session.request(
                request.method, studio + request.path_qs, data=body or None, headers=headers
            ) as answer:
                given = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
                given |= {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}
                return web.Response(status=answer.status, body=await answer.read(), headers=given)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _no_studio() from error

    async def pass_through(self, request: web.Request) -> web.WebSocketResponse:
        """A host's encoded pictures, where its network lets no UDP through (media/uplink.py)."""
        outer = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, heartbeat=SILENT_S, compress=False)
        if not outer.can_prepare(request).ok:
            raise Refusal("malformed", "This address is a WebSocket.")
        studio = await self._studio_of(request.match_info["show"])
        assert self._session is not None
        try:
            inner = await self._session.ws_connect(
                studio + request.path, max_msg_size=MAX_MESSAGE_BYTES, heartbeat=SILENT_S
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _no_studio() from error
        async with inner:
            await outer.prepare(request)
            back = asyncio.create_task(_pump(inner, outer))
            try:
                await _pump(outer, inner)
            finally:
                await back
        return outer

    async def _studio_of(self, show: str) -> str:
        if not is_name(show):
            raise not_found("show")
        if holder := await self._wiring.presence.studio_of(show):
            return holder.control
        await self._wiring.shows.load(show)
        raise _no_studio()


async def _pump(source: Socket, target: Socket) -> None:
    """Messages from one side to the other; the end of one is the end of the other, with its code."""
    code = int(aiohttp.WSCloseCode.GOING_AWAY)
    with suppress(ConnectionError):
        while (message := await source.receive()).type in (WSMsgType.BINARY, WSMsgType.TEXT):
            if message.type is WSMsgType.BINARY:
                await target.send_bytes(message.data)
            else:
                await target.send_str(message.data)
        if message.type is WSMsgType.CLOSE and message.data not in (None, *UNSENDABLE):
            code = message.data
    await target.close(code=code)


def _no_studio() -> Refusal:
    return Refusal("store_unavailable", "No studio has this show yet. Please try again.", retry_after_s=1)
