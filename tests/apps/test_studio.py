"""Studios on one store, with the tickets `web` gives: who holds a show, and who only thinks so."""

from __future__ import annotations

import asyncio

import pytest

from livesale.apps.doors import WebDoors
from livesale.apps.presence import HubSeen
from livesale.apps.reactions import REACTIONS
from livesale.apps.wiring import Wiring
from livesale.hub import link
from livesale.hub.edge import Edge
from livesale.hub.hub import Hub
from livesale.hub.limits import Limits
from livesale.hub.wire import decode
from livesale.media.ring import MAX_BATCH_MS, MIN_BATCH_MS, Fragment
from livesale.shows.model import Show
from tests.apps.studios import CALL, PATIENCE_S, first_or_code, holds, join, notices_of, ring_of, studios

QUICK = Limits(sweep_ms=50)


async def test_a_studio_that_has_lost_the_show_gets_no_new_viewers(wiring: Wiring, show: Show) -> None:
    """Tickets carry the lease the shelf has; a studio frozen through its lease's end refuses them, its successor not."""
    async with studios(wiring, "one", "two") as (one, two):
        await one.start()
        lease = await holds(one, show.id)
        assert await first_or_code(await join(wiring, show.id, "one")) == "welcome"

        await one.freeze()
        await wiring.store.ask("DEL", f"{{show:{show.id}}}:lease")  # what three seconds do
        await two.start()
        assert await holds(two, show.id) > lease

        assert await first_or_code(await join(wiring, show.id, "one")) == 4011
        assert await first_or_code(await join(wiring, show.id, "two")) == "welcome"


async def test_reactions_reach_the_viewers(wiring: Wiring, show: Show) -> None:
    """What is posted as a reaction comes out at the hub that has the show: counted, as an event that may be dropped."""
    doors = WebDoors(wiring)
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        viewer = await join(wiring, show.id, "one")
        assert await first_or_code(viewer) == "welcome"
        async with asyncio.timeout(PATIENCE_S):
            while not (await wiring.store.ask("PUBSUB", "NUMSUB", REACTIONS))[1]:
                await asyncio.sleep(0.01)
            await wiring.store.ask("PUBLISH", REACTIONS, b"not a reaction")
            await doors.react("another0000", "heart")
            await asyncio.gather(*(doors.react(show.id, "heart") for _ in range(50)))
            seen: list[dict[str, object]] = []
            while sum(int(str(event["count"])) for event in seen) < 50:
                frame = decode(await viewer.recv(decode=False))
                seen += [event for event in getattr(frame, "events", []) if event["type"] == "reaction"]
        assert {(event["kind"], event["loss"]) for event in seen} == {("heart", "may_drop")}
        assert sum(int(str(event["count"])) for event in seen) == 50


async def test_batches_grow_with_the_viewers_behind_every_edge(wiring: Wiring, show: Show) -> None:
    """A show's fragments wait for company as long as its viewers, all edges included, ask for, and no longer when they go."""
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        presence = one.hub.channel(show.id).presence
        ring = await ring_of(one, show.id)
        async with asyncio.timeout(PATIENCE_S):
            presence.edge_says(1, 600)
            presence.edge_says(2, 900)
            while ring.batch_ms != MAX_BATCH_MS:
                await asyncio.sleep(0.01)
            presence.edge_left(1)
            presence.edge_left(2)
            while ring.batch_ms != MIN_BATCH_MS:
                await asyncio.sleep(0.01)


async def test_viewers_hear_that_the_host_is_away(wiring: Wiring, show: Show) -> None:
    """Whoever watches is told that the host is away and back; who joins meanwhile is told too."""
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        viewer = await join(wiring, show.id, "one")
        one.broadcasts.on_host(show.id, "away")
        assert await notices_of(viewer, "host", 1) == ["away"]
        late = await join(wiring, show.id, "one")
        assert await notices_of(late, "host", 1) == ["away"]
        one.broadcasts.on_host(show.id, "back")
        assert await notices_of(viewer, "host", 1) == ["back"]


