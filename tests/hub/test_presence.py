"""Counting viewers."""

from __future__ import annotations

from livesale.hub.presence import Presence


def test_totals() -> None:
    """Viewers here and behind edges add up; each new total is told once."""
    presence = Presence()
    assert presence.changed() == 0
    presence.joined()
    presence.edge_says(1, 10)
    presence.edge_says(2, 5)
    presence.edge_says(1, 7)
    assert presence.changed() == 13
    assert presence.changed() is None
    presence.edge_left(2)
    presence.left()
    assert presence.changed() == 7
    presence.forget()
    assert presence.changed() == 7
