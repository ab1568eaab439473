"""Pace: when the next frame of a stream is due, and the stamp it carries, for the processes of a measurement."""

from __future__ import annotations

import resource
import struct
import time

STAMP = struct.Struct(">d")  # CLOCK_MONOTONIC seconds at which a frame was due, one clock for all processes


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


def open_many_files() -> None:
    """As many file descriptors as this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
