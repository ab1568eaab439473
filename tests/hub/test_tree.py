"""A tree of hubs: how an edge finds its upstream and the show, what survives a hub's end, and who knows of whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from livesale.hub import edge, link
from livesale.hub.hub import wall_clock_ms
from livesale.hub.seats import Seats
from livesale.hub.wire import EventsFrame
from tests.hub.conftest import Start
from tests.hub.test_relay import edge_of, true
from tests.hub.viewers import CHAT, ORDER, SHOW, House, Source, Viewer, tag_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hubs tell of themselves more often than once a second."""
    monkeypatch.setattr(link, "TELL_EVERY_S", 0.05)
    monkeypatch.setattr(edge, "NEWS_TAKES_S", 0.05)


def said(viewer: Viewer, type: str) -> list[object]:
    return [event["id"] for event in viewer.of(type)]


async def kill(house: House) -> None:
    """All its sockets go at once, as those of a killed process do, and it never listens again."""
    if house.hub._server is not None:
        house.hub._server.close(close_connections=False)
        for connection in list(house.hub._server.all_connections):
            connection.transport.abort()
    if hasattr(house, "edge"):
        house.bases[:] = ["ws://127.0.0.1:1"]
        for upstream in house.hub._upstreams.values():
            upstream._socket.transport.abort()
        if house.edge._link is not None:
            await house.edge._link.leave()
    await house.hub.stop()


async def test_the_upstream_that_has_not_the_show_names_the_one_that_has(start: Start) -> None:
    """A studio without the show sends the edge to the one that holds it, and the viewer notices nothing."""
    first, second = await start(), await start(name="studio-2")
    second.key = first.key
    second.hub._public_key = first.hub._public_key
    channel = second.open()

    async def where(show: str) -> str | None:
        return second.base

    first.hub.where = where
    outer = await edge_of(start, first)
    viewer = await outer.join()
    await viewer.until("welcome")
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await viewer.until("chat", id=1)
    assert first.hub.shows() == []
    assert len(channel.receivers()) == 1


async def test_studios_that_send_to_each_other(start: Start) -> None:
    """Two that each think the other has the show do not keep an edge busy: the next of its list is tried."""
    first = await start()
    second, third = await start(name="two", key=first.key), await start(name="three", key=first.key)
    asked: list[str] = []

    def pointing(here: House, there: House) -> Callable[[str], object]:
        async def where(show: str) -> str | None:
            asked.append(here.name)
            return there.base

        return where

    first.hub.where, second.hub.where = pointing(first, second), pointing(second, first)
    third.open()
    outer = await edge_of(start, first, third)
    await (await outer.join()).until("welcome")
    assert asked == [first.name, second.name]


