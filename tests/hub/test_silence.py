"""What a hub does when nothing comes: viewers that fell silent, and joiners for whom there is no picture yet."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from livesale.hub.limits import Limits
from livesale.media.ring import Fragment
from tests.hub.conftest import Start
from tests.hub.test_relay import edge_of, true
from tests.hub.test_slow import Stalled
from tests.hub.viewers import CHAT, PATIENCE_S, SHOW, House, Source


async def test_whoever_answers_no_ping_is_cut(start: Start) -> None:
    """A connection that reads but never answers is gone after three pings; one that answers stays."""
    house = await start(limits=Limits(sweep_ms=20, ping_ms=40, silent_pings=3, latest_tick_ms=10))
    channel = house.open()
    steady = await house.join()
    mute = await Stalled(house).join(media=0)
    await steady.until("viewers", count=2)
    async with asyncio.timeout(PATIENCE_S):
        got = await mute.messages()
    assert [opcode for opcode, _ in got].count(9) == 3
    steady.events.clear()
    await steady.until("viewers", count=1)
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await steady.until("chat")


async def test_another_protocol_is_refused(house: House) -> None:
    """A client that offers only protocols we do not speak gets HTTP 400, one that offers ours among them gets it."""
    house.open()
    with pytest.raises(InvalidStatus) as refused:
        await connect(house.address(house.ticket()), subprotocols=["livesale.v9"], proxy=None)
    assert refused.value.response.status_code == 400
    both = await connect(house.address(house.ticket()), subprotocols=["livesale.v9", "livesale.v1"], proxy=None)
    assert both.subprotocol == "livesale.v1"


async def test_a_joiner_without_a_key_frame_has_one_asked_for(house: House, start: Start) -> None:
    """Here and through an edge, once pictures without a key frame are all there is; its first picture is that key frame."""
    channel = house.open()
    asked: list[None] = []
    channel.key_wanted = lambda: asked.append(None)
    Source(channel).begin()
    edge = await edge_of(start, house)
    far = await edge.join()
    await far.until("welcome")
    await true(lambda: asked)
    asked.clear()
    near = await house.join()
    await near.until("welcome")
    await true(lambda: asked)
    channel.media([Fragment(1, False, 0, 0, 0, b"delta")])
    channel.media([Fragment(1, True, 0, 1, 33_333, b"key")])
    for viewer in (near, far):
        assert (await viewer.until_media())[0].key
    assert edge.hub.channel(SHOW).receivers()
