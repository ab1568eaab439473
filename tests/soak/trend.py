"""Whether a figure stays level over a run: by the slope of all its values, so that neither one value nor a passing step decides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import NamedTuple

Points = Sequence[tuple[float, float]]  # (seconds, value), in order

MOST_POINTS = 240  # 29,000 pairs
MINUTE_S = 60.0


class Bound(NamedTuple):
    """How much a figure may rise in a run: what its noise may look like, and so much a minute."""

    noise: float
    per_min: float


def slope(points: Points) -> float:
    """The middle one of the slopes between all pairs (Theil and Sen), a second."""
    some = points[:: len(points) // MOST_POINTS + 1]
    return median((after[1] - before[1]) / (after[0] - before[0]) for before, after in combinations(some, 2))


def rise(points: Points) -> float:
    """By how much the figure has risen over the run; fewer than three values say nothing."""
    return slope(points) * (points[-1][0] - points[0][0]) if len(points) > 2 else 0.0


def allowed(points: Points, bound: Bound) -> float:
    """By how much it may have."""
    return bound.noise + bound.per_min * (points[-1][0] - points[0][0]) / MINUTE_S


def rises(points: Points, bound: Bound) -> bool:
    """Whether it has risen by more than that."""
    return rise(points) > allowed(points, bound)
