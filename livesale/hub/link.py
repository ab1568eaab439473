"""The link: how an edge finds its upstream, and what they tell each other about themselves.

Law: one list of addresses, tried in turn, for the link and for every show: where the link ends, all move on. The edge
keeps no clock and no list of pages of its own: it goes by those of its upstream.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from livesale.hub.admission import RELAY_TOKEN_LIFE_MS, relay_token
from livesale.hub.tree import Behind
from livesale.hub.wire import RELAY_SUBPROTOCOL, MalformedFrame, decode, packed

if TYPE_CHECKING:
    from livesale.hub.hub import Hub

TELL_EVERY_S = 1.0
HEARD_WITHIN_S = 3.0
OPEN_WITHIN_S = 2.0
PING_S = 2.0
PONG_WITHIN_S = 4.0
RETRY_S = 0.2
MAX_FRAME_BYTES = 64 << 20

Tls = Callable[[str], "ssl.SSLContext | None"]

log = logging.getLogger(__name__)
quiet = log.getChild("sockets")
quiet.setLevel(logging.WARNING)  # its debug lines have tokens in them


class Bases:
    """Upstreams' addresses (`ws://…`), the one in use first. `tls(base)`: how it is verified, None for the usual way."""

    def __init__(self, bases: Sequence[str], tls: Tls = lambda base: None) -> None:
        if not bases:
            raise ValueError("an edge needs an upstream")
        self.all = list(bases)
        self.tls = tls

    def at(self, turn: int) -> str:
        """The address to try in this turn, from 0."""
        return self.all[turn % len(self.all)]

    def failed(self, base: str) -> None:
        """`base` does not answer: it comes last from now on."""
        if base == self.all[0]:
            self.all.append(self.all.pop(0))


class UpstreamClock:
    """The upstream's time in ms, by this machine's clock and what the upstream last said of its own."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def heard(self, now_ms: int, trip_s: float) -> None:
        """The upstream's clock stood at `now_ms` within a round trip of `trip_s`."""
        self._ahead_ms = now_ms + int(trip_s * 500) - time.time_ns() // 1_000_000


def dial(hub: Hub, base: str, show: str, relay_key: bytes, tls: ssl.SSLContext | None) -> connect:
    """A connection to an upstream: for a show, or (without one) the link."""
    token = relay_token(relay_key, hub.name, show, hub.clock_ms() + RELAY_TOKEN_LIFE_MS)
    return connect(
        f"{base.rstrip('/')}/v1/relay/{show}".rstrip("/"),
        subprotocols=[Subprotocol(RELAY_SUBPROTOCOL)],
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        max_size=MAX_FRAME_BYTES,
        proxy=None,
        ssl=tls,
        open_timeout=OPEN_WITHIN_S,
        ping_interval=PING_S,
        ping_timeout=PONG_WITHIN_S,
        close_timeout=1,
        logger=quiet,
    )


class Link:
    """Tells the upstream who is here. `up` is set while it has been heard; `itself()` is this hub as it is now."""

    def __init__(
        self, hub: Hub, bases: Bases, relay_key: bytes, clock: UpstreamClock, itself: Callable[[], Behind]
    ) -> None:
        self.up = asyncio.Event()
        self._hub = hub
        self._bases = bases
        self._relay_key = relay_key
        self._clock = clock
        self._itself = itself
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        hub.tree.changed = self._news.set

    async def leave(self) -> None:
        """The upstream tells nobody of this hub any more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            base = self._bases.at(0)
            try:
                async with dial(self._hub, base, "", self._relay_key, self._bases.tls(base)) as socket:
                    while True:
                        await self._tell(socket)
            except (OSError, WebSocketException, TimeoutError, MalformedFrame) as error:
                log.warning("%s is lost as an upstream: %s", base, error)
            except Exception:  # an edge nobody knows of serves nobody
                log.exception("the link to %s failed", base)
            finally:
                self.up.clear()
            self._bases.failed(base)
            await asyncio.sleep(RETRY_S)

    async def _tell(self, socket: ClientConnection) -> None:
        """One round: who is here, the answer, and a second's rest unless somebody comes or goes."""
        self._news.clear()
        asked_s = time.monotonic()
        await socket.send(packed({"type": "hubs", "hubs": [self._itself(), *self._hub.tree.hubs()]}))
        async with asyncio.timeout(HEARD_WITHIN_S):
            answer = decode(await socket.recv(decode=False))
        if not isinstance(answer, dict) or answer.get("type") != "heard":
            raise MalformedFrame("not the answer to a link")
        self._clock.heard(answer["now"], time.monotonic() - asked_s)
        self._hub.origins = frozenset(answer["origins"])
        self.up.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), TELL_EVERY_S)
