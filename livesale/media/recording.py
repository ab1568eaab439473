"""Recordings as they lie on disk: what stretches there are, where each moment is in the replay, and the VOD playlist.

Law: the files say everything. What a crash left is read like anything else, up to its last whole part. In the replay the
stretches follow one another without the time in which there was nothing, so a moment's place (`at_us`) is not its media
time: `Timeline` tells one from the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.media.chunks import Found, init_size, micros, read_chunks
from livesale.media.frames import AUDIO, VIDEO
from livesale.media.packager import LONGEST_SEGMENT_US, SEGMENT_US

TAKES = "*-*.mp4"


class Piece(msgspec.Struct, frozen=True):
    """A part in a file: where its bytes are and its media time."""

    offset: int
    size: int
    start_us: int
    end_us: int
    key: bool


class Take(msgspec.Struct, frozen=True):
    """One stretch on disk: file, length of its init segment, its parts."""

    file: str
    init_size: int
    pieces: list[Piece]

    @property
    def studio(self) -> str:
        """The fencing number of the studio that wrote it."""
        return self.file.partition("-")[0]

    @property
    def start_us(self) -> int:
        """Media time of its beginning."""
        return self.pieces[0].start_us

    @property
    def end_us(self) -> int:
        """Media time of its end."""
        return self.pieces[-1].end_us

    @property
    def span(self) -> tuple[int, int]:
        """Both."""
        return self.start_us, self.end_us


class Timeline:
    """Media time to place in the replay; `spans` are beginning and end of each stretch (µs), in order."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self._spans = spans
        self._places: list[int] = []
        self.duration_us = 0
        for start_us, end_us in spans:
            self._places.append(self.duration_us)
            self.duration_us += end_us - start_us

    def at(self, media_us: int) -> int:
        """Where that moment is; what happened while nothing was recorded lies where the recording goes on."""
        index = bisect_right(self._spans, media_us, key=lambda span: span[0]) - 1
        if index < 0:
            return 0
        start_us, end_us = self._spans[index]
        return self._places[index] + min(media_us, end_us) - start_us


def takes_in(folder: Path) -> list[Take]:
    """What was recorded of a show, in order. Where a later studio had taken over, the earlier one's rest is left out."""
    found = [take for path in sorted(folder.glob(TAKES)) if (take := _take(path)) is not None]
    kept: list[Take] = []
    for take in reversed(found):
        after = next((each for each in reversed(kept) if each.studio != take.studio), None)
        pieces = [piece for piece in take.pieces if after is None or piece.end_us <= after.start_us]
        if pieces:
            kept.append(msgspec.structs.replace(take, pieces=pieces))
    return kept[::-1]


def recorded_until_us(folder: Path) -> int:
    """Media time up to which a show is recorded; 0 when nothing is."""
    newest = max(folder.glob(TAKES), default=None)
    take = _take(newest) if newest else None
    return take.end_us if take else 0


def vod(takes: list[Take], epoch_ms: int) -> str:
    """The media playlist of a recording: byte ranges of its files."""

    def ranges(take: Take) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for pieces in segments_of(take):
            size = sum(piece.size for piece in pieces)
            found.append((f"#EXT-X-BYTERANGE:{size}@{pieces[0].offset}", take.file))
        return found

    return playlist(takes, epoch_ms, lambda take: f'URI="{take.file}",BYTERANGE="{take.init_size}@0"', ranges)


def playlist(
    takes: list[Take], epoch_ms: int, init: Callable[[Take], str], media: Callable[[Take], list[tuple[str, ...]]]
) -> str:
    """A media playlist of the takes, cut by `segments_of`: where each one's init segment is, and the lines that say where
    each of its segments is."""
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXT-X-TARGETDURATION:{LONGEST_SEGMENT_US // 1_000_000}", "#EXT-X-MEDIA-SEQUENCE:0",
    ]  # fmt: skip
    for place, take in enumerate(takes):
        lines += ["#EXT-X-DISCONTINUITY"] if place else []
        lines.append(f"#EXT-X-MAP:{init(take)}")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{rfc3339(epoch_ms + take.start_us // 1000)}")
        for pieces, where in zip(segments_of(take), media(take), strict=True):
            lines.append(f"#EXTINF:{(pieces[-1].end_us - pieces[0].start_us) / 1_000_000:.5f},")
            lines += where
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def segments_of(take: Take) -> list[list[Piece]]:
    """Its parts, cut into segments as the live playlist was."""
    return list(_segments(take.pieces))


def _segments(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Cut as the live playlist was: at the first key frame after two seconds, or before it gets too long."""
    open_: list[Piece] = []
    for piece in pieces:
        if open_:
            length_us = piece.start_us - open_[0].start_us
            if (piece.key and length_us >= SEGMENT_US) or piece.end_us - open_[0].start_us > LONGEST_SEGMENT_US:
                yield open_
                open_ = []
        open_.append(piece)
    if open_:
        yield open_


def _take(path: Path) -> Take | None:
    with path.open("rb") as file:
        size = path.stat().st_size
        begin = init_size(file, size)
        chunks = list(read_chunks(file, begin, size)) if begin is not None else []
    if begin is None or not chunks:
        return None
    return Take(path.name, begin, _pieces(chunks))


def _pieces(chunks: list[Found]) -> list[Piece]:
    """Chunks with times that join: by their pictures, by sound where there are none."""
    starts = [_start_us(chunk) for chunk in chunks]
    track = VIDEO if VIDEO in chunks[-1].spans else AUDIO
    ends = [max(start, after) for start, after in pairwise([*starts, micros(track, chunks[-1].spans[track][1])])]
    sound = all(VIDEO not in chunk.spans for chunk in chunks)
    return [
        Piece(chunk.offset, chunk.size, start, end, chunk.key or sound)
        for chunk, start, end in zip(chunks, starts, ends, strict=True)
    ]


def _start_us(chunk: Found) -> int:
    track = VIDEO if VIDEO in chunk.spans else AUDIO
    return micros(track, chunk.spans[track][0])
