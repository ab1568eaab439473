"""A relay peer: an edge as its upstream sees it — a receiver of every public frame, once, and of the personal events
of the tags it has shown tickets for.

Law: an edge is trusted with its viewers' count and their presence, not with tags: each needs a ticket signed by `web`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from livesale.hub.channel import Channel
from livesale.hub.connection import MALFORMED, TICKET_REFUSED, HubConnection
from livesale.hub.greeting import Personal
from livesale.hub.outbox import Packet
from livesale.hub.receiver import Receiver
from livesale.hub.tickets import Claims
from livesale.hub.upstream import OwnersPersonal
from livesale.hub.wire import control_frame, events_frame, personal_frame, websocket_binary
from livesale.kernel.events import MUST
from livesale.kernel.refusals import Refusal

if TYPE_CHECKING:
    from livesale.hub.hub import Hub


class Rejoin(msgspec.Struct, tag="rejoin"):
    """Tickets of viewers who were let in over an earlier connection of this edge."""

    tickets: list[str]


class Go(msgspec.Struct, tag="go"):
    """Begin; `after`, `epoch`: where the edge stands."""

    after: int | None = None
    epoch: str | None = None


class Admit(msgspec.Struct, tag="join"):
    """May this viewer in? Answered by `joined` or `refused` with the same number."""

    number: int
    ticket: str
    after: int | None = None
    epoch: str | None = None


class Recall(msgspec.Struct, tag="recall"):
    """Viewers behind an edge of this edge, let in over another hub: answered by `recalled` with what they missed."""

    number: int
    tickets: list[str]
    after: int | None = None
    epoch: str | None = None


class Leave(msgspec.Struct, tag="leave"):
    """One viewer of this tag is gone."""

    tag: str


class Viewers(msgspec.Struct, tag="viewers"):
    """How many watch behind this edge."""

    count: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class KeyWanted(msgspec.Struct, tag="key_wanted"):
    """Someone there needs a key frame."""


class SnapshotWanted(msgspec.Struct, tag="snapshot"):
    """The edge's snapshot is getting old."""


EdgeMessage = Rejoin | Go | Admit | Recall | Leave | Viewers | KeyWanted | SnapshotWanted
_decoder = msgspec.msgpack.Decoder(EdgeMessage)


