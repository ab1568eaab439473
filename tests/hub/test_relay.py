"""An edge between the studio's hub and the viewers, and what happens when the studio dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from livesale.hub.admission import relay_edge, relay_token
from livesale.hub.edge import Edge
from livesale.hub.limits import Limits
from livesale.hub.wire import EventsFrame
from livesale.media.ring import Fragment
from tests.hub.conftest import Start
from tests.hub.viewers import CHAT, ORDER, PATIENCE_S, RELAY_KEY, SHOW, STOCK, House, Source


class Asked(list[str]):
    """Upstreams' addresses that count how often one was taken."""

    times = 0

    def __getitem__(self, place: object) -> object:
        self.times += 1
        return super().__getitem__(place)


async def edge_of(start: Start, *upstreams: House, name: str = "edge-1", **fields: object) -> House:
    """An edge's house behind `upstreams`, with the same ticket key; `bases` are their addresses."""
    limits = Limits(sweep_ms=30, must_delay_ms=20, admission_ms=2_000)
    edge = await start(name=name, key=upstreams[0].key, is_studio=False, limits=limits, **fields)
    edge.edge = Edge(edge.hub, [upstream.base for upstream in upstreams], RELAY_KEY, patience_s=3.0)
    edge.edge.bases.all = edge.bases = Asked(edge.edge.bases.all)
    return edge


