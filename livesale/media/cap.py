"""How much a host's line holds, as it is told to the host (REMB). Pure.

aiortc's estimator never says more than one and a half times what comes in, so a calm picture would hold down the lively
one that follows. Only a line that has shown its limit (packets came later and later) is told what it holds; once it has
been calm for a while, more and more is allowed again.
"""

from __future__ import annotations

MOST_BPS = 4_000_000  # more than any host of ours sends: no limit
CALM_MS = 8_000
GROWTH_A_S = 1.25
LOSSY = 1 / 12
SMOOTHING = 0.3  # a report covers some 30 packets: one alone says little


class LineCap:
    """One line. Times in ms of one clock."""

    def __init__(self) -> None:
        self._bps = float(MOST_BPS)
        self._jammed_ms: int | None = None
        self._told_ms = 0
        self._loss = 0.0
        self._counted = (0, 0)

    def lossy(self, expected: int, received: int) -> bool:
        """Whether the line loses too much lately, by how many packets were expected and received in all."""
        new_expected, new_received = expected - self._counted[0], received - self._counted[1]
        if new_expected > 0:
            self._counted = (expected, received)
            self._loss += SMOOTHING * (max(0.0, 1 - new_received / new_expected) - self._loss)
        return self._loss > LOSSY

    def told(self, estimate_bps: int, jammed: bool, now_ms: int) -> int:
        """What to tell the host, given the estimator's figure and whether the line has just shown its limit."""
        elapsed_s = (now_ms - self._told_ms) / 1000
        self._told_ms = now_ms
        if jammed:
            self._jammed_ms = now_ms
        if self._jammed_ms is not None and now_ms - self._jammed_ms < CALM_MS:
            self._bps = estimate_bps
        elif self._jammed_ms is not None:
            self._bps = max(estimate_bps, self._bps * GROWTH_A_S**elapsed_s)
        self._bps = min(self._bps, MOST_BPS)
        return int(self._bps)
