"""The hand-written muxer: init segments, and fragments of one sample each.

ISO/IEC 14496-12 and -15, and Opus in ISOBMFF. A fragment is a moof of 100 bytes and an mdat; both tracks
are files of their own with the track's number as track id.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from livesale.media.frames import AUDIO, AUDIO_HZ, HZ, VIDEO
from livesale.media.h264 import Picture

AUDIO_MSE_TYPE = 'audio/mp4; codecs="opus"'
FRAGMENT_OVERHEAD = 108

_KEY_FLAGS = 0x02000000  # depends on no other sample
_DELTA_FLAGS = 0x01010000  # depends on others, not a sync sample
_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MOOF = struct.Struct(
    ">I4s"  # moof
    "I4sII"  # mfhd: version+flags, sequence
    "I4s"  # traf
    "I4sII"  # tfhd: flags, track id
    "I4sIQ"  # tfdt: version 1, decode time
    "I4sIIiIII"  # trun: flags, count, data offset, duration, size, sample flags
    "I4s"  # mdat
)
assert _MOOF.size == FRAGMENT_OVERHEAD


def video_mse_type(picture: Picture) -> str:
    """The type a MediaSource needs for this picture, such as `video/mp4; codecs="avc1.42c020"`."""
    return f'video/mp4; codecs="{picture.codec}"'


def video_init(picture: Picture, sps: bytes, pps: bytes) -> bytes:
    """Init segment of an H.264 track."""
    config = bytes((1, *sps[1:4], 0xFF, 0xE1)) + _sized(sps) + b"\x01" + _sized(pps)
    if sps[1] in (
        100,
        110,
        122,
        144,
    ):  # the extension such profiles carry: 4:2:0, 8 bit, which is all browsers send
        config += b"\xfd\xf8\xf8\x00"
    entry = struct.pack(">6xH16xHHIII H32xHh", 1, picture.width, picture.height, 0x480000, 0x480000, 0, 1, 24, -1)
    return _init(VIDEO, picture, box(b"avc1", entry, box(b"avcC", config)))


def audio_init() -> bytes:
    """Init segment of an Opus track, stereo, 48 kHz. No pre-skip: a live track starts in the middle."""
    config = struct.pack(">BBHIhB", 0, 2, 0, AUDIO_HZ, 0, 0)
    entry = struct.pack(">6xH8xHHIHH", 1, 2, 16, 0, AUDIO_HZ, 0)
    return _init(AUDIO, None, box(b"Opus", entry, box(b"dOps", config)))


def aac_init(config: bytes, bits_per_s: int) -> bytes:
    """Init segment of an AAC track, stereo, 48 kHz; `config` is its AudioSpecificConfig (ISO/IEC 14496-3)."""
    decoder = struct.pack(">BB3xII", 0x40, 0x15, bits_per_s, bits_per_s) + _descriptor(5, config)
    stream = struct.pack(">HB", 0, 0) + _descriptor(4, decoder) + _descriptor(6, b"\x02")
    entry = struct.pack(">6xH8xHHIHH", 1, 2, 16, 0, AUDIO_HZ, 0)
    return _init(AUDIO, None, box(b"mp4a", entry, full_box(b"esds", 0, _descriptor(3, stream))))


def fragment(track: int, sequence: int, time: int, duration: int, key: bool, sample: bytes) -> bytes:
    """moof+mdat of one sample; `time` and `duration` in the track's clock (frames.HZ)."""
    flags = _KEY_FLAGS if key else _DELTA_FLAGS
    head = _MOOF.pack(
        100, b"moof",
        16, b"mfhd", 0, (sequence + 1) & 0xFFFFFFFF,
        76, b"traf",
        16, b"tfhd", 0x020000, track,
        20, b"tfdt", 0x01000000, time,
        32, b"trun", 0x000701, 1, FRAGMENT_OVERHEAD, duration, len(sample), flags,
        8 + len(sample), b"mdat",
    )  # fmt: skip
    return head + sample


def video_sample(nals: Iterable[bytes]) -> bytes:
    """NAL units as the bytes of a sample: each behind its length in four bytes."""
    parts: list[bytes] = []
    for nal in nals:
        parts += (len(nal).to_bytes(4, "big"), nal)
    return b"".join(parts)


def sample_of(data: bytes) -> tuple[int, int, memoryview]:
    """Decode time, declared duration and sample bytes of a fragment this muxer made."""
    time = int.from_bytes(data[60:68], "big")
    duration = int.from_bytes(data[88:92], "big")
    return time, duration, memoryview(data)[FRAGMENT_OVERHEAD:]


def box(kind: bytes, *parts: bytes) -> bytes:
    """An ISO box: its length, its four-letter kind, what is in it."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, flags: int, *parts: bytes) -> bytes:
    """A box of version 0 with flags."""
    return box(kind, struct.pack(">I", flags), *parts)


def _init(track: int, picture: Picture | None, entry: bytes) -> bytes:
    brands = box(b"ftyp", b"iso6", bytes(4), b"iso6", b"mp41")
    movie = full_box(
        b"mvhd",
        0,
        struct.pack(">IIIIIH10x", 0, 0, 1000, 0, 0x10000, 0x100),
        _IDENTITY,
        bytes(24),
        b"\0\0\0\3",
    )
    extends = box(b"mvex", full_box(b"trex", 0, struct.pack(">IIIII", track, 1, 0, 0, 0)))
    return brands + box(b"moov", movie, box(b"trak", _track_header(track, picture), _media(track, entry)), extends)


def _track_header(track: int, picture: Picture | None) -> bytes:
    size = (picture.width << 16, picture.height << 16) if picture else (0, 0)
    volume = 0 if picture else 0x100
    head = struct.pack(">IIIII8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0)
    return full_box(b"tkhd", 7, head, _IDENTITY, struct.pack(">II", *size))


def _media(track: int, entry: bytes) -> bytes:
    handler, name = (b"vide", b"video\0") if track == VIDEO else (b"soun", b"audio\0")
    kind_header = full_box(b"vmhd", 1, bytes(8)) if track == VIDEO else full_box(b"smhd", 0, bytes(4))
    data = box(b"dinf", full_box(b"dref", 0, b"\0\0\0\1", full_box(b"url ", 1)))
    empty = [full_box(kind, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")]
    table = box(b"stbl", full_box(b"stsd", 0, b"\0\0\0\1", entry), *empty, full_box(b"stsz", 0, bytes(8)))
    return box(
        b"mdia",
        full_box(b"mdhd", 0, struct.pack(">IIIIHH", 0, 0, HZ[track], 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, bytes(4), handler, bytes(12), name),
        box(b"minf", kind_header, data, table),
    )


def _descriptor(tag: int, data: bytes) -> bytes:
    return bytes((tag, len(data))) + data


def _sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit
