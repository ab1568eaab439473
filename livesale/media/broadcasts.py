"""The shows on air in this process: who publishes each, into which ring. The one owner of that map."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal, not_found
from livesale.media.absence import GONE, Absence
from livesale.media.ingest import PeerPublisher
from livesale.media.network import Network
from livesale.media.publisher import ENDED, LIVE, LOST, LOST_AFTER_S, Publisher, PublisherStats
from livesale.media.ring import Ring
from livesale.media.uplink import Uplink, UplinkPublisher

GRACE_S = 60.0

StateCallback = Callable[[str, str], None]


class Session(msgspec.Struct, frozen=True):
    """A WHIP session: its id (unguessable), entity tag and answer."""

    id: str
    etag: str
    answer: str


class Restarted(msgspec.Struct, frozen=True):
    """An ICE restart: the session's new entity tag, and our side as an SDP fragment."""

    etag: str
    fragment: str


class _OnAir:
    """One open show."""

    def __init__(self, ring: Ring, epoch_ms: int, grace_s: float) -> None:
        self.ring = ring
        self.epoch_ms = epoch_ms
        self.absence = Absence(grace_s)
        self.giving_up: asyncio.TimerHandle | None = None
        self.session: Session | None = None
        self.publisher: Publisher | None = None
        self.replaced: deque[str] = deque(maxlen=8)  # sessions that another publisher took the place of
        self.changing = asyncio.Lock()  # one offer at a time: two hosts must not both find the show free


