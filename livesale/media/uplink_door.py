"""The WebSocket at `/whip/{show}/socket`: says who may publish, then hands what comes to the show's publisher."""

from __future__ import annotations

import asyncio
import inspect

import msgspec
from aiohttp import WSMsgType, web

from livesale.kernel.refusals import Refusal
from livesale.media.broadcasts import Broadcasts
from livesale.media.uplink import TAKEN
from livesale.media.whip import Authorise

MAX_MESSAGE_BYTES = 2 << 20  # a key frame of 1080p has a tenth of it
HELLO_WITHIN_S = 10.0
SILENT_S = 10.0
REFUSED = 1008


class Hello(msgspec.Struct, frozen=True, tag="publish", tag_field="type"):
    """The first message: the show's token, in no address where it could be logged."""

    token: str
    sound: bool = True
    picture: bool = True
    takeover: bool = False


def uplink_routes(broadcasts: Broadcasts, authorise: Authorise) -> list[web.RouteDef]:
    """The route of the socket; `authorise` as for WHIP."""

    async def publish(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, heartbeat=SILENT_S, compress=False)
        await socket.prepare(request)
        show = request.match_info["show"]
        try:
            hello = await _hello(socket)
            allowed = authorise(show, hello.token)
            if not (await allowed if inspect.isawaitable(allowed) else allowed):
                raise Refusal("forbidden", "This token does not allow publishing to this show.")
            await _serve(socket, broadcasts, show, hello)
        except Refusal as refusal:
            told = {"type": "refused", "status": refusal.status, "code": refusal.code, "detail": refusal.detail}
            await socket.send_str(msgspec.json.encode(told).decode())
            await socket.close(code=REFUSED)
        return socket

    return [web.get("/whip/{show}/socket", publish, allow_head=False)]


class _Socket:
    """A socket to which messages are handed without waiting."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._sending: set[asyncio.Task[None]] = set()

    def tell(self, message: dict[str, object]) -> None:
        task = asyncio.create_task(self._send(msgspec.json.encode(message).decode()))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def hang_up(self) -> None:
        await self._socket.close(code=TAKEN)

    async def _send(self, text: str) -> None:
        if not self._socket.closed:
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                pass  # it is closing: its reader ends it


async def _hello(socket: web.WebSocketResponse) -> Hello:
    try:
        async with asyncio.timeout(HELLO_WITHIN_S):
            message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise Refusal("malformed", "The first message says who you are.")
        return msgspec.json.decode(message.data, type=Hello)
    except (TimeoutError, msgspec.DecodeError):
        raise Refusal("malformed", "The first message says who you are.") from None


async def _serve(socket: web.WebSocketResponse, broadcasts: Broadcasts, show: str, hello: Hello) -> None:
    link = _Socket(socket)
    publisher = await broadcasts.publish_by(
        show, link, sound=hello.sound, picture=hello.picture, takeover=hello.takeover
    )
    link.tell({"type": "ready"})
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                publisher.take(message.data)
    finally:
        await broadcasts.leave(show, publisher)
