"""What an order costs: parts always sum to the whole, and how its lines are written down changes nothing."""

from __future__ import annotations

import tomllib
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesale.accounts.countries import FOLDER, shipped
from livesale.catalog.model import TAX_CATEGORIES
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.orders.aftersale import Sale
from livesale.orders.coupons import Coupon, checked, discount
from livesale.orders.model import Applied, Line, Order
from livesale.orders.pricing import (
    Destination,
    goods,
    paid_by_offer,
    paid_for,
    parts,
    percent,
    priced_for,
    shares,
    spread,
)
from livesale.orders.shipping import Row, cost
from livesale.orders.shipping import checked as checked_table
from livesale.payments.model import Payment
from livesale.payments.refund import Refund, Refunds

NAMED = ("DE", "AT", "CH", "FR", "NL", "IT", "ES", "GB", "US")


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def order_of(lines: list[Line], coupon: Coupon | None = None, country: str = "DE", table: list[Row] | None = None) -> Order:
    """An order as it is held and gets its coupon."""
    order = Order("o", "show:a", "demo", "ann", lines, 0, "EUR", 0, 0)
    if coupon:
        order = msgspec.structs.replace(order, coupon=Applied("cl", coupon.code, discount(coupon, order, 0)))
    return priced_for(order, Destination(country, shipped().rates(country), table or []))


def line(offer: str, quantity: int, price: int, tax: str = "standard") -> Line:
    return Line(offer, "p", "Pan", "", quantity, price, tax=tax)


OFFERS = st.dictionaries(
    st.sampled_from([f"of{number}" for number in range(6)]),
    st.tuples(st.integers(1, 50_000), st.sampled_from(TAX_CATEGORIES)),
    min_size=1,
)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[Line], list[Line]]:
    """The same cart twice: once line by line as pressed, once each offer summed, in another order."""
    offers = draw(OFFERS)
    pressed = draw(st.lists(st.tuples(st.sampled_from(sorted(offers)), st.integers(1, 7)), min_size=1, max_size=12))
    summed: Counter[str] = Counter()
    for offer, quantity in pressed:
        summed[offer] += quantity
    return (
        [line(offer, quantity, *offers[offer]) for offer, quantity in pressed],
        draw(st.permutations([line(offer, quantity, *offers[offer]) for offer, quantity in summed.items()])),
    )


COUPONS = st.none() | st.builds(
    Coupon, st.just("cp"), st.just("demo"), st.just("CODE"), st.just(1), percent=st.integers(1, 99)
)
SHIPPING = st.none() | st.builds(Row, st.just([*NAMED, "PL"]), st.builds(eur, st.integers(0, 2_000)), st.just(eur(5_000)))


@given(written(), COUPONS, st.sampled_from([*NAMED, "PL"]), SHIPPING)
def test_parts_sum_to_the_total_however_it_is_written(
    carts: tuple[list[Line], list[Line]], coupon: Coupon | None, country: str, row: Row | None
) -> None:
    """For any cart, coupon, country and shipping: goods − discount + shipping = total = all nets and taxes; splitting,
    repeating and reordering lines changes neither total, taxes nor what is paid for each offer; nothing is free."""
    one, other = (order_of(lines, coupon, country, [row] if row else None) for lines in carts)
    assert one.total == goods(one) - one.discount() + one.shipping > 0
    assert (one.total, parts(one), paid_by_offer(one)) == (other.total, parts(other), paid_by_offer(other))
    assert sum(paid_by_offer(one).values()) == goods(one) - one.discount()
    assert min(paid_by_offer(one).values()) >= 0
    if country == "PL":
        assert parts(one) == []
    else:
        assert sum(share.net.amount + share.amount.amount for share in shares(one)) == one.total
    for part in parts(one):
        exact = Decimal(part.gross) * part.rate / (10_000 + part.rate)
        assert part.vat == exact.quantize(Decimal(1), ROUND_HALF_UP)


@given(written(), COUPONS, SHIPPING)
def test_a_coupon_never_makes_an_order_dearer(
    carts: tuple[list[Line], list[Line]], coupon: Coupon | None, row: Row | None
) -> None:
    """Free delivery goes by what the goods cost before it."""
    table = [row] if row else None
    assert order_of(carts[0], coupon, "DE", table).total <= order_of(carts[0], None, "DE", table).total


@given(written(), COUPONS, SHIPPING, st.data())
def test_refunds_by_line_come_to_exactly_what_was_paid(
    carts: tuple[list[Line], list[Line]], coupon: Coupon | None, row: Row | None, data: st.DataObject
) -> None:
    """Given back unit by unit in any order, some refunds failing on the way: never more than was captured, and with the
    last unit and its shipping all of it."""
    order = order_of(carts[0], coupon, "DE", [row] if row else None)
    payment = Payment("o", "ann", order.total, "EUR", "t", "k", 0, 0, captured=order.total)
    refunds = Refunds([])
    while units := Sale(order, payment, refunds).refundable():
        sale = Sale(order, payment, refunds)
        offer = data.draw(st.sampled_from(sorted(units)))
        some = {offer: data.draw(st.integers(1, units[offer]))}
        amount = min(sale.price_back(some, units), sale.left())
        state = data.draw(st.sampled_from(("done", "done", "done", "failed")))
        one = Refund("r", "o", "ann", amount, "EUR", "k", "host", 0, units=some, worth=sale.worth(some), state=state)
        refunds = Refunds([*refunds.items, one])
        assert Sale(order, payment, refunds).left() >= 0
    assert refunds.sum("done") == order.total


