"""What is kept for those who come back."""

from __future__ import annotations

from livesale.hub.history import History, Kept


def test_bounded_by_entries_and_bytes() -> None:
    """The oldest goes first, and the floor says so."""
    history = History(3, 10_000)
    for seq in range(1, 6):
        assert history.append(Kept(seq, (b"x",)))
    assert (history.floor, history.head) == (2, 5)
    assert not history.reaches(1)
    assert history.reaches(2)
    assert history.reaches(5)
    assert not history.reaches(6)
    assert [kept.seq for kept in history.since(3)] == [4, 5]
    small = History(100, 10)
    for seq in range(1, 6):
        small.append(Kept(seq, (b"1234",)))
    assert small.floor == 3


def test_empty_positions_cost_nothing() -> None:
    """Entries that say nothing to viewers move the head and push nothing out."""
    history = History(2, 100)
    history.append(Kept(1, (b"x",)))
    for seq in range(2, 1_000):
        history.append(Kept(seq, ()))
    assert history.public_since(0) == [b"x"]
    assert (history.floor, history.head) == (0, 999)
    assert not history.append(Kept(999, (b"again",)))


def test_personal_by_tag() -> None:
    """Personal events come out by their tag alone."""
    history = History(10, 1_000)
    history.append(Kept(1, (b"p",), (("a", b"1"), ("b", b"2"))))
    history.append(Kept(2, (), (("a", b"3"),)))
    assert history.personal_since(0, "a") == [(1, b"1"), (2, b"3")]
    assert history.personal_since(1, "b") == []
    history.reset(40)
    assert (history.floor, history.head, history.since(0)) == (40, 40, [])
