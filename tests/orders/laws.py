"""The laws of a market, read off its shelf, its log and its provider: the judge of the state machines."""

from __future__ import annotations

import hashlib
from collections import Counter

from livesale.guardians.model import Approval
from livesale.orders.asking import digest_of
from livesale.orders.model import Order
from livesale.payments.model import UNPAID, Payment
from livesale.store.log import read_log
from livesale.store.record import load
from livesale.store.valkey import Records
from tests.support.family import GUARDIAN, MINORS
from tests.support.market import SHIP_TO, Market

SOLD = ("paid", "shipped", "completed", "refunded", "withdrawn")
LASTING = ("archivings", "buyer:", "free:", "claimed:", "loaded:", "n:", "revenue", "refunded")  # once nothing is under way


def orders_in(records: Records) -> list[Order]:
    """Every order of a shelf."""
    found = [load(Order, row) for name, row in records.items() if name.startswith("order:")]
    return [order for order in found if order]


async def check_counts(market: Market, records: Records) -> None:
    """Units, states, requests and revenue add up to what the orders say, none below zero."""
    await market.check_units()
    counters, orders = await market.store.counters(market.shelf), orders_in(records)
    assert all(count >= 0 for count in counters.values()), counters
    known = Counter(f"n:{order.state}" for order in orders)
    assert known == {name: count for name, count in counters.items() if name.startswith("n:")}
    asking = [order for order in orders if order.state == "awaiting_guardian"]
    for offer in market.offers:
        wished = sum(line.quantity for order in asking for line in order.lines if line.offer == offer)
        most = max(1, counters[f"loaded:{offer}"] // 10)
        assert counters.get(f"requests:{offer}", 0) == wished <= most
        assert counters.get(f"claimed:{offer}", 0) <= counters[f"loaded:{offer}"]
    for minor in MINORS:
        assert counters.get(f"requests_of:{minor}", 0) == sum(order.account == minor for order in asking)
    assert counters.get("revenue", 0) == sum(order.total for order in orders if order.state in SOLD)


def check_money(market: Market, order: Order, payment: Payment | None) -> None:
    """Captured once and as agreed, for units that are claimed; before anything is given back."""
    captured = market.provider.captured.get(order.id, 0)
    assert captured in (0, order.total)
    if captured:
        assert order.reservation == "claimed"
        assert order.state in ("awaiting_payment", "paid")
        assert payment
        assert payment.provider_id not in market.provider.voided
    if order.state == "paid":
        assert captured == order.total


def check_consent(market: Market, order: Order, payment: Payment | None, approval: Approval | None) -> None:
    """Nobody under age is charged without exactly one approval of exactly this order."""
    if payment is None:
        assert order.id not in market.provider.captured
        return
    assert approval is not None
    assert approval.id == payment.approval
    if order.id in market.provider.captured or payment.state in ("capturing", "captured"):
        assert approval.state == "consumed"
    else:  # or capture was tried, and failed; a bank that says yes after that is let go of
        let_go = {"authorised", "voiding"} if approval.state == "consumed" else set()
        assert approval.state in {"approved", "revoked", "lapsed"} or payment.state in {*UNPAID, *let_go}
    assert (approval.order, approval.guardian, payment.payer) == (order.id, GUARDIAN, GUARDIAN)
    assert approval.digest == digest_of(order, SHIP_TO)
    assert approval.total == order.total == payment.amount


async def check_log(market: Market) -> None:
    """Without a gap, and enough to say what every counter and every record is."""
    counters: Counter[str] = Counter()
    records: dict[str, tuple[int, str]] = {}
    wanted = 1
    for entry in await read_log(market.store, market.shelf, most=1_000_000):
        assert entry.seq == wanted
        wanted += 1
        fields = entry.fields()
        for name, delta, after in fields["counters"]:
            counters[name] += delta
            assert counters[name] == after
        records |= {name: (version, digest) for name, version, digest in fields["puts"]}
        for name in fields["drops"]:
            del records[name]
    assert {name: count for name, count in counters.items() if count} == await market.store.counters(market.shelf)
    stored = await market.store.records(market.shelf)
    told = {name: (row.version, hashlib.sha1(row.data).hexdigest()) for name, row in stored.items()}
    assert told == records


async def check_no_leak(market: Market) -> None:
    """Once every hold and every request has ended: each unit is free or sold, and nothing counts or waits for them."""
    counters = await market.store.counters(market.shelf)
    assert not [name for name in counters if not name.startswith(LASTING)], counters
    for offer in market.offers:
        assert counters.get(f"free:{offer}", 0) + counters.get(f"claimed:{offer}", 0) == counters[f"loaded:{offer}"]
    due = await market.store.first(market.shelf, "due", 1000)
    assert not [mark for mark in due if not mark.startswith(("archive:", "complete:"))], due


def check_let_go(market: Market) -> None:
    """What was authorised and is not captured has been let go of."""
    assert not market.provider.outstanding()
