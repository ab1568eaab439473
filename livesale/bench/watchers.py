"""The viewers of `bench crowd`: sockets that do what the page does — ticket, join, follow the log, come back when they must.

Speaks lines of JSON: reads `{url, show}`; `{"join": N, "per_s": R}` lets N more come and answers with how long their welcome took;
`{"said": [ids], "since": S}` answers how many are connected, whether all have read all of these chat lines, and how those
who were cut off after S (CLOCK_MONOTONIC) came back.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import uvloop

from livesale.apps.process import open_many_files
from livesale.bench.load import REQUEST
from livesale.hub.wire import EVENTS, EventsFrame, decode

AT_ONCE = 64  # requests for tickets
FIRST_WAIT_S = 0.3  # as in web/lib/rejoin.ts
LONGEST_WAIT_S = 15.0


@lru_cache(maxsize=256)
def events_of(payload: bytes) -> EventsFrame:
    """All viewers read the same bytes: they are looked at once."""
    frame = decode(payload)
    assert isinstance(frame, EventsFrame)
    return frame


class Watcher(asyncio.Protocol):
    """One viewer through all its connections. `gaps`: events it could not have seen; `back_s`: when it was welcomed last."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.position: int | None = None
        self.epoch = ""
        self.chats: set[str] = set()
        self.gaps = self.resyncs = self.attempt = 0
        self.asked_s = self.lost_s = self.back_s = 0.0
        self.connected = False
        self._rejoin_s = 0.0
        self._path = ""
        self._buffer = b""
        self._code = 0

    async def come(self) -> None:
        """A ticket, then the hub."""
        self.asked_s = self.asked_s or time.monotonic()
        try:
            base, ticket = await self.crowd.ticket()
            place = f"&after={self.position}&epoch={self.epoch}" if self.position is not None else ""
            self._path = f"/v1/shows/{self.crowd.show}?ticket={ticket}{place}"
            self._buffer, self._code = b"", 0
            parts = urlsplit(base)
            await self.crowd.loop.create_connection(lambda: self, parts.hostname or "", parts.port or 80)
        except (OSError, aiohttp.ClientError, TimeoutError):
            self._again()

    def connection_made(self, transport: Any) -> None:
        """The handshake."""
        transport.write(REQUEST.format(path=self._path).encode())

    def data_received(self, data: bytes) -> None:
        """Whole messages are read, the rest waits."""
        buffer = self._buffer + data
        at = 0
        if buffer.startswith(b"HTTP"):
            end = buffer.find(b"\r\n\r\n")
            at = end + 4 if end >= 0 else len(buffer) + 1
        while at + 2 <= len(buffer):
            short = buffer[at + 1] & 0x7F
            head = 2 if short < 126 else 4 if short == 126 else 10
            length = short if short < 126 else int.from_bytes(buffer[at + 2 : at + head], "big")
            if len(buffer) < at + head + length:
                break
            if buffer[at] == 0x88:
                self._code = int.from_bytes(buffer[at + 2 : at + 4], "big")
            elif length and buffer[at] == 0x82 and buffer[at + head] == EVENTS:
                self._events(events_of(buffer[at + head : at + head + length]))
            at += head + length
        self._buffer = buffer[at:] if at <= len(buffer) else buffer

    def connection_lost(self, exc: Exception | None) -> None:
        """Comes back, when the hub or the welcome said."""
        if self.connected:
            self.lost_s, self.connected = time.monotonic(), False
        self._again()

    def _events(self, frame: EventsFrame) -> None:
        first = frame.events[0]["type"] if frame.events else ""
        if first in ("welcome", "resync"):
            self._welcomed(frame.events[0])
        elif first != "order" and self.position is not None:
            self.gaps += frame.after > self.position
            self.position = max(self.position, frame.upto)
        for event in frame.events:
            if event["type"] == "chat":
                self.chats.add(event["id"])

    def _welcomed(self, event: dict[str, Any]) -> None:
        self.resyncs += event["type"] == "resync"
        self.position, self.epoch, self._rejoin_s = event["seq"], event["epoch"], event["rejoin_ms"] / 1000
        self.attempt = 0
        if not self.connected:
            self.connected, self.back_s = True, time.monotonic()
            self.crowd.welcomed_s.append(self.back_s - self.asked_s)
            self.asked_s = 0.0

    def _again(self) -> None:
        died = self._code < 4000 and self.attempt == 0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self.attempt) * (0.5 + random.random() / 2)
        self.attempt += 1
        self.crowd.loop.call_later(wait_s + (self._rejoin_s if died else 0), self.crowd.start, self.come())


class Crowd:
    """All of them. `welcomed_s`: from asking for a ticket to the welcome, of every join."""

    def __init__(self, url: str, show: str, session: aiohttp.ClientSession) -> None:
        self.show = show
        self.loop = asyncio.get_running_loop()
        self.watchers: list[Watcher] = []
        self.welcomed_s: list[float] = []
        self._session = session
        self._url = f"{url}/api/v1/shows/{show}/ticket"
        self._tasks: set[asyncio.Task[None]] = set()

    async def ticket(self) -> tuple[str, str]:
        """Hub and ticket."""
        async with self._session.post(self._url) as answer:
            answer.raise_for_status()
            told = msgspec.json.decode(await answer.read())
        return told["hub"], told["ticket"]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside the rest."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def join(self, count: int, per_s: int) -> dict[str, Any]:
        """So many more come, at an even pace; how long their welcomes took."""
        self.welcomed_s, began_s = [], time.monotonic()
        for number in range(count):
            watcher = Watcher(self)
            self.watchers.append(watcher)
            self.start(watcher.come())
            await asyncio.sleep(max(0.0, began_s + (number + 1) / per_s - time.monotonic()))
        while not all(watcher.connected for watcher in self.watchers):
            await asyncio.sleep(0.01)
        took_s, waits = time.monotonic() - began_s, sorted(self.welcomed_s)
        return {
            "joins_per_s": round(count / took_s, 1),
            "welcome_p50_ms": round(waits[len(waits) // 2] * 1000, 1),
            "welcome_p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
        }

    def report(self, said: list[str], since_s: float) -> dict[str, Any]:
        """Who is here, who lacks something, and how those came back who were cut off."""
        cut = [watcher for watcher in self.watchers if watcher.lost_s > since_s]
        waits = sorted(self.welcomed_s[len(self.watchers) :]) or [0.0]
        back = sorted(watcher.back_s - since_s for watcher in cut if watcher.back_s > watcher.lost_s)
        return {
            "connected": sum(watcher.connected for watcher in self.watchers),
            "incomplete": sum(not watcher.chats.issuperset(said) for watcher in self.watchers),
            "gaps": sum(watcher.gaps for watcher in self.watchers),
            "resyncs": sum(watcher.resyncs for watcher in self.watchers),
            "cut_off": len(cut),
            "back": len(back),
            "rejoin_p50_ms": round(waits[len(waits) // 2] * 1000, 1),
            "rejoin_p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
            "back_p50_s": round(back[len(back) // 2], 2) if back else None,
            "back_last_s": round(back[-1], 2) if back else None,
        }


async def main() -> None:
    """Runs until the end of stdin."""
    open_many_files()
    loop = asyncio.get_running_loop()
    options = json.loads(sys.stdin.readline())
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as session:
        crowd = Crowd(options["url"], options["show"], session)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            if "join" in order:
                answer = await crowd.join(order["join"], order["per_s"])
            else:
                answer = crowd.report(order["said"], order["since"])
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
