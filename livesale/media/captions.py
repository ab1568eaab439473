"""Captions: cues on the show's timeline, as WebVTT for HLS and the replay. Pure.

Law: a segment of captions changes no more once its segment of pictures is whole, so what is typed late stands in the one
that is open then, from its beginning on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

LEAST_MS = 2_000
MOST_MS = 7_000
MS_A_CHARACTER = 65  # 15 characters a second is what people read with ease


class Cue(msgspec.Struct, frozen=True):
    """A line of captions: media time in ms, language (BCP 47)."""

    begins_ms: int
    ends_ms: int
    lang: str
    text: str


def cue(text: str, lang: str, begins_ms: int) -> Cue:
    """A typed line, shown for as long as it takes to be read."""
    shown_ms = min(MOST_MS, max(LEAST_MS, len(text) * MS_A_CHARACTER))
    return Cue(begins_ms, begins_ms + shown_ms, lang, text)


def captions_name(lang: str) -> str:
    """The file of a replay's captions in a language."""
    return f"captions-{lang.lower()}.vtt"


def webvtt(cues: Iterable[Cue], *, live: bool = False) -> str:
    """A WebVTT file; `live`: a segment of HLS, whose times are the media's own (RFC 8216, 3.5)."""
    head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n" if live else "WEBVTT\n"
    return head + "".join(
        f"\n{_time(each.begins_ms)} --> {_time(each.ends_ms)}\n{_escaped(each.text)}\n" for each in cues
    )


def placed(cues: Iterable[Cue], place: Callable[[int], int]) -> list[Cue]:
    """Cues where they lie in a replay; `place` tells µs of media time to µs of the replay."""
    return [
        msgspec.structs.replace(each, begins_ms=at, ends_ms=at + each.ends_ms - each.begins_ms)
        for each in cues
        for at in (place(each.begins_ms * 1000) // 1000,)
    ]


def _escaped(text: str) -> str:
    """No text ends its cue or is taken for markup."""
    line = " ".join(text.split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
