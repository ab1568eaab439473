"""Chunks: many samples of both tracks in one moof and one mdat, and the init segment that goes with them.

ISO/IEC 14496-12. What HLS serves and the recorder writes; the hub's fragments (fmp4.py) hold the same samples one by one.
Read back here too: a file that ends in the middle of a chunk is whole up to the chunk before.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import BinaryIO

import msgspec

from livesale.media.fmp4 import box, full_box
from livesale.media.frames import AUDIO, HZ, VIDEO

_KEY_FLAGS = 0x02000000  # depends on no other sample
_DELTA_FLAGS = 0x01010000  # depends on others, not a sync sample
_BASE_IS_MOOF = 0x020000
_EACH_SAMPLE = 0x000701  # data offset; duration, size and flags of each sample
_HEAD = struct.Struct(">I4s")
_CODECS = re.compile(r'codecs="([^"]+)"')


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One picture or sound packet with its exact duration; `time` and `duration` in the track's clock (frames.HZ)."""

    track: int
    time: int
    duration: int
    key: bool
    data: bytes

    @property
    def end(self) -> int:
        """Where it ends, in the track's clock."""
        return self.time + self.duration


class Found(msgspec.Struct, frozen=True, gc=False):
    """A chunk found in a file: where, and of each track in it decode time and end (in the track's clock)."""

    offset: int
    size: int
    spans: dict[int, tuple[int, int]]
    key: bool


def chunk(sequence: int, samples: Sequence[Sample]) -> bytes:
    """moof+mdat of samples of one or both tracks, each track's in order of time; pictures lie first in the mdat.

    A moof knows one beginning a track: what comes behind a hole in a track goes into a moof and mdat of its own.
    """
    runs = [_runs([one for one in samples if one.track == track]) for track in (VIDEO, AUDIO)]
    together = zip_longest(*runs, fillvalue=())
    return b"".join(_chunk(sequence, [each for each in tracks if each]) for tracks in together)


def movie(inits: Sequence[bytes]) -> bytes:
    """One init segment for the tracks of several that fmp4.py made."""
    parts = [{kind: whole for kind, whole in _children(_moov(data))} for data in inits]
    extends = [_inside(each[b"mvex"]) for each in parts]
    brands = inits[0][: _HEAD.unpack_from(inits[0])[0]]
    traks = (each[b"trak"] for each in parts)
    return brands + box(b"moov", parts[0][b"mvhd"], *traks, box(b"mvex", *extends))


def with_sound(init: bytes, sound: bytes) -> bytes:
    """The init segment with another sound track: that of `sound`, an init segment of its own."""
    brands = init[: _HEAD.unpack_from(init)[0]]
    (other,) = (whole for kind, whole in _children(_moov(sound)) if kind == b"trak")
    boxes = (other if kind == b"trak" and b"soun" in whole else whole for kind, whole in _children(_moov(init)))
    return brands + box(b"moov", *boxes)


def codecs_of(mse_type: str) -> str:
    """`avc1.42c020` of `video/mp4; codecs="avc1.42c020"`."""
    found = _CODECS.search(mse_type)
    return found[1] if found else ""


def picture_size(init: bytes) -> tuple[int, int] | None:
    """Width and height an init segment declares for its H.264 track; None without one."""
    entry = init.find(b"avc1", init.find(b"stsd"))
    return struct.unpack_from(">HH", init, entry + 28) if entry > 0 else None


def read_chunks(file: BinaryIO, offset: int, size: int) -> Iterator[Found]:
    """The whole chunks of a recording from `offset` to its `size`; what follows the last whole one is left out."""
    while (moof := _read(file, offset, size, b"moof")) is not None:
        head = _read_head(file, offset + len(moof), size, b"mdat")
        if head is None:
            return
        whole = len(moof) + head
        yield _found(offset, whole, moof)
        offset += whole


def init_size(file: BinaryIO, size: int) -> int | None:
    """How long the init segment at a file's beginning is; None when it is not whole."""
    ftyp = _read_head(file, 0, size, b"ftyp")
    moov = None if ftyp is None else _read_head(file, ftyp, size, b"moov")
    return None if ftyp is None or moov is None else ftyp + moov


def samples_in(data: bytes) -> list[Sample]:
    """Every sample of the chunks in `data`, in the order they lie there."""
    found: list[Sample] = []
    offset = 0
    while offset < len(data):
        moof_size = _HEAD.unpack_from(data, offset)[0]
        for kind, traf in _children(data[offset + 8 : offset + moof_size]):
            if kind == b"traf":
                found += _samples(traf, data, offset)
        offset += moof_size
        offset += _HEAD.unpack_from(data, offset)[0]
    return found