class RelayPeer(Receiver):
    """One edge's connection for one show."""

    __slots__ = ("_heard_ms", "_hub", "_rejoining", "_tags", "_upstream", "started")

    def __init__(self, hub: Hub, channel: Channel, connection: HubConnection) -> None:
        super().__init__(channel, connection, "", wants_media=True)
        self._hub = hub
        self._upstream = hub.upstream_of(channel.show)
        self._tags: dict[str, tuple[int, str]] = {}  # viewers there, and a ticket of one of them
        self._rejoining: list[str] = []
        self._heard_ms = channel.now_ms()
        self.started = False

    @property
    def counts(self) -> bool:
        """An edge is not a person; its people are told by `viewers`."""
        return False

    def take(self, data: bytes) -> None:
        """One message of the edge."""
        try:
            message = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.connection.finish(MALFORMED, "not a message of this protocol")
            return
        if not (self.started or isinstance(message, Rejoin | Go)):
            self.connection.finish(MALFORMED, "begin with go")
            return
        match message:
            case Rejoin(tickets):
                self._rejoining += tickets
            case Go(after, epoch):
                self._go(after, epoch)
            case Admit():
                self._admit(message)
            case Recall():
                self._recall(message)
            case Leave(tag):
                self._forget(tag)
            case Viewers(count):
                self.channel.presence.edge_says(id(self), count)
            case KeyWanted():
                self.channel.key_wanted()
            case SnapshotWanted():
                self._control(self._snapshot_message())

    def alive(self) -> None:
        """Bytes came."""
        super().alive()
        self._heard_ms = self.channel.now_ms()

    def check(self, now_ms: int) -> None:
        """Once a sweep: an edge that has vanished must not stand in the counts until its socket fills or a minute is over."""
        super().check(now_ms)
        if now_ms - self._heard_ms > self.channel.limits.silent_edge_ms:
            self.connection.transport.abort()

    def send_personal(self, tag: str, seq: int, events: Sequence[bytes], packet: Packet) -> None:
        """An edge gets the tag with the events, and makes its viewers' frame itself."""
        self.send(Packet(websocket_binary(personal_frame(tag, seq, events)), MUST))

    def gone(self) -> None:
        """The edge is gone: so are its viewers and their tags."""
        self.channel.presence.edge_left(id(self))
        for tag, (count, _) in self._tags.items():
            self.channel.fanout.remove_tag(tag, self)
            for _ in range(count):
                self._left(tag)
        self._tags.clear()
        super().gone()

    def tickets(self) -> list[str]:
        """Those of the viewers behind the edge: ours to show upstream."""
        return [ticket for count, ticket in self._tags.values() for _ in range(count)]

    def resync(self) -> None:
        """The channel begins anew: so does the edge."""
        self._control(self._opened(kept_from=self.channel.history.floor))

    def _go(self, after: int | None, epoch: str | None) -> None:
        if self.started:
            self.connection.finish(MALFORMED, "go comes once")
            return
        self.started = True
        tickets, self._rejoining = self._rejoining, []
        self._recall_all(tickets, after, epoch, lambda personal: self._begin(after, epoch, personal))

    def _recall(self, message: Recall) -> None:
        def done(personal: OwnersPersonal) -> None:
            self._control({"type": "recalled", "number": message.number, "personal": personal})

        self._recall_all(message.tickets, message.after, message.epoch, done)

    def _recall_all(
        self, tickets: list[str], after: int | None, epoch: str | None, done: Callable[[OwnersPersonal], None]
    ) -> None:
        """Takes viewers who were let in over another connection or hub; `done` gets what they have missed, which only
        the hub knows where the show lives. From that moment on what is new for them comes here."""
        known = [(claims.tag, ticket) for ticket in tickets if (claims := self._late_claims(ticket)) is not None]

        def recalled(personal: OwnersPersonal) -> None:
            self.channel.flush()  # so that the edge stands where we do when it reads the answer
            for tag, ticket in known:
                if self.connection.is_open():
                    self._remember(tag, ticket)
                else:
                    self._left(tag)
            done(personal)

        if self._upstream is not None and known:
            self._upstream.recall([ticket for _, ticket in known], after, epoch, recalled, self.connection.finish)
        else:
            recalled(self._missed(after, epoch, frozenset(tag for tag, _ in known)))

    def _late_claims(self, ticket: str) -> Claims | None:
        try:
            claims = self._hub.check_ticket(ticket, hub=None, late=True)
        except Refusal:
            return None
        return claims if claims.show == self.channel.show else None

    def _begin(self, after: int | None, epoch: str | None, personal: OwnersPersonal) -> None:
        if not self.connection.is_open():
            return
        channel, history = self.channel, self.channel.history
        resumed = after is not None and epoch == channel.epoch and history.reaches(after)
        frames = [control_frame(self._opened(kept_from=None if resumed else history.floor))]
        if resumed and after is not None:
            frames += [personal_frame(tag, seq, [event]) for tag, seq, event in personal]
            if after < history.head:
                frames.append(events_frame(after, history.head, history.public_since(after)))
        if latest := channel.current.values():
            frames.append(events_frame(channel.sent, channel.sent, latest))
        channel.enter(self, b"".join(map(websocket_binary, frames)))

    def _missed(self, after: int | None, epoch: str | None, tags: frozenset[str]) -> OwnersPersonal:
        """The personal events of `tags` above `after`, as far as they are kept here."""
        channel = self.channel
        if after is None or epoch != channel.epoch or not channel.history.reaches(after):
            return []
        found = channel.history.since(after)
        return [(tag, kept.seq, event) for kept in found for tag, event in kept.personal if tag in tags]

    def _admit(self, message: Admit) -> None:
        def refused(code: int, reason: str) -> None:
            self._control({"type": "refused", "number": message.number, "code": code, "reason": reason})

        try:
            claims = self._hub.check_ticket(message.ticket, hub=None)
        except Refusal as refusal:
            refused(TICKET_REFUSED, refusal.detail)
            return
        if claims.show != self.channel.show:
            refused(TICKET_REFUSED, "This ticket is for another show.")
            return
        self._hub.admit(
            self.channel.show, message.ticket, claims, message.after, message.epoch,
            lambda personal: self._admitted(message, claims, personal), refused,
        )  # fmt: skip

    def _admitted(self, message: Admit, claims: Claims, personal: Personal | None) -> None:
        channel = self.channel
        channel.flush()  # so that the edge stands where we do when it reads the answer
        self._remember(claims.tag, message.ticket)
        if personal is None:
            resumes = message.after is not None and message.epoch == channel.epoch
            kept = resumes and message.after is not None and channel.history.reaches(message.after)
            personal = channel.history.personal_since(message.after or 0, claims.tag) if kept else []
        self._control({"type": "joined", "number": message.number, "personal": personal})

    def _remember(self, tag: str, ticket: str) -> None:
        count, _ = self._tags.get(tag, (0, ""))
        self._tags[tag] = (count + 1, ticket)
        if not count:
            self.channel.fanout.add_tag(tag, self)

    def _forget(self, tag: str) -> None:
        count, ticket = self._tags.pop(tag, (0, ""))
        if count > 1:
            self._tags[tag] = (count - 1, ticket)
        elif count == 1:
            self.channel.fanout.remove_tag(tag, self)
        if count:
            self._left(tag)

    def _left(self, tag: str) -> None:
        if self._upstream is not None:
            self._upstream.left(tag)

    def _opened(self, kept_from: int | None) -> dict[str, Any]:
        channel = self.channel
        message = self._snapshot_message() | {
            "type": "opened",
            "resumed": kept_from is None,
            "lease": channel.lease,
            "broadcast_epoch": channel.broadcast_epoch_ms,
        }
        if kept_from is not None:
            kept = channel.history.since(kept_from)
            message["floor"] = kept_from
            message["kept"] = [[each.seq, list(each.public)] for each in kept if each.public]
        return message

    def _snapshot_message(self) -> dict[str, Any]:
        seq, show = self.channel.snapshot()
        return {
            "type": "snapshot",
            "epoch": self.channel.epoch,
            "seq": seq,
            "head": self.channel.history.head,
            "show": show,
        }

    def _control(self, message: dict[str, Any]) -> None:
        self.send(Packet(websocket_binary(control_frame(message)), MUST))
