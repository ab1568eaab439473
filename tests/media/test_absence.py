"""A host who is away: what viewers are told, and when no more is to be expected."""

from __future__ import annotations

from livesale.media.absence import AWAY, BACK, GONE, Absence


def test_a_host_that_was_never_there_is_not_missed() -> None:
    """Nothing is told before a first picture, nor of the first picture itself."""
    absence = Absence(60)
    assert absence.left(1) is None
    assert absence.came() is None


def test_a_host_is_away_once_and_back_once() -> None:
    """Each change is told once, and the grace period runs from the loss."""
    absence = Absence(60)
    absence.came()
    assert absence.left(10) == AWAY
    assert absence.left(11) is None
    assert absence.deadline_s == 70
    assert absence.came() == BACK
    assert absence.came() is None
    assert absence.deadline_s is None


def test_a_host_is_given_up_on_only_when_still_away() -> None:
    """The end of the grace period is told of who is away, and such a host may still come back."""
    absence = Absence(60)
    absence.came()
    absence.left(10)
    assert absence.give_up() == GONE
    assert absence.left(80) is None
    assert absence.came() == BACK
    assert absence.give_up() is None


def test_a_host_another_studio_had_is_away_at_first() -> None:
    """A studio that takes a show over tells viewers, and waits as long as for a host of its own."""
    absence = Absence(60)
    assert absence.expect(5) == AWAY
    assert absence.deadline_s == 65
