"""What a crowd asks is answered in few rounds, each of them in its own, and one failure is no one else's."""

from __future__ import annotations

import asyncio

import pytest

from livesale.orders.together import Together


class Rounds:
    """Answers with ten times the question, when told to."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.go = asyncio.Event()

    async def act(self, questions: list[int]) -> list[int]:
        self.seen.append(questions)
        await self.go.wait()
        if -13 in questions:
            raise ValueError("13")
        return [10 * one for one in questions]


async def test_a_crowd_is_answered_in_two_rounds() -> None:
    """Whoever comes while the first is answered shares the next round; everyone gets their own answer."""
    rounds = Rounds()
    together = Together(rounds.act)
    asking = [asyncio.create_task(together.ask(0))]
    while not rounds.seen:
        await asyncio.sleep(0)
    asking += [asyncio.create_task(together.ask(number)) for number in range(1, 100)]
    await asyncio.sleep(0)
    rounds.go.set()
    assert await asyncio.gather(*asking) == [10 * number for number in range(100)]
    assert [len(questions) for questions in rounds.seen] == [1, 99]


async def test_a_failure_is_told_to_its_round_only() -> None:
    """The next round goes on, and so does a round of which somebody was cancelled."""
    rounds = Rounds()
    together = Together(rounds.act)
    failing = [asyncio.create_task(together.ask(-13)), asyncio.create_task(together.ask(1))]
    while not rounds.seen:
        await asyncio.sleep(0)
    gone, stays = asyncio.create_task(together.ask(2)), asyncio.create_task(together.ask(3))
    await asyncio.sleep(0)
    gone.cancel()
    rounds.go.set()
    assert await stays == 30
    for one in failing:
        with pytest.raises(ValueError, match="13"):
            await one
    assert await together.ask(4) == 40
