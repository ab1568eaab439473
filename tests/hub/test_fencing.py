"""A studio that has lost a show without knowing it gets no new viewers: tickets carry the number of the lease."""

from __future__ import annotations

from tests.hub.conftest import Start
from tests.hub.test_relay import edge_of
from tests.hub.viewers import CHAT


async def test_a_hub_that_has_lost_the_show(start: Start) -> None:
    """Of two studios of one name the one whose lease is over refuses today's tickets, the other yesterday's."""
    old = await start()
    new = await start(key=old.key)
    old.open(lease=7)
    new.open(lease=9)
    assert await (await old.join(ticket=old.ticket(lease=9))).closed() == 4011
    await (await new.join(ticket=old.ticket(lease=9))).until("welcome")
    assert await (await new.join(ticket=old.ticket(lease=7))).closed() == 4011


async def test_an_edge_behind_a_hub_that_has_lost_the_show(start: Start) -> None:
    """The first ticket of the new lease sends the edge to the new studio, and its viewers go on there."""
    old = await start()
    new = await start(name="studio-2", key=old.key)
    old.open(lease=7)
    edge = await edge_of(start, old)
    viewer = await edge.join(ticket=edge.ticket(lease=7))
    await viewer.until("welcome")
    edge.bases[0] = new.base
    channel = new.open(epoch="e1", lease=9)
    assert await (await edge.join(ticket=edge.ticket(lease=9))).closed() == 4011
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await viewer.until("chat", id=1)
    await (await edge.join(ticket=edge.ticket(lease=9))).until("welcome")


async def test_an_edge_that_finds_only_the_hub_that_has_lost_the_show(start: Start) -> None:
    """Once it has seen a ticket of the new lease it takes nothing more from the old studio."""
    old = await start()
    channel = old.open(lease=7)
    edge = await edge_of(start, old)
    viewer = await edge.join(ticket=edge.ticket(lease=7))
    await viewer.until("welcome")
    assert await (await edge.join(ticket=edge.ticket(lease=9))).closed() == 4011
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    assert await viewer.closed() == 4011
    assert not viewer.of("chat")
