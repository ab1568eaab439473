"""The way in by WebSocket, for hosts whose network lets no UDP through: encoded by the page itself (WebCodecs).

The page sends binary messages, a picture or sound packet each: u8 track (1 video, 2 audio), u64 time in µs (one clock for
both tracks, big-endian), then the H.264 access unit as Annex B, its parameter sets before a key frame, or the Opus packet.
It is told, as JSON: `{type: "key"}` (send a key frame), `{type: "got", time}` (the newest time that has come).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol

from livesale.media import h264
from livesale.media.frames import AUDIO, HZ, VIDEO, EncodedFrame
from livesale.media.publisher import Publisher, now_us
from livesale.media.ring import Ring

KEY_REQUEST_APART_US = 300_000
REPORT_EVERY_US = 250_000
TAKEN = 4409  # close code: another publishes now, or the show is over

_HEAD = struct.Struct(">BQ")


class Uplink(Protocol):
    """The socket as a publisher needs it."""

    def tell(self, message: dict[str, object]) -> None:
        """Sends a message; never waits."""

    async def hang_up(self) -> None:
        """Closes the socket."""


class UplinkPublisher(Publisher):
    """One page that sends its encoders' output."""

    def __init__(self, uplink: Uplink, on_state: Callable[[str], None]) -> None:
        super().__init__(on_state)
        self._uplink = uplink
        self._taken = 0
        self._bad = 0
        self._key_asked_us = 0
        self._reported_us = 0
        self._aligned = 0

    def accept(self, ring: Ring, epoch_ms: int, now_ms: int, *, sound: bool, picture: bool) -> None:
        """From now on what is taken goes into `ring`."""
        self._cut_into(ring, epoch_ms, now_ms, sound=sound, picture=picture)
        self._begin(ring)

    def take(self, message: bytes) -> None:
        """One message of the page; what is none is counted and dropped."""
        frame = read_frame(message)
        self._taken += 1
        if frame is None:
            self._bad += 1
            return
        self._align(frame)
        self._on_frame(frame)
        if frame.arrived_us - self._reported_us >= REPORT_EVERY_US:
            self._reported_us = frame.arrived_us
            self._uplink.tell({"type": "got", "time": _HEAD.unpack_from(message)[1]})

    def request_key_frame(self) -> None:
        """Asks the page for a key frame, at most every 0.3 s."""
        now = now_us()
        if now - self._key_asked_us >= KEY_REQUEST_APART_US:
            self._key_asked_us = now
            self._uplink.tell({"type": "key"})

    async def _hang_up(self) -> None:
        await self._uplink.hang_up()

    def _packets(self) -> tuple[int, int]:
        return self._bad, self._taken

    def _align(self, frame: EncodedFrame) -> None:
        """Both tracks are on one clock: what sender reports say of others holds for every frame here."""
        second = frame.rtp_time // HZ[frame.track]
        if self._segmenter is not None and second != self._aligned:
            self._aligned = second
            for track in (VIDEO, AUDIO):
                self._segmenter.sender_report(track, second * 1_000_000, second * HZ[track])


def read_frame(message: bytes) -> EncodedFrame | None:
    """A page's message as a frame; None when it is none."""
    if len(message) <= _HEAD.size:
        return None
    track, time_us = _HEAD.unpack_from(message)
    payload = message[_HEAD.size :]
    if track == AUDIO:
        return EncodedFrame(AUDIO, _ticks(time_us, AUDIO), True, (payload,), now_us())
    units = tuple(h264.split_annex_b(payload)) if track == VIDEO else ()
    if not units:
        return None
    key = any(h264.nal_type(unit) == h264.IDR for unit in units)
    return EncodedFrame(VIDEO, _ticks(time_us, VIDEO), key, units, now_us())


def _ticks(time_us: int, track: int) -> int:
    return time_us * HZ[track] // 1_000_000
