"""Playlists: the live window of one rendition as HLS tells it (RFC 8216 and its second edition). Pure.

Law: a name stands for the same bytes for ever. Names begin with the rendition's own prefix, which holds the fencing
number of the studio, so that no two studios and no two runs ever use one name for different bytes.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.kernel.refusals import Refusal
from livesale.media.captions import Cue, webvtt
from livesale.media.packager import LONGEST_SEGMENT_US, PART_US, Part, Stretch

TARGET_S = math.ceil(LONGEST_SEGMENT_US / 1_000_000)
PART_S = PART_US / 1_000_000
HOLD_BACK_S = 3 * PART_S
BLOCK_S = 3 * TARGET_S  # a blocking request waits no longer
LISTED_US = 6 * TARGET_S * 1_000_000  # how far back a playlist goes
KEPT_US = 2 * LISTED_US  # and how far back media can still be fetched
KEPT_BYTES = 64 << 20
PARTS_LISTED_US = 3 * TARGET_S * 1_000_000
ADVANCE_PARTS = math.ceil(3 / PART_S)
MOST_DIGITS = 12

_FILE = re.compile(
    r"(?P<prefix>[0-9a-z]+)-(?P<number>[0-9]{1,12})(?:\.(?P<part>[0-9]{1,6})|\.(?P<lang>[a-z0-9-]{2,35}))?"
    r"\.(?P<kind>m4s|mp4|vtt)"
)


class Segment(msgspec.Struct):
    """A segment and its parts so far."""

    stretch: Stretch
    number: int
    start_us: int
    parts: list[Part] = []
    cues: list[Cue] = []

    @property
    def end_us(self) -> int:
        """Where it ends, in media time."""
        return self.parts[-1].end_us

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(len(part.data) for part in self.parts)


class Window:
    """The newest segments of one rendition. `epoch_ms`: when the broadcast began, for the dates in the playlist."""

    def __init__(self, prefix: str, epoch_ms: int) -> None:
        self.prefix = prefix
        self.ended = False
        self.stretch: Stretch | None = None  # the newest
        self._epoch_ms = epoch_ms
        self._whole: deque[Segment] = deque()
        self._open: Segment | None = None
        self._said: list[Cue] = []  # cues for the next segment
        self.langs: list[str] = []
        self._text: str | None = None

    def add(self, part: Part) -> None:
        """Takes the next part."""
        self._text = None
        self.stretch = part.stretch
        if self._open is None:
            self._open = Segment(part.stretch, part.segment, part.start_us, cues=self._said)
            self._said = []
        self._open.parts.append(part)
        if part.closes:
            self._whole.append(self._open)
            self._open = None
            self._forget(part.end_us)

    def say(self, cue: Cue) -> None:
        """Takes a line of captions: it stands in the segment that is open, from that one's beginning on at the earliest."""
        if cue.lang not in self.langs:
            self.langs.append(cue.lang)
        (self._open.cues if self._open is not None else self._said).append(cue)

    def end(self) -> None:
        """Nothing more comes: the playlist says so, and nobody waits any longer."""
        self.ended = True
        self._text = None

    def text(self) -> str:
        """The media playlist as it is now."""
        if self._text is None:
            self._text = "\n".join(self._lines()) + "\n"
        return self._text

    def captions(self, lang: str) -> str:
        """The playlist of the captions in a language: a file for each whole segment."""
        listed = self._listed(list(self._whole))
        lines = [
            "#EXTM3U", "#EXT-X-VERSION:9", f"#EXT-X-TARGETDURATION:{TARGET_S}",
            f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number if listed else 0}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{listed[0].stretch.number if listed else 0}",
        ]  # fmt: skip
        for before, each in pairwise([None, *listed]):
            assert each is not None
            lines += ["#EXT-X-DISCONTINUITY"] * (each.stretch.number - before.stretch.number if before else 0)
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{rfc3339(self._epoch_ms + each.start_us // 1000)}")
            lines += [f"#EXTINF:{_seconds(each.end_us - each.start_us)},", f"{self.prefix}-{each.number}.{lang}.vtt"]
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if self.ended else []), ""])

    def has(self, segment: int | None, part: int | None) -> bool:
        """Whether the playlist already tells of what a blocking reload waits for; False: it will.

        Refusal `malformed` (400) for a part without a segment, and for what lies too far ahead.
        """
        if segment is None:
            if part is not None:
                raise Refusal("malformed", "_HLS_part needs _HLS_msn.")
            return True
        if self.ended:
            return True
        newest, parts = self._position()
        if segment > newest + 1 or (segment == newest and (part or 0) >= parts + ADVANCE_PARTS):
            raise Refusal("malformed", "That is too far ahead of what there is.")
        if segment >= newest or part is None:
            return segment < newest or (segment == newest and part is not None and part < parts)
        before = self._whole[-1]
        # A part beyond a segment's last is the first of the next.
        return segment < before.number or part < len(before.parts) or parts > 0

    def file(self, name: str) -> bytes | None:
        """The bytes of an init segment, a segment or a part; None when they are to come (the part in the hint).

        Refusal `not_found` for anything else.
        """
        found = _FILE.fullmatch(name)
        if found is None or found["prefix"] != self.prefix:
            raise _no_file()
        number = int(found["number"])
        if found["kind"] == "vtt":
            return self._vtt(number, found["lang"])
        if found["kind"] == "mp4" and found["part"] is None:
            return self._init(number)
        if found["kind"] == "mp4" or found["lang"] is not None:
            raise _no_file()
        if found["part"] is None:
            return b"".join(part.data for part in self._segment(number, self._whole).parts)
        index = int(found["part"])
        if not self.ended and (number, index) == self._position():
            return None
        parts = self._segment(number, self._kept()).parts
        if index >= len(parts):
            raise _no_file()
        return parts[index].data

    def bits_per_s(self) -> tuple[int, int]:
        """Peak and average of the segments there are; a guess before the first."""
        rates = [each.size * 8_000_000 // max(1, each.end_us - each.start_us) for each in self._whole]
        return (max(rates), sum(rates) // len(rates)) if rates else (3_000_000, 1_500_000)

    def recent(self, least_us: int) -> list[Part]:
        """The newest whole segments and open parts of the present stretch, back to at least that much media."""
        kept = [each for each in self._kept() if each.stretch is self.stretch]
        last = kept[-1].end_us if kept else 0
        begin = max((place for place, each in enumerate(kept) if last - each.start_us >= least_us), default=0)
        return [part for each in kept[begin:] for part in each.parts]

    def _position(self) -> tuple[int, int]:
        """Number of the segment that is open or next, and how many parts of it there are."""
        if self._open is not None:
            return self._open.number, len(self._open.parts)
        return (self._whole[-1].number + 1 if self._whole else 0), 0

    def _kept(self) -> Iterator[Segment]:
        yield from self._whole
        if self._open is not None:
            yield self._open

    def _segment(self, number: int, among: deque[Segment] | Iterator[Segment]) -> Segment:
        for each in among:
            if each.number == number:
                return each
        raise _no_file()

    def _init(self, number: int) -> bytes:
        for each in self._kept():
            if each.stretch.number == number:
                return each.stretch.init
        raise _no_file()

    def _vtt(self, number: int, lang: str | None) -> bytes:
        segment = self._segment(number, self._whole)
        begins_ms = segment.start_us // 1000
        spoken = [each for each in segment.cues if each.lang == lang]
        late = [msgspec.structs.replace(each, begins_ms=max(each.begins_ms, begins_ms)) for each in spoken]
        return webvtt([each for each in late if each.ends_ms > each.begins_ms], live=True).encode()

    def _listed(self, kept: list[Segment]) -> list[Segment]:
        return [each for each in kept if kept[-1].end_us - each.end_us < LISTED_US]

    def _forget(self, end_us: int) -> None:
        size = sum(each.size for each in self._whole)
        while len(self._whole) > 1 and (end_us - self._whole[0].end_us > KEPT_US or size > KEPT_BYTES):
            size -= self._whole.popleft().size

    def _lines(self) -> Iterator[str]:
        kept = list(self._kept())
        end_us = kept[-1].end_us if kept else 0
        listed = self._listed(kept)
        yield "#EXTM3U"
        yield "#EXT-X-VERSION:9"
        yield f"#EXT-X-TARGETDURATION:{TARGET_S}"
        yield f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK_S}"
        yield f"#EXT-X-PART-INF:PART-TARGET={PART_S}"
        yield f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number if listed else 0}"
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{listed[0].stretch.number if listed else 0}"
        before: Stretch | None = None
        for each in listed:
            if each.stretch is not before:
                yield from ["#EXT-X-DISCONTINUITY"] * (each.stretch.number - before.number if before else 0)
                yield f'#EXT-X-MAP:URI="{self.prefix}-{each.stretch.number}.mp4"'
                before = each.stretch
            yield f"#EXT-X-PROGRAM-DATE-TIME:{rfc3339(self._epoch_ms + each.start_us // 1000)}"
            if end_us - each.end_us < PARTS_LISTED_US:
                yield from (self._part_line(part) for part in each.parts)
            if each is not self._open:
                yield f"#EXTINF:{_seconds(each.end_us - each.start_us)},"
                yield f"{self.prefix}-{each.number}.m4s"
        if self.ended:
            yield "#EXT-X-ENDLIST"
        elif kept:
            segment, part = self._position()
            yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{self.prefix}-{segment}.{part}.m4s"'

    def _part_line(self, part: Part) -> str:
        independent = ",INDEPENDENT=YES" if part.independent else ""
        name = f"{self.prefix}-{part.segment}.{part.index}.m4s"
        return f'#EXT-X-PART:DURATION={_seconds(part.end_us - part.start_us)},URI="{name}"{independent}'


