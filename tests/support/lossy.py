"""A line that loses packets, as whoever reads from a TCP connection through it knows it: what was lost comes late, and
everything behind it waits. Which packets are lost, the seed says."""

from __future__ import annotations

import asyncio
import contextlib
import random
from types import TracebackType

PACKET_BYTES = 1400
AGAIN_AFTER_S = 0.2  # Linux's shortest time until it sends a lost packet again
ENDED = (OSError, asyncio.IncompleteReadError)


class LossyProxy:
    """Between clients and `port`, while the context lasts: loses `share` of the packets from there; `lost` counts them."""

    def __init__(self, port: int, chance: random.Random, share: float) -> None:
        self._to = port
        self._chance = chance
        self._share = share
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.lost = 0

    async def __aenter__(self) -> LossyProxy:
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
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(*ENDED), contextlib.closing(writer):
            there, sending = await asyncio.open_connection("127.0.0.1", self._to)
            with contextlib.closing(sending):
                await asyncio.gather(_pass_on(reader, sending), self._lose(there, writer))

    async def _lose(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                at_s, packet = await due.get()
                await asyncio.sleep(at_s - loop.time())
                writer.write(packet)

        delivering = asyncio.create_task(deliver())
        try:
            while packet := await there.read(PACKET_BYTES):
                late = self._chance.random() < self._share
                self.lost += late
                due.put_nowait((loop.time() + (AGAIN_AFTER_S if late else 0.0), packet))
        finally:
            delivering.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(PACKET_BYTES):
        writer.write(some)