async def test_edges_are_told_of_by_the_studio_they_are_linked_to(wiring: Wiring, show: Show) -> None:
    """Tickets lead to an edge that knows no store while its link is there, whichever studio has the show, and no longer."""
    async with studios(wiring, "one", "two") as (one, two):
        await one.start()
        await holds(one, show.id)
        await two.start()
        hub = Hub("edge", wiring.settings.key("ticket.pub"), relay_key=b"r" * 32)
        one.hub.relay_key = two.hub.relay_key = b"r" * 32
        edge = Edge(hub, [two.url], b"r" * 32)  # its upstream has not the show, and says who has
        try:
            await edge.announce(f"ws://127.0.0.1:{await hub.start()}")
            assert await first_or_code(await join(wiring, show.id, "edge")) == "welcome"
            assert show.id not in two.hub.shows()
            for one_link in two.hub.tree.links():
                one_link._tree.left(one_link)  # as when its connection breaks
            async with asyncio.timeout(PATIENCE_S):
                while "edge" in {seen.name for seen in await wiring.presence.hubs()}:
                    await asyncio.sleep(0.01)
        finally:
            await edge.retire()
            await hub.stop()


async def test_tickets_are_shared_out_before_hubs_have_counted(wiring: Wiring, show: Show) -> None:
    """A rush within one second goes to all edges alike: tickets given count until their viewers do."""
    now = [HubSeen(name, "edge", f"ws://127.0.0.1:{port}", "", [], viewers)
           for name, port, viewers in (("a", 1, 0), ("b", 2, 0), ("c", 3, 10))]  # fmt: skip
    await wiring.presence.tell([*now, HubSeen("s", "studio", "ws://127.0.0.1:4", "", [show.id], 0)])
    doors = WebDoors(wiring)
    doors._hubs, doors._hubs_at = await wiring.presence.hubs(), float("inf")
    hubs = [(await doors.ticket(show.id, CALL)).hub for _ in range(26)]
    assert [hubs.count(f"ws://127.0.0.1:{port}") for port in (1, 2, 3, 4)] == [12, 12, 2, 0]


async def test_a_hub_with_a_public_address(wiring: Wiring, show: Show) -> None:
    """Browsers are given the public address of a hub that has one, whatever name the page was asked under."""
    public = "wss://live.example/hubs/studio"
    await wiring.presence.tell(
        [HubSeen("s", "studio", "ws://10.0.0.5:4", "", [show.id], 0, public_url=public)]
    )
    assert await WebDoors(wiring).hubs(show.id, CALL) == [public]


async def test_batches_grow_with_the_viewers_of_a_tree(
    wiring: Wiring, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Viewers behind an edge's edge count for the studio's batches, and what it joined arrives joined two edges down."""
    monkeypatch.setattr(link, "TELL_EVERY_S", 0.05)
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        key = one.hub.relay_key = b"r" * 32
        hubs = [Hub(name, wiring.settings.key("ticket.pub"), relay_key=key, limits=QUICK) for name in ("middle", "leaf")]
        bases = [f"ws://127.0.0.1:{await hub.start()}" for hub in hubs]
        middle, leaf = (Edge(hub, [base], key) for hub, base in zip(hubs, [one.url, bases[0]], strict=True))
        try:
            await middle.announce(bases[0])
            await leaf.announce(bases[1])
            viewer = await join(wiring, show.id, "leaf")
            assert await first_or_code(viewer) == "welcome"
            ring = await ring_of(one, show.id)
            async with asyncio.timeout(PATIENCE_S):
                hubs[1].channel(show.id).presence.here += 1_500
                while ring.batch_ms != MAX_BATCH_MS:
                    await asyncio.sleep(0.01)
                video = [Fragment(1, number == 0, 0, number, number * 33_333, b"picture") for number in range(3)]
                one.hub.channel(show.id).media(video)
                while not isinstance(frame := decode(await viewer.recv(decode=False)), list):
                    pass
                assert frame == video
                hubs[1].channel(show.id).presence.here -= 1_500
                while ring.batch_ms != MIN_BATCH_MS:
                    await asyncio.sleep(0.01)
        finally:
            for edge, hub in ((leaf, hubs[1]), (middle, hubs[0])):
                await edge.retire()
                await hub.stop()
