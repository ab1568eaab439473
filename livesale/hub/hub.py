"""The hub: one process's live connections and the channels they receive, behind one listening socket.

Laws: tickets are refused by close code after the handshake; one object, this one, owns the map of channels; nothing
here waits for a viewer's socket, at a shutdown neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.asyncio.messages import Assembler
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from livesale.hub import connection as codes
from livesale.hub.admission import Join, origin_allowed, read_join, read_relay_show, relay_edge
from livesale.hub.channel import Channel
from livesale.hub.connection import HubConnection
from livesale.hub.greeting import Personal
from livesale.hub.limits import Limits
from livesale.hub.receiver import Receiver
from livesale.hub.relay_peer import RelayPeer
from livesale.hub.seats import Seats
from livesale.hub.tickets import Claims, UsedTickets, verify
from livesale.hub.tree import LinkPeer, Tree
from livesale.hub.upstream import Refused, Upstream
from livesale.hub.wire import RELAY_SUBPROTOCOL, SUBPROTOCOL, control_frame, websocket_binary
from livesale.kernel.refusals import Refusal

ENDED_KEPT = 1_000
STOP_GRACE_S = 2.0

log = logging.getLogger(__name__)
quiet = log.getChild("sockets")
quiet.setLevel(logging.WARNING)  # a line for each viewer, and at `debug` its ticket


def wall_clock_ms() -> int:
    """This machine's clock, for a hub that is given no other."""
    return time.time_ns() // 1_000_000


