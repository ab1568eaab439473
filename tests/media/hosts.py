"""A publisher without any network, and a ring that keeps what comes of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from livesale.media import fmp4
from livesale.media.frames import AUDIO, VIDEO, EncodedFrame
from livesale.media.ring import Fragment, Init, Ring
from livesale.media.segmenter import Segmenter
from tests.media.test_h264 import CHROMIUM_540P

PPS = b"\x68\xce\x3c\x80"
SETS = (CHROMIUM_540P, PPS)
TONE = b"\xfc" + bytes(40)  # 20 ms, CELT
START_US = 1_000_000_000  # monotonic time at which the host connects
OFFSET_US = 5_000_000 - START_US  # the broadcast began 5 s before


class Kept(Ring):
    """A ring that keeps everything and needs no event loop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.inits: list[Init] = []
        self.made: list[Fragment] = []
        self.ends_us: list[int] = []

    def put_init(self, init: Init) -> None:
        self.generation = max(self.generation, init.generation)
        self.inits.append(init)

    def put(self, fragment: Fragment, end_us: int) -> None:
        self.end_us = max(self.end_us, end_us)
        self.made.append(fragment)
        self.ends_us.append(end_us)

    def of(self, track: int) -> list[Fragment]:
        return [one for one in self.made if one.track == track]


class Host:
    """A publisher without network: pictures every 33 ms, sound every 20 ms."""

    def __init__(
        self, ring: Kept | None = None, *, sound: bool = True, picture: bool = True, offset_us: int = OFFSET_US
    ) -> None:
        self.ring = ring or Kept()
        self.asked = 0
        self.segmenter = Segmenter(self.ring, offset_us, self._asked, sound=sound, picture=picture)

    def _asked(self) -> None:
        self.asked += 1

    def picture(self, at_ms: float, *, key: bool = False, gap: bool = False, late_ms: float = 0,
                sets: tuple[bytes, ...] = SETS, clock: float = 1.0) -> None:  # fmt: skip
        units = (*sets, b"\x65" + bytes(30)) if key else (b"\x61" + bytes(20),)
        arrived = START_US + int((at_ms + late_ms) * 1000)
        rtp_time = (1 << 33) + int(at_ms * 90 * clock)
        self.segmenter.frame(EncodedFrame(VIDEO, rtp_time, key, units, arrived, gap))

    def sound(self, at_ms: float, *, late_ms: float = 0, packet: bytes = TONE, clock: float = 1.0) -> None:
        arrived = START_US + int((at_ms + late_ms) * 1000)
        self.segmenter.frame(EncodedFrame(AUDIO, (1 << 34) + int(at_ms * 48 * clock), True, (packet,), arrived))

    def run(self, seconds: float, *, start_ms: float = 0, mute: tuple[float, float] = (0, 0),
            clock: float = 1.0, sound_late_ms: float = 0) -> None:  # fmt: skip
        """`seconds` of regular pictures (a key every 2 s) and sound, none of it within `mute` (ms)."""
        steps = [(start_ms + n * 100 / 3, "p", n) for n in range(int(seconds * 30))]
        steps += [(start_ms + n * 20, "s", n) for n in range(int(seconds * 50))]
        for at_ms, kind, number in sorted(steps):
            if kind == "p":
                self.picture(at_ms, key=number % 60 == 0, clock=clock)
            elif not mute[0] <= at_ms < mute[1]:
                self.sound(at_ms, late_ms=sound_late_ms, clock=clock)


def rises(times: list[int]) -> bool:
    return all(before < after for before, after in pairwise(times))


def sound_gaps_ms(ring: Kept) -> list[float]:
    """Holes between sound fragments, in ms."""
    spans = [fmp4.sample_of(one.data)[:2] for one in ring.of(AUDIO)]
    return [
        (after[0] - before[0] - before[1]) / 48
        for before, after in pairwise(spans)
        if after[0] != before[0] + before[1]
    ]
