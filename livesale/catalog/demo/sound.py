"""The demo's sound: soft plucked notes, another chord for each product. Made here, not recorded.

Pure: a block depends on its position alone, so whoever begins in the middle hears what everyone hears. A note is a
damped sine by its two-term recurrence, started at any age from its closed form; it begins at zero and has faded away
before it is dropped, hence no clicks. A block takes 0.9 ms when it is made, and comes round, kept, every 80 s (15 MB).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import lru_cache

SOUND_HZ = 48_000
BLOCK_SAMPLES = 960  # 20 ms
TURN_S = 20  # a product's time on air
NOTE_SAMPLES = SOUND_HZ * 2 // 5
HEARD_NOTES = 8  # a note is heard this many notes long
FADING_S = 0.5
LOUDNESS = 0.075  # of full scale, one note
LOWEST_HZ = 130.81  # C3
CHORDS = ((0, 7, 12, 14, 16, 19), (-3, 4, 9, 12, 16, 19), (-7, 5, 9, 12, 16, 21), (-5, 2, 7, 11, 14, 19))  # semitones
PLAYED = (0, 2, 4, 1, 5, 3, 2, 4, 1, 3)  # which of a chord's notes, in turn
NEARER, FARTHER = 1.0, 0.45  # every other note is left of the middle
LOOP_SAMPLES = len(CHORDS) * TURN_S * SOUND_HZ
LOOP_BLOCKS = LOOP_SAMPLES // BLOCK_SAMPLES


def programme_sound(position: int) -> bytes:
    """20 ms of interleaved 16-bit stereo from sample `position` on, which is a multiple of BLOCK_SAMPLES."""
    return _block(position % LOOP_SAMPLES)


@lru_cache(maxsize=LOOP_BLOCKS)
def _block(position: int) -> bytes:
    sides = [0.0] * BLOCK_SAMPLES, [0.0] * BLOCK_SAMPLES
    newest = (position + BLOCK_SAMPLES - 1) // NOTE_SAMPLES
    for note in range(newest - HEARD_NOTES, newest + 1):
        _add(sides[note % 2], _pitch_hz(note), position - note * NOTE_SAMPLES)
    return array("h", _stereo(*sides)).tobytes()


def _pitch_hz(note: int) -> float:
    in_turn = TURN_S * SOUND_HZ // NOTE_SAMPLES
    chord = CHORDS[note // in_turn % len(CHORDS)]
    return float(LOWEST_HZ * 2 ** (chord[PLAYED[note % len(PLAYED)]] / 12))


def _add(side: list[float], pitch_hz: float, age: int) -> None:
    """Add a note that began `age` samples before the block (negative: within it)."""
    damping, angle = math.exp(-1 / (FADING_S * SOUND_HZ)), math.tau * pitch_hz / SOUND_HZ
    turn, fade = 2 * damping * math.cos(angle), damping * damping
    begins, since = max(0, -age), max(0, age)
    now = LOUDNESS * damping**since * math.sin(angle * since)
    after = LOUDNESS * damping ** (since + 1) * math.sin(angle * (since + 1))
    for place in range(begins, BLOCK_SAMPLES):
        side[place] += now
        now, after = after, turn * after - fade * now


def _stereo(left: list[float], right: list[float]) -> Iterator[int]:
    for one, other in zip(left, right, strict=True):
        yield round(32767 * (NEARER * one + FARTHER * other))
        yield round(32767 * (FARTHER * one + NEARER * other))
