"""Together: what is asked while one round of work is under way is done in the next, all of it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """`act` answers a list of questions in their order: a crowd costs a few transactions, and whoever is alone no wait."""

    def __init__(self, act: Callable[[list[Q]], Awaitable[list[A]]]) -> None:
        self._act = act
        self._asked: list[tuple[Q, asyncio.Future[A]]] = []
        self._acting: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer to one question; what `act` raises, everyone of its round is told."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        if self._acting is None or self._acting.done():
            self._acting = asyncio.create_task(self._rounds())
        return await answer

    async def _rounds(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            waiting = [answer for _, answer in asked]
            try:
                answers = await self._act([question for question, _ in asked])
            except Exception as error:
                for answer in waiting:
                    if not answer.done():  # else whoever asked has been cancelled
                        answer.set_exception(error)
            else:
                for answer, told in zip(waiting, answers, strict=True):
                    if not answer.done():
                        answer.set_result(told)
