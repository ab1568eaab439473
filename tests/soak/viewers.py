"""Who watches during a soak: viewers that read all, that read too slowly, that come and go, and one by HLS with AAC."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.contract.frames import Events, MediaInit, parse

VIDEO = 1
TOO_SLOW = 4008
SLOWLY_S = 0.5  # a batch in this time: a tenth of what comes
AGAIN_S = 0.2
APPLE = {"User-Agent": "AppleCoreMedia/1.0"}


@dataclass
class Crowd:
    """The viewers of one show. `late`: since last taken, by generation, how many ms behind its media time each picture came
    to the steady ones.

    `holes`: pictures or `must` events the steady ones miss; `closed`: how often each close code was met.
    """

    api: str
    show: str
    session: aiohttp.ClientSession
    late: dict[int, list[float]] = field(default_factory=dict)
    holes: int = 0
    joins: int = 0
    heard: int = 0  # captions
    segments: int = 0  # fetched by HLS
    closed: Counter[int] = field(default_factory=Counter)

    async def steady(self) -> None:
        """Reads everything, for good; a connection that ends is one too many."""
        async with await self._join() as socket:
            await self._watch(socket)

    async def slow(self) -> None:
        """Reads a tenth of what comes, and comes back when it is told so."""
        while True:
            try:
                async with await self._join(max_queue=1, ping_interval=None) as socket:
                    while True:
                        await socket.recv()
                        await asyncio.sleep(SLOWLY_S)
            except ConnectionClosed as error:
                self.closed[error.rcvd.code if error.rcvd else 0] += 1

    async def flap(self) -> None:
        """Comes, sees a picture, is gone: every second time without a word."""
        while True:
            socket = await self._join()
            with suppress(ConnectionClosed):
                while not isinstance(parse(await socket.recv(decode=False)), list):
                    pass
            if self.joins % 2:
                await socket.close()
            else:
                socket.transport.abort()
            await asyncio.sleep(AGAIN_S)

    async def by_hls(self, index: str) -> None:
        """What Apple's player asks for: the AAC playlist once a second, and its newest segment."""
        base = index.rpartition("/")[0]
        seen = ""
        while True:
            async with self.session.get(f"{base}/aac.m3u8", headers=APPLE) as answer:
                names = re.findall(r"^[^#].*\.m4s$", await answer.text(), re.MULTILINE)
            if names and names[-1] != seen:
                seen = names[-1]
                async with self.session.get(f"{base}/{seen}", headers=APPLE) as answer:
                    self.segments += answer.status == 200 and len(await answer.read()) > 0
            await asyncio.sleep(1)

    async def _join(self, **options: Any) -> ClientConnection:
        while True:
            async with self.session.post(f"{self.api}/shows/{self.show}/ticket") as answer:
                told = await answer.json()
            if answer.status == 201:
                try:
                    address = f"{told['hub']}/v1/shows/{self.show}?ticket={told['ticket']}"
                    socket = await connect(
                        address, subprotocols=["livesale.v1"], max_size=None, proxy=None, close_timeout=0.2, **options
                    )
                except (OSError, WebSocketException):  # the hub has just gone
                    continue
                self.joins += 1
                return socket
            await asyncio.sleep(AGAIN_S)

    async def _watch(self, socket: ClientConnection) -> None:
        position, epoch_ms, expected = -1, 0.0, (-1, 0)
        while True:
            frame = parse(await socket.recv(decode=False))
            if isinstance(frame, Events):
                for event in frame.events:
                    self.heard += event["type"] == "caption"
                    if event["type"] == "welcome":
                        position, epoch_ms = event["seq"], event["broadcast_epoch"]
                self.holes += frame.after > position >= 0
                position = max(position, frame.upto)
            elif not isinstance(frame, MediaInit):
                for each in frame:
                    if each.track == VIDEO:
                        self.holes += expected[0] == each.generation and each.sequence != expected[1]
                        expected = (each.generation, each.sequence + 1)
                        behind_ms = time.time() * 1000 - epoch_ms - each.time_us / 1000
                        self.late.setdefault(each.generation, []).append(behind_ms)
