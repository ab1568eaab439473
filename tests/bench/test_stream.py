"""What the load generator reads of a stream, and the pictures it reads it from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from livesale.bench.floor import frame_of
from livesale.bench.pace import LEAST_BYTES, STAMP_AT, STAMP_BYTES, due_s_of, picture
from livesale.bench.stream import Stream
from livesale.hub.connection import SHARED_PING
from livesale.hub.wire import events_frame, media_frame, websocket_binary
from livesale.media import fmp4
from livesale.media.frames import VIDEO
from livesale.media.ring import Fragment


def fragment(number: int, size: int) -> Fragment:
    sample = fmp4.video_sample([picture(size, number == 0, float(number + 1))])
    return Fragment(VIDEO, number == 0, 1, number, number, fmp4.fragment(VIDEO, number, number, 1, number == 0, sample))


def pieces(data: bytes, cuts: list[int]) -> Iterator[memoryview]:
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    for begin, end in zip(places, places[1:], strict=False):
        yield memoryview(data)[begin:end]


@given(some.lists(some.integers(0, 1 << 20), max_size=60), some.integers(LEAST_BYTES + 1, 2_000))
def test_every_fragment_is_seen_once(cuts: list[int], size: int) -> None:
    """However the bytes are cut, each whole fragment gives its stamp, those of a batch too, and nothing else does."""
    batches = [[fragment(0, size)], [fragment(1, size), fragment(2, 9_000), fragment(3, size)], [fragment(4, 70_000)]]
    event = websocket_binary(events_frame(0, 1, []))
    data = event + SHARED_PING + event.join(websocket_binary(media_frame(batch)) for batch in batches)
    stream = Stream()
    assert [due for piece in pieces(data, cuts) for due in stream.take(piece)] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert stream.messages == 7


@pytest.mark.parametrize("size", [LEAST_BYTES + 1, 1_000, 20_000])
def test_pictures_have_the_size_asked_for(size: int) -> None:
    """As fragments, and the floor's like a hub's; nothing in them can be taken for the start of another NAL unit."""
    made = fragment(3, size).data
    assert len(made) == size
    assert due_s_of(made[STAMP_AT : STAMP_AT + STAMP_BYTES]) == 4.0
    assert b"\0" not in picture(size, True, 4.0)
    assert len(frame_of(size, 4.0)) == len(websocket_binary(media_frame([fragment(3, size)])))
