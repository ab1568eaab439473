"""`livesale studio`: takes hosts' video in (WHIP) and fans it and the shows' events out to viewers.

A show is held by one studio at a time: a lease of three seconds in the store, and a fencing number (the log position
of the commit that took it) that hubs and edges compare.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from aiohttp import web

from livesale.apps.air import forget_air, read_air, write_air
from livesale.apps.captions import captions
from livesale.apps.certificate import certificate_of
from livesale.apps.chat import Texts, opened
from livesale.apps.hubs import hub_url, origins, public_hub_url
from livesale.apps.presence import HubSeen
from livesale.apps.reactions import reactions
from livesale.apps.ready import notify_ready
from livesale.apps.telling import tell
from livesale.apps.wiring import Wiring
from livesale.hub.hub import Hub
from livesale.hub.tickets import viewer_tag
from livesale.kernel.refusals import Refusal
from livesale.media.absence import AWAY
from livesale.media.broadcasts import Broadcasts
from livesale.media.network import Network
from livesale.media.outputs import Outputs, hls_routes
from livesale.media.ring import batch_ms_for
from livesale.media.uplink_door import uplink_routes
from livesale.media.whip import whip_routes
from livesale.ops.presence import write_live
from livesale.settings import Settings, bracketed
from livesale.shows.mirror import Mirror, load_mirror
from livesale.shows.service import whip_token
from livesale.store.log import Entry, LogGap, Tail, read_log
from livesale.store.readers import going_on
from livesale.store.valkey import Store

log = structlog.get_logger(__name__)

LEASE_MS = 3_000
LOOK_EVERY_S = 0.25
TELL_EVERY_S = 1.0
REST_S = 0.01  # in a rush viewers hear of stock a few entries at a time
MOST_RETOLD = 4_000  # log entries a hub is told again when it takes a show over; about what its history keeps
OPEN_STATES = {"draft", "live", "paused"}


@dataclass
class Held:
    """A show this studio holds: its mirror, its hub channel, its fencing number, and where the studio before it was."""

    mirror: Mirror
    channel: Any
    number: int
    before: tuple[int, int]
    unsubscribe: Any
    air_told: bool = False  # the store knows that pictures may have left from here


class Studio:
    """The shows this process holds; owner of the map from show to `Held`."""

    def __init__(self, wiring: Wiring, hub: Hub, broadcasts: Broadcasts, name: str, urls: tuple[str, str]) -> None:
        self._wiring = wiring
        self._store: Store = wiring.store
        self._hub = hub
        self._broadcasts = broadcasts
        self.outputs = Outputs(wiring.settings.recordings_folder)
        self._name = name
        self._seen = HubSeen(name, "studio", urls[0], urls[1], [], 0, public_url=public_hub_url(wiring.settings, "studio"))
        self._held: dict[str, Held] = {}
        self._over: set[str] = set()  # ended shows: nothing begins again on them
        self._tail = Tail(wiring.store, REST_S)
        self._behind: set[str] = set()  # edges that were told of
        self._news = asyncio.Event()
        hub.tree.changed = self._news.set
        hub.where = self.where
        # The address tells studios of one name apart: who finds it in a lease and listens there is its successor.
        self._holder = f"{name} {socket.gethostname()} {urls[0]}"
        broadcasts.on_host = self._tell_of_host

    async def run(self) -> None:
        """Hold shows, follow their logs and tell how they are, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_leases())
            group.create_task(self._follow())
            group.create_task(self._tell())
            group.create_task(self._pass_on_reactions())
            group.create_task(self._pass_on_captions())

    async def may_publish(self, show: str, token: str) -> bool:
        """Whether `token` is the show's WHIP token; opens the show's ring for its publisher."""
        if not hmac.compare_digest(token.encode(), whip_token(self._wiring.tag_key, show).encode()):
            return False
        held = self._held.get(show)
        if held is None:  # it is changing studios: a host that comes back must not take that for a no
            raise Refusal("store_unavailable", "This studio does not have the show yet. Please try again.", retry_after_s=1)
        if held.mirror.show["state"] not in ("live", "paused"):
            raise Refusal("show_not_live", "This show has not been started: start it, then publish.")
        self._open_ring(show, held)
        if (ring := self._broadcasts.ring(show)) and not held.air_told:  # before a picture leaves: we may be killed with it
            await write_air(self._store, show, ring.end_us, ring.generation)
            held.air_told = True
        return True

    async def where(self, show: str) -> str | None:
        """Where edges reach the studio that has a show we do not hold."""
        try:
            seen = await self._wiring.presence.hubs()
        except Refusal:  # the store is away: nobody knows
            return None
        others = [hub for hub in seen if hub.kind == "studio" and show in hub.shows and hub.name != self._name]
        return others[0].public_url or others[0].url if others else None

    async def retire(self) -> None:
        """About to stop: the shows are another studio's at once, and their hosts find it there. Viewers are sent after them
        by the hub (`Hub.retire`), with all that is said until then."""
        with contextlib.suppress(Refusal):
            await self._wiring.presence.forget({self._name})
        for show in list(self._held):
            with contextlib.suppress(Refusal):
                await self._tell_air(show)  # it may have gone on air since it was told last
            await self._give_back(show)
            if self._broadcasts.stats(show) is not None:
                self._tell_of_host(show, AWAY)
        await self._broadcasts.close_all()
        self._held.clear()

    async def _keep_leases(self) -> None:
        while True:
            try:
                for shelf in await self._store.active_shelves():
                    if shelf.startswith("show:"):
                        await self._consider(shelf)
            except Refusal as refusal:
                log.warning("the store does not answer", why=refusal.code)
            except Exception:  # one show's trouble must not end the others
                log.exception("looking after the leases failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _consider(self, shelf: str) -> None:
        show = shelf.removeprefix("show:")
        if show in self._held:
            if not await self._renew(show):
                log.warning("lease lost", show=show)
                await self._let_go(show)
            return
        if show in self._over:
            return
        mirror = await load_mirror(self._store, shelf)
        if mirror is None:
            return
        if mirror.show["state"] not in OPEN_STATES:
            self._over.add(show)
            return
        if not await self._renew(show):
            return
        number = (await self._wiring.shows.take_lease(show, self._name)).seq
        await self._hold(show, number)

    async def _renew(self, show: str) -> bool:
        """Take or prolong the lease; False while another studio has it.

        One that ran out (the store was away) is ours again unless another took it; one of our killed predecessor is
        ours at once.
        """
        if await self._store.ask("SET", _lease_key(show), self._holder, "PX", LEASE_MS, "NX") is not None:
            return True
        holder = await self._store.ask("GET", _lease_key(show))
        if holder is not None and holder.decode() != self._holder:
            return False
        return await self._store.ask("SET", _lease_key(show), self._holder, "PX", LEASE_MS, "XX") is not None

    async def _hold(self, show: str, number: int) -> None:
        mirror = await load_mirror(self._store, f"show:{show}")
        if mirror is None:
            return
        recent = await read_log(self._store, f"show:{show}", max(0, mirror.seq - MOST_RETOLD), MOST_RETOLD)
        texts = await opened(self._wiring.people, recent)
        channel = self._hub.channel(show)
        held = Held(mirror, channel, number, await read_air(self._store, show), None)
        begins = recent[0].seq - 1 if recent else mirror.seq
        began = mirror.epoch or None  # a draft's broadcast has not begun
        channel.open(str(mirror.started), number, mirror.snapshot, seq=begins, broadcast_epoch_ms=began)
        for entry in recent:  # what viewers of a killed studio missed is there when they rejoin
            tell(held.mirror, held.channel, entry, texts)
        self._held[show] = held
        self._news.set()
        if mirror.show["state"] in ("live", "paused"):
            self._open_ring(show, held)
        self._tail.follow(f"show:{show}", mirror.seq)

    def _open_ring(self, show: str, held: Held) -> None:
        if held.unsubscribe is not None:
            return
        end_us, generation = held.before  # as told to the store; what is on disk may be later
        end_us = max(end_us, self.outputs.resume_us(show))
        ring = self._broadcasts.open(show, held.mirror.epoch, end_us=end_us, generation=generation)
        unfollow = held.channel.follow(ring)
        unsubscribe = ring.subscribe(self.outputs.open(show, held.number, held.mirror.epoch).take)
        held.unsubscribe = lambda: (unfollow(), unsubscribe())

    def _tell_of_host(self, show: str, host: str) -> None:
        """Viewers read "back in a moment" over the last picture; who joins meanwhile does too."""
        held = self._held.get(show)
        if held is not None:
            held.channel.latest("notice", "host", {"about": "host", "host": host})

    async def _give_back(self, show: str) -> None:
        with contextlib.suppress(Refusal):  # it ends by itself in three seconds
            await self._store.ask("DEL", _lease_key(show))

    async def _let_go(self, show: str) -> None:
        held = self._held.pop(show, None)
        self._tail.leave(f"show:{show}")
        if held and held.unsubscribe:
            held.unsubscribe()
        await self._broadcasts.close(show)
        self.outputs.drop(show)
        self._hub.drop(show)

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._tail.batches():
                    texts = await opened(self._wiring.people, batch)
                    for entry in batch:
                        await self._apply_or_reopen(entry, texts)
            except LogGap as gap:
                await self._reopen(gap.shelf, str(gap))

    async def _apply_or_reopen(self, entry: Entry, texts: Texts) -> None:
        try:
            await self._apply(entry, texts)
        except Exception as error:  # a hole in one show's history must not be papered over, nor end the others
            log.exception("an entry could not be taken in", shelf=entry.shelf, seq=entry.seq)
            await self._reopen(entry.shelf, repr(error))

    async def _reopen(self, shelf: str, why: str) -> None:
        show = shelf.removeprefix("show:")
        log.error("the show is opened anew", show=show, what=why)
        await self._let_go(show)
        await self._give_back(show)

    async def _apply(self, entry: Entry, texts: Texts) -> None:
        show = entry.shelf.removeprefix("show:")
        held = self._held.get(show)
        if held is None:
            return
        tell(held.mirror, held.channel, entry, texts)
        if held.mirror.show["state"] == "ended":
            self._held.pop(show)
            self._tail.leave(entry.shelf)
            self._over.add(show)
            self._hub.end(show)
            await self._broadcasts.close(show)
            self.outputs.end(show)
            await forget_air(self._store, show)
            await self._give_back(show)
        elif held.mirror.show["state"] == "live":
            self._open_ring(show, held)

    async def _pass_on_reactions(self) -> None:
        async for reaction in reactions(self._store):
            held = self._held.get(reaction.show)
            if held is not None:
                held.channel.react(reaction.kind)

    async def _pass_on_captions(self) -> None:
        async for said in captions(self._store):
            held = self._held.get(said.show)
            if held is not None:
                held.channel.remark("caption", msgspec.structs.asdict(said.cue))
                self.outputs.say(said.show, said.cue)

    async def _tell(self) -> None:
        while True:
            figures = self._hub.stats()
            self._pace(figures)
            self.outputs.look_after()
            with going_on("telling of shows"):
                shows = list(self._held)  # it changes while we wait for the store
                await self._tell_of_hubs(shows, sum(one["viewers"] for one in figures.values()))
                for show in shows:
                    await write_live(self._store, show, self._figures(show, figures.get(show, {})))
                    await self._tell_air(show)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TELL_EVERY_S):
                    await self._news.wait()
            self._news.clear()

    async def _tell_air(self, show: str) -> None:
        if (ring := self._broadcasts.ring(show)) and ring.generation:
            await write_air(self._store, show, ring.end_us, ring.generation)

    async def _tell_of_hubs(self, shows: list[str], viewers: int) -> None:
        """This one, and the edges behind it, who know no store."""
        behind = self._hub.tree.hubs()
        itself = msgspec.structs.replace(self._seen, shows=shows, viewers=viewers)
        edges = [HubSeen(one.name, "edge", one.url, "", [], one.viewers, public_url=one.public_url) for one in behind]
        await self._wiring.presence.tell([itself, *edges])
        names = {one.name for one in behind}
        await self._wiring.presence.forget(self._behind - names)
        self._behind = names

    def _pace(self, figures: dict[str, dict[str, Any]]) -> None:
        for show in self._held:
            ring = self._broadcasts.ring(show)
            if ring is not None:
                ring.batch_ms = batch_ms_for(figures.get(show, {}).get("viewers", 0))

    def _figures(self, show: str, hub: dict[str, Any]) -> dict[str, Any]:
        stats = self._broadcasts.stats(show)
        publisher = msgspec.to_builtins(stats) if stats else {}
        return {
            "viewers": hub.get("viewers", 0),
            "host": publisher.get("state", "waiting"),
            "bitrate_kbps": publisher.get("bitrate_bps", 0) // 1000,
            "fps": round(publisher.get("frames_per_s", 0)),
            "width": publisher.get("width", 0),
            "height": publisher.get("height", 0),
            "media_delay_ms": publisher.get("hub_delay_ms", -1),
            "picture_age_ms": publisher.get("last_frame_ms_ago", -1),
            "key_interval_ms": publisher.get("key_interval_ms", -1),
            "warnings": "; ".join(filter(None, (*publisher.get("warnings", ()), self.outputs.trouble(show)))),
            "studio": self._name,
        }


