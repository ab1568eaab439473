"""The edge: makes a hub one that is fed by other hubs, and fetches a show once when its first viewer asks for it.

Law: it knows its upstreams' addresses, relay.key and the public half of the tickets' key, and nothing else of the system.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from livesale.hub.channel import Channel
from livesale.hub.hub import Hub
from livesale.hub.link import Bases, Link, Tls, UpstreamClock
from livesale.hub.tree import Behind
from livesale.hub.upstream import Upstream

PATIENCE_S = 10.0
NEWS_TAKES_S = 0.6  # until `web` no longer gives out tickets for an edge that has left


class Edge:
    """Makes `hub` an edge of the upstreams at `bases` (`ws://…`), tried in turn.

    `patience_s`: without the show for longer, viewers get 4011.
    """

    def __init__(
        self,
        hub: Hub,
        bases: Sequence[str],
        relay_key: bytes,
        *,
        patience_s: float = PATIENCE_S,
        tls: Tls = lambda base: None,
    ) -> None:
        self.bases = Bases(bases, tls)
        self._hub = hub
        self._relay_key = relay_key
        self._patience_s = patience_s
        self._fetching: dict[str, Upstream] = {}
        self._link: Link | None = None
        self._clock = UpstreamClock()
        hub.clock_ms = self._clock
        hub.fetch = self.fetch

    async def announce(self, url: str, public_url: str = "") -> None:
        """Tells the upstream of this hub, now and from now on; returns when it has been heard."""
        hub = self._hub
        self._link = Link(
            hub, self.bases, self._relay_key, self._clock, lambda: Behind(hub.name, url, public_url, hub.viewers())
        )
        await self._link.up.wait()

    async def retire(self) -> None:
        """About to stop: nobody is sent here any more, then viewers are sent elsewhere, each in its turn."""
        if self._link is not None:
            await self._link.leave()
            if self._hub.viewers():
                await asyncio.sleep(NEWS_TAKES_S)
        await self._hub.retire()

    async def fetch(self, show: str) -> Channel | None:
        """The channel of `show`, open; None when it could not be had in time."""
        upstream = self._fetching.get(show)
        if upstream is None:
            upstream = Upstream(self._hub, show, self.bases, self._relay_key, self._patience_s)
            self._fetching[show] = upstream
        try:
            await asyncio.wait_for(upstream.ready.wait(), self._hub.limits.admission_ms / 1000)
        except TimeoutError:
            if self._fetching.get(show) is upstream:
                self._hub.drop(show)
            return None
        finally:
            if self._fetching.get(show) is upstream:
                del self._fetching[show]
        return upstream.channel
