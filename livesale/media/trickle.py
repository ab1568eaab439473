"""SDP fragments of trickled ICE (RFC 8840): what a publisher adds to its session, and what we answer to a restart.

Pure text in, text out.
"""

from __future__ import annotations

import re

import msgspec

from livesale.kernel.refusals import Refusal
from livesale.media.offer import MAX_CANDIDATES, lines_of, usable_candidate

_WORD = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")


class IceFragment(msgspec.Struct, frozen=True):
    """`ufrag` and `password` ("" if none), usable `candidates` (without `a=candidate:`), and whether they `ended`."""

    ufrag: str
    password: str
    candidates: tuple[str, ...]
    ended: bool


def read_fragment(text: str) -> IceFragment:
    """A trickle-ice-sdpfrag; Refusal `malformed` when it is none."""
    lines = lines_of(text)
    ufrag = _first(lines, "a=ice-ufrag:")
    password = _first(lines, "a=ice-pwd:")
    candidates = [line[12:] for line in lines if line.startswith("a=candidate:")]
    ended = "a=end-of-candidates" in lines
    if not ufrag and not candidates and not ended:
        raise Refusal("malformed", "This is not an ICE fragment: no candidate, no ice-ufrag, no end-of-candidates.")
    if any(word and not _WORD.match(word) for word in (ufrag, password)):
        raise Refusal("malformed", "The fragment's ice-ufrag or ice-pwd is not proper.")
    usable = dict.fromkeys(value for value in candidates if usable_candidate(value))
    return IceFragment(ufrag, password, tuple(usable)[:MAX_CANDIDATES], ended)


def write_fragment(answer: str, ufrag: str, password: str) -> str:
    """Our side of a restart: new words before the candidates of the answer, whose sockets stay (RFC 9725, 4.3.3)."""
    lines = lines_of(answer)
    first = next(index for index, line in enumerate(lines) if line.startswith("m="))
    kept = [line for line in lines[:first] if line.startswith("a=group:BUNDLE ")]
    section = lines[first:]
    ends = next((index for index, line in enumerate(section[1:], 1) if line.startswith("m=")), len(section))
    kept += [section[0], *(line for line in section[1:ends] if line.startswith("a=mid:"))]
    kept += [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}"]
    kept += [line for line in section[1:ends] if line.startswith("a=candidate:")]
    return "\r\n".join([*kept, "a=end-of-candidates"]) + "\r\n"


def _first(lines: list[str], name: str) -> str:
    return next((line[len(name) :] for line in lines if line.startswith(name)), "")
