"""The edge: fetches a show for its hub when the first viewer with a good ticket asks for it, once for all of them."""

from __future__ import annotations

import asyncio

from livesale.hub.channel import Channel
from livesale.hub.hub import Hub
from livesale.hub.upstream import Resolve, Upstream

PATIENCE_S = 10.0


class Edge:
    """Makes `hub` an edge.

    `resolve(show)` gives the base address of the hub that has the show (`ws://…`), None when nobody has it; it is asked
    anew at every connection. `patience_s`: without the upstream for longer, viewers get 4011.
    """

    def __init__(self, hub: Hub, resolve: Resolve, relay_key: bytes, *, patience_s: float = PATIENCE_S) -> None:
        self._hub = hub
        self._resolve = resolve
        self._relay_key = relay_key
        self._patience_s = patience_s
        self._fetching: dict[str, Upstream] = {}
        hub.fetch = self.fetch

    async def fetch(self, show: str) -> Channel | None:
        """The channel of `show`, open; None when it could not be had in time."""
        upstream = self._fetching.get(show)
        if upstream is None:
            upstream = Upstream(self._hub, show, self._resolve, self._relay_key, self._patience_s)
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
