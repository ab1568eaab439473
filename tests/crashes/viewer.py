"""A viewer of the crash tests: joins by tickets, rejoins after every loss, checks that no `must` event is missed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgpack
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.crashes.system import System, call

EVENTS, INIT, MEDIA = 1, 2, 3


@dataclass
class Viewer:
    """One viewer of one show. `holes`: where a frame began above our position without a resync."""

    system: System
    show: str
    position: int | None = None
    epoch: str | None = None
    chat: set[str] = field(default_factory=set)
    holes: list[tuple[int, int]] = field(default_factory=list)
    resyncs: int = 0
    resynced: float = 0.0
    joins: int = 0
    last_ticket: float = 0.0
    last_media: float = 0.0
    last_event: float = 0.0
    closes: list[str] = field(default_factory=list)

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Watch until cancelled."""
        while True:
            status, told = await call(session, "POST", f"{self.system.api}/shows/{self.show}/ticket")
            if status == 201:
                self.last_ticket = time.monotonic()
                try:
                    await self._watch(told)
                except (OSError, WebSocketException, TimeoutError) as error:
                    self.closes.append(repr(error))
            await asyncio.sleep(0.1)

    async def _watch(self, told: dict[str, Any]) -> None:
        where = f"{told['hub']}/v1/shows/{self.show}?ticket={told['ticket']}"
        if self.position is not None:
            where += f"&after={self.position}&epoch={self.epoch}"
        async with connect(
            where, subprotocols=[Subprotocol("livesale.v1")], max_size=None, open_timeout=20, close_timeout=1, proxy=None
        ) as socket:
            self.joins += 1
            while True:
                # A hub that is killed closes the socket; one that hangs would show as no frame at all.
                async with asyncio.timeout(10):  # not wait_for, which in 3.11 may swallow a cancellation
                    frame = await socket.recv(decode=False)
                self._take(bytes(frame))

    def _take(self, frame: bytes) -> None:
        if frame[0] == MEDIA:
            self.last_media = time.monotonic()
        elif frame[0] == EVENTS:
            self._take_events(msgpack.unpackb(frame[1:], raw=False, strict_map_key=False))

    def _take_events(self, told: dict[str, Any]) -> None:
        self.last_event = time.monotonic()
        for event in told["events"]:
            if event["type"] == "resync":
                self.resyncs += 1
                self.resynced = time.monotonic()
            if event["type"] in ("welcome", "resync"):
                self._greeted(event)
            if event["type"] == "chat":
                self.chat.add(event["id"])
        if self.position is None or told["after"] > self.position:
            self.holes.append((self.position or 0, told["after"]))
        self.position = max(self.position or 0, told["upto"])

    def _greeted(self, event: dict[str, Any]) -> None:
        if event["type"] == "resync" or self.position is None:
            self.position, self.epoch = event["seq"], event["epoch"]
