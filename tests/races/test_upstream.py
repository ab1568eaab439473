"""An edge outlives whatever goes wrong while it looks for the studio of a show."""

from __future__ import annotations

import asyncio

import pytest

from livesale.hub.edge import Edge
from livesale.kernel.refusals import Refusal
from tests.hub.viewers import CHAT, RELAY_KEY, House


@pytest.mark.parametrize("failure", [Refusal("store_unavailable", "away"), RuntimeError("a bug")])
async def test_a_failing_look_up_is_tried_again(failure: Exception) -> None:
    """Nobody can say where the show is for a moment: the viewer waits, gets in, and is told what happens."""
    studio = await House().start()
    channel = studio.open(seq=1)
    edge = await House(name="edge-1", key=studio.key, is_studio=False).start()
    failures = [failure, failure]

    async def resolve(show: str) -> str | None:
        if failures:
            raise failures.pop()
        return studio.base

    Edge(edge.hub, resolve, RELAY_KEY)
    try:
        async with asyncio.timeout(20):
            viewer = await edge.join(ticket=studio.ticket(hub="edge-1"))
            await viewer.until("welcome")
            channel.entry(2, 1_000, [(CHAT, {"type": "chat_said", "id": "m1"})])
            await viewer.until("chat", id="m1")
        assert not failures
    finally:
        await edge.hub.stop()
        await studio.hub.stop()