async def true(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_through_an_edge(house: House, start: Start) -> None:
    """Viewers of an edge get the same welcome, events, current values and fragments as the studio's own."""
    channel = house.open(seq=4)
    source = Source(channel)
    source.begin()
    source.send(10)
    channel.entry(5, 9_000, [(CHAT, {"id": 5}), (STOCK, {"offer": "of", "left": 9})])
    edge = await edge_of(start, house)
    near, far = await house.join(), await edge.join()
    for viewer in (near, far):
        await viewer.until_media()
        await viewer.until("stock", left=9)
    channel.entry(6, 9_500, [(CHAT, {"id": 6})])
    channel.react("heart")
    source.send(3)
    for viewer in (near, far):
        await viewer.until("chat", id=6)
        await viewer.until("reaction")
        await viewer.until("viewers", count=2)
        assert viewer.position == 6
    assert near.of("chat")[-1] == far.of("chat")[-1]
    assert far.of("welcome")[0]["epoch"] == "e1"
    assert far.of("welcome")[0]["show"] == near.of("welcome")[0]["show"]

    def pictures(viewer: object) -> list[int]:
        return [
            each.sequence for frame in viewer.frames if isinstance(frame, list) for each in frame if each.track == 1
        ]

    while pictures(near)[-1] < 12:
        await near.next()
    while pictures(far)[-1] < 12:
        await far.next()
    assert pictures(near) == pictures(far) == list(range(13))


async def test_what_left_together_arrives_together(house: House, start: Start) -> None:
    """What the studio sent in one write leaves the edge in one write a viewer too: events cost no write of their own."""
    channel = house.open()
    source = Source(channel)
    source.begin()
    source.send(1)
    edge = await edge_of(start, house)
    viewer = await edge.join()
    await viewer.until_media()
    await viewer.until("viewers", count=1)
    at_edge = edge.hub.channel(SHOW)
    before = at_edge.stats.frames
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    source.send(1)
    await viewer.until("chat", id=1)
    await viewer.until_media()
    assert at_edge.stats.frames - before == 1


async def test_fetched_once(house: House, start: Start) -> None:
    """However many join an edge at once, the studio has one more receiver."""
    channel = house.open()
    edge = await edge_of(start, house)
    viewers = await asyncio.gather(*(edge.join() for _ in range(20)))
    for viewer in viewers:
        await viewer.until("welcome")
    assert len(channel.receivers()) == 1
    await true(lambda: channel.presence.total == 20)
    for viewer in viewers[5:]:
        await viewer.socket.close()
    await true(lambda: channel.presence.total == 5)


async def test_single_use_across_hubs(house: House, start: Start) -> None:
    """An edge's ticket passes once even at two edges of one name, and never at the studio."""
    house.open()
    first, second = await edge_of(start, house), await edge_of(start, house)
    ticket = first.ticket("ann")
    await (await first.join(ticket=ticket)).until("welcome")
    assert await (await second.join(ticket=ticket)).closed() == 4001
    assert await (await first.join(ticket=ticket)).closed() == 4001
    assert await (await house.join(ticket=first.ticket("ann"))).closed() == 4001


async def test_personal_events_through_an_edge(house: House, start: Start) -> None:
    """An owner's events go to the edge only while the owner is there, and from it to the owner alone, in order."""
    channel = house.open()
    edge = await edge_of(start, house)
    ann, ben = await edge.join("ann"), await edge.join("ben")
    for viewer in (ann, ben):
        await viewer.until("welcome")
    peer = channel.receivers()[0]
    channel.entry(1, 0, [(ORDER, {"owner": "ann", "id": "o1", "state": "paid"}), (CHAT, {"id": 1})])
    channel.entry(2, 0, [(ORDER, {"owner": "cyd", "id": "o2", "state": "paid"}), (CHAT, {"id": 2})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=2)
    kinds = [event["type"] for event in ann.events if event["type"] in ("order", "chat")]
    assert kinds == ["order", "chat", "chat"]
    assert [event["id"] for event in ann.of("order")] == ["o1"]
    assert ben.of("order") == []
    assert len(peer.tickets()) == 2
    await ann.socket.close()
    await true(lambda: len(peer.tickets()) == 1)


async def test_resume_at_an_edge(house: House, start: Start) -> None:
    """A viewer of the studio goes on at an edge from its position, personal events too."""
    channel = house.open()
    ann = await house.join("ann")
    await ann.until("welcome")
    for seq in range(1, 11):
        channel.entry(seq, 0, [(CHAT, {"id": seq}), (ORDER, {"owner": "ann", "id": f"o{seq}"})])
    await ann.until("chat", id=10)
    edge = await edge_of(start, house)
    again = await edge.join("ann", after=4, epoch="e1")
    await again.until("chat", id=10)
    assert [event["id"] for event in again.of("chat")] == list(range(5, 11))
    assert [event["id"] for event in again.of("order")] == [f"o{seq}" for seq in range(5, 11)]
    frames = [frame for frame in again.frames if isinstance(frame, EventsFrame)]
    first_order = next(place for place, frame in enumerate(frames) if frame.events[0]["type"] == "order")
    first_chat = next(place for place, frame in enumerate(frames) if frame.events[0]["type"] == "chat")
    assert first_order < first_chat
    assert not again.of("resync")
    lost = await edge.join("ann", after=4, epoch="e0")
    await lost.until("resync")


async def test_joining_an_edge_late(house: House, start: Start) -> None:
    """An edge's snapshot may be older than its position: the events in between come behind the welcome."""
    channel = house.open()
    edge = await edge_of(start, house)
    first = await edge.join()
    await first.until("welcome")
    for seq in range(1, 31):
        channel.entry(seq, 0, [(CHAT, {"id": seq})])
    await first.until("chat", id=30)
    late = await edge.join()
    await late.until("chat", id=30)
    assert late.of("welcome")[0]["seq"] == 0
    assert [event["id"] for event in late.of("chat")] == list(range(1, 31))
    for seq in range(31, 200):
        channel.entry(seq, 0, [(CHAT, {"id": seq})])
    await first.until("chat", id=199)
    at_edge = edge.hub.channel(SHOW)
    await true(lambda: at_edge.snapshot()[0] == 199)


async def test_the_studio_dies_and_comes_back(house: House, start: Start) -> None:
    """Viewers of the edge stay, and go on from where they were once the studio is there again, personal events too."""
    channel = house.open()
    source = Source(channel)
    source.begin()
    source.send(5)
    edge = await edge_of(start, house)
    ann, ben = await edge.join("ann"), await edge.join("ben")
    for viewer in (ann, ben):
        await viewer.until_media()
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    for viewer in (ann, ben):
        await viewer.until("chat", id=1)
    for peer in channel.receivers():
        peer.connection.transport.abort()
    await true(lambda: not channel.receivers())
    channel.entry(2, 0, [(CHAT, {"id": 2}), (ORDER, {"owner": "ann", "id": "o2"})])
    channel.entry(3, 0, [(CHAT, {"id": 3})])
    source.send(5)
    for viewer in (ann, ben):
        await viewer.until("chat", id=3)
        assert [event["id"] for event in viewer.of("chat")] == [1, 2, 3]
        assert not viewer.of("resync")
    assert [event["id"] for event in ann.of("order")] == ["o2"]
    assert not ben.of("order")
    await true(lambda: channel.presence.total == 2)
    source.send(1)
    pictures: list[Fragment] = []
    while not pictures or pictures[-1].sequence < 10:
        await ann.next()
        pictures = [each for frame in ann.frames if isinstance(frame, list) for each in frame if each.track == 1]
    assert [each.sequence for each in pictures] == list(range(11))


async def test_another_studio_takes_over(start: Start) -> None:
    """A new studio with a higher lease brings a resync when its log is another; one with a lower lease is refused."""
    first = await start()
    channel = first.open(epoch="e1", lease=3)
    edge = await edge_of(start, first)
    viewer = await edge.join(ticket=edge.ticket("ann", lease=3))
    await viewer.until("welcome")
    stale, second = await start(name="stale", key=first.key), await start(name="studio-2", key=first.key)
    stale.open(epoch="e9", lease=2)
    edge.bases[0] = stale.base
    await first.hub.stop()
    del channel
    new = second.open(epoch="e2", lease=4, seq=70)
    asked = edge.bases.times
    await true(lambda: edge.bases.times > asked + 1)
    assert not viewer.of("resync")
    edge.bases[0] = second.base
    await viewer.until("resync", epoch="e2")
    new.entry(71, 0, [(CHAT, {"id": 71})])
    await viewer.until("chat", id=71)
    assert [event["epoch"] for event in viewer.of("resync")] == ["e2"]


async def test_the_studio_stays_dead(start: Start) -> None:
    """Without the studio for longer than the edge's patience viewers are told to come back with a new ticket."""
    house = await start()
    house.open()
    edge = await edge_of(start, house)
    edge.edge._patience_s = 0.5
    viewer = await edge.join()
    await viewer.until("welcome")
    await house.hub.stop()
    assert await viewer.closed() == 4011
    await true(lambda: not edge.hub.shows())
    assert await (await edge.join()).closed() == 4011


async def test_the_end_through_an_edge(house: House, start: Start) -> None:
    """The end of a show reaches the viewers of edges as 4010."""
    house.open()
    edge = await edge_of(start, house)
    viewer = await edge.join()
    await viewer.until("welcome")
    house.hub.end(SHOW)
    assert await viewer.closed() == 4010
    assert await (await edge.join()).closed() == 4010


async def test_an_edge_of_an_edge(house: House, start: Start) -> None:
    """A tree: tickets, personal events and counts pass through the edge in between."""
    channel = house.open()
    middle = await edge_of(start, house, name="middle")
    leaf = await edge_of(start, middle, name="leaf")
    ticket = leaf.ticket("ann")
    ann, ben = await leaf.join(ticket=ticket), await middle.join("ben")
    for viewer in (ann, ben):
        await viewer.until("welcome")
    assert await (await leaf.join(ticket=ticket)).closed() == 4001
    await true(lambda: channel.presence.total == 2)
    channel.entry(1, 0, [(ORDER, {"owner": "ann", "id": "o1"}), (CHAT, {"id": 1})])
    for viewer in (ann, ben):
        await viewer.until("chat")
    assert [event["id"] for event in ann.of("order")] == ["o1"]
    assert not ben.of("order")


@pytest.mark.parametrize(
    ("edge", "show", "expires_ms", "key", "good"),
    [
        ("e1", SHOW, 50_000, RELAY_KEY, True),
        ("edge.2@h.example:80", SHOW, 50_000, RELAY_KEY, True),
        ("e1", "other", 50_000, RELAY_KEY, False),
        ("e1", SHOW, 9_000, RELAY_KEY, False),
        ("e1", SHOW, 10**9, RELAY_KEY, False),
        ("e1", SHOW, 50_000, b"x" * 32, False),
    ],
)
def test_relay_tokens(edge: str, show: str, expires_ms: int, key: bytes, good: bool) -> None:
    """An edge's token is for one show, for a minute, by relay.key."""
    token = relay_token(key, edge, show, expires_ms)
    assert relay_edge(RELAY_KEY, token, SHOW, 10_000) == (edge if good else None)
    assert relay_edge(RELAY_KEY, token + "0", SHOW, 10_000) is None
    assert relay_edge(RELAY_KEY, "", SHOW, 10_000) is None
