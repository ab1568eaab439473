"""What viewers are told of a show's host: gone for a moment, back, or gone for good. Pure: no clock, no I/O.

A host whose line breaks is held for the grace period: the show stays as it is, and whoever publishes within it goes on in
the same timeline. Only what changes is told, and nothing before a first picture.
"""

from __future__ import annotations

AWAY, BACK, GONE = "away", "back", "gone"


class Absence:
    """One show's host. `deadline_s`: when it is given up on; None while it is there, or never was, or is gone."""

    def __init__(self, grace_s: float) -> None:
        self.deadline_s: float | None = None
        self.told = ""  # what viewers were told last, "" for nothing
        self._grace_s = grace_s
        self._seen = False

    def left(self, now_s: float) -> str | None:
        """The host's pictures have stopped, for whatever reason; what viewers are to be told, None for nothing new."""
        if not self._seen or self.told in (AWAY, GONE):
            return None
        self.deadline_s = now_s + self._grace_s
        return self._tell(AWAY)

    def came(self) -> str | None:
        """Pictures come (again)."""
        absent = self.told in (AWAY, GONE)
        self._seen, self.deadline_s = True, None
        return self._tell(BACK) if absent else None

    def expect(self, now_s: float) -> str | None:
        """Another studio had pictures of this host a moment ago."""
        self._seen = True
        return self.left(now_s)

    def give_up(self) -> str | None:
        """The grace period is over; None when the host has come meanwhile."""
        if self.deadline_s is None:
            return None
        self.deadline_s = None
        return self._tell(GONE)

    def _tell(self, what: str) -> str:
        self.told = what
        return what
