"""A proxy that loses answers: it passes a request on, reads the answer, and breaks the connection instead of telling.

So the client knows nothing of what the server has done for good. Which answers are lost, the seed says.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from types import TracebackType

from tests.support.messages import Message, read_message

ENDED = (OSError, asyncio.IncompleteReadError)


class LosingProxy:
    """Between clients and `port`, while the context lasts; `lost` is what nobody was told, by Idempotency-Key."""

    def __init__(self, port: int, chance: random.Random, share: float) -> None:
        self._to = port
        self._chance = chance
        self._share = share
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.lost: dict[str, list[Message]] = {}

    async def __aenter__(self) -> LosingProxy:
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
                while True:
                    request = await read_message(reader)
                    sending.write(request.raw)
                    answer = await read_message(there)
                    if self._chance.random() < self._share:
                        self.lost.setdefault(request.key, []).append(answer)
                        return
                    writer.write(answer.raw)
