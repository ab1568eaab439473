"""A bad line: a UDP proxy between a publisher and the media server that loses, delays, narrows or stops the way in."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, Route

_CANDIDATE = re.compile(r"(a=candidate:\S+ 1 udp \d+ )(127\.0\.0\.1) (\d+)( typ host.*)")
QUEUE_S = 0.3  # what a narrow line's router keeps before it drops


class BadLine(asyncio.DatagramProtocol):
    """`loss` 0–1 and `jitter_s` (uniform, reordering) of packets on the way in, `bits_per_s` of a narrow one (0: wide);
    `broken`: nothing gets through in either direction."""

    def __init__(self, seed: int = 1) -> None:
        self.loss = 0.0
        self.jitter_s = 0.0
        self.bits_per_s = 0
        self.broken = False
        self.passed = 0
        self.lost = 0
        self.port = 0
        self._dice = random.Random(seed)
        self._server: tuple[str, int] | None = None
        self._ways: dict[tuple[str, int], asyncio.DatagramTransport] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._free_at_s = 0.0
        self._transport: asyncio.DatagramTransport | None = None

    def through(self, answer: str) -> str:
        """An SDP (or fragment) of the server whose only candidate is this line."""
        match = _CANDIDATE.search(answer)
        assert match, "the server offers no loopback address"
        self._server = (match[2], int(match[3]))
        lines = [line for line in answer.split("\r\n") if not line.startswith("a=candidate:") or _CANDIDATE.match(line)]
        return "\r\n".join(_CANDIDATE.sub(rf"\g<1>\g<2> {self.port}\g<4>", line) for line in lines)

    async def under(self, page: Page) -> None:
        """From now on what the page publishes by WHIP takes this line; its own addresses are kept from the server."""

        async def pass_on(route: Route) -> None:
            offer = (route.request.post_data or "").split("\r\n")
            kept = "\r\n".join(line for line in offer if not line.startswith("a=candidate:"))
            answer = await route.fetch(post_data=kept)
            text = await answer.text()
            await route.fulfill(response=answer, body=self.through(text) if "a=candidate:" in text else text)

        await page.unroute("**/whip/**")
        await page.route("**/whip/**", pass_on)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.broken or self._dice.random() < self.loss:
            self.lost += 1
            return
        loop = asyncio.get_running_loop()
        delay_s = self.jitter_s * self._dice.random()
        if self.bits_per_s:
            starts_s = max(self._free_at_s, loop.time())
            if starts_s - loop.time() > QUEUE_S:
                self.lost += 1
                return
            self._free_at_s = starts_s + len(data) * 8 / self.bits_per_s
            delay_s += self._free_at_s - loop.time()
        self.passed += 1
        if delay_s > 0.001:
            loop.call_later(delay_s, self._forward, data, addr)
        else:
            self._forward(data, addr)

    def close(self) -> None:
        """Takes the line down."""
        for task in self._opening:
            task.cancel()
        for way in self._ways.values():
            way.close()
        if self._transport is not None:
            self._transport.close()

    def _forward(self, data: bytes, addr: tuple[str, int]) -> None:
        way = self._ways.get(addr)
        if way is not None:
            way.sendto(data)
            return
        task = asyncio.get_running_loop().create_task(self._open(data, addr))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, data: bytes, addr: tuple[str, int]) -> None:
        way, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Back(self, addr), remote_addr=self._server
        )
        self._ways.setdefault(addr, way).sendto(data)
        if self._ways[addr] is not way:
            way.close()

    def back(self, data: bytes, addr: tuple[str, int]) -> None:
        """A packet of the server's for a publisher."""
        if not self.broken and self._transport is not None:
            self._transport.sendto(data, addr)


class _Back(asyncio.DatagramProtocol):
    def __init__(self, line: BadLine, addr: tuple[str, int]) -> None:
        self._line = line
        self._addr = addr

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._line.back(data, self._addr)


@asynccontextmanager
async def bad_line() -> AsyncIterator[BadLine]:
    """A line on loopback, perfect at first."""
    line = BadLine()
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: line, local_addr=("127.0.0.1", 0))
    try:
        yield line
    finally:
        line.close()
