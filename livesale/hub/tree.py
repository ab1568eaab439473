"""The tree: the hubs behind this one, as each tells of itself and of those behind it over its link.

Law: what a link has told is gone the moment the link is, so that nobody is sent to a dead edge for longer than it takes
to pass that on; no store is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from livesale.hub.connection import MALFORMED, MOVED, HubConnection
from livesale.hub.wire import control_frame, websocket_binary

MOST_BEHIND = 1_000
SILENT_SWEEPS = 5


class Behind(msgspec.Struct, frozen=True):
    """A hub behind this one: `url` as it listens, `public_url` as browsers reach it (empty: by the page's host name and
    the port of `url`)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    url: Annotated[str, msgspec.Meta(max_length=500)]
    public_url: Annotated[str, msgspec.Meta(max_length=500)]
    viewers: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Told(msgspec.Struct, tag="hubs"):
    """What an edge tells each second: itself, then those behind it."""

    hubs: Annotated[list[Behind], msgspec.Meta(min_length=1, max_length=MOST_BEHIND)]


_decoder = msgspec.msgpack.Decoder(Told)


class Tree:
    """The links of one hub. `changed` is called when a hub has come or gone; `origins` are told downwards."""

    def __init__(self, clock_ms: Callable[[], int], origins: Callable[[], frozenset[str]]) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._clock_ms = clock_ms
        self._origins = origins
        self._told: dict[LinkPeer, list[Behind]] = {}

    def hubs(self) -> list[Behind]:
        """Every hub behind this one, once."""
        return list({hub.name: hub for told in self._told.values() for hub in told}.values())

    def links(self) -> list[LinkPeer]:
        """The edges directly behind this hub."""
        return list(self._told)

    def says(self, link: LinkPeer, hubs: list[Behind]) -> None:
        """A link tells."""
        before = {hub.name for hub in self._told.get(link, ())}
        self._told[link] = hubs
        if before != {hub.name for hub in hubs}:
            self.changed()

    def left(self, link: LinkPeer) -> None:
        """A link is gone; repeated: nothing."""
        if self._told.pop(link, None):
            self.changed()

    def heard(self) -> bytes:
        """The answer to what a link tells: the time, and which pages may join."""
        message = {"type": "heard", "now": self._clock_ms(), "origins": sorted(self._origins())}
        return websocket_binary(control_frame(message))

    def sweep(self) -> None:
        """Once a second: cuts a link that has fallen silent."""
        for link in self.links():
            link.sweep()


class LinkPeer:
    """One edge's link, as its upstream sees it."""

    def __init__(self, tree: Tree, connection: HubConnection) -> None:
        self._tree = tree
        self._connection = connection
        self._silent = 0
        tree.says(self, [])

    def take(self, data: bytes) -> None:
        """What the edge tells."""
        try:
            told = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._connection.finish(MALFORMED, "not a message of this protocol")
            return
        self._tree.says(self, told.hubs)
        self._connection.transport.write(self._tree.heard())

    def sweep(self) -> None:
        """A second has passed."""
        self._silent += 1
        if self._silent > SILENT_SWEEPS:
            self._connection.transport.abort()

    def leave(self) -> None:
        """This hub is about to stop: the edge moves on."""
        self._connection.finish(MOVED, "moved")

    def socket_blocked(self) -> None:
        """Its few bytes wait in the transport; an edge that reads no more falls silent."""

    def socket_ready(self) -> None:
        """They are gone."""

    def alive(self) -> None:
        """Bytes came."""
        self._silent = 0

    def gone(self) -> None:
        """The link is gone."""
        self._tree.left(self)