class Broadcasts:
    """Opens and ends shows, lets one publisher at a time into each.

    `on_state(show, "live" | "lost" | "ended")` is called as it happens, `live` first; a takeover by another
    publisher says nothing. `on_host(show, "away" | "back" | "gone")`, to be set, is what viewers are told (absence.py);
    after `grace_s` without a picture the publisher is let go. `now_ms()` is the store's time.
    """

    def __init__(
        self,
        on_state: StateCallback = lambda show, state: None,
        *,
        grace_s: float = GRACE_S,
        network: Network | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.on_host: StateCallback = lambda show, host: None
        self._on_state = on_state
        self._grace_s = grace_s
        self._network = network or Network()
        self._now_ms = now_ms
        self._shows: dict[str, _OnAir] = {}

    def open(self, show: str, epoch_ms: int, *, end_us: int = 0, generation: int = 0) -> Ring:
        """Lets publishers into a show whose broadcast began at `epoch_ms`; returns its ring (the same when
        open).

        A studio taking over hands in the last media time and generation it knows of the studio before it, and
        then waits for that one's host.
        """
        on_air = self._shows.get(show)
        if on_air is None:
            ring = Ring(end_us=end_us, generation=generation)
            on_air = self._shows[show] = _OnAir(ring, epoch_ms, self._grace_s)
            if generation:
                self._tell_host(show, on_air, on_air.absence.expect(_now_s()))
        return on_air.ring

    def links(self) -> str:
        """STUN and TURN servers a publisher may use, as a Link header's value."""
        return self._network.links()

    def ring(self, show: str) -> Ring | None:
        """The ring of an open show."""
        on_air = self._shows.get(show)
        return on_air.ring if on_air else None

    def shows(self) -> list[str]:
        """The open shows."""
        return list(self._shows)

    def stats(self, show: str) -> PublisherStats | None:
        """How the show's publisher is doing; None without one."""
        on_air = self._shows.get(show)
        return on_air.publisher.stats() if on_air and on_air.publisher else None

    async def publish(self, show: str, offer_sdp: str, *, takeover: bool = False) -> Session:
        """A new publisher by WHIP for an open show.

        Refusal `conflict` while another is on air, unless `takeover`; `show_not_live` when the show is not
        open; `malformed`, `not_acceptable` as the offer deserves.
        """
        async with self._entering(show, takeover) as on_air:
            publisher = PeerPublisher(self._network, lambda state: self._told(show, publisher, state))
            answer = await publisher.accept(offer_sdp, on_air.ring, on_air.epoch_ms, self._now_ms())
            await self._replace(show, on_air, publisher)
            on_air.session = Session(random_name(26), _new_etag(), answer)
            return on_air.session

    async def publish_by(
        self, show: str, uplink: Uplink, *, sound: bool, picture: bool, takeover: bool = False
    ) -> UplinkPublisher:
        """A new publisher by WebSocket; refusals as of `publish`."""
        async with self._entering(show, takeover) as on_air:
            publisher = UplinkPublisher(uplink, lambda state: self._told(show, publisher, state))
            publisher.accept(on_air.ring, on_air.epoch_ms, self._now_ms(), sound=sound, picture=picture)
            await self._replace(show, on_air, publisher)
            return publisher

    async def leave(self, show: str, publisher: Publisher) -> None:
        """The publisher is gone; nothing when another has its place."""
        on_air = self._shows.get(show)
        if on_air is not None and on_air.publisher is publisher:
            await self._drop(on_air)
        else:
            await publisher.close()

    async def add_candidates(self, show: str, session: str, fragment: str) -> Restarted | None:
        """Trickled ICE candidates for a session; what to answer when they restart ICE.

        Refusal `superseded` for one that was taken over while on air: its host is not to come back unasked.
        """
        on_air = self._session(show, session)
        assert isinstance(on_air.publisher, PeerPublisher)
        assert on_air.session is not None
        answer = await on_air.publisher.add_candidates(fragment)
        if answer is None:
            return None
        etag = _new_etag()
        on_air.session = msgspec.structs.replace(on_air.session, etag=etag)
        return Restarted(etag, answer)

    def etag(self, show: str, session: str) -> str:
        """The entity tag of a session; Refusal `not_found`."""
        current = self._session(show, session).session
        assert current is not None
        return current.etag

    async def end_session(self, show: str, session: str) -> None:
        """The publisher leaves; the show stays open for another."""
        on_air = self._session(show, session)
        await self._drop(on_air)

    async def close(self, show: str) -> None:
        """Ends a show: its publisher, its ring."""
        on_air = self._shows.pop(show, None)
        if on_air is not None:
            if on_air.giving_up is not None:
                on_air.giving_up.cancel()
            await self._drop(on_air)
            on_air.ring.close()

    async def close_all(self) -> None:
        """Ends every show of this process."""
        for show in self.shows():
            await self.close(show)

    @asynccontextmanager
    async def _entering(self, show: str, takeover: bool) -> AsyncIterator[_OnAir]:
        """One at a time into an open show that is free, or taken over."""
        on_air = self._shows.get(show)
        if on_air is None:
            raise Refusal("show_not_live", "This show has not been started; start it, then publish.")
        async with on_air.changing:
            if on_air.publisher is not None and on_air.publisher.state not in (LOST, ENDED) and not takeover:
                raise Refusal(
                    "conflict",
                    "Someone is already on air in this show. Publish with ?takeover=1 to replace them.",
                )
            yield on_air

    async def _replace(self, show: str, on_air: _OnAir, publisher: Publisher) -> None:
        if on_air.session is not None and on_air.publisher is not None and on_air.publisher.state not in (LOST, ENDED):
            on_air.replaced.append(on_air.session.id)
        previous, on_air.publisher, on_air.session = on_air.publisher, publisher, None
        if previous is not None:
            asyncio.get_running_loop().call_later(LOST_AFTER_S, self._look_for, show, on_air, publisher)
            await previous.close()
        if self._shows.get(show) is not on_air:
            await publisher.close()
            raise Refusal("show_not_live", "The show ended while you were connecting.")

    def _look_for(self, show: str, on_air: _OnAir, publisher: Publisher) -> None:
        """A takeover ends the one on air; when its own picture is not there in time, viewers are told."""
        if self._shows.get(show) is on_air and on_air.publisher is publisher and publisher.state != LIVE:
            self._tell_host(show, on_air, on_air.absence.left(_now_s()))

    def _told(self, show: str, publisher: Publisher, state: str) -> None:
        on_air = self._shows.get(show)
        if on_air is not None and on_air.publisher is not publisher:
            return
        self._on_state(show, state)
        if on_air is not None:
            absence = on_air.absence
            self._tell_host(show, on_air, absence.came() if state == LIVE else absence.left(_now_s()))

    def _tell_host(self, show: str, on_air: _OnAir, host: str | None) -> None:
        if host is None:
            return
        if on_air.giving_up is not None:
            on_air.giving_up.cancel()
            on_air.giving_up = None
        if (deadline_s := on_air.absence.deadline_s) is not None:
            loop = asyncio.get_running_loop()
            on_air.giving_up = loop.call_later(deadline_s - _now_s(), self._give_up, show, on_air)
        self.on_host(show, host)

    def _give_up(self, show: str, on_air: _OnAir) -> None:
        host = on_air.absence.give_up()
        if host == GONE and on_air.publisher is not None:
            on_air.publisher.give_up()
        self._tell_host(show, on_air, host)

    async def _drop(self, on_air: _OnAir) -> None:
        """Its place is free before its connection is closed: whoever takes it meanwhile must not lose it again."""
        publisher = on_air.publisher
        if publisher is not None:
            publisher.give_up()  # tells, so while it still has the place
            on_air.publisher = on_air.session = None
            await publisher.close()

    def _session(self, show: str, session: str) -> _OnAir:
        on_air = self._shows.get(show)
        if on_air is not None and session in on_air.replaced:
            raise Refusal("superseded", "Another publisher has taken this show over.")
        if on_air is None or on_air.session is None or on_air.session.id != session:
            raise not_found("session")
        return on_air


def _new_etag() -> str:
    return f'"{random_name()}"'


def _now_s() -> float:
    return time.monotonic()
