"""Opus packets as far as a relay needs them: how long one lasts, and silence (RFC 6716, 3.1)."""

from __future__ import annotations

SILENCE = b"\xf8\xff\xfe"  # 20 ms, CELT fullband, one frame, stereo-agnostic
SILENCE_TICKS = 960
MAX_TICKS = 5_760  # 120 ms

_FRAME_TICKS = (
    *(480, 960, 1920, 2880) * 3,  # SILK-only: 10, 20, 40, 60 ms
    *(480, 960) * 2,  # hybrid: 10, 20 ms
    *(120, 240, 480, 960) * 4,  # CELT-only: 2.5, 5, 10, 20 ms
)


def packet_ticks(packet: bytes) -> int:
    """Duration in 1/48000 s; ValueError when it is no Opus packet."""
    if not packet:
        raise ValueError("empty Opus packet")
    count = packet[0] & 3
    if count == 3:
        if len(packet) < 2:
            raise ValueError("Opus packet without its frame count")
        frames = packet[1] & 0x3F
    else:
        frames = 2 if count else 1
    ticks = _FRAME_TICKS[packet[0] >> 3] * frames
    if not 0 < ticks <= MAX_TICKS:
        raise ValueError("Opus packet of impossible length")
    return ticks
