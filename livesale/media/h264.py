"""H.264 as far as a relay needs it: NAL units out of RTP payloads (RFC 6184), and what an SPS says."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

SLICE = 1
IDR = 5
SPS = 7
PPS = 8
DELIMITER = 9
STAP_A = 24
FU_A = 28

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_MAX_SIDE = 16_384


class Picture(msgspec.Struct, frozen=True):
    """What a sequence parameter set promises: size in pixels and the MSE codec string (`avc1.42c020`)."""

    width: int
    height: int
    codec: str


def nal_type(nal: bytes) -> int:
    """The type (0–31) of a NAL unit."""
    return nal[0] & 0x1F


def depacketize(payloads: Iterable[bytes]) -> tuple[bytes, ...]:
    """The NAL units of one frame, without start codes; ValueError when a payload is malformed or lacks."""
    nals: list[bytes] = []
    parts: list[bytes] | None = None  # of a NAL unit sent in fragments
    for payload in payloads:
        if not payload:
            raise ValueError("empty payload")
        kind = payload[0] & 0x1F
        if (kind == FU_A) != (parts is not None) and not (kind == FU_A and len(payload) > 1 and payload[1] & 0x80):
            raise ValueError("a fragmented NAL unit lacks a part")
        if kind == FU_A:
            parts = _fragment(payload, parts, nals)
        elif kind == STAP_A:
            nals += _aggregated(payload)
        elif 1 <= kind <= 23:
            nals.append(payload)
        else:
            raise ValueError(f"RTP payload type {kind} is not used in packetization mode 1")
    if parts is not None:
        raise ValueError("a fragmented NAL unit lacks its end")
    return tuple(nals)


def starts_key_frame(payload: bytes) -> bool:
    """Whether an RTP payload begins a key frame: with its sequence parameter set."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 0x1F
    if kind == STAP_A:
        return len(payload) > 3 and payload[3] & 0x1F == SPS
    if kind == FU_A:
        return payload[1] & 0x80 != 0 and payload[1] & 0x1F == SPS
    return kind == SPS


def split_annex_b(stream: bytes) -> list[bytes]:
    """The NAL units between start codes (00 00 01 or 00 00 00 01)."""
    return [nal for piece in stream.split(b"\0\0\1") if (nal := piece.rstrip(b"\0"))]


def parse_sps(sps: bytes) -> Picture:
    """Size and codec string from an SPS (ITU-T H.264, 7.3.2.1.1); ValueError when it is not one."""
    if len(sps) < 4 or nal_type(sps) != SPS:
        raise ValueError("not a sequence parameter set")
    bits = _Bits(sps[4:])
    try:
        width, height = _picture_size(bits, sps[1])
    except IndexError:
        raise ValueError("the sequence parameter set is cut short") from None
    if not (16 <= width <= _MAX_SIDE and 16 <= height <= _MAX_SIDE):
        raise ValueError(f"a picture of {width}×{height} cannot be")
    return Picture(width, height, "avc1." + sps[1:4].hex())


def _fragment(payload: bytes, parts: list[bytes] | None, nals: list[bytes]) -> list[bytes] | None:
    if len(payload) < 3:
        raise ValueError("fragment too short")
    head = payload[1]
    if head & 0x80:
        if parts is not None:
            raise ValueError("a fragmented NAL unit starts within another")
        parts = [bytes((payload[0] & 0xE0 | head & 0x1F,))]
    assert parts is not None
    parts.append(payload[2:])
    if not head & 0x40:
        return parts
    nals.append(b"".join(parts))
    return None


def _aggregated(payload: bytes) -> list[bytes]:
    nals = []
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        nal = payload[at + 2 : at + 2 + size]
        if not nal or len(nal) != size:
            raise ValueError("an aggregation packet is cut short")
        nals.append(nal)
        at += 2 + size
    return nals


def _picture_size(bits: _Bits, profile: int) -> tuple[int, int]:
    bits.unsigned()  # seq_parameter_set_id
    chroma = _chroma_format(bits) if profile in _HIGH_PROFILES else 1
    bits.unsigned()  # log2_max_frame_num_minus4
    order_type = bits.unsigned()
    if order_type == 0:
        bits.unsigned()
    elif order_type == 1:
        bits.take(1)
        bits.unsigned()
        bits.unsigned()
        for _ in range(min(bits.unsigned(), 255)):
            bits.unsigned()
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)
    columns = bits.unsigned() + 1
    rows = bits.unsigned() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    crop = [bits.unsigned() for _ in range(4)] if bits.take(1) else [0, 0, 0, 0]
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - frames_only)
    width = columns * 16 - unit_x * (crop[0] + crop[1])
    height = rows * 16 * (2 - frames_only) - unit_y * (crop[2] + crop[3])
    return width, height


def _chroma_format(bits: _Bits) -> int:
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    bits.unsigned()
    bits.unsigned()
    bits.take(1)
    if bits.take(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.unsigned()
            delta = (code + 1) // 2 if code % 2 else -(code // 2)
            following = (last + delta) % 256
        last = following or last


class _Bits:
    """Reads a raw byte sequence payload bit by bit, emulation prevention bytes (00 00 03) taken out."""

    def __init__(self, payload: bytes) -> None:
        clean = bytearray()
        zeros = 0
        for byte in payload:
            if zeros >= 2 and byte == 3:
                zeros = 0
                continue
            clean.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        self._bytes = bytes(clean)
        self._at = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | (self._bytes[self._at >> 3] >> (7 - (self._at & 7))) & 1
            self._at += 1
        return value

    def unsigned(self) -> int:
        """An unsigned Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("not an Exp-Golomb code")
        return (1 << zeros) - 1 + self.take(zeros)
