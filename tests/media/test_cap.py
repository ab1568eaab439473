"""What a host is told of its line."""

from __future__ import annotations

from livesale.media.cap import CALM_MS, MOST_BPS, LineCap


def test_a_line_that_never_jams_is_not_limited() -> None:
    """A calm picture of 400 kbit/s must not hold down the lively one behind it."""
    cap = LineCap()
    assert {cap.told(600_000, False, at * 500) for at in range(40)} == {MOST_BPS}


def test_a_jammed_line_is_told_at_once_and_freed_step_by_step() -> None:
    """While packets queue up, and for a while after, the estimate counts; then more is allowed until nothing limits."""
    cap = LineCap()
    assert cap.told(500_000, True, 1_000) == 500_000
    assert cap.told(550_000, False, 1_500) == 550_000
    assert cap.told(540_000, False, 1_000 + CALM_MS - 1) == 540_000
    grown = [cap.told(540_000, False, 1_000 + CALM_MS + step * 1_000) for step in range(20)]
    assert all(before < after for before, after in zip(grown, grown[1:6], strict=False))
    assert 1_000_000 < grown[4] < 2_000_000
    assert grown[-1] == MOST_BPS
    assert cap.told(700_000, True, 60_000) == 700_000


def test_one_packet_in_ten_is_a_limit_and_one_in_fifty_is_not() -> None:
    """Losses count by what was lately lost, and are forgotten when they stop."""
    cap = LineCap()
    lossy = []
    expected = received = 0
    for share in [0.02] * 10 + [0.1] * 10 + [0.0] * 10:
        expected, received = expected + 50, received + 50 - int(50 * share)
        lossy.append(cap.lossy(expected, received))
    assert not any(lossy[:10])
    assert lossy[19]
    assert not any(lossy[22:])
    assert not cap.lossy(expected, received)
