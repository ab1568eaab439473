"""Reductions: what a lower price is measured against, by § 11 PAngV (Omnibus Directive, Art. 6a 98/6/EC); pure.

Beside any announced reduction stands the lowest total price of the 30 days before it, and a percentage is of that price
(CJEU C-330/23): last week's flash price is this week's reference. A price counts while its show was on air: that is when
anyone could buy at it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from livesale.kernel.clock import DAY_MS

WINDOW_MS = 30 * DAY_MS


class Priced(msgspec.Struct, frozen=True):
    """An entry of the price log: an offer's price from `from_ms` on; `until_ms`: of a deal, which ends by itself."""

    offer: str
    price: int
    from_ms: int
    until_ms: int | None


class OnAir(msgspec.Struct, frozen=True):
    """When the show of an offer sold; `until_ms` None: it still does."""

    from_ms: int
    until_ms: int | None


def lowest(log: Iterable[tuple[Priced, OnAir]], now_ms: int) -> int | None:
    """The lowest price in force in the 30 days before `now_ms`; None when nothing was on sale. `log` is in log order."""
    since_ms = now_ms - WINDOW_MS
    found: list[int] = []
    usual: dict[str, tuple[Priced, OnAir]] = {}  # each offer's price until another one takes its place
    for one, on_air in log:
        if one.until_ms is not None:
            found += _within(one, on_air, one.until_ms, since_ms, now_ms)
            continue
        before = usual.get(one.offer)
        if before is not None:
            found += _within(*before, one.from_ms, since_ms, now_ms)
        usual[one.offer] = (one, on_air)
    for last in usual.values():
        found += _within(*last, now_ms, since_ms, now_ms)
    return min(found, default=None)


def _within(one: Priced, on_air: OnAir, until_ms: int, since_ms: int, now_ms: int) -> list[int]:
    """Its price, if it was in force for a moment of the window."""
    begins = max(one.from_ms, on_air.from_ms, since_ms)
    ends = min(until_ms, now_ms if on_air.until_ms is None else on_air.until_ms, now_ms)
    return [one.price] if begins < ends else []