def _runs(samples: list[Sample]) -> list[list[Sample]]:
    """Samples of a track, parted where one does not begin as the one before ends."""
    starts = [place for place in range(1, len(samples)) if samples[place].time != samples[place - 1].end]
    return [samples[begin:end] for begin, end in pairwise([0, *starts, len(samples)]) if begin < end]


def _chunk(sequence: int, tracks: Sequence[Sequence[Sample]]) -> bytes:
    sizes = [sum(len(one.data) for one in each) for each in tracks]
    moof_size = 24 + sum(64 + 12 * len(each) for each in tracks)
    trafs, offset = [], moof_size + 8
    for each, size in zip(tracks, sizes, strict=True):
        trafs.append(_traf(each, offset))
        offset += size
    moof = box(b"moof", full_box(b"mfhd", 0, struct.pack(">I", sequence & 0xFFFFFFFF)), *trafs)
    data = [one.data for each in tracks for one in each]
    return b"".join((moof, _HEAD.pack(8 + sum(sizes), b"mdat"), *data))


def _traf(samples: Sequence[Sample], offset: int) -> bytes:
    rows = b"".join(
        struct.pack(">III", one.duration, len(one.data), _KEY_FLAGS if one.key else _DELTA_FLAGS) for one in samples
    )
    return box(
        b"traf",
        full_box(b"tfhd", _BASE_IS_MOOF, struct.pack(">I", samples[0].track)),
        full_box(b"tfdt", 0x01000000, struct.pack(">Q", samples[0].time)),
        full_box(b"trun", _EACH_SAMPLE, struct.pack(">Ii", len(samples), offset), rows),
    )


def _found(offset: int, size: int, moof: bytes) -> Found:
    spans: dict[int, tuple[int, int]] = {}
    key = False
    for kind, traf in _children(moof[8:]):
        if kind != b"traf":
            continue
        track, time, rows = _table(traf)
        spans[track] = (time, time + sum(duration for duration, _, _ in rows))
        key |= track == VIDEO and rows[0][2] == _KEY_FLAGS
    return Found(offset, size, spans, key)


def _samples(traf: bytes, data: bytes, moof_at: int) -> Iterator[Sample]:
    track, time, rows = _table(traf)
    trun = dict(_children(_inside(traf)))[b"trun"]
    at = moof_at + struct.unpack_from(">i", trun, 16)[0]
    for duration, size, flags in rows:
        yield Sample(track, time, duration, flags == _KEY_FLAGS, data[at : at + size])
        time, at = time + duration, at + size


def _table(traf: bytes) -> tuple[int, int, list[tuple[int, int, int]]]:
    """Track, decode time, and of each sample duration, size and flags."""
    boxes = dict(_children(_inside(traf)))
    track = struct.unpack_from(">I", boxes[b"tfhd"], 12)[0]
    time = struct.unpack_from(">Q", boxes[b"tfdt"], 12)[0]
    count = struct.unpack_from(">I", boxes[b"trun"], 12)[0]
    return track, time, [struct.unpack_from(">III", boxes[b"trun"], 20 + 12 * place) for place in range(count)]


def _moov(init: bytes) -> bytes:
    return _inside(dict(_children(init))[b"moov"])


def _inside(whole: bytes) -> bytes:
    return whole[8:]


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while offset + 8 <= len(data):
        size, kind = _HEAD.unpack_from(data, offset)
        yield kind, data[offset : offset + size]
        offset += size


def _read(file: BinaryIO, offset: int, size: int, kind: bytes) -> bytes | None:
    length = _read_head(file, offset, size, kind)
    if length is None:
        return None
    file.seek(offset)
    return file.read(length)


def _read_head(file: BinaryIO, offset: int, size: int, kind: bytes) -> int | None:
    """The length of the box of this kind at `offset`; None when there is none, or not all of it."""
    file.seek(offset)
    head = file.read(8)
    if len(head) < 8 or head[4:] != kind:
        return None
    length: int = _HEAD.unpack(head)[0]
    return length if offset + length <= size else None


def micros(track: int, ticks: int) -> int:
    """Media time in µs of a track's ticks."""
    return ticks * 1_000_000 // HZ[track]


def parameter_sets(init: bytes) -> bytes:
    """SPS and PPS of an init segment's H.264 track, each behind its length as in a sample; empty without such a track."""
    at = init.find(b"avcC")
    if at < 0:
        return b""
    at += 4 + 6  # version, profile, compatibility, level, length size, number of SPS
    found = b""
    for skip in (0, 1):  # the number of PPS lies between them
        at += skip
        size = int.from_bytes(init[at : at + 2], "big")
        found += size.to_bytes(4, "big") + init[at + 2 : at + 2 + size]
        at += 2 + size
    return found
