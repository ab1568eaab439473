"""Connections whose other side is suddenly not there any more, and never said so: no FIN, no reset, no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect

from livesale.hub import link
from livesale.hub.limits import Limits
from tests.hub.conftest import Start
from tests.hub.test_relay import edge_of, true
from tests.hub.test_slow import QUICK, run_until
from tests.hub.viewers import CHAT, ORDER, SHOW, House, Source, Viewer, tag_of
from tests.support.proxy import VanishingProxy

Before = Callable[[House], Awaitable[VanishingProxy]]


@pytest.fixture
async def before() -> AsyncIterator[Before]:
    """`await before(house)`: a network before a house that can go away."""
    async with AsyncExitStack() as stack:

        async def begin(house: House) -> VanishingProxy:
            return await stack.enter_async_context(VanishingProxy(house.port))

        yield begin


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edges look for signs of life more often than every two seconds."""
    for name, seconds in (("TELL_EVERY_S", 0.05), ("HEARD_WITHIN_S", 0.4), ("PING_S", 0.1), ("PONG_WITHIN_S", 0.3)):
        monkeypatch.setattr(link, name, seconds)


async def join_over(house: House, network: VanishingProxy, account: str) -> Viewer:
    address = house.address(house.ticket(account)).replace(str(house.port), str(network.port), 1)
    return Viewer(await connect(address, subprotocols=["livesale.v1"], max_size=None, proxy=None))


async def test_a_viewer_that_vanishes_while_the_picture_runs(start: Start, before: Before) -> None:
    """Its socket fills, it is given up as too slow and cut: its connection, place, tag and count are free again, and the
    other viewer misses no picture."""
    house = await start(limits=QUICK)
    channel = house.open()
    source = Source(channel, picture_bytes=40_000)
    source.begin()
    source.send()
    network = await before(house)
    lost, steady = await join_over(house, network, "ann"), await house.join("ben")
    for viewer in (lost, steady):
        await viewer.until_media()
    seen: list[int] = []

    async def watch() -> None:
        while True:
            seen.extend(each.sequence for each in await steady.until_media() if each.track == 1)

    watching = asyncio.create_task(watch())
    network.vanish()
    await run_until(source, lambda: house.hub.connections() == 1)
    watching.cancel()
    assert channel.presence.total == 1
    assert (channel.fanout.with_tag(tag_of(SHOW, "ann")), channel.fanout.with_tag(tag_of(SHOW, "ben"))) == (0, 1)
    assert house.hub._seats.take() == 0, "its seat is free"
    assert len(channel.receivers()) == 1
    assert seen == list(range(seen[0], seen[0] + len(seen)))


async def test_a_viewer_that_vanishes_while_there_is_no_picture(start: Start, before: Before) -> None:
    """Pings find it: after three without an answer it is out of the count, who answers is not."""
    house = await start(limits=Limits(sweep_ms=20, ping_ms=40, silent_pings=3, latest_tick_ms=10))
    house.open()
    network = await before(house)
    lost, steady = await join_over(house, network, "ann"), await house.join("ben")
    for viewer in (lost, steady):
        await viewer.until("viewers", count=2)
    steady.events.clear()
    network.vanish()
    await steady.until("viewers", count=1)
    await true(lambda: house.hub.connections() == 1)


async def test_an_edges_upstream_vanishes(start: Start, before: Before) -> None:
    """The edge goes on behind the next of its list, link and show alike: its viewers stay and miss nothing."""
    first = await start()
    second = await start(name="studio-2", key=first.key)
    channels = [first.open(), second.open()]
    network = await before(first)
    outer = await edge_of(start, first, second)
    outer.bases[0] = f"ws://127.0.0.1:{network.port}"
    await outer.edge.announce(outer.base)
    ann, ben = await outer.join("ann"), await outer.join("ben")
    for viewer in (ann, ben):
        await viewer.until("welcome")
    for channel in channels:
        channel.entry(1, 0, [(CHAT, {"id": 1})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=1)
    network.vanish()
    for seq in (2, 3):
        channels[1].entry(seq, 0, [(CHAT, {"id": seq}), (ORDER, {"owner": "ann", "id": f"o{seq}"})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=3)
        assert [event["id"] for event in viewer.of("chat")] == [1, 2, 3]
        assert not viewer.of("resync")
    assert [event["id"] for event in ann.of("order")] == ["o2", "o3"]
    await true(lambda: [hub.name for hub in second.hub.tree.hubs()] == ["edge-1"])
    await true(lambda: channels[1].presence.total == 2)


async def test_an_edge_vanishes(start: Start, before: Before) -> None:
    """Its upstream takes it and its viewers out of every list within the time an edge may be silent, picture or not, and
    another edge's viewers stay in the count."""
    house = await start(limits=Limits(sweep_ms=30, must_delay_ms=20, silent_edge_ms=600))
    channel = house.open()
    network = await before(house)
    gone, there = await edge_of(start, house, name="gone"), await edge_of(start, house, name="there")
    gone.bases[0] = f"ws://127.0.0.1:{network.port}"
    for one in (gone, there):
        await one.edge.announce(one.base)
    ann, ben = await gone.join("ann"), await there.join("ben")
    await ann.until("welcome")
    await ben.until("viewers", count=2)
    ben.events.clear()
    network.vanish()
    await ben.until("viewers", count=1)
    assert (channel.fanout.with_tag(tag_of(SHOW, "ann")), channel.fanout.with_tag(tag_of(SHOW, "ben"))) == (0, 1)
    assert len(channel.receivers()) == 1
    await true(lambda: [hub.name for hub in house.hub.tree.hubs()] == ["there"])
