"""Who may buy alone and who may ask, by band and place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from livesale.accounts.countries import shipped
from livesale.accounts.model import BANDS
from livesale.guardians.policy import check_may_buy, check_may_request
from livesale.kernel.refusals import Refusal


def refused(check: Callable[[], None]) -> str:
    """What the refusal says, empty when there is none."""
    try:
        check()
    except Refusal as refusal:
        return refusal.detail
    return ""


@pytest.mark.parametrize(
    ("country", "may"),
    [("DE", ["7-13", "14-15", "16-17", "adult"]), ("US", ["14-15", "16-17", "adult"]), ("BR", [])],
)
def test_who_may_ask(country: str, may: list[str]) -> None:
    """From 7 in Germany, from 14 in the US (COPPA), and nobody where there is no table: adults only."""
    place = shipped().place(country)
    assert [band for band in BANDS if not refused(lambda band=band: check_may_request(band, place, [None]))] == may  # type: ignore[misc]


@pytest.mark.parametrize("gate", [16, 18])
def test_age_gate_plus_approval(gate: int) -> None:
    """A gated product cannot even be asked for: no guardian opens a gate."""
    assert "adults only" in refused(lambda: check_may_request("16-17", shipped().place("DE"), [None, gate]))


def test_an_adult_who_is_not_old_enough_for_it() -> None:
    """Alcohol in New York takes 21 and an adult there is 18, of whom no more is known; in Germany an adult may."""
    assert "from 21 on" in refused(lambda: check_may_buy(shipped().place("US", "NY"), [16]))
    assert not refused(lambda: check_may_buy(shipped().place("US"), [16]))
    assert not refused(lambda: check_may_buy(shipped().place("DE"), [16, 18]))
    assert not refused(lambda: check_may_buy(shipped().place("US", "NY"), [None]))


def test_the_law_bites() -> None:
    """The refusal is one of permission, not of form."""
    with pytest.raises(Refusal) as said:
        check_may_request("7-13", shipped().place("US"), [])
    assert said.value.code == "forbidden"
