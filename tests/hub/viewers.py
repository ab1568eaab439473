"""Viewers for the tests: a studio's hub with keys, a source of fragments, and clients on real sockets."""

from __future__ import annotations

import asyncio
import base64
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from livesale.hub.channel import Channel
from livesale.hub.hub import Hub, wall_clock_ms
from livesale.hub.limits import Limits
from livesale.hub.tickets import Claims, anonymous_tag, issue, new_jti, viewer_tag
from livesale.hub.wire import EventsFrame, decode
from livesale.kernel.events import EventKind
from livesale.media.ring import Fragment, Init

SHOW = "show000001"
TAG_KEY = b"t" * 32
RELAY_KEY = b"r" * 32
PATIENCE_S = 20
CHAT = EventKind("chat_said", "public", "must", "chat")
PINNED = EventKind("pinned", "public", "must", "pins")
ORDER = EventKind("order_changed", "owner", "must", "order")
STOCK = EventKind("stock_moved", "public", "latest", "stock")
SECRET = EventKind("noted", "internal")


def tag_of(show: str, account: str) -> str:
    return viewer_tag(TAG_KEY, account, show)


@dataclass
class House:
    """A hub on a port of its own, with the keys of `web`."""

    name: str = "studio-1"
    limits: Limits = field(default_factory=lambda: Limits(sweep_ms=50, must_delay_ms=20))
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    origins: tuple[str, ...] = ("http://shop.example",)
    port: int = 0
    is_studio: bool = True
    host: str = "127.0.0.1"

    async def start(self, port: int = 0) -> House:
        public = self.key.public_key().public_bytes_raw()
        self.hub = Hub(
            self.name, public, origins=frozenset(self.origins), relay_key=RELAY_KEY, limits=self.limits,
            tag_of=tag_of if self.is_studio else lambda show, account: None,
        )  # fmt: skip
        self.port = await self.hub.start(self.host, port)
        return self

    @property
    def base(self) -> str:
        return f"ws://{self.host}:{self.port}"

    def open(self, epoch: str = "e1", lease: int = 1, seq: int = 0) -> Channel:
        channel = self.hub.channel(SHOW)
        channel.open(
            epoch, lease, lambda: {"id": SHOW, "state": "live", "offers": []}, seq=seq, broadcast_epoch_ms=1_000
        )
        return channel

    def ticket(self, account: str | None = None, **changes: Any) -> str:
        claims = {
            "show": SHOW,
            "tag": tag_of(SHOW, account) if account else anonymous_tag(),
            "jti": new_jti(),
            "hub": self.name,
            "lease": 1,
            "expires_ms": wall_clock_ms() + 30_000,
            "anonymous": account is None,
        }
        return issue(self.key, Claims(**(claims | changes)))

    def address(self, ticket: str, **query: object) -> str:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{self.base}/v1/shows/{SHOW}?ticket={ticket}{more}"

    async def join(self, account: str | None = None, *, ticket: str | None = None, **query: object) -> Viewer:
        socket = await connect(
            self.address(ticket or self.ticket(account), **query),
            subprotocols=["livesale.v1"],
            max_size=None,
            proxy=None,
        )
        return Viewer(socket)


@dataclass
class Viewer:
    """A client that keeps a position as the contract says and remembers what it got."""

    socket: ClientConnection
    frames: list[Any] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    position: int = -1

    async def next(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            frame = decode(await self.socket.recv(decode=False))
        self.frames.append(frame)
        if isinstance(frame, EventsFrame):
            fresh = frame.events and frame.events[0]["type"] in ("welcome", "resync")
            assert fresh or frame.after <= self.position, "events were lost unseen"
            self.events += frame.events
            self.position = frame.upto if fresh else max(self.position, frame.upto)
        return frame

    async def until(self, type: str, **values: object) -> dict[str, Any]:
        """Reads on until an event of `type` with these values has come."""
        while True:
            for event in self.events:
                if event["type"] == type and all(event.get(name) == value for name, value in values.items()):
                    return event
            await self.next()

    async def until_media(self) -> list[Fragment]:
        while True:
            frame = await self.next()
            if isinstance(frame, list):
                return frame

    async def closed(self) -> int:
        """Reads to the end; the close code."""
        with suppress(ConnectionClosed):
            while True:
                await self.next()
        assert self.socket.protocol.close_rcvd is not None, "no close frame came"
        return self.socket.protocol.close_rcvd.code

    def of(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]


class Source:
    """A camera: 30 pictures a second with a key frame every `keys`, sound every 20 ms."""

    def __init__(self, channel: Channel, *, picture_bytes: int = 4_000, keys: int = 30) -> None:
        self.channel = channel
        self.picture_bytes = picture_bytes
        self.keys = keys
        self.count = 0
        self.sounds = 0

    def begin(self, generation: int = 0) -> None:
        self.channel.media_init(Init(1, generation, 'video/mp4; codecs="avc1.42c020"', b"video init"))
        self.channel.media_init(Init(2, generation, 'audio/mp4; codecs="opus"', b"audio init"))

    def batch(self) -> list[Fragment]:
        at_us = self.count * 33_333
        batch = []
        while self.sounds * 20_000 <= at_us:
            batch.append(Fragment(2, True, 0, self.sounds, self.sounds * 20_000, b"s" * 100))
            self.sounds += 1
        key = self.count % self.keys == 0
        batch.append(Fragment(1, key, 0, self.count, at_us, struct.pack(">I", self.count) * (self.picture_bytes // 4)))
        self.count += 1
        return batch

    def send(self, batches: int = 1) -> None:
        for _ in range(batches):
            self.channel.media(self.batch())


def upgrade_request(house: House, ticket: str, **query: object) -> bytes:
    """The opening handshake of a WebSocket client, as bytes."""
    path = house.address(ticket, **query).removeprefix(house.base)
    key = base64.b64encode(b"k" * 16).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: livesale.v1\r\n\r\n"
    ).encode()
