"""The rules of families: who must agree, and what a tie is worth when."""

from __future__ import annotations

import pytest

from livesale.guardians.family import ALONE_BELOW, Authority, Family, Mode, Tie
from livesale.guardians.model import LINK_MUST_STAND_MS, Approval, agreed
from livesale.kernel.refusals import Refusal

NOW = 1_800_000_000_000
LONG_AGO = NOW - 10 * LINK_MUST_STAND_MS


def two(mode: Mode = "any", mine: Authority = "joint", theirs: Authority = "joint") -> Family:
    return Family([Tie("fl_1", "gita", LONG_AGO, authority=mine), Tie("fl_2", "gero", LONG_AGO, mode=mode, authority=theirs)])


@pytest.mark.parametrize(
    ("family", "total", "both"),
    [
        (two(), ALONE_BELOW - 1, False),
        (two(), ALONE_BELOW, True),
        (two("all"), 1, True),
        (two("any", "mutual", "mutual"), ALONE_BELOW, False),
        (two("any", "sole", "joint"), ALONE_BELOW, True),  # one's own word does not do for the other's
        (two("all", "mutual", "mutual"), 1, True),
        (Family(two().ties[:1]), ALONE_BELOW, False),
    ],
)
def test_who_must_agree(family: Family, total: int, both: bool) -> None:
    """Either below the threshold; both from there on, or when one of them wishes it; alone whoever is alone."""
    assert family.asks(total, NOW) == (frozenset({"gita", "gero"}) if both else frozenset())


def test_a_tie_that_has_ended_is_not_asked() -> None:
    """From the moment its removal takes effect the other decides alone."""
    gone = Tie("fl_2", "gero", LONG_AGO, ends_at=NOW)
    family = Family([two().ties[0], gone])
    assert family.asks(ALONE_BELOW, NOW) == frozenset()
    assert family.asks(ALONE_BELOW, NOW - 1) == frozenset({"gita", "gero"})


def test_a_fresh_tie_is_worth_little() -> None:
    """It counts at once, and is enough to agree after a day, or when an operator has checked it."""
    fresh = Tie("fl_1", "gita", NOW)
    assert (fresh.active(NOW), fresh.stands(NOW), fresh.stands(NOW + LINK_MUST_STAND_MS)) == (True, False, True)
    assert Tie("fl_1", "gita", NOW, verified=True).stands(NOW)


REQUEST = Approval("ap_s4_1", "o_s4_1", "mia", "d" * 64, 10_000, "EUR", "demo", NOW, NOW + 1000)
BOTH = frozenset({"gita", "gero"})


def test_two_must_agree_and_the_last_pays() -> None:
    """One yes is kept and changes nothing else; the second is consent, paid by whoever says it."""
    one = agreed(REQUEST, "gita", "pm_gita", BOTH, NOW)
    assert (one.state, one.agreed, one.token, one.guardian) == ("requested", ["gita"], "", "")
    both = agreed(one, "gero", "pm_gero", BOTH, NOW)
    assert (both.state, both.guardian, both.token) == ("approved", "gero", "pm_gero")


def test_the_same_yes_twice_is_one() -> None:
    """A double tap does not stand for the other parent; after the request's day there is no yes at all."""
    one = agreed(REQUEST, "gita", "pm", BOTH, NOW)
    for request, now, why in ((one, NOW, "conflict"), (REQUEST, REQUEST.expires_at, "expired")):
        with pytest.raises(Refusal) as refused:
            agreed(request, "gita", "pm", BOTH, now)
        assert refused.value.code == why