def _lease_key(show: str) -> str:
    return f"{{show:{show}}}:lease"


def ice_network(settings: Settings) -> Network:
    """How hosts reach this studio by UDP."""
    ice = settings.ice
    return Network(
        loopback=ice.loopback,
        public_ip=ice.public_ip,
        ports=(ice.udp_min, ice.udp_max),
        ice_servers=(*ice.stun, *ice.turn),
        turn_username=ice.turn_username,
        turn_password=ice.turn_password,
    )


async def run(settings: Settings) -> None:
    """Run until cancelled."""
    async with Wiring(settings) as wiring:
        name = settings.instance or "studio"
        tag_key = wiring.tag_key
        hub = Hub(
            name,
            settings.key("ticket.pub"),
            origins=origins(settings),
            clock_ms=wiring.store.now_ms,
            relay_key=settings.key("relay.key"),
            tag_of=lambda show, account: viewer_tag(tag_key, account, show),
        )
        broadcasts = Broadcasts(
            grace_s=settings.hosts.grace_s, network=ice_network(settings), now_ms=wiring.store.now_ms
        )
        certificate = certificate_of(settings)
        port = await hub.start(settings.host, settings.ports.studio, certificate.context if certificate else None)
        url = hub_url(settings, port)
        control = f"http://{bracketed(settings.plain_host)}:{settings.ports.studio_control}"
        studio = Studio(wiring, hub, broadcasts, name, (url, control))
        app = web.Application(client_max_size=256 * 1024)
        app.add_routes(whip_routes(broadcasts, studio.may_publish))
        app.add_routes(hls_routes(studio.outputs))
        app.add_routes(uplink_routes(broadcasts, studio.may_publish))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, settings.plain_host, settings.ports.studio_control).start()
        notify_ready(url, control)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(studio.run())
                if certificate:
                    group.create_task(certificate.watch())
        finally:
            await studio.retire()
            await hub.retire()
            await hub.stop()
            studio.outputs.close()
            await runner.cleanup()


