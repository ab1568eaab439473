"""The lowest price of 30 days: whatever order prices came in, it is the lowest anyone could have bought at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from livesale.kernel.clock import DAY_MS
from livesale.shows.reductions import WINDOW_MS, OnAir, Priced, lowest

NOW = 100 * DAY_MS
AIR = OnAir(NOW - 90 * DAY_MS, None)


def days(ago: float) -> int:
    return NOW - round(ago * DAY_MS)


def price(amount: int, ago: float, offer: str = "a") -> Priced:
    return Priced(offer, amount, days(ago), None)


def deal(amount: int, began: float, ended: float, offer: str = "a") -> Priced:
    return Priced(offer, amount, days(began), days(ended))


def of(*log: Priced, on_air: OnAir = AIR) -> int | None:
    return lowest([(one, on_air) for one in log], NOW)


def test_last_week_s_flash_price_is_this_week_s_reference() -> None:
    """A deal of seven days ago counts, one that ended 31 days ago does not, one that is still to come neither."""
    assert of(price(2000, 60), deal(1500, 7.1, 7)) == 1500
    assert of(price(2000, 60), deal(900, 31.1, 31)) == 2000
    assert of(price(2000, 60), deal(900, -1, -2)) == 2000


def test_a_price_counts_until_another_takes_its_place() -> None:
    """The price of 60 days ago was in force until 29 days ago, so it counts; one replaced 30 days ago no more."""
    assert of(price(1000, 60), price(2000, 29)) == 1000
    assert of(price(1000, 60), price(2000, 30)) == 2000


def test_only_what_was_on_sale_counts() -> None:
    """A price that a show was given before it began, or after it ended, nobody could buy at."""
    assert of(price(100, 20), price(2000, 10), on_air=OnAir(days(9), None)) == 2000
    assert of(price(2000, 20), price(100, 5), on_air=OnAir(days(19), days(6))) == 2000
    assert of(price(2000, 50), on_air=OnAir(days(49), days(31))) is None
    assert of() is None


def test_every_show_of_the_product_counts() -> None:
    """Two offers of one product: the cheaper one of last week is the reference of the other."""
    assert of(price(2000, 5, "a"), price(1700, 8, "b")) == 1700


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0.001, 80)), min_size=1, max_size=12))
def test_it_is_never_above_a_price_that_was_in_force(told: list[tuple[int, float]]) -> None:
    """By looking at every moment: no price of the last 30 days is below it, and it was one of them."""
    log = sorted((price(amount, ago) for amount, ago in told), key=lambda one: one.from_ms)
    found = of(*log)
    moments = {one.from_ms for one in log} | {NOW - WINDOW_MS}
    in_force = [
        next(one.price for one in reversed(log) if one.from_ms <= at)
        for at in moments
        if NOW - WINDOW_MS <= at < NOW and any(one.from_ms <= at for one in log)
    ]
    assert found == min(in_force, default=None)
