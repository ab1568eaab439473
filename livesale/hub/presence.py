"""Presence: how many watch a show, here and behind the edges; coalesced by who reads it once a second.

What is told is a sign of life, too: a quiet show says it again every few looks, so that a viewer whose line is dead
without a word (half-open) can tell that from a show in which nothing happens.
"""

from __future__ import annotations

LOOKS_UNTIL_AGAIN = 5


class Presence:
    """Counts of one show. `to_tell()` tells at once about each new total, and again every few looks."""

    def __init__(self) -> None:
        self.here = 0
        self._behind: dict[int, int] = {}
        self._told: int | None = None
        self._looks = 0  # since it was told

    @property
    def total(self) -> int:
        """Viewers of this hub and of every edge behind it."""
        return self.here + sum(self._behind.values())

    def joined(self) -> None:
        """One more viewer here."""
        self.here += 1

    def left(self) -> None:
        """One fewer here."""
        self.here -= 1

    def edge_says(self, edge: int, count: int) -> None:
        """`edge` (a number of that connection) has `count` viewers."""
        self._behind[edge] = max(0, count)

    def edge_left(self, edge: int) -> None:
        """The edge's connection is gone; its viewers come back through another or not at all."""
        self._behind.pop(edge, None)

    def to_tell(self) -> int | None:
        """The total when it differs from the last one told, or when that was so many looks ago; else None."""
        self._looks += 1
        if self.total == self._told and self._looks < LOOKS_UNTIL_AGAIN:
            return None
        self._told, self._looks = self.total, 0
        return self._told

    def forget(self) -> None:
        """Whoever listened is new: the total is told again."""
        self._told = None
