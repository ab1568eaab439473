"""History: the `must` events of a show that are still kept, by log position, so that a viewer can resume.

Law: personal events are given out by their tag only. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections import deque

import msgspec


class Kept(msgspec.Struct, frozen=True, gc=False):
    """The events of one position, packed: for everyone, and (tag, event) for their owners."""

    seq: int
    public: tuple[bytes, ...]
    personal: tuple[tuple[str, bytes], ...] = ()


class History:
    """A ring of positions. `floor`: the oldest position one can resume after; `head`: the newest one seen."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self.floor = 0
        self.head = 0

    def reset(self, position: int) -> None:
        """Starts anew behind `position`."""
        self._kept.clear()
        self._bytes = 0
        self.floor = self.head = position

    def append(self, kept: Kept) -> bool:
        """Takes the next position; False (and nothing happens) when it is not above the head."""
        if kept.seq <= self.head:
            return False
        self.head = kept.seq
        if kept.public or kept.personal:
            self._kept.append(kept)
            self._bytes += _size(kept)
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            oldest = self._kept.popleft()
            self._bytes -= _size(oldest)
            self.floor = oldest.seq
        return True

    def reaches(self, after: int) -> bool:
        """Whether everything after position `after` is still here."""
        return self.floor <= after <= self.head

    def since(self, after: int) -> list[Kept]:
        """What is kept of the positions above `after`, oldest first."""
        found = []
        for kept in reversed(self._kept):
            if kept.seq <= after:
                break
            found.append(kept)
        found.reverse()
        return found

    def public_since(self, after: int) -> list[bytes]:
        """The public events above `after`."""
        return [event for kept in self.since(after) for event in kept.public]

    def personal_since(self, after: int, tag: str) -> list[tuple[int, bytes]]:
        """(seq, event) above `after` of the owner of `tag`."""
        return [(kept.seq, event) for kept in self.since(after) for owner, event in kept.personal if owner == tag]


def _size(kept: Kept) -> int:
    return sum(map(len, kept.public)) + sum(len(event) for _, event in kept.personal)
