"""Studios on one store, with the tickets `web` gives: who holds a show, and who only thinks so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from livesale.apps.air import read_air
from livesale.apps.doors import WebDoors
from livesale.apps.keys import make_keys
from livesale.apps.presence import HubSeen
from livesale.apps.reactions import REACTIONS
from livesale.apps.studio import Studio
from livesale.apps.wiring import Wiring
from livesale.hub import link
from livesale.hub.edge import Edge
from livesale.hub.hub import Hub
from livesale.hub.limits import Limits
from livesale.hub.tickets import verify
from livesale.hub.wire import EventsFrame, decode
from livesale.kernel.actor import Actor
from livesale.kernel.ids import shelf
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import Call
from livesale.media.broadcasts import Broadcasts
from livesale.media.frames import VIDEO
from livesale.media.ring import MAX_BATCH_MS, MIN_BATCH_MS, Fragment, Init, Ring
from livesale.settings import load_settings
from livesale.shows.model import Show
from livesale.shows.service import LEASE, whip_token
from livesale.store.record import version
from livesale.store.valkey import Store
from tests.media.host import Host
from tests.media.test_packager import Taken
from tests.media.test_recording import record
from tests.media.test_uplink import KEY, message
from tests.support.valkey import ValkeyProcess

HOST = Actor("host000000", frozenset({"host"}))
CALL = Call(None, {}, host="127.0.0.1:8080")
PATIENCE_S = 20
QUICK = Limits(sweep_ms=50)


@pytest.fixture
async def wiring(tmp_path: Path, valkey: ValkeyProcess, store: Store) -> AsyncIterator[Wiring]:
    """What a process works with, on the session's store."""
    make_keys(tmp_path)
    async with Wiring(load_settings(tmp_path, {"valkey_url": valkey.url})) as wired:
        yield wired


@pytest.fixture
async def show(wiring: Wiring) -> Show:
    """A live show."""
    made = await wiring.shows.create(HOST, "Fenced", "shop", "EUR", None)
    return await wiring.shows.move(HOST, made.id, "start")


class Process:
    """A studio's process: `freeze` leaves its sockets open and lets it do nothing more, as a stopped process would."""

    def __init__(self, wiring: Wiring, name: str) -> None:
        self.hub = Hub(name, wiring.settings.key("ticket.pub"), clock_ms=wiring.store.now_ms)
        self._wiring = wiring
        self._name = name

    async def start(self) -> None:
        self.url = f"ws://127.0.0.1:{await self.hub.start()}"
        self.broadcasts = Broadcasts()
        self.studio = Studio(self._wiring, self.hub, self.broadcasts, self._name, (self.url, ""))
        self._work = asyncio.create_task(self.studio.run())

    async def freeze(self) -> None:
        self._work.cancel()
        await asyncio.wait([self._work])

    async def stop(self) -> None:
        await self.freeze()
        await self.hub.stop()


@asynccontextmanager
async def studios(wiring: Wiring, *names: str) -> AsyncIterator[list[Process]]:
    """Processes that are stopped afterwards; start them when it is their turn."""
    async with AsyncExitStack() as stack:
        made = [Process(wiring, name) for name in names]
        for process in made:
            stack.push_async_callback(process.stop)
        yield made


async def holds(process: Process, show: str) -> int:
    """Waits until the studio holds the show; its lease."""
    async with asyncio.timeout(PATIENCE_S):
        while show not in process.hub.shows() or process.hub.channel(show).epoch is None:
            await asyncio.sleep(0.01)
    return process.hub.channel(show).lease


async def ring_of(process: Process, show: str) -> Ring:
    """The show's ring, once there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while (ring := process.broadcasts.ring(show)) is None:
            await asyncio.sleep(0.01)
    return ring


async def join(wiring: Wiring, show: str, at: str) -> ClientConnection:
    """A viewer with a ticket for the hub named `at`."""
    doors = WebDoors(wiring)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            given = await doors.ticket(show, CALL)
            claims = verify(wiring.settings.key("ticket.pub"), given.ticket, hub=None, now_ms=wiring.store.now_ms())
            if claims.hub == at:
                break
            await asyncio.sleep(0.01)
    held = (await wiring.store.read(shelf("show", show), LEASE))[LEASE]
    assert claims.lease == version(held)
    return await connect(f"{given.hub}/v1/shows/{show}?ticket={given.ticket}", max_size=None, proxy=None)


async def first_or_code(socket: ClientConnection) -> str | int:
    """The type of the first event, or the close code."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            frame = decode(await socket.recv(decode=False))
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code
    assert isinstance(frame, EventsFrame)
    return str(frame.events[0]["type"])


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


