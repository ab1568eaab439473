"""The seam between ways in and ways out: one encoded picture or sound packet, as it came from the host."""

from __future__ import annotations

import msgspec

VIDEO = 1
AUDIO = 2
VIDEO_HZ = 90_000
AUDIO_HZ = 48_000
HZ = {VIDEO: VIDEO_HZ, AUDIO: AUDIO_HZ}


class EncodedFrame(msgspec.Struct, frozen=True, gc=False):
    """One access unit, complete.

    `track` is VIDEO or AUDIO; `rtp_time` is the sender's timestamp unwrapped to 64 bit, in the track's
    clock (HZ); `units` are the NAL units without start codes (video) or the one Opus packet (audio); `key`:
    a decoder can start here; `arrived_us` is monotonic time of the frame's last packet; `gap`: something
    before this frame was lost.
    """

    track: int
    rtp_time: int
    key: bool
    units: tuple[bytes, ...]
    arrived_us: int
    gap: bool = False


class Unwrapper:
    """Turns a counter of `bits` bits that wraps into one that does not: the nearest value each time."""

    def __init__(self, bits: int) -> None:
        self._span = 1 << bits
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        unwrapped = self.peek(value)
        self._last = unwrapped
        return unwrapped

    def peek(self, value: int) -> int:
        """`value` unwrapped, without moving on."""
        if self._last is None:
            return value + self._span  # room to go back without turning negative
        ahead = (value - self._last) % self._span
        return self._last + (ahead if ahead < self._span // 2 else ahead - self._span)
