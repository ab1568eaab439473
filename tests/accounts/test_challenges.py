"""Challenges: ours, for this purpose and sign-in, within their time; nothing else passes."""

import pytest

from livesale.accounts.challenges import CHALLENGE_MS, Challenges
from livesale.kernel.refusals import Refusal

OURS = Challenges(bytes(32))
MADE = OURS.make("prove", "sid1", 1_000)


def test_a_good_one_passes_until_its_end():
    """It tells when it ends, and is good up to the millisecond before."""
    assert OURS.check(MADE, "prove", "sid1", 1_000 + CHALLENGE_MS - 1) == 1_000 + CHALLENGE_MS
    assert OURS.make("prove", "sid1", 1_000) != MADE


@pytest.mark.parametrize(
    ("challenge", "purpose", "bound", "now_ms", "by"),
    [
        (MADE, "prove", "sid1", 1_000 + CHALLENGE_MS, OURS),
        (MADE, "prove", "sid2", 2_000, OURS),
        (MADE, "enter", "sid1", 2_000, OURS),
        (MADE, "prove", "sid1", 2_000, Challenges(bytes(31) + b"1")),
        (MADE[:-1], "prove", "sid1", 2_000, OURS),
        (b"", "prove", "sid1", 2_000, OURS),
        (MADE[:16] + (2**60).to_bytes(8, "big") + MADE[24:], "prove", "sid1", 2_000, OURS),
        (bytes([MADE[0] ^ 1]) + MADE[1:], "prove", "sid1", 2_000, OURS),
    ],
    ids=["late", "another's", "for another act", "another system's", "short", "empty", "prolonged", "altered"],
)
def test_any_other_is_refused(challenge, purpose, bound, now_ms, by):
    """Too late, another sign-in's, for another act, of another system, shortened, lengthened in time, altered."""
    with pytest.raises(Refusal) as said:
        by.check(challenge, purpose, bound, now_ms)
    assert said.value.code == "expired"
