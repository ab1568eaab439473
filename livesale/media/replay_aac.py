"""A replay for players that know no Opus in MP4 (Safari): its segments with AAC, each made when somebody asks for it.

Nothing is kept on disk, and no segment needs another to have been made: all frames lie on one grid (aac.py), and each
segment's sound is encoded from a little before it to a little behind it, so what meets at a seam fits. Not for the event
loop: a segment takes some ten milliseconds for each second of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from livesale.media.aac import AacTrack
from livesale.media.chunks import Sample, chunk, samples_in, with_sound
from livesale.media.frames import AUDIO, AUDIO_HZ, VIDEO
from livesale.media.recording import Piece, Take, playlist, segments_of, takes_in

PLAYLIST = "apple.m3u8"
NAME = re.compile(r"([0-9]{12}-[0-9]{8})-aac(?:-([0-9]{5}))?\.(?:mp4|m4s)")
LEAD_IN, LEAD_OUT = 8, 6  # packets: Opus has found its sound after 80 ms, AAC holds back 85
_RECORDINGS = 16
_SEGMENTS = 64  # about 500 kB each


def aac_playlist(folder: Path, epoch_ms: int) -> str:
    """The media playlist: the times are those of the recording's own."""
    return playlist(list(_takes(folder).values()), epoch_ms, lambda take: f'URI="{_stem(take)}-aac.mp4"', _named)


@lru_cache(_SEGMENTS)
def aac_file(folder: Path, name: str) -> bytes | None:
    """An init segment or a segment that the playlist names; None for any other name."""
    found = NAME.fullmatch(name)
    take = _takes(folder).get(found[1]) if found else None
    if found is None or take is None:
        return None
    if found[2] is None:
        return with_sound(_bytes(folder, take, 0, take.init_size), AacTrack(0).init())
    number = int(found[2])
    return _segment(folder, take, number) if number < len(segments_of(take)) else None


@lru_cache(_RECORDINGS)
def _takes(folder: Path) -> dict[str, Take]:
    return {_stem(take): take for take in takes_in(folder)}


def _segment(folder: Path, take: Take, number: int) -> bytes:
    pieces, at = segments_of(take)[number], sum(map(len, segments_of(take)[:number]))
    before, behind = take.pieces[at - 1 : at] if at else [], take.pieces[at + len(pieces) :][:1]
    own = _samples(folder, take, pieces)
    around = (_sounds(_samples(folder, take, before))[-LEAD_IN:], _sounds(own), _sounds(_samples(folder, take, behind))[:LEAD_OUT])
    track = AacTrack(0)
    made = [frame for packets in around for packet in packets for frame in track.take(packet)]
    made += [] if behind else track.finish()
    start, end = (us * AUDIO_HZ // 1_000_000 for us in (pieces[0].start_us, pieces[-1].end_us))
    heard = [one for one in made if (not before or start <= one.time) and (not behind or one.time < end)]
    return chunk(number, [*(one for one in own if one.track == VIDEO), *heard])


def _sounds(samples: list[Sample]) -> list[Sample]:
    return [one for one in samples if one.track == AUDIO]


def _samples(folder: Path, take: Take, pieces: list[Piece]) -> list[Sample]:
    """All of the pieces, which lie one behind the other."""
    return samples_in(_bytes(folder, take, pieces[0].offset, pieces[-1].offset + pieces[-1].size)) if pieces else []


def _named(take: Take) -> list[tuple[str, ...]]:
    return [(f"{_stem(take)}-aac-{number:05d}.m4s",) for number in range(len(segments_of(take)))]


def _stem(take: Take) -> str:
    return take.file.removesuffix(".mp4")


def _bytes(folder: Path, take: Take, begin: int, end: int) -> bytes:
    with (folder / take.file).open("rb") as file:
        file.seek(begin)
        return file.read(end - begin)
