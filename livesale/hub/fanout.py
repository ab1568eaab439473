"""The fan-out: who receives a show here, and the one pass that writes the same bytes to all of them.

Law: this file owns the lists of receivers and their tags, and a descriptor of each live one's socket, which nobody else
can close: a frame is one write(2) to it, past the transport, which is empty. What the kernel does not take is the
transport's, and its receiver is `waiting` before the pass is over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from livesale.hub.connection import SHARED_PING
from livesale.hub.outbox import MEDIA, Packet
from livesale.hub.receiver import Receiver
from livesale.hub.wire import events_frame, websocket_binary
from livesale.kernel.events import MUST


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
        self._live: dict[Receiver, int] = {}
        self._live_without_media: dict[Receiver, int] = {}
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
        if self._no_longer_live(receiver):
            return True
        if receiver not in self._waiting:
            return False
        self._waiting.discard(receiver)
        return True

    def is_live(self, receiver: Receiver) -> bool:
        """Whether shared bytes go straight to its socket."""
        return receiver in self._live or receiver in self._live_without_media

    def make_live(self, receiver: Receiver) -> None:
        """Nothing waits for it any more."""
        self._waiting.discard(receiver)
        live = self._live if receiver.wants_media else self._live_without_media
        live[receiver] = receiver.connection.own_descriptor()

    def make_waiting(self, receiver: Receiver) -> None:
        """Something waits for it now."""
        if self._no_longer_live(receiver):
            if receiver.wants_media:
                receiver.media_until_us = self.media_until_us
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

    def _no_longer_live(self, receiver: Receiver) -> bool:
        live = self._live if receiver.wants_media else self._live_without_media
        descriptor = live.pop(receiver, None)
        if descriptor is not None and descriptor >= 0:
            os.close(descriptor)
        return descriptor is not None

    def _write_all(self, live: dict[Receiver, int], packets: Sequence[Packet]) -> None:
        if not live or not packets:
            return
        data = packets[0].data if len(packets) == 1 else b"".join([packet.data for packet in packets])
        write, size = os.write, len(data)
        self.stats.frames += len(live)
        self.stats.bytes += len(live) * size
        behind: list[tuple[Receiver, int]] = []
        for receiver, descriptor in live.items():
            try:
                taken = write(descriptor, data) if descriptor >= 0 else 0
            except OSError:  # full, or the connection has ended: the transport finds out which
                taken = 0
            if taken < size:
                behind.append((receiver, taken))
        for receiver, taken in behind:
            receiver.write(data[taken:])
