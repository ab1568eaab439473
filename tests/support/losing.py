"""A proxy that loses answers: it passes a request on, reads the answer, and breaks the connection instead of telling.

So the client knows nothing of what the server has done for good. Which answers are lost, the seed says.
"""

from __future__ import annotations

import random

from tests.support.messages import Message, read_message
from tests.support.proxy import Ends, Proxy


class LosingProxy(Proxy):
    """`lost` is what nobody was told, by Idempotency-Key."""

    def __init__(self, to: int, chance: random.Random, share: float) -> None:
        super().__init__(to)
        self._chance = chance
        self._share = share
        self.lost: dict[str, list[Message]] = {}

    async def carry(self, client: Ends, server: Ends) -> None:
        """Requests and answers in turn, until one is lost."""
        while True:
            request = await read_message(client[0])
            server[1].write(request.raw)
            answer = await read_message(server[0])
            if self._chance.random() < self._share:
                self.lost.setdefault(request.key, []).append(answer)
                return
            client[1].write(answer.raw)