async def test_another_upstream_when_one_dies(start: Start) -> None:
    """Viewers stay and miss nothing, personal events neither, when the edge goes on behind the next of its list."""
    first = await start()
    second = await start(name="studio-2", key=first.key)
    old = first.open(lease=1)
    outer = await edge_of(start, first, second)
    ann, ben = await outer.join("ann"), await outer.join("ben")
    for viewer in (ann, ben):
        await viewer.until("welcome")
    old.entry(1, 0, [(CHAT, {"id": 1})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=1)
    await kill(first)
    new = second.open(lease=2)
    for seq in range(1, 5):  # a successor is told the log again
        new.entry(seq, 0, [(ORDER, {"owner": "ann", "id": f"o{seq}"}), (CHAT, {"id": seq})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=4)
        assert said(viewer, "chat") == [1, 2, 3, 4]
        assert not viewer.of("resync")
    assert said(ann, "order") == ["o2", "o3", "o4"]
    assert not said(ben, "order")
    await true(lambda: new.presence.total == 2)


async def test_a_middle_edge_dies(house: House, start: Start) -> None:
    """The leaf moves to another middle edge; its viewers stay, and what their owners missed meanwhile comes to them from
    where the show lives, before the public frame that covers it."""
    channel = house.open()
    middles = [await edge_of(start, house, name=name) for name in ("m1", "m2")]
    lower = await edge_of(start, *middles, name="lower")
    leaf = await edge_of(start, lower, name="leaf")
    ann, ben = await leaf.join("ann"), await leaf.join("ben")
    for viewer in (ann, ben):
        await viewer.until("welcome")
    await true(lambda: channel.presence.total == 2)
    channel.entry(1, 0, [(CHAT, {"id": 1}), (ORDER, {"owner": "ann", "id": "o1"})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=1)
    await kill(middles[0])
    for seq in (2, 3):
        channel.entry(seq, 0, [(CHAT, {"id": seq}), (ORDER, {"owner": "ann", "id": f"o{seq}"})])
    channel.flush()
    for viewer in (ann, ben):
        await viewer.until("chat", id=3)
        assert said(viewer, "chat") == [1, 2, 3]
        assert not viewer.of("resync")
    assert said(ann, "order") == ["o1", "o2", "o3"]
    assert not said(ben, "order")
    kinds = [frame.events[0]["type"] for frame in ann.frames if isinstance(frame, EventsFrame) and frame.events]
    assert kinds.index("order") < kinds.index("chat")
    await true(lambda: channel.presence.total == 2)
    channel.entry(4, 0, [(CHAT, {"id": 4}), (ORDER, {"owner": "ben", "id": "o4"})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=4)
    assert said(ben, "order") == ["o4"]
    await ann.socket.close()
    await true(lambda: channel.fanout.with_tag(tag_of(SHOW, "ann")) == 0)


async def test_personal_events_leave_by_one_edge_only(house: House, start: Start) -> None:
    """The edge without the owner is not even told that there was something."""
    channel = house.open()
    here, there = await edge_of(start, house, name="here"), await edge_of(start, house, name="there")
    ann, ben = await here.join("ann"), await there.join("ben")
    for viewer in (ann, ben):
        await viewer.until("welcome")
    passed: list[str] = []
    there.hub.channel(SHOW).pass_on_personal = lambda tag, seq, events: passed.append(tag)
    channel.entry(1, 0, [(ORDER, {"owner": "ann", "id": "o1"}), (CHAT, {"id": 1})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=1)
    assert said(ann, "order") == ["o1"]
    assert passed == []


async def test_every_hub_behind_is_known_and_forgotten(house: House, start: Start) -> None:
    """The studio knows the edges of its edges, with their viewers, and forgets each with its link, without asking anybody."""
    house.open()
    middle = await edge_of(start, house, name="middle")
    await middle.edge.announce(middle.base)
    leaf = await edge_of(start, middle, name="leaf")
    await leaf.edge.announce(leaf.base, "wss://live.example/leaf")
    known = house.hub.tree.hubs
    await true(lambda: {hub.name: hub.public_url for hub in known()} == {"middle": "", "leaf": "wss://live.example/leaf"})
    viewer = await leaf.join()
    await viewer.until("welcome")
    await true(lambda: {hub.name: hub.viewers for hub in known()} == {"middle": 0, "leaf": 1})
    await leaf.edge.retire()
    await true(lambda: [hub.name for hub in known()] == ["middle"])
    assert await viewer.closed() == 4011
    await kill(middle)
    await true(lambda: known() == [])


async def test_an_edge_goes_by_its_upstreams_clock_and_pages(start: Start) -> None:
    """Its own clock is an hour off and nobody told it which pages may join; before it knows, it sends viewers elsewhere."""
    house = await start()
    house.hub.clock_ms = lambda: wall_clock_ms() + 50_000
    house.open()
    outer = await edge_of(start, house)
    outer.hub.origins = None
    assert await (await outer.join()).closed() == 4011
    expired = outer.ticket(expires_ms=wall_clock_ms() + 40_000)
    good = outer.ticket(expires_ms=wall_clock_ms() + 70_000)
    await outer.edge.announce(outer.base)
    assert await (await outer.join(ticket=expired)).closed() == 4001
    welcome = await (await outer.join(ticket=good)).until("welcome")
    assert abs(welcome["now"] - wall_clock_ms() - 50_000) < 20_000
    assert outer.hub.origins == frozenset(house.origins)


async def test_a_link_moves_on(start: Start) -> None:
    """An edge whose upstream dies, or is not there at all, is known to the next of its list."""
    first = await start()
    second = await start(name="studio-2", key=first.key)
    outer = await edge_of(start, first, second)
    outer.bases.insert(0, "ws://127.0.0.1:1")
    await outer.edge.announce(outer.base)
    assert [hub.name for hub in first.hub.tree.hubs()] == ["edge-1"]
    await kill(first)
    await true(lambda: [hub.name for hub in second.hub.tree.hubs()] == ["edge-1"])


async def test_draining(house: House, start: Start) -> None:
    """A retiring edge lets nobody in and sends its viewers away in turn; until theirs they get everything, and nobody
    misses an event on the way to another edge."""
    channel = house.open()
    source = Source(channel)
    source.begin()
    source.send(1)
    leaving, staying = await edge_of(start, house, name="leaving"), await edge_of(start, house, name="staying")
    names = [f"v{number}" for number in range(12)]
    viewers = [await leaving.join(name) for name in names]
    for viewer in viewers:
        await viewer.until_media()
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    for viewer in viewers:
        await viewer.until("chat", id=1)
    leaving.hub._seats._per_s = 60  # slow enough to see that they go one after the other
    retiring = asyncio.create_task(leaving.edge.retire())
    await true(lambda: leaving.hub.viewers() < len(names))
    assert leaving.hub.viewers() > 1
    seq = 1
    while leaving.hub.viewers():
        seq += 1
        channel.entry(seq, 0, [(CHAT, {"id": seq}), (ORDER, {"owner": names[-1], "id": seq})])
        await asyncio.sleep(0.01)
    await retiring
    assert await (await leaving.join()).closed() == 4011
    seq += 1
    channel.entry(seq, 0, [(CHAT, {"id": seq})])
    for name, viewer in zip(names, viewers, strict=True):
        assert await viewer.closed() == 4011
        again = await staying.join(name, after=viewer.position, epoch="e1")
        await again.until("chat", id=seq)
        assert said(viewer, "chat") + said(again, "chat") == list(range(1, seq + 1))
        assert not again.of("resync")
        if name == names[-1]:  # what was on its way when it left comes again
            assert list(dict.fromkeys(said(viewer, "order") + said(again, "order"))) == list(range(2, seq))
    assert len(viewers[-1].of("chat")) > len(viewers[0].of("chat")), "the last one got more before its turn"


def test_seats() -> None:
    """Viewers of a hub have the lowest free numbers, so that those of a killed one come back evenly: so many a second."""
    seats = Seats(per_s=500, longest_ms=4_000)
    taken = [seats.take() for _ in range(1_500)]
    assert taken == list(range(1_500))
    waits = [seats.rejoin_ms(seat) for seat in taken]
    assert all(sum(second * 1000 <= wait < (second + 1) * 1000 for wait in waits) == 500 for second in range(3))
    for seat in (7, 3):
        seats.give_back(seat)
    assert [seats.take() for _ in range(3)] == [3, 7, 1_500]
    assert max(seats.rejoin_ms(seat) for seat in range(100_000)) < 4_000
    assert (seats.spread_s(250), seats.spread_s(10_000)) == (0.5, 4.0)


async def test_the_welcome_names_the_wait(house: House) -> None:
    """Each viewer is told how long it waits when its hub is gone: another time for each."""
    house.open()
    waits = [(await (await house.join()).until("welcome"))["rejoin_ms"] for _ in range(4)]
    assert len(set(waits)) == 4
    assert waits == sorted(waits)
