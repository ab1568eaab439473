"""Presence: how many watch a show, here and behind the edges; coalesced by who reads it once a second."""

from __future__ import annotations


class Presence:
    """Counts of one show. `changed()` tells at most once about each new total."""

    def __init__(self) -> None:
        self.here = 0
        self._behind: dict[int, int] = {}
        self._told: int | None = None

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

    def changed(self) -> int | None:
        """The total when it differs from the last one told, else None."""
        total = self.total
        if total == self._told:
            return None
        self._told = total
        return total

    def forget(self) -> None:
        """Whoever listened is new: the total is told again."""
        self._told = None
