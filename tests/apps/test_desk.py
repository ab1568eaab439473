"""The desk hears of its family within a moment, of nobody else's ever, and is let go when the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from livesale.apps.desk import CHANNEL, Desk, tellers
from livesale.store.readers import Reactions
from livesale.store.valkey import Store

APPROVAL = {"type": "approval_changed", "approval": "ap_sx_1", "minor": "mia", "state": "requested", "before": ""}


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    made = Desk(store)
    async for _ in _listening(made):
        while not (await store.client.pubsub_numsub(CHANNEL))[0][1]:
            await asyncio.sleep(0.01)
        yield made


async def _listening(desk: Desk) -> AsyncIterator[None]:
    async for _ in desk.listen(None):
        yield


async def told(store: Store, event: dict[str, str]) -> None:
    for act in Reactions(tellers(store)).to(event):
        await act("show:x", event)


async def test_what_changes_is_heard_by_its_family(store: Store, desk: Desk) -> None:
    """Whoever waits for this minor hears of it, once; whoever waits for another minor does not."""
    hers = asyncio.create_task(desk.news(["mia"], 0, 20))
    others = asyncio.create_task(desk.news(["max"], 0, 0.2))
    await told(store, APPROVAL)
    news = await hers
    assert (news.approvals, news.family) == (["ap_sx_1"], False)
    assert (await others).approvals == []
    assert (await desk.news(["mia"], news.at, 0)).approvals == []


async def test_what_was_said_between_two_questions(store: Store, desk: Desk) -> None:
    """It is answered at once; a change of the family names no request."""
    first = (await desk.news(["mia"], 0, 0)).at
    await told(store, {"type": "family_frozen", "minor": "mia", "state": "frozen", "by": "gita"})
    news = await desk.news(["mia"], first, 20)
    assert (news.approvals, news.family) == ([], True)


async def test_nobody_waits_for_a_process_that_ends(desk: Desk) -> None:
    """Closing answers everybody who waits."""
    waiting = asyncio.create_task(desk.news(["mia"], 0, 100))
    await asyncio.sleep(0)
    await desk.close(None)
    assert (await waiting).approvals == []


async def test_a_change_that_cannot_be_read_stops_nothing(store: Store, desk: Desk) -> None:
    """A worker of another version is heard past."""
    await store.ask("PUBLISH", CHANNEL, b"\xc1")
    await told(store, APPROVAL)
    assert (await desk.news(["mia"], 0, 20)).approvals == ["ap_sx_1"]
