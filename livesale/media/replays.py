"""Replays: what is made of a recording once its show has ended, and read by `web` ever after.

`index.json` is written last and whole, so where it is, everything is; made again it comes out the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from livesale.media.captions import Cue, captions_name, placed, webvtt
from livesale.media.recorder import CUES
from livesale.media.recording import Timeline, takes_in, vod
from livesale.media.remux import remux

INDEX = "index.json"
MP4 = "replay.mp4"
PLAYLIST = "index.m3u8"


class Index(msgspec.Struct, frozen=True):
    """A finished recording: when its broadcast began and ended, the media time of its stretches, its captions' languages.

    No stretches: nothing was recorded.
    """

    epoch_ms: int
    ended_ms: int
    spans: list[tuple[int, int]]
    captions: list[str] = []


def finish(folder: Path, epoch_ms: int, ended_ms: int) -> bool:
    """Makes MP4, VOD playlist and index; False when another process is at it. Not for the event loop."""
    with _alone(folder) as alone:
        if not alone:
            return False
        if not (folder / INDEX).exists():
            takes = takes_in(folder)
            if takes:
                remux(folder, takes, folder / MP4)
                _write(folder / PLAYLIST, vod(takes, epoch_ms).encode())
            spans = [take.span for take in takes]
            langs = _captions(folder, Timeline(spans)) if takes else []
            index = Index(epoch_ms, ended_ms, spans, langs)
            _write(folder / INDEX, msgspec.json.encode(index))
        return True


def read_index(folder: Path) -> Index | None:
    """The index of a finished recording."""
    try:
        return msgspec.json.decode((folder / INDEX).read_bytes(), type=Index)
    except FileNotFoundError:
        return None


def forget(folder: Path) -> None:
    """Deletes a recording: first what says that it is there."""
    (folder / INDEX).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _captions(folder: Path, timeline: Timeline) -> list[str]:
    """Writes a file for each language that was spoken; half a line at the end is what a crash left."""
    path = folder / CUES
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    cues = placed((msgspec.json.decode(line, type=Cue) for line in lines), timeline.at)
    langs = sorted({cue.lang for cue in cues})
    for lang in langs:
        spoken = sorted((cue for cue in cues if cue.lang == lang), key=lambda cue: cue.begins_ms)
        _write(folder / captions_name(lang), webvtt(spoken).encode())
    return langs


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