def multivariant(
    uri: str, codecs: tuple[str, ...], size: tuple[int, int] | None, bits_per_s: tuple[int, int], langs: Sequence[str] = ()
) -> str:
    """The playlist of playlists: one variant, and captions in these languages. Chromium's own player would change between
    two variants of one picture, and stop where the sound's codec changes."""
    peak, average = bits_per_s
    resolution = f",RESOLUTION={size[0]}x{size[1]}" if size else ""
    stream = f'BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{",".join(codecs)}"{resolution}'
    spoken = [
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="{lang}",LANGUAGE="{lang}",AUTOSELECT=YES,DEFAULT=NO,'
        f'FORCED=NO,URI="captions-{lang}.m3u8"'
        for lang in langs
    ]
    stream += ',SUBTITLES="captions"' if langs else ""
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:9", *spoken, f"#EXT-X-STREAM-INF:{stream}", uri, ""])


def number_of(text: str | None, name: str) -> int | None:
    """The number a delivery directive gives; Refusal `malformed` when it is none."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Refusal("malformed", f"{name} must be a whole number.")
    return int(text)


def _seconds(us: int) -> str:
    return f"{us / 1_000_000:.5f}"


def _no_file() -> Refusal:
    return Refusal("not_found", "There is no such segment, or no longer.")
