"""A reader of the hub's frames written from the contract alone: struct and msgpack, nothing of the server's."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import msgpack


@dataclass(frozen=True)
class Events:
    """Frame 0x01."""

    after: int
    upto: int
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class MediaInit:
    """Frame 0x02."""

    track: int
    generation: int
    mse_type: str
    segment: bytes


@dataclass(frozen=True)
class Fragment:
    """One of frame 0x03."""

    track: int
    key: bool
    generation: int
    sequence: int
    time_us: int
    data: bytes


def parse(frame: bytes) -> Events | MediaInit | list[Fragment]:
    """What a frame says; AssertionError when it breaks the contract."""
    kind, rest = frame[0], frame[1:]
    if kind == 0x01:
        told = msgpack.unpackb(rest)
        assert set(told) == {"after", "upto", "events"}, told.keys()
        return Events(told["after"], told["upto"], told["events"])
    if kind == 0x02:
        track, generation, length = struct.unpack_from(">BHB", rest)
        return MediaInit(track, generation, rest[4 : 4 + length].decode("ascii"), rest[4 + length :])
    assert kind == 0x03, f"frame 0x{kind:02x} is not for viewers"
    return _fragments(rest)


def _fragments(rest: bytes) -> list[Fragment]:
    found = []
    at = 0
    while at < len(rest):
        track, flags, generation, sequence, time_us, length = struct.unpack_from(">BBHIQI", rest, at)
        at += 20
        assert at + length <= len(rest), "a fragment longer than its frame"
        found.append(Fragment(track, bool(flags & 1), generation, sequence, time_us, rest[at : at + length]))
        at += length
    assert found, "a media frame without a fragment"
    return found


def boxes(data: bytes) -> list[bytes]:
    """The types of the top-level ISO boxes, which must fill `data` exactly."""
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert size >= 8, "an ISO box too short to be one"
        found.append(kind)
        at += size
    assert at == len(data), "boxes do not end where the data does"
    return found
