"""Current values by themselves: what is told, to whom, and once."""

from __future__ import annotations

import msgspec

from livesale.hub.current import Current
from livesale.hub.wire import EventsFrame, decode


def read(frame: bytes) -> EventsFrame:
    """What a (short) frame says behind its WebSocket head."""
    found = decode(frame[2:])
    assert isinstance(found, EventsFrame)
    return found


def test_only_the_newest_is_told_and_only_once() -> None:
    """Two changes of one name between two ticks are one event; what another hub has told already is for joiners only."""
    current = Current()
    current.change("stock", "o1", msgspec.msgpack.encode({"left": 3}))
    current.change("stock", "o1", msgspec.msgpack.encode({"left": 2}))
    current.keep("viewers", "", msgspec.msgpack.encode({"count": 7}))

    assert current.has_changed()
    assert [msgspec.msgpack.decode(each) for each in current.take_changed()] == [{"left": 2}]
    assert not current.has_changed()
    assert read(current.frame(5)).events == [{"left": 2}, {"count": 7}]


def test_a_joiners_frame_is_made_once_for_each_position() -> None:
    """The same bytes for all who come at one position; another position, or another value, and it is made anew."""
    current = Current()
    current.keep("viewers", "", msgspec.msgpack.encode({"count": 1}))
    first = current.frame(5)
    assert current.frame(5) is first
    assert (read(current.frame(6)).after, read(current.frame(6)).upto) == (6, 6)
    current.keep("viewers", "", msgspec.msgpack.encode({"count": 2}))
    assert read(current.frame(6)).events == [{"count": 2}]

    current.clear()
    assert not current
