"""Seats: how the viewers of a hub that dies come back, spread evenly, without anybody left to tell them.

Each viewer has the lowest free number of its hub and is told in its welcome how long a viewer of that number waits, so
that those of a killed hub return at a known pace and in no order a clock could set off. Pure: no I/O, no clock.
"""

from __future__ import annotations

import heapq


class Seats:
    """The numbers of one hub's viewers; `longest_ms` bounds the wait whatever their number."""

    def __init__(self, per_s: int, longest_ms: int) -> None:
        self._per_s = per_s
        self._longest_ms = longest_ms
        self._free: list[int] = []
        self._made = 0

    def take(self) -> int:
        """A viewer comes."""
        if self._free:
            return heapq.heappop(self._free)
        self._made += 1
        return self._made - 1

    def give_back(self, seat: int) -> None:
        """It goes."""
        heapq.heappush(self._free, seat)

    def rejoin_ms(self, seat: int) -> int:
        """How long the viewer of this seat waits before it comes back when the hub is gone."""
        return seat * 1000 // self._per_s % self._longest_ms

    def spread_s(self, viewers: int) -> float:
        """Over how long so many viewers are sent elsewhere."""
        return min(viewers / self._per_s, self._longest_ms / 1000)
