"""Frames as bytes, against the contract's table."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from livesale.hub.wire import (
    EventsFrame,
    MalformedFrame,
    PersonalFrame,
    control_frame,
    decode,
    events_frame,
    init_frame,
    media_frame,
    packed,
    personal_frame,
    websocket_binary,
)
from livesale.media.ring import Fragment, Init

FRAGMENTS = some.builds(
    Fragment,
    track=some.integers(1, 2),
    key=some.booleans(),
    generation=some.integers(0, 2**16 - 1),
    sequence=some.integers(0, 2**32 - 1),
    time_us=some.integers(0, 2**64 - 1),
    data=some.binary(max_size=50),
)


def test_golden_bytes() -> None:
    """Every field is where contract section 3 says, integers big-endian."""
    events = events_frame(6, 8, [packed({"seq": 7, "type": "chat"})])
    assert events[0] == 1
    assert msgspec.msgpack.decode(events[1:]) == {"after": 6, "upto": 8, "events": [{"seq": 7, "type": "chat"}]}
    assert init_frame(Init(1, 0x0203, "v/m", b"ftyp")) == b"\x02\x01\x02\x03\x03v/mftyp"
    assert media_frame([Fragment(2, True, 0x0102, 0x03040506, 0x0708090A0B0C0D0E, b"mo")]) == (
        b"\x03\x02\x01\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x00\x00\x00\x02mo"
    )
    assert media_frame([Fragment(1, False, 0, 0, 0, b"")])[2] == 0


@given(some.lists(FRAGMENTS, min_size=1, max_size=5))
def test_media_round_trip(fragments: list[Fragment]) -> None:
    """What is encoded is read back."""
    assert decode(media_frame(fragments)) == fragments


@given(some.integers(1, 2), some.integers(0, 2**16 - 1), some.text(max_size=60), some.binary(max_size=50))
def test_init_round_trip(track: int, generation: int, mse_type: str, data: bytes) -> None:
    """What is encoded is read back."""
    init = Init(track, generation, mse_type, data)
    assert decode(init_frame(init)) == init


def test_other_frames() -> None:
    """Events, an edge's personal events and control messages are read back."""
    assert decode(events_frame(1, 2, [])) == EventsFrame(1, 2, [])
    personal = decode(personal_frame("t", 3, [packed({"a": 1})]))
    assert isinstance(personal, PersonalFrame)
    assert (personal.tag, personal.seq, bytes(personal.events[0])) == ("t", 3, packed({"a": 1}))
    assert decode(control_frame({"type": "opened"})) == {"type": "opened"}


@given(some.binary(max_size=80))
def test_noise_is_malformed(noise: bytes) -> None:
    """Any bytes are a frame or MalformedFrame, nothing else."""
    try:
        decode(noise)
    except MalformedFrame:
        pass


def test_impossible_frames() -> None:
    """No empty media frame, no MSE type that its length byte cannot hold."""
    with pytest.raises(MalformedFrame):
        media_frame([])
    with pytest.raises(MalformedFrame):
        init_frame(Init(1, 0, "x" * 256, b""))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_websocket_header(size: int) -> None:
    """The header has the shortest form for every length (RFC 6455 section 5.2)."""
    framed = websocket_binary(bytes(size))
    assert framed[0] == 0x82
    assert len(framed) - size == (2 if size < 126 else 4 if size < 65_536 else 10)