@given(st.integers(0, 10**9), st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), min_size=1))
def test_what_is_spread_is_spread_exactly(amount: int, weights: dict[str, int]) -> None:
    """Parts sum to the amount, none is further than one minor unit from its exact share."""
    shared = spread(amount, weights)
    assert sum(shared.values()) == amount
    total = sum(weights.values())
    if total:
        assert all(abs(part * total - amount * weights[name]) < total for name, part in shared.items())


def test_figures_by_hand() -> None:
    """A pan of 19.99 at 19 % and a book of 10.00 at 7 %, 10 % off, 4.90 shipping: worked out on paper."""
    ten = Coupon("cp", "demo", "TEN", 1, percent=10)
    order = order_of([line("a", 1, 1999), line("b", 1, 1000, "reduced")], ten, "DE", [Row(["DE"], eur(490))])
    assert (goods(order), order.discount(), order.shipping, order.total) == (2999, 299, 490, 3190)
    assert paid_by_offer(order) == {"a": 1800, "b": 900}  # 199.3 and 99.7 of 299
    assert [(one.rate, one.net.amount, one.amount.amount) for one in shares(order)] == [
        ("19", 1787, 340),  # 1800 + 327 of the shipping
        ("7", 993, 70),  # 900 + 163
    ]
    assert paid_for(order, {"a": 1}) == 1800


def test_rates_are_what_the_files_say() -> None:
    """Every country named has rates; each figure has a source and a date; 8.1 % is exact, and the US has no tax."""
    rates_of = shipped().rates
    told = {path.stem: tomllib.loads(path.read_text()).get("vat") for path in FOLDER.glob("*.toml")}
    written = {country: vat for country, vat in told.items() if vat}
    assert written.keys() >= set(NAMED)
    for vat in written.values():
        assert set(vat) == set(TAX_CATEGORIES)
        assert all(figure["source"] and (figure.get("since") or figure.get("seen")) for figure in vat.values())
    assert rates_of("DE") == {"standard": 1900, "reduced": 700, "zero": 0}
    assert rates_of("CH") == {"standard": 810, "reduced": 260, "zero": 0}
    assert set((rates_of("US") or {}).values()) == {0}
    assert rates_of("PL") is None
    assert [percent(rate) for rate in (810, 1900, 550, 0, 2125)] == ["8.1", "19", "5.5", "0", "21.25"]


def test_where_a_shop_delivers() -> None:
    """One price an order by country and currency; free from a sum on; elsewhere a refusal that says where it does."""
    table = [Row(["DE", "AT"], eur(490), eur(5000)), Row(["CH"], Money(900, "CHF"))]
    assert [cost(table, "AT", "EUR", worth) for worth in (4999, 5000)] == [490, 0]
    assert cost([], "JP", "EUR", 1) == 0
    with pytest.raises(Refusal) as told:
        cost(table, "FR", "EUR", 1)
    assert told.value.code == "no_delivery"
    assert told.value.detail == "This shop does not deliver to FR. It delivers to: AT, DE."
    with pytest.raises(Refusal, match="FR is named twice"):
        checked_table([Row(["FR", "FR"], eur(1))])


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"currency": "CHF", "amount": 1}, "currency"),
        ({"starts_at": 11}, "not_yet"),
        ({"ends_at": 10}, "ended"),
        ({"minimum": 2001, "currency": "EUR"}, "below_minimum"),
    ],
)
def test_why_a_coupon_does_not_work(terms: dict[str, object], reason: str) -> None:
    """The refusal has its reason for programs and a sentence for people."""
    coupon = msgspec.structs.replace(Coupon("cp", "demo", "CODE", 1, percent=10), **terms)
    with pytest.raises(Refusal) as told:
        discount(coupon, order_of([line("a", 2, 1000)]), 10)
    assert (told.value.code, told.value.errors[0]["reason"]) == ("coupon_refused", reason)
    assert told.value.detail.endswith(".")


def test_a_coupon_never_makes_an_order_free() -> None:
    """A share is at most 99 %, rounded down; an amount needs goods that cost more than it."""
    whole = checked(Coupon("cp", "demo", "CODE", 1, amount=500, currency="EUR"))
    assert whole.minimum == 501
    assert discount(Coupon("cp", "demo", "CODE", 1, percent=99), order_of([line("a", 1, 1)]), 0) == 0
    for wrong in ({}, {"percent": 5, "amount": 5}, {"percent": 5, "starts_at": 9, "ends_at": 9}):
        with pytest.raises(Refusal):
            checked(Coupon("cp", "demo", "CODE", 1, **wrong))
