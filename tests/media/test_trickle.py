"""Fragments of trickled ICE: what is taken of them, and what a restart is answered with."""

from __future__ import annotations

import pytest

from livesale.kernel.refusals import Refusal
from livesale.media.offer import MAX_CANDIDATES
from livesale.media.trickle import IceFragment, read_fragment, write_fragment


def test_only_candidates_that_can_work_are_kept() -> None:
    """TCP, mDNS names, other components and more than 32 candidates are left out; each is taken once."""
    good = [f"a=candidate:1 1 udp 2122 10.0.0.{n} 9000 typ host" for n in range(1, 50)]
    bad = [
        "a=candidate:1 1 tcp 2122 10.0.0.1 9 typ host tcptype active",
        "a=candidate:1 1 udp 2122 b3c4.local 9000 typ host",
        "a=candidate:1 2 udp 2122 10.0.0.1 9000 typ host",
        "a=candidate:1 1 udp 2122 fe80::1%eth0 9000 typ host",
        "a=candidate:1 1 udp 2122 10.0.0.1 90000 typ host",
        "a=candidate:rubbish",
    ]
    found = read_fragment("\r\n".join(["a=ice-ufrag:abcd", "m=audio 9 X 0", *bad, good[0], *good]))
    assert (found.ufrag, found.password, len(found.candidates), found.ended) == ("abcd", "", MAX_CANDIDATES, False)
    assert all("10.0.0." in value for value in found.candidates)
    assert len(set(found.candidates)) == MAX_CANDIDATES


def test_the_end_alone_is_a_fragment() -> None:
    """End-of-candidates comes in a fragment of its own."""
    assert read_fragment("a=end-of-candidates") == IceFragment("", "", (), True)


@pytest.mark.parametrize("text", ["", "hello", "a=ice-ufrag:a b", "a=ice-ufrag:abcd\r\na=ice-pwd:\x00", "a=ice-ufrag:abc"])
def test_what_is_no_fragment_is_refused(text: str) -> None:
    """Nothing of ICE in it, or words that cannot be ICE's."""
    with pytest.raises(Refusal) as refused:
        read_fragment(text)
    assert refused.value.code == "malformed"


def test_a_restart_is_answered_with_new_words_and_the_same_sockets() -> None:
    """The first section's candidates stay, its old words do not, and nothing else of the answer is repeated."""
    answer = (
        "v=0\r\na=group:BUNDLE 0 1\r\na=setup:active\r\nm=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:old1\r\na=ice-pwd:old\r\n"
        "a=candidate:1 1 udp 2 10.0.0.1 9 typ host\r\nm=video 9 X 96\r\na=mid:1\r\na=candidate:2 1 udp 2 10.0.0.2 9 typ host\r\n"
    )
    assert write_fragment(answer, "new1", "secret").split("\r\n") == [
        "a=group:BUNDLE 0 1", "m=audio 9 X 111", "a=mid:0", "a=ice-ufrag:new1", "a=ice-pwd:secret",
        "a=candidate:1 1 udp 2 10.0.0.1 9 typ host", "a=end-of-candidates", "",
    ]  # fmt: skip
