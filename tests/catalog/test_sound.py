"""The demo's sound: heard but quiet, never clipped, without a seam, another for each product."""

from __future__ import annotations

import math
import pickle
from array import array
from itertools import pairwise

from livesale.apps.demo import PlayedInTurn
from livesale.catalog.demo.sound import BLOCK_SAMPLES, LOOP_SAMPLES, SOUND_HZ, TURN_S, programme_sound
from livesale.media.programme import SOUND_SAMPLES

TURN = TURN_S * SOUND_HZ
FULL = 32767


def heard(begin: int, seconds: float) -> array[int]:
    """Interleaved stereo samples from `begin` on."""
    samples = array("h")
    for block in range(round(seconds * SOUND_HZ / BLOCK_SAMPLES)):
        samples.frombytes(programme_sound(begin + block * BLOCK_SAMPLES))
    return samples


def loudness(samples: array[int]) -> float:
    """Root mean square, as a share of full scale."""
    return math.sqrt(sum(one * one for one in samples) / len(samples)) / FULL


def test_blocks_are_what_the_sender_takes() -> None:
    """20 ms of 16-bit stereo, the same for the same position, whatever was asked before, and round again."""
    assert BLOCK_SAMPLES == SOUND_SAMPLES
    block = programme_sound(7 * BLOCK_SAMPLES)
    assert len(block) == BLOCK_SAMPLES * 4
    programme_sound(99 * BLOCK_SAMPLES)
    assert programme_sound(7 * BLOCK_SAMPLES) == block == programme_sound(7 * BLOCK_SAMPLES + LOOP_SAMPLES)


def test_every_product_is_heard_and_none_is_loud() -> None:
    """In each half second of each chord there is sound, between -36 and -18 dB, with room to full scale on both sides."""
    for turn in range(4):
        samples = heard(turn * TURN, 4)
        step = SOUND_HZ  # half a second of two channels
        for begin in range(step, len(samples), step):
            assert 10 ** (-36 / 20) < loudness(samples[begin : begin + step]) < 10 ** (-18 / 20)
        assert max(abs(one) for one in samples) < 0.5 * FULL
        assert loudness(samples[0::2]) > 0.01 < loudness(samples[1::2])


def test_no_seam_between_blocks_notes_and_products() -> None:
    """No sample is further from its neighbour than the notes themselves swing, from one product to the next and round."""
    for begin in (TURN - SOUND_HZ, LOOP_SAMPLES - SOUND_HZ):
        samples = heard(begin, 2)
        for side in (samples[0::2], samples[1::2]):
            steps = [abs(after - before) for before, after in pairwise(side)]
            seams = steps[BLOCK_SAMPLES - 1 :: BLOCK_SAMPLES]
            assert max(seams) <= max(steps) < 0.03 * FULL
            bends = [abs(after - before) for before, after in pairwise([b - a for a, b in pairwise(side)])]
            assert max(bends) < 0.012 * FULL


def test_another_product_another_chord() -> None:
    """Each of the four sounds different from the one before."""
    firsts = [heard(turn * TURN + 4 * SOUND_HZ, 0.4).tobytes() for turn in range(4)]
    assert len(set(firsts)) == 4


def test_the_host_s_sound_follows_the_clock_on_the_wall() -> None:
    """In a process of its own too, the sender hears whole blocks in a row, from wherever the evening has come to."""
    source: PlayedInTurn = pickle.loads(pickle.dumps(PlayedInTurn()))
    blocks = [source(number * BLOCK_SAMPLES) for number in range(3)]
    at = next(begin for begin in range(0, LOOP_SAMPLES, BLOCK_SAMPLES) if programme_sound(begin) == blocks[0])
    assert blocks == [programme_sound(at + number * BLOCK_SAMPLES) for number in range(3)]
