"""The shows on air in this process: who publishes each, into which ring. The one owner of that map."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal, not_found
from livesale.media.ingest import ENDED, LOST, Publisher, PublisherStats
from livesale.media.network import Network
from livesale.media.ring import Ring

StateCallback = Callable[[str, str], None]


class Session(msgspec.Struct, frozen=True):
    """A WHIP session: its id (unguessable), entity tag and answer."""

    id: str
    etag: str
    answer: str


class _OnAir:
    """One open show."""

    def __init__(self, ring: Ring, epoch_ms: int) -> None:
        self.ring = ring
        self.epoch_ms = epoch_ms
        self.session: Session | None = None
        self.publisher: Publisher | None = None
        self.changing = asyncio.Lock()  # one offer at a time: two hosts must not both find the show free


class Broadcasts:
    """Opens and ends shows, lets one publisher at a time into each.

    `on_state(show, "live" | "lost" | "ended")` is called as it happens, `live` first; a takeover by another
    publisher says nothing. `now_ms()` is the store's time.
    """

    def __init__(
        self,
        on_state: StateCallback = lambda show, state: None,
        *,
        network: Network | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._on_state = on_state
        self._network = network or Network()
        self._now_ms = now_ms
        self._shows: dict[str, _OnAir] = {}

    def open(self, show: str, epoch_ms: int, *, end_us: int = 0, generation: int = 0) -> Ring:
        """Lets publishers into a show whose broadcast began at `epoch_ms`; returns its ring (the same when
        open).

        A studio taking over hands in the last media time and generation it knows from the show's shelf.
        """
        on_air = self._shows.get(show)
        if on_air is None:
            on_air = self._shows[show] = _OnAir(Ring(end_us=end_us, generation=generation), epoch_ms)
        return on_air.ring

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
        """A new publisher for an open show.

        Refusal `conflict` while another is on air, unless `takeover`; `show_not_live` when the show is not
        open; `malformed`, `not_acceptable` as the offer deserves.
        """
        on_air = self._shows.get(show)
        if on_air is None:
            raise Refusal("show_not_live", "This show has not been started; start it, then publish.")
        async with on_air.changing:
            if on_air.publisher is not None and on_air.publisher.state not in (LOST, ENDED) and not takeover:
                raise Refusal(
                    "conflict",
                    "Someone is already on air in this show. Publish with ?takeover=1 to replace them.",
                )
            return await self._replace(show, on_air, offer_sdp)

    async def add_candidates(self, show: str, session: str, fragment: str) -> None:
        """Trickled ICE candidates for a session."""
        on_air = self._session(show, session)
        assert on_air.publisher is not None
        await on_air.publisher.add_candidates(fragment)

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
            await self._drop(on_air)
            on_air.ring.close()

    async def close_all(self) -> None:
        """Ends every show of this process."""
        for show in self.shows():
            await self.close(show)

    async def _replace(self, show: str, on_air: _OnAir, offer_sdp: str) -> Session:
        publisher = Publisher(self._network, lambda state: self._told(show, publisher, state))
        answer = await publisher.accept(offer_sdp, on_air.ring, on_air.epoch_ms, self._now_ms())
        previous, on_air.publisher = on_air.publisher, publisher
        on_air.session = Session(random_name(26), f'"{random_name()}"', answer)
        if previous is not None:
            await previous.close()
        if self._shows.get(show) is not on_air:
            await publisher.close()
            raise Refusal("show_not_live", "The show ended while you were connecting.")
        return on_air.session

    def _told(self, show: str, publisher: Publisher, state: str) -> None:
        on_air = self._shows.get(show)
        if on_air is None or on_air.publisher is publisher:
            self._on_state(show, state)

    async def _drop(self, on_air: _OnAir) -> None:
        if on_air.publisher is not None:
            await on_air.publisher.close()
        on_air.publisher = None
        on_air.session = None

    def _session(self, show: str, session: str) -> _OnAir:
        on_air = self._shows.get(show)
        if on_air is None or on_air.session is None or on_air.session.id != session:
            raise not_found("session")
        return on_air
