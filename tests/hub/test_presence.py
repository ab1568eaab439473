"""Counting viewers."""

from __future__ import annotations

from livesale.hub.presence import LOOKS_UNTIL_AGAIN, Presence


def test_totals() -> None:
    """Viewers here and behind edges add up; each new total is told at once."""
    presence = Presence()
    assert presence.to_tell() == 0
    presence.joined()
    presence.edge_says(1, 10)
    presence.edge_says(2, 5)
    presence.edge_says(1, 7)
    assert presence.to_tell() == 13
    assert presence.to_tell() is None
    presence.edge_left(2)
    presence.left()
    assert presence.to_tell() == 7
    presence.forget()
    assert presence.to_tell() == 7


def test_a_sign_of_life() -> None:
    """A total that stays is told again every few looks, not more often: who hears nothing for longer has lost the line."""
    presence = Presence()
    told = [presence.to_tell() for _ in range(3 * LOOKS_UNTIL_AGAIN)]
    assert [look for look, total in enumerate(told) if total is not None] == [0, LOOKS_UNTIL_AGAIN, 2 * LOOKS_UNTIL_AGAIN]
