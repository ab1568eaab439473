"""What an order costs: goods, less a coupon, plus shipping; and how much of that is VAT. Whole minor units, pure.

Consumer prices include VAT (PAngV § 3), so the country changes the share, never the goods' price. The one rounding rule:
the VAT of each rate is computed once, on the sum of all that has it, half up. Whatever is spread (a discount over offers,
shipping over rates, for it shares the goods' fate as an ancillary service) goes by largest remainder, ties to the name
that sorts first: so parts always sum to the whole, and how lines are split, ordered or repeated changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from livesale.accounts.countries import Rates
from livesale.kernel.money import Money, VatShare
from livesale.orders.model import Line, Order
from livesale.orders.shipping import Table, cost

Name = TypeVar("Name", str, int)
WHOLE = 10_000  # a hundred percent, in hundredths of one


class Destination(msgspec.Struct, frozen=True):
    """Where an order goes, and what that means for its price: the country's rates, the shop's shipping table."""

    country: str
    rates: Rates | None
    shipping: Table

    def rate(self, tax: str) -> int | None:
        """The country's rate of this class of goods; None when nobody knows."""
        return self.rates.get(tax) if self.rates else None


class Part(msgspec.Struct, frozen=True):
    """All of an order that has one rate: `gross` of which `vat` is tax."""

    rate: int
    gross: int
    vat: int


def priced_for(order: Order, to: Destination) -> Order:
    """The order as it costs when it goes there; `no_delivery` where the shop's table has no such country."""
    lines = [_taxed(line, to.rate(line.tax)) for line in order.lines]
    worth = goods(order)
    shipping = cost(to.shipping, to.country, order.currency, worth)
    total = worth - order.discount() + shipping
    return msgspec.structs.replace(order, lines=lines, country=to.country, shipping=shipping, total=total)


def _taxed(line: Line, rate: int | None) -> Line:
    return line if line.vat == rate else msgspec.structs.replace(line, vat=rate)


def goods(order: Order) -> int:
    """What the lines cost, before any coupon."""
    return sum(line.price * line.quantity for line in order.lines)


def paid_by_offer(order: Order) -> dict[str, int]:
    """What is paid for all units of each offer: its price less its share of the discount."""
    worth = _by_offer(order)
    off = spread(order.discount(), worth)
    return {offer: full - off[offer] for offer, full in worth.items()}


def paid_for(order: Order, units: Mapping[str, int]) -> int:
    """What is paid for the first so many units of each offer: of all of them together exactly `paid_by_offer`."""
    paid = paid_by_offer(order)
    ordered: Counter[str] = Counter()
    for line in order.lines:
        ordered[line.offer] += line.quantity
    return sum(paid[offer] * quantity // ordered[offer] for offer, quantity in units.items())


def parts(order: Order) -> list[Part]:
    """The order by rates, highest first; empty where one of them is not known."""
    rates = {line.offer: line.vat for line in order.lines}
    every = {*rates.values()}
    if len(every) == 1:  # as in most orders: nothing to spread
        return [Part(rate, order.total, vat_in(order.total, rate)) for rate in every if rate is not None]
    by_rate: dict[int, int] = {}
    for offer, paid in paid_by_offer(order).items():
        if (rate := rates[offer]) is None:
            return []
        by_rate[rate] = by_rate.get(rate, 0) + paid
    shipped = spread(order.shipping, by_rate)
    gross = {rate: paid + shipped[rate] for rate, paid in by_rate.items()}
    return [Part(rate, gross[rate], vat_in(gross[rate], rate)) for rate in sorted(gross, reverse=True)]


def shares(order: Order) -> list[VatShare]:
    """The same as people read it."""
    return [
        VatShare(percent(part.rate), Money(part.gross - part.vat, order.currency), Money(part.vat, order.currency))
        for part in parts(order)
    ]


def vat_in(gross: int, rate: int) -> int:
    """The tax inside a price that includes it, half up."""
    whole = WHOLE + rate
    return (2 * gross * rate + whole) // (2 * whole)


def percent(rate: int) -> str:
    """810 → `8.1`, 1900 → `19`."""
    whole, rest = divmod(rate, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def spread(amount: int, weights: Mapping[Name, int]) -> dict[Name, int]:
    """`amount` by weight, exactly (largest remainder); without any weight all of it is the first one's."""
    if not amount:
        return dict.fromkeys(weights, 0)
    total, names = sum(weights.values()), sorted(weights)
    if not total:
        return {name: amount if place == 0 else 0 for place, name in enumerate(names)}
    shared = {name: amount * weights[name] // total for name in names}
    by_remainder = sorted(names, key=lambda name: -(amount * weights[name] % total))  # stable: ties stay sorted
    for name in by_remainder[: amount - sum(shared.values())]:
        shared[name] += 1
    return shared


def _by_offer(order: Order) -> dict[str, int]:
    worth: dict[str, int] = {}
    for line in order.lines:
        worth[line.offer] = worth.get(line.offer, 0) + line.price * line.quantity
    return worth
