"""Pace: when the next picture of a stream is due, and pictures of an exact size that carry that time.

A picture is one NAL unit without a zero byte: no decoder is on its way, and nothing on it mistakes it for another.
"""

from __future__ import annotations

import time

from livesale.media.fmp4 import FRAGMENT_OVERHEAD
from livesale.media.h264 import IDR, SLICE

LENGTH_BYTES = 4  # before a NAL unit in a sample
STAMP_BYTES = 16
STAMP_AT = FRAGMENT_OVERHEAD + LENGTH_BYTES + 1  # in a fragment
LEAST_BYTES = STAMP_AT + STAMP_BYTES  # of a fragment
_REFERENCE = 0x60  # nal_ref_idc 3
_FILLING = b"\xa5"


class Pace:
    """Due times `1 / per_s` apart; what is more than a second late is left out, not caught up."""

    def __init__(self, per_s: int) -> None:
        self._step_s = 1 / per_s
        self.next_s = time.monotonic()

    def take(self) -> float:
        """The due time now, and on to the next."""
        due_s = self.next_s
        now_s = time.monotonic()
        if now_s - due_s > 1.0:
            due_s = now_s
        self.next_s = due_s + self._step_s
        return due_s


def picture(fragment_bytes: int, key: bool, due_s: float) -> bytes:
    """The NAL unit whose fragment has `fragment_bytes` (at least LEAST_BYTES), due at `due_s` of CLOCK_MONOTONIC."""
    head = bytes((_REFERENCE | (IDR if key else SLICE),)) + b"%016x" % int(due_s * 1e6)
    return head.ljust(fragment_bytes - FRAGMENT_OVERHEAD - LENGTH_BYTES, _FILLING)


def due_s_of(stamp: bytes) -> float:
    """The time in the STAMP_BYTES at STAMP_AT of a fragment; one clock for all processes of a machine."""
    return int(stamp, 16) / 1e6
