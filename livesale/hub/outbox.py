"""The outbox: what waits for one viewer whose socket is not ready, and what of it is given up.

Laws: `must` stays in order, or the viewer is closed; video too far behind is given up as a whole and owed from a key
frame on, never with a hole; `latest` is owed as the values of the moment it can be sent; `may_drop` does not wait.
Pure: no I/O; time is handed in. A viewer that keeps up has no outbox.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec

from livesale.hub.wire import media_frame, websocket_binary
from livesale.kernel.events import LATEST, MAY_DROP, MUST
from livesale.media.ring import Fragment

MEDIA = "media"


class Packet(msgspec.Struct, frozen=True, gc=False):
    """Bytes for the socket that many viewers share, with what may be done to them on the way.

    `loss` is MUST, LATEST, MAY_DROP or MEDIA (fragments and inits). `from_us`, `until_us`: media time of the first and
    last fragment, -1 for an init.
    """

    data: bytes
    loss: str
    from_us: int = -1
    until_us: int = -1


def media_packets(fragments: Sequence[Fragment]) -> Iterator[Packet]:
    """A batch as packets: a key frame begins one of its own, so that one can start there."""
    starts = [place for place, each in enumerate(fragments) if place and each.track == 1 and each.key]
    for begin, end in zip([0, *starts], [*starts, len(fragments)], strict=True):
        part = fragments[begin:end]
        times = [each.time_us for each in part]
        yield Packet(websocket_binary(media_frame(part)), MEDIA, min(times), max(times))


class Verdict(Enum):
    """What became of a packet."""

    KEPT = 1
    DROPPED = 2
    SKIPPED = 3  # the media that waited is gone and owed from a key frame on
    OVERFLOW = 4  # more `must` waits than a viewer is worth: close it


class Outbox:
    """The queue of one viewer.

    `hole`: media is owed from a key frame on. `latest_owed`: current values are owed. `blocked`: the socket has not
    taken what it was last given.
    """

    def __init__(self, *, budget_us: int, max_must_bytes: int) -> None:
        self._budget_us = budget_us
        self._max_must_bytes = max_must_bytes
        self._queue: deque[Packet] = deque()
        self._must_bytes = 0
        self._media_from_us = -1
        self.hole = False
        self.latest_owed = False
        self.blocked = False
        self.behind_since_ms: int | None = None
        self.last_skip_ms: int | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the packets that wait (they are shared with other viewers)."""
        return sum(len(packet.data) for packet in self._queue)

    def offer(self, packet: Packet, now_ms: int) -> Verdict:
        """Takes a packet behind those that wait, or gives it up."""
        if packet.loss == MEDIA:
            return self._offer_media(packet, now_ms)
        if packet.loss == LATEST:
            self.latest_owed = True
            return Verdict.DROPPED
        if packet.loss == MAY_DROP:
            return Verdict.DROPPED
        self._queue.append(packet)
        self._must_bytes += len(packet.data)
        return Verdict.OVERFLOW if self._must_bytes > self._max_must_bytes else Verdict.KEPT

    def pop(self) -> Packet | None:
        """The next packet in order, None when nothing waits."""
        if not self._queue:
            return None
        packet = self._queue.popleft()
        if packet.loss == MUST:
            self._must_bytes -= len(packet.data)
        else:
            self._media_from_us = next((each.from_us for each in self._queue if each.from_us >= 0), -1)
        return packet

    def socket_blocked(self, now_ms: int) -> None:
        """The socket did not take all it was given."""
        self.blocked = True
        if self.behind_since_ms is None:
            self.behind_since_ms = now_ms

    def caught_up(self, now_ms: int, settled_ms: int) -> bool:
        """Whether nothing waits, and nothing has been given up for `settled_ms`; being behind ends then."""
        if self.blocked or self._queue or (self.last_skip_ms is not None and now_ms - self.last_skip_ms < settled_ms):
            return False
        self.behind_since_ms = self.last_skip_ms = None
        return True

    def too_slow(self, now_ms: int, limit_ms: int, settled_ms: int) -> bool:
        """Whether the viewer has been behind for longer than `limit_ms` without a pause of `settled_ms`."""
        if self.behind_since_ms is None or self.caught_up(now_ms, settled_ms):
            return False
        return now_ms - self.behind_since_ms > limit_ms

    def _offer_media(self, packet: Packet, now_ms: int) -> Verdict:
        if self.hole:
            return Verdict.DROPPED
        if self._media_from_us >= 0 and packet.until_us - self._media_from_us > self._budget_us:
            self._skip(now_ms)
            return Verdict.SKIPPED
        self._queue.append(packet)
        if self._media_from_us < 0:
            self._media_from_us = packet.from_us
        return Verdict.KEPT

    def _skip(self, now_ms: int) -> None:
        self._queue = deque(packet for packet in self._queue if packet.loss == MUST)
        self._media_from_us = -1
        self.hole = True
        self.last_skip_ms = now_ms