async def test_a_takeover_goes_on_behind_what_was_recorded(wiring: Wiring, show: Show) -> None:
    """A studio that takes a show over begins a second behind the last part on disk, which the one before may have lost."""
    ring = Taken()
    Host(ring).run(3)
    ring.packager.finish()
    record(wiring.settings.recordings_folder / show.id, ring.parts)
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        assert (await ring_of(one, show.id)).end_us == ring.parts[-1].end_us + 1_000_000


async def notices_of(viewer: ClientConnection, about: str, count: int) -> list[str]:
    """The next `count` values of a notice about something."""
    found: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            frame = decode(await viewer.recv(decode=False))
            events = frame.events if isinstance(frame, EventsFrame) else []
            found += [event[about] for event in events if event["type"] == "notice" and event["about"] == about]
    return found


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


async def test_a_studio_that_takes_over_goes_on_behind_what_was_sent(wiring: Wiring, show: Show) -> None:
    """Media time and generations only grow over studios: edges and players drop what does not; the host is missed."""
    async with studios(wiring, "one", "two") as (one, two):
        await one.start()
        await holds(one, show.id)
        ring = await ring_of(one, show.id)
        ring.put_init(Init(VIDEO, 7, "video/mp4", b"init"))
        ring.put(Fragment(VIDEO, True, 7, 0, 9_000_000_000, b"key"), 9_000_040_000)
        async with asyncio.timeout(PATIENCE_S):
            while await read_air(wiring.store, show.id) == (0, 0):
                await asyncio.sleep(0.01)
        await one.freeze()
        await wiring.store.ask("DEL", f"{{show:{show.id}}}:lease")
        await two.start()
        await holds(two, show.id)
        after = await ring_of(two, show.id)
        assert (after.end_us, after.generation) > (9_000_040_000, 7)
        assert after.generation > 7
        assert await notices_of(await join(wiring, show.id, "two"), "host", 1) == ["away"]

        await wiring.shows.move(HOST, show.id, "end")
        async with asyncio.timeout(PATIENCE_S):
            while await read_air(wiring.store, show.id) != (0, 0):
                await asyncio.sleep(0.01)


class Page:
    """A host's page without UDP; `gone` once its socket is closed by the studio."""

    gone = False

    def tell(self, message: dict[str, object]) -> None:
        """Nobody reads it."""

    async def hang_up(self) -> None:
        self.gone = True


async def test_a_studio_that_stops_sends_everyone_on(wiring: Wiring, show: Show) -> None:
    """Its host is hung up on at once and finds the next studio, which has the show already; its viewers read that the host
    is away, then 4011; and nobody is sent to it any more."""
    async with studios(wiring, "one", "two") as (one, two):
        await one.start()
        lease = await holds(one, show.id)
        await two.start()
        assert await one.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
        page = Page()
        publisher = await one.broadcasts.publish_by(show.id, page, sound=False, picture=True)
        publisher.take(message(VIDEO, 1_000_000, KEY))
        sent = await ring_of(one, show.id)
        viewer = await join(wiring, show.id, "one")
        assert await first_or_code(viewer) == "welcome"

        await one.freeze()  # as SIGTERM begins
        await one.studio.retire()
        assert page.gone
        with pytest.raises(Refusal) as refused:
            await one.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
        assert refused.value.code == "store_unavailable"
        assert await notices_of(viewer, "host", 1) == ["away"]
        await one.hub.retire()
        assert await first_or_code(viewer) == 4011
        assert await holds(two, show.id) > lease
        async with asyncio.timeout(PATIENCE_S):
            while (there := await wiring.presence.studio_of(show.id)) is None:
                await asyncio.sleep(0.01)
        assert there.name == "two"
        goes_on = await ring_of(two, show.id)
        assert (goes_on.end_us, goes_on.generation) > (sent.end_us, sent.generation)
        assert goes_on.generation > sent.generation
        assert await first_or_code(await join(wiring, show.id, "two")) == "welcome"


async def test_a_host_is_not_turned_away_while_its_show_changes_studios(wiring: Wiring, show: Show) -> None:
    """The right token at a studio that does not have the show yet is "try again"; the wrong one is no, there too."""
    elsewhere = "elsewhere0"
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        assert await one.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
        assert not await one.studio.may_publish(elsewhere, "other")
        with pytest.raises(Refusal) as refused:
            await one.studio.may_publish(elsewhere, whip_token(wiring.tag_key, elsewhere))
        assert (refused.value.code, refused.value.retry_after_s) == ("store_unavailable", 1)
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
