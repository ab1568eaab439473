"""Proxies before a TCP port, each with a fault of its own: what they do with a connection's bytes is told by `carry`."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

ENDED = (OSError, asyncio.IncompleteReadError)
CHUNK = 64 << 10

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Between clients and `to` while the context lasts; clients find it at `port`."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    async def carry(self, client: Ends, server: Ends) -> None:
        """Both ways of one connection, until it ends; then both of its ends are closed."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve((reader, writer)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, client: Ends) -> None:
        with contextlib.suppress(*ENDED), contextlib.closing(client[1]):
            server = await asyncio.open_connection("127.0.0.1", self._to)
            with contextlib.closing(server[1]):
                await self.carry(client, server)


class VanishingProxy(Proxy):
    """A network that can go away without a word: after `vanish` nothing gets through either way, and nothing is closed."""

    def __init__(self, to: int) -> None:
        super().__init__(to)
        self._there = asyncio.Event()
        self._there.set()

    def vanish(self) -> None:
        """From now on both sides hear nothing of each other."""
        self._there.clear()

    async def carry(self, client: Ends, server: Ends) -> None:
        """Everything, while the network is there."""
        await asyncio.gather(self._pass_on(client[0], server[1]), self._pass_on(server[0], client[1]))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(CHUNK):
            await self._there.wait()
            writer.write(some)
            await writer.drain()
        await self._there.wait()
        writer.write_eof()
