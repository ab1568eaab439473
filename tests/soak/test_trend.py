"""What a soak calls a rise."""

from __future__ import annotations

import random

from tests.soak.trend import Bound, Points, rise, rises, slope

NONE = Bound(noise=0, per_min=0)


def noisy(per_s: float, seconds: int = 900, every_s: int = 5, noise: float = 500) -> Points:
    dice = random.Random(3)
    return [(at, 50_000 + at * per_s + dice.uniform(-noise, noise)) for at in range(0, seconds, every_s)]


def test_a_leak_below_the_noise_is_seen() -> None:
    """100 KiB a minute among values that jump by 1,000: over a quarter of an hour that is far above 64 a minute."""
    bound = Bound(noise=0, per_min=64)
    assert rises(noisy(100 / 60), bound)
    assert not rises(noisy(30 / 60), bound)
    assert abs(rise(noisy(100 / 60)) - 1_500) < 150


def test_steps_that_come_back_and_single_values_decide_nothing() -> None:
    """A tenth of the values twice as high, or a step in the first tenth, is no rise; growth that stops halfway is one."""
    level = [(float(at), 100.0) for at in range(100)]
    peaks = [(at, 200.0 if at % 10 == 9 else value) for at, value in level]
    begins = [(at, 50.0 if at < 10 else value) for at, value in level]
    halfway = [(at, min(at, 50.0)) for at, _ in level]
    assert slope(peaks) == slope(begins) == 0
    assert rises(halfway, NONE)


def test_what_a_run_may_rise_by_grows_with_it() -> None:
    """The noise once, so much a minute besides; too few values say nothing; a fall is none."""
    steep = [(0.0, 0.0), (60.0, 11.0), (120.0, 22.0)]
    assert rises(steep, Bound(noise=1, per_min=10))
    assert not rises(steep, Bound(noise=3, per_min=10))
    assert not rises(steep[:2], NONE)
    assert not rises([(at, -value) for at, value in steep], NONE)
