"""The jitter buffer: RTP packets in any order in, whole frames in order out, and what to ask the sender
for.

Pure: no I/O, no clock of its own. A frame ends at its marker (or where the timestamp changes). A missing
packet is asked for again and again until it has held up the line for `give_up_us`; then the line goes on
behind the hole, at a complete key frame if one already waits there, and the next frame says `gap`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from livesale.media.frames import Unwrapper

VIDEO_GIVE_UP_US = 250_000
AUDIO_GIVE_UP_US = 60_000
KEY_GIVE_UP_US = 40_000  # with a complete key frame waiting: what lies before it is soon worth nothing
NACK_RETRY_US = 40_000
NACK_LIMIT = 64  # sequence numbers in one request: more is a broken link, and a key frame mends it sooner
MAX_WAITING = 2_048  # packets held behind a hole: 2.4 MB of video
MAX_JUMP = 4_096  # a larger jump in sequence numbers is a restarted sender, not a loss
RESTART_AFTER = 32  # packets in a row from far behind: the sender has started again


class Packet(msgspec.Struct, gc=False):
    """One RTP packet; `sequence` is unwrapped."""

    sequence: int
    rtp_time: int
    marker: bool
    payload: bytes
    arrived_us: int


class Assembled(msgspec.Struct, frozen=True, gc=False):
    """The payloads of one frame in order. `rtp_time` is as sent (32 bit); `gap`: a loss before it."""

    rtp_time: int
    payloads: tuple[bytes, ...]
    arrived_us: int
    gap: bool


class JitterBuffer:
    """Reorders one stream (one SSRC).

    `frame_per_packet`: every packet is a frame (audio). `starts_key(payload)`: a key frame begins with this
    payload.
    """

    def __init__(
        self,
        give_up_us: int,
        *,
        frame_per_packet: bool = False,
        starts_key: Callable[[bytes], bool] = lambda payload: False,
    ) -> None:
        self.lost = 0
        self._give_up_us = give_up_us
        self._frame_per_packet = frame_per_packet
        self._starts_key = starts_key
        self._unwrap = Unwrapper(16)
        self._waiting: dict[int, Packet] = {}
        self._next: int | None = None  # the first sequence number not yet handed on
        self._newest = 0
        self._missing: dict[int, tuple[int, int]] = {}  # sequence → (missed since, asked last)
        self._gap = False
        self._aligned = frame_per_packet  # False: the rest of a frame whose start is lost comes first
        self._far_behind = 0

    def put(self, sequence: int, rtp_time: int, marker: bool, payload: bytes, now_us: int) -> list[Assembled]:
        """Takes one packet (`sequence` 16 bit, `rtp_time` 32 bit); returns the frames it completes."""
        unwrapped = self._unwrap.peek(sequence)
        if self._next is None:
            self._next = self._newest = self._unwrap(sequence)
            self._aligned = True  # a stream's first packet starts a frame as far as anyone knows
        elif unwrapped < self._next:
            return self._put_old(sequence, rtp_time, marker, payload, now_us, self._next - unwrapped)
        elif unwrapped - self._newest > MAX_JUMP:
            self._restart()
            return self.put(sequence, rtp_time, marker, payload, now_us)
        self._far_behind = 0
        if unwrapped not in self._waiting:
            self._note(unwrapped, now_us)
            self._waiting[unwrapped] = Packet(unwrapped, rtp_time, marker, payload, now_us)
        return self.poll(now_us)

    def poll(self, now_us: int) -> list[Assembled]:
        """Frames that are complete, giving up first on what has been missing for too long."""
        out = self._complete()
        while self._hopeless(now_us):
            self._skip_hole()
            out += self._complete()
        return out

    def nacks(self, now_us: int) -> list[int]:
        """Sequence numbers (16 bit) to ask for now; each is asked again every NACK_RETRY_US."""
        due = [seq for seq, (_, asked) in self._missing.items() if now_us - asked >= NACK_RETRY_US][:NACK_LIMIT]
        for seq in due:
            self._missing[seq] = (self._missing[seq][0], now_us)
        return [seq & 0xFFFF for seq in due]

    def wake_at_us(self) -> int | None:
        """When to poll again although no packet came; None while nothing is missing."""
        if not self._missing:
            return None
        return min(min(asked + NACK_RETRY_US, since + self._give_up_us) for since, asked in self._missing.values())

    def _put_old(
        self, sequence: int, rtp_time: int, marker: bool, payload: bytes, now_us: int, behind: int
    ) -> list[Assembled]:
        self._far_behind = self._far_behind + 1 if behind > MAX_WAITING else 0
        if self._far_behind < RESTART_AFTER:
            return []
        self._restart()
        return self.put(sequence, rtp_time, marker, payload, now_us)

    def _restart(self) -> None:
        self._unwrap = Unwrapper(16)
        self._waiting.clear()
        self._missing.clear()
        self._next = None
        self._gap = True
        self._far_behind = 0

    def _note(self, sequence: int, now_us: int) -> None:
        if sequence > self._newest:
            for absent in range(self._newest + 1, sequence):
                self._missing[absent] = (now_us, now_us - NACK_RETRY_US)
            self._newest = self._unwrap(sequence & 0xFFFF)
        self._missing.pop(sequence, None)

    def _complete(self) -> list[Assembled]:
        out: list[Assembled] = []
        while (last := self._end_of_frame()) is not None:
            frame = self._take(last)
            if frame is not None:
                out.append(frame)
        return out

    def _end_of_frame(self) -> int | None:
        """The last sequence number of the frame at the head of the line, when it is all there."""
        assert self._next is not None or not self._waiting
        head = self._waiting.get(self._next) if self._next is not None else None
        if head is None:
            return None
        packet = head
        while not (packet.marker or self._frame_per_packet):
            following = self._waiting.get(packet.sequence + 1)
            if following is None:
                return None
            if following.rtp_time != head.rtp_time:
                break
            packet = following
        return packet.sequence

    def _take(self, last: int) -> Assembled | None:
        assert self._next is not None
        packets = [self._waiting.pop(sequence) for sequence in range(self._next, last + 1)]
        self._next = last + 1
        whole, self._aligned = self._aligned, True
        payloads = tuple(packet.payload for packet in packets if packet.payload)
        if not whole or not payloads:  # the tail of a broken frame, or padding that only probes the link
            return None
        gap, self._gap = self._gap, False
        return Assembled(packets[0].rtp_time, payloads, max(packet.arrived_us for packet in packets), gap)

    def _hopeless(self, now_us: int) -> bool:
        if not self._waiting or not self._missing:
            return False
        waited_us = now_us - self._missing[min(self._missing)][0]
        if len(self._waiting) > MAX_WAITING or waited_us >= self._give_up_us:
            return True
        return waited_us >= KEY_GIVE_UP_US and self._waiting_key() is not None

    def _waiting_key(self) -> int | None:
        """Where a complete key frame starts behind the hole: no reason to wait for what lies before it."""
        for sequence in sorted(self._waiting):
            packet = self._waiting[sequence]
            if self._starts_key(packet.payload) and self._is_whole(packet):
                return sequence
        return None

    def _is_whole(self, first: Packet) -> bool:
        packet = first
        while not packet.marker:
            following = self._waiting.get(packet.sequence + 1)
            if following is None or following.rtp_time != first.rtp_time:
                return False
            packet = following
        return True

    def _skip_hole(self) -> None:
        """Goes on behind the oldest hole, at a complete key frame when one waits."""
        key = self._waiting_key()
        target = key if key is not None else self._after_hole()
        self.lost += sum(1 for sequence in self._missing if sequence < target)
        self._missing = {seq: times for seq, times in self._missing.items() if seq >= target}
        self._waiting = {seq: packet for seq, packet in self._waiting.items() if seq >= target}
        self._gap = True
        self._aligned = self._frame_per_packet or key is not None
        self._next = target

    def _after_hole(self) -> int:
        sequence = min(self._missing)
        while sequence in self._missing:
            sequence += 1
        return sequence
