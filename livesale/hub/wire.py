"""The wire: frames 0x01–0x03 that viewers read (contract section 3) and 0x04, 0x05 that only edges read.

Law: a frame is encoded once, whoever receives it; nothing here knows a viewer. Integers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from livesale.media.ring import Fragment, Init

SUBPROTOCOL = "livesale.v1"
RELAY_SUBPROTOCOL = "livesale.relay.v1"

EVENTS = 0x01
MEDIA_INIT = 0x02
MEDIA = 0x03
PERSONAL = 0x04  # an edge's: events of one tag
CONTROL = 0x05  # an edge's: what the upstream says about the show itself

STARTS_WITH_KEY = 0x01  # bit 0 of a fragment's flags
MAX_MSE_TYPE_BYTES = 255

_INIT = struct.Struct(">BBHB")
_FRAGMENT = struct.Struct(">BBHIQI")
FRAGMENT_HEADER_BYTES = _FRAGMENT.size

_encode = msgspec.msgpack.Encoder().encode


class MalformedFrame(ValueError):
    """Bytes that are no frame of this protocol."""


class EventsFrame(msgspec.Struct, frozen=True):
    """Frame 0x01: every `must` event of the positions after < seq ≤ upto meant for who receives it."""

    after: int
    upto: int
    events: list[dict[str, Any]]


class PersonalFrame(msgspec.Struct, frozen=True):
    """Frame 0x04: events of one position for the owner of `tag` alone."""

    tag: str
    seq: int
    events: list[msgspec.Raw]


class ViewerMessage(msgspec.Struct):
    """The only thing a viewer may send; further fields are for statistics and are not kept."""

    type: Literal["pong", "stats"]


Frame = EventsFrame | Init | list[Fragment]

_events_decoder = msgspec.msgpack.Decoder(EventsFrame)
_personal_decoder = msgspec.msgpack.Decoder(PersonalFrame)
_control_decoder = msgspec.msgpack.Decoder(dict[str, Any])
_viewer_decoder = msgspec.msgpack.Decoder(ViewerMessage)


def packed(value: Any) -> bytes:
    """`value` as msgpack, ready to be spliced into a frame."""
    return _encode(value)


def events_frame(after: int, upto: int, events: Iterable[bytes]) -> bytes:
    """Frame 0x01 of events that are already packed."""
    body = {"after": after, "upto": upto, "events": [msgspec.Raw(event) for event in events]}
    return bytes((EVENTS,)) + _encode(body)


def init_frame(init: Init) -> bytes:
    """Frame 0x02."""
    mse_type = init.mse_type.encode()
    if len(mse_type) > MAX_MSE_TYPE_BYTES:
        raise MalformedFrame("an MSE type has at most 255 bytes")
    return _INIT.pack(MEDIA_INIT, init.track, init.generation, len(mse_type)) + mse_type + init.data


def media_frame(fragments: Sequence[Fragment]) -> bytes:
    """Frame 0x03 of one or more fragments, in their order."""
    if not fragments:
        raise MalformedFrame("a media frame holds at least one fragment")
    parts: list[bytes] = [bytes((MEDIA,))]
    for each in fragments:
        flags = STARTS_WITH_KEY if each.key else 0
        size = len(each.data)
        parts.append(_FRAGMENT.pack(each.track, flags, each.generation, each.sequence, each.time_us, size))
        parts.append(each.data)
    return b"".join(parts)


def personal_frame(tag: str, seq: int, events: Iterable[bytes]) -> bytes:
    """Frame 0x04."""
    return bytes((PERSONAL,)) + _encode(PersonalFrame(tag, seq, [msgspec.Raw(event) for event in events]))


def control_frame(message: dict[str, Any]) -> bytes:
    """Frame 0x05."""
    return bytes((CONTROL,)) + _encode(message)


def decode(frame: bytes) -> Frame | PersonalFrame | dict[str, Any]:
    """What a frame says; MalformedFrame when it is none."""
    if not frame:
        raise MalformedFrame("an empty frame")
    kind = frame[0]
    try:
        if kind == MEDIA:
            return _decode_media(frame)
        if kind == MEDIA_INIT:
            return _decode_init(frame)
        body = memoryview(frame)[1:]
        if kind == EVENTS:
            return _events_decoder.decode(body)
        if kind == PERSONAL:
            return _personal_decoder.decode(body)
        if kind == CONTROL:
            return _control_decoder.decode(body)
    except (msgspec.MsgspecError, struct.error, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(str(error)) from error
    raise MalformedFrame(f"unknown frame 0x{kind:02x}")


def decode_viewer_message(data: bytes) -> ViewerMessage:
    """What a viewer sent; MalformedFrame when it is not a map that says `pong` or `stats`."""
    try:
        return _viewer_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(str(error)) from error


def websocket_binary(payload: bytes) -> bytes:
    """An unmasked, final WebSocket binary message (RFC 6455 section 5.2), as a server sends it."""
    size = len(payload)
    if size < 126:
        head = bytes((0x82, size))
    elif size < 1 << 16:
        head = b"\x82\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x82\x7f" + size.to_bytes(8, "big")
    return head + payload


def _decode_init(frame: bytes) -> Init:
    _, track, generation, length = _INIT.unpack_from(frame)
    start = _INIT.size
    if len(frame) < start + length:
        raise MalformedFrame("an init frame is shorter than its MSE type")
    return Init(track, generation, frame[start : start + length].decode(), frame[start + length :])


def _decode_media(frame: bytes) -> list[Fragment]:
    fragments = []
    at = 1
    while at < len(frame):
        track, flags, generation, sequence, time_us, length = _FRAGMENT.unpack_from(frame, at)
        at += FRAGMENT_HEADER_BYTES
        data = frame[at : at + length]
        if len(data) != length:
            raise MalformedFrame("a media frame is shorter than its fragment")
        at += length
        fragments.append(Fragment(track, bool(flags & STARTS_WITH_KEY), generation, sequence, time_us, data))
    if not fragments:
        raise MalformedFrame("a media frame without a fragment")
    return fragments
