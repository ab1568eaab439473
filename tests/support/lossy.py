"""A line that loses packets, as whoever reads from a TCP connection through it knows it: what was lost comes late, and
everything behind it waits. Which packets are lost, the seed says."""

from __future__ import annotations

import asyncio
import random

from tests.support.proxy import Ends, Proxy

PACKET_BYTES = 1400
AGAIN_AFTER_S = 0.2  # Linux's shortest time until it sends a lost packet again


class LossyProxy(Proxy):
    """Loses `share` of the packets from the server; `lost` counts them."""

    def __init__(self, to: int, chance: random.Random, share: float) -> None:
        super().__init__(to)
        self._chance = chance
        self._share = share
        self.lost = 0

    async def carry(self, client: Ends, server: Ends) -> None:
        """Up as it is, down with losses."""
        await asyncio.gather(_pass_on(client[0], server[1]), self._lose(server[0], client[1]))

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
