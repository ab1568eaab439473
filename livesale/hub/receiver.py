"""A receiver: one viewer of a channel, from the moment it is let in.

Law: while its socket takes everything it is `live` and the channel writes shared bytes to it directly; from the first
bytes that stay behind an outbox decides, until nothing waits and no media is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from livesale.hub.connection import FLOOD, MALFORMED, TOO_SLOW, HubConnection
from livesale.hub.outbox import MEDIA, Outbox, Packet, Verdict
from livesale.hub.wire import MalformedFrame, decode_viewer_message

if TYPE_CHECKING:
    from livesale.hub.channel import Channel


class Receiver:
    """One viewer. `media_until_us`: media time it has been given up to when it was last not live."""

    __slots__ = (
        "channel",
        "connection",
        "media_until_us",
        "messages",
        "on_gone",
        "outbox",
        "seat",
        "silent_pings",
        "tag",
        "ticket",
        "wants_media",
        "write",
    )

    def __init__(
        self, channel: Channel, connection: HubConnection, tag: str, *, wants_media: bool, ticket: str = ""
    ) -> None:
        self.channel = channel
        self.connection = connection
        self.write: Callable[[bytes], None] = connection.writer()
        self.tag = tag
        self.ticket = ticket
        self.wants_media = wants_media
        self.media_until_us = -1
        self.messages = 0
        self.silent_pings = 0
        self.seat = -1
        self.on_gone: Callable[[], None] | None = None
        self.outbox: Outbox | None = self._new_outbox()
        self.outbox.hole = wants_media

    @property
    def counts(self) -> bool:
        """Whether it is a person."""
        return True

    def send(self, packet: Packet) -> None:
        """Hands one packet over in its order."""
        if self.channel.fanout.is_live(self):
            self.write(packet.data)
        else:
            self.offer((packet,))

    def send_personal(self, tag: str, seq: int, events: Sequence[bytes], packet: Packet) -> None:
        """Hands over its owner's events; `packet` is their viewer frame, shared by the owner's connections."""
        self.send(packet)

    def tickets(self) -> list[str]:
        """What an edge shows a new upstream for those it has let in."""
        return [self.ticket] if self.ticket else []

    def resync(self) -> None:
        """The channel begins anew."""
        self.send(self.channel.resync_for(self))

    def offer(self, packets: Sequence[Packet]) -> None:
        """Takes packets while not live: queued behind what waits, written when nothing does."""
        outbox = self.outbox
        assert outbox is not None, "whoever is not live has an outbox"
        for packet in packets:
            if packet.loss == MEDIA and not self.wants_media:
                continue
            if outbox.blocked or outbox:
                self._queue(outbox, packet)
            elif packet.loss != MEDIA:
                self.write(packet.data)
        if not outbox.blocked:
            self.pump()

    def pump(self) -> None:
        """Writes what waits for as long as the socket takes it, then goes live unless media is owed."""
        outbox = self.outbox
        assert outbox is not None, "whoever is not live has an outbox"
        while not outbox.blocked:
            packet = outbox.pop()
            if packet is not None:
                self.media_until_us = max(self.media_until_us, packet.until_us)
                self.write(packet.data)
            elif outbox.hole and (start := self.channel.start_for(self)) is not None:
                outbox.hole = False
                self.media_until_us = self.channel.group.until_us
                self.write(start)
            elif outbox.latest_owed:
                outbox.latest_owed = False
                self.write(self.channel.latest_now())
            elif outbox.hole:
                return
            else:
                self.channel.fanout.make_live(self)
                return

    def socket_blocked(self) -> None:
        """The transport did not hand all of it to the kernel."""
        if self.outbox is None:
            self.outbox = self._new_outbox()
        self.outbox.socket_blocked(self.channel.now_ms())
        self.channel.fanout.make_waiting(self)

    def socket_ready(self) -> None:
        """The transport holds nothing any more."""
        if self.outbox is not None:
            self.outbox.blocked = False
            self.pump()

    def check(self, now_ms: int) -> None:
        """Once a sweep: closes who has been behind for too long, forgets that someone was."""
        self.messages = 0
        outbox, limits = self.outbox, self.channel.limits
        if outbox is None:
            return
        if outbox.too_slow(now_ms, limits.too_slow_ms, limits.settled_ms):
            self.close_too_slow()
        elif self.channel.fanout.is_live(self) and outbox.caught_up(now_ms, limits.settled_ms):
            self.outbox = None

    def close_too_slow(self) -> None:
        """Ends it with 4008."""
        self.channel.stats.slow_closed += 1
        self.connection.finish(TOO_SLOW, "too slow")

    def take(self, data: bytes) -> None:
        """A message: well-formed ones are a sign of life and no more."""
        self.messages += 1
        if self.messages > self.channel.limits.incoming_per_sweep:
            self.connection.finish(FLOOD, "too many messages")
            return
        try:
            decode_viewer_message(data)
        except MalformedFrame:
            self.connection.finish(MALFORMED, "not a message of this protocol")

    def alive(self) -> None:
        """Bytes came."""
        self.silent_pings = 0

    def gone(self) -> None:
        """The connection ends."""
        self.channel.leave(self)
        if self.on_gone is not None:
            self.on_gone()

    def _queue(self, outbox: Outbox, packet: Packet) -> None:
        verdict = outbox.offer(packet, self.channel.now_ms())
        if verdict is Verdict.SKIPPED:
            self.channel.stats.skips += 1
        elif verdict is Verdict.OVERFLOW:
            self.close_too_slow()

    def _new_outbox(self) -> Outbox:
        limits = self.channel.limits
        return Outbox(budget_us=limits.budget_ms * 1000, max_must_bytes=limits.must_bytes)
