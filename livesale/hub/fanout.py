"""The fan-out: who receives a show here, and the one pass that writes the same bytes to all of them.

Law: this file owns the lists of receivers and their tags; whoever is in `live` has an empty transport, so a write there
is one write(2). A write that stays behind moves its receiver to `waiting` before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from livesale.hub.connection import SHARED_PING
from livesale.hub.outbox import MEDIA, Packet
from livesale.hub.receiver import Receiver
from livesale.hub.wire import events_frame, websocket_binary
from livesale.kernel.events import MUST

Write = Callable[[bytes], None]


class Stats(msgspec.Struct):
    """What the operators see of a channel, since it was made."""

    frames: int = 0
    bytes: int = 0
    skips: int = 0
    slow_closed: int = 0
    joined: int = 0
    resumed: int = 0
    resynced: int = 0


class Fanout:
    """The receivers of one show. `media_until_us`: media time of the last fragment that went to the live ones."""

    def __init__(self) -> None:
        self.stats = Stats()
        self.media_until_us = -1
        self._live: dict[Receiver, Write] = {}
        self._live_without_media: dict[Receiver, Write] = {}
        self._waiting: set[Receiver] = set()
        self._by_tag: dict[str, tuple[Receiver, ...]] = {}

    def receivers(self) -> list[Receiver]:
        """Everyone, edges too."""
        return [*self._live, *self._live_without_media, *self._waiting]

    def add(self, receiver: Receiver) -> None:
        """Takes a receiver in; it waits until its first frames are written."""
        self._waiting.add(receiver)

    def remove(self, receiver: Receiver) -> bool:
        """Takes it out; False when it was not there."""
        if not (self.is_live(receiver) or receiver in self._waiting):
            return False
        self._live.pop(receiver, None)
        self._live_without_media.pop(receiver, None)
        self._waiting.discard(receiver)
        return True

    def is_live(self, receiver: Receiver) -> bool:
        """Whether shared bytes go straight to its socket."""
        return receiver in self._live or receiver in self._live_without_media

    def make_live(self, receiver: Receiver) -> None:
        """Nothing waits for it any more."""
        self._waiting.discard(receiver)
        (self._live if receiver.wants_media else self._live_without_media)[receiver] = receiver.write

    def make_waiting(self, receiver: Receiver) -> None:
        """Something waits for it now."""
        if self._live.pop(receiver, None) is not None:
            receiver.media_until_us = self.media_until_us
            self._waiting.add(receiver)
        elif self._live_without_media.pop(receiver, None) is not None:
            self._waiting.add(receiver)

    def add_tag(self, tag: str, receiver: Receiver) -> None:
        """From now on `receiver` gets the personal events of `tag`."""
        self._by_tag[tag] = (*self._by_tag.get(tag, ()), receiver)

    def remove_tag(self, tag: str, receiver: Receiver) -> None:
        """The contrary."""
        rest = tuple(each for each in self._by_tag.pop(tag, ()) if each is not receiver)
        if rest:
            self._by_tag[tag] = rest

    def with_tag(self, tag: str) -> int:
        """Receivers that get the personal events of `tag`."""
        return len(self._by_tag.get(tag, ()))

    def send(self, packets: Sequence[Packet]) -> None:
        """Hands packets to everyone: one write for each live receiver, the outbox's word for the others."""
        if not packets:
            return
        self.media_until_us = max(self.media_until_us, *(packet.until_us for packet in packets))
        waiting = tuple(self._waiting)
        self._write_all(self._live, packets)
        self._write_all(self._live_without_media, [packet for packet in packets if packet.loss != MEDIA])
        for receiver in waiting:
            if receiver in self._waiting:
                receiver.offer(packets)

    def send_personal(self, tag: str, seq: int, events: Sequence[bytes], sent: int) -> None:
        """Hands one position's personal events to their owner's connections, and to the edges that have any.

        `sent`: where public frames stand, which this one does not move.
        """
        there = self._by_tag.get(tag, ())
        if there:
            packet = Packet(websocket_binary(events_frame(sent, sent, events)), MUST)
            for receiver in there:
                receiver.send_personal(tag, seq, events, packet)

    def ping(self, silent_pings: int) -> None:
        """A ping to everyone; whoever has not answered the last `silent_pings` is cut."""
        for receiver in self.receivers():
            receiver.silent_pings += 1
            if receiver.silent_pings > silent_pings:
                receiver.connection.transport.abort()
            elif receiver.outbox is None or not receiver.outbox.blocked:
                receiver.write(SHARED_PING)

    def _write_all(self, live: dict[Receiver, Write], packets: Sequence[Packet]) -> None:
        if not live or not packets:
            return
        data = packets[0].data if len(packets) == 1 else b"".join([packet.data for packet in packets])
        self.stats.frames += len(live)
        self.stats.bytes += len(live) * len(data)
        for write in tuple(live.values()):
            write(data)