class Hub:
    """One hub. `name` is what tickets say (`hub`); `origins` are the pages that may join (None: not known yet);
    `tag_of(show, account)` finds the tag of an account (only a studio can); `relay_key` lets edges in.

    `fetch(show)` is what an edge calls for a show it does not have yet, `where(show)` what a studio calls for one that
    another hub has: the address edges reach that one by.
    """

    def __init__(
        self,
        name: str,
        public_key: bytes,
        *,
        origins: frozenset[str] | None = frozenset(),
        clock_ms: Callable[[], int] = wall_clock_ms,
        tag_of: Callable[[str, str], str | None] = lambda show, account: None,
        relay_key: bytes | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self.limits = limits or Limits()
        self.clock_ms = clock_ms
        self.relay_key = relay_key
        self.origins = origins
        self.tree = Tree(lambda: self.clock_ms(), lambda: self.origins or frozenset())
        self.where: Callable[[str], Awaitable[str | None]] | None = None
        self.fetch: Callable[[str], Awaitable[Channel | None]] | None = None
        self._public_key = Ed25519PublicKey.from_public_bytes(public_key)
        self._tag_of = tag_of
        self._channels: dict[str, Channel] = {}
        self._upstreams: dict[str, Upstream] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._used = UsedTickets()
        self._seats = Seats(self.limits.rejoins_per_s, self.limits.longest_spread_ms)
        self._retiring = False
        self._server: Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listens; returns the port."""
        limits = self.limits
        self._no_messages = Assembler()
        self._server = await serve(
            self._connected,
            host,
            port,
            create_connection=HubConnection,
            select_subprotocol=_subprotocol,
            compression=None,
            process_request=self._screen,
            server_header=None,
            ping_interval=None,  # a task and a timer for each viewer; the sweep pings with shared bytes
            max_size=limits.incoming_bytes,
            # Blocked means: the kernel did not take all of it. TLS says so at 64 KiB, and at a limit of 0 without end.
            write_limit=(1, 0) if tls else (0, 0),
            close_timeout=limits.close_ms / 1000,
            backlog=1024,
            ssl=tls,
            logger=quiet,
        )
        self._sweeper = asyncio.create_task(self._sweep())
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, code: int = codes.MOVED) -> None:
        """Closes everyone with `code`, cuts whoever does not answer within two seconds, and stops listening."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close(close_connections=False)
        for connection in list(server.all_connections):
            if isinstance(connection, HubConnection):
                connection.finish(code, "moved")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), STOP_GRACE_S)
        for connection in list(server.all_connections):
            connection.transport.abort()
        await server.wait_closed()

    def channel(self, show: str) -> Channel:
        """The channel of `show`, made when missing."""
        if show not in self._channels:
            self._ended.pop(show, None)
            self._channels[show] = Channel(show, self.limits, self.clock_ms, self._tag_of, self._seats)
        return self._channels[show]

    def connections(self) -> int:
        """Open and closing connections."""
        return len(self._server.all_connections) if self._server is not None else 0

    def shows(self) -> list[str]:
        """The shows this hub has a channel for."""
        return list(self._channels)

    def end(self, show: str) -> None:
        """The show has ended: 4010 for its viewers and for whoever still comes."""
        channel = self._take_away(show)
        self._ended[show] = None
        while len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)
        if channel is not None:
            channel.end()

    def drop(self, show: str) -> None:
        """The show is elsewhere now: 4011 for its viewers, each in its turn."""
        channel = self._take_away(show)
        if channel is not None:
            channel.drain()

    async def retire(self) -> None:
        """This hub is about to stop: nobody is let in any more, and everyone goes elsewhere, each in its turn, with all
        there is until then."""
        self._retiring = True
        for link in self.tree.links():
            link.leave()
        await asyncio.sleep(max((channel.drain() for channel in self._channels.values()), default=0.0))

    def viewers(self) -> int:
        """Viewers of this hub itself, of all shows."""
        return sum(channel.presence.here for channel in self._channels.values())

    def feed(self, show: str, upstream: Upstream) -> Channel:
        """The channel of a show that `upstream` brings; its tickets are judged there."""
        self._upstreams[show] = upstream
        return self.channel(show)

    def stats(self) -> dict[str, dict[str, Any]]:
        """By show: viewers here and in all, positions, and what the fan-out has done since the channel was made."""
        return {
            show: {
                "viewers": channel.presence.total,
                "here": channel.presence.here,
                "head": channel.history.head,
                "epoch": channel.epoch,
                **msgspec.to_builtins(channel.stats),
            }
            for show, channel in self._channels.items()
        }

    def admit(
        self,
        show: str,
        ticket: str,
        claims: Claims,
        after: int | None,
        epoch: str | None,
        done: Callable[[Personal | None], None],
        refused: Refused,
    ) -> None:
        """Spends a ticket where the show lives, and calls `done` (with the owner's missed events, when another hub
        keeps them) or `refused` with a close code: at once, or when the upstream has answered."""
        upstream = self._upstreams.get(show)
        if upstream is not None:
            upstream.admit(ticket, after, epoch, done, refused)
            return
        try:
            self._used.use(claims)
        except Refusal as refusal:
            refused(codes.TICKET_REFUSED, refusal.detail)
            return
        done(None)

    def upstream_of(self, show: str) -> Upstream | None:
        """What brings the show, None where it lives. Who is let in by it must be told gone to it (`left`)."""
        return self._upstreams.get(show)

    def check_ticket(self, ticket: str, *, hub: str | None, late: bool = False) -> Claims:
        """The claims of a good ticket; Refusal."""
        return verify(self._public_key, ticket, hub=hub, now_ms=self.clock_ms(), late=late)

    def _take_away(self, show: str) -> Channel | None:
        upstream = self._upstreams.pop(show, None)
        if upstream is not None:
            upstream.stop()
        return self._channels.pop(show, None)

    def _screen(self, connection: ServerConnection, request: Request) -> Response | None:
        show = read_relay_show(request.path)
        if show is not None and self._edge_of(request, show) is None:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Edges show a token made with relay.key.\n")
        if show is None and read_join(request.path) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "A hub answers at /v1/shows/SHOW.\n")
        return None

    def _edge_of(self, request: Request, show: str) -> str | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.relay_key is None or not token:
            return None
        return relay_edge(self.relay_key, token, show, self.clock_ms())

    async def _connected(self, connection: ServerConnection) -> None:
        assert isinstance(connection, HubConnection)
        assert connection.request is not None
        request = connection.request
        connection.close_ms = self.limits.close_ms
        connection.limit_unsent(self.limits.notsent_lowat_bytes)
        show, join = read_relay_show(request.path), read_join(request.path)
        origin = request.headers.get("Origin")
        connection.slim_down(self._no_messages)
        if self._retiring:
            connection.finish(codes.MOVED, "this hub is about to stop; ask for a new ticket")
        elif show == "":
            connection.listener = LinkPeer(self.tree, connection)
        elif show is not None:
            await self._relay_connected(connection, show)
        elif join is not None:
            await self._viewer_connected(connection, join, origin)
        del request, join
        await connection.wait_closed()

    async def _relay_connected(self, connection: HubConnection, show: str) -> None:
        with connection.unread():  # what it says first waits until somebody listens
            channel = await self._find(show)
        if channel is None or channel.epoch is None:
            if self.where is not None and (base := await self.where(show)) is not None and connection.is_open():
                connection.transport.write(websocket_binary(control_frame({"type": "elsewhere", "hub": base})))
            connection.finish(*self._absent(show))
            return
        connection.protocol.max_message_size = None
        connection.listener = RelayPeer(self, channel, connection)

    async def _viewer_connected(self, connection: HubConnection, join: Join, origin: str | None) -> None:
        if self.origins is None:
            connection.finish(codes.MOVED, "this edge has no upstream yet; ask for a new ticket")
            return
        if not origin_allowed(origin, self.origins):
            connection.finish(codes.ORIGIN_REFUSED, "this page may not join here")
            return
        try:
            claims = self.check_ticket(join.ticket, hub=self.name)
        except Refusal as refusal:
            connection.finish(codes.TICKET_REFUSED, refusal.detail)
            return
        if claims.show != join.show:
            connection.finish(codes.TICKET_REFUSED, "This ticket is for another show.")
            return
        channel = await self._find(join.show)
        if channel is None or channel.epoch is None:
            connection.finish(*self._absent(join.show))
        elif claims.lease != channel.lease:
            self._outrun(join.show, claims.lease)
            connection.finish(codes.MOVED, "another studio has the show; ask for a new ticket")
        elif self._crowded(channel, claims):
            connection.finish(codes.TOO_MANY, "too many connections")
        else:
            self.admit(
                join.show, join.ticket, claims, join.after, join.epoch,
                partial(self._let_in, channel, connection, join, claims), connection.finish,
            )  # fmt: skip

    def _let_in(
        self, channel: Channel, connection: HubConnection, join: Join, claims: Claims, personal: Personal | None
    ) -> None:
        upstream = self._upstreams.get(join.show)
        if not connection.is_open():
            if upstream is not None:
                upstream.left(claims.tag)
            return
        ticket = join.ticket if upstream is not None else ""
        receiver = Receiver(channel, connection, claims.tag, wants_media=join.wants_media, ticket=ticket)
        receiver.on_gone = partial(upstream.left, claims.tag) if upstream is not None else None
        channel.join(receiver, join.after, join.epoch, personal)

    async def _find(self, show: str) -> Channel | None:
        channel = self._channels.get(show)
        if (channel is None or channel.epoch is None) and self.fetch is not None and show not in self._ended:
            channel = await self.fetch(show)
        return channel

    def _outrun(self, show: str, lease: int) -> None:
        """A ticket of another lease came: an edge behind a studio that has lost the show asks anew who has it."""
        upstream = self._upstreams.get(show)
        if upstream is not None:
            upstream.at_least(lease)

    def _absent(self, show: str) -> tuple[int, str]:
        if show in self._ended:
            return codes.SHOW_ENDED, "the show has ended"
        return codes.MOVED, "the show is not here; ask for a new ticket"

    def _crowded(self, channel: Channel, claims: Claims) -> bool:
        if not claims.anonymous and channel.fanout.with_tag(claims.tag) >= self.limits.max_per_tag:
            return True
        return self.viewers() >= self.limits.max_viewers

    async def _sweep(self) -> None:
        since_ping_ms = 0
        while True:
            await asyncio.sleep(self.limits.sweep_ms / 1000)
            since_ping_ms += self.limits.sweep_ms
            ping = since_ping_ms >= self.limits.ping_ms
            since_ping_ms = 0 if ping else since_ping_ms
            self._used.forget(self.clock_ms())
            self.tree.sweep()
            for show, channel in list(self._channels.items()):
                self._sweep_one(show, channel, ping)

    def _sweep_one(self, show: str, channel: Channel, ping: bool) -> None:
        try:
            channel.sweep(ping=ping)
            upstream = self._upstreams.get(show)
            if upstream is None:
                channel.tell_presence()
            else:
                upstream.sweep()
        except Exception:
            log.exception("sweeping show %s failed; the others go on", show)


def _subprotocol(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The one this path speaks; a client that offers none is taken at its word, one that offers only others is not."""
    assert connection.request is not None
    relay = read_relay_show(connection.request.path) is not None
    ours = RELAY_SUBPROTOCOL if relay else SUBPROTOCOL
    if offered and ours not in offered:
        raise NegotiationError(f"this hub speaks {ours}")
    return Subprotocol(ours) if offered else None
