"""The two steps of a withdrawal as Decisions: declare, which binds nobody, and confirm, which counts. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from livesale.kernel.clock import DAY_MS, rfc3339
from livesale.kernel.ids import new_id
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import model, withdrawal
from livesale.orders.aftersale import Sale, Units, check_open, chosen, sale_of
from livesale.orders.model import Order
from livesale.orders.refunds import first_look, made, stored
from livesale.orders.shipments import Repeated
from livesale.orders.withdrawal import Withdrawal, to_the_second, withdrawal_event
from livesale.payments import refund
from livesale.payments.model import Payment
from livesale.store.decision import Decision
from livesale.store.record import load, put
from livesale.store.valkey import Records

MOST_WITHDRAWALS = 100  # of one order


class ReceiptLine(msgspec.Struct):
    """Units of one line that were withdrawn."""

    offer: str
    title: str
    quantity: int


class Receipt(msgspec.Struct):
    """The acknowledgement of § 356a (4) BGB: what was declared, by which account, and when to the second."""

    withdrawal: str
    order: str
    seller: str
    declared_by: str
    received_at: str
    lines: list[ReceiptLine]
    amount: Money
    refund_by: str


def declare(records: Records, order_id: str, by: str, wanted: Units | None, now_ms: int) -> Decision:
    """Step 1: what would be withdrawn. It replaces what the same account declared before and did not confirm."""
    order = _order_of(records, order_id, by)
    sale = _in_time(sale_of(records, order_id), now_ms)
    units = chosen(wanted, _available(sale), "withdrawn")
    kept = [one for one in order.withdrawals if withdrawal.counts(one) or one.by != by]
    if len(kept) >= MOST_WITHDRAWALS:
        raise Refusal("limit_reached", f"An order has at most {MOST_WITHDRAWALS} withdrawals.")
    declared = Withdrawal(new_id("wd", order.shelf), by, units, _amount(sale, units), now_ms)
    after = model.changed(order, withdrawals=[*kept, declared])
    return Decision(
        order.shelf,
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
        events=(_event(None, declared, after, now_ms),),
    )


def confirm(records: Records, order_id: str, by: str, now_ms: int) -> Decision:
    """Step 2: the declaration; its refund is requested in the same commit, and what has not left is on sale again."""
    order = _order_of(records, order_id, by)
    before = declared_by(order, by)
    if before is None:
        if confirmed_by(order, by):
            raise Repeated
        raise Refusal("conflict", "Please say first what you withdraw: nothing has been declared.")
    sale = _in_time(sale_of(records, order_id), now_ms)
    available = _available(sale)
    units = {offer: min(quantity, available[offer]) for offer, quantity in before.units.items() if available[offer]}
    if not units or not sale.left():
        raise Refusal("conflict", "What you declared has been given back meanwhile.")
    waiting = sale.to_send()
    returned = {offer: min(quantity, waiting[offer]) for offer, quantity in units.items() if waiting[offer]}
    asked = made(sale, by, _amount(sale, units), units, returned, now_ms, cause=refund.WITHDRAWAL)
    counted = withdrawal.moved(
        before, "confirmed", units=units, amount=asked.amount, confirmed_at=now_ms, refund=asked.id
    )
    rest = [one for one in order.withdrawals if one.id != before.id]
    after = model.changed(order, withdrawals=[*rest, counted])
    return Decision(
        order.shelf,
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after), *stored(records, sale, asked)),
        marks=(first_look(asked, now_ms),),
        events=(_event(before, counted, after, now_ms), refund.refund_event(None, asked, now_ms)),
    )


def declared_by(order: Order, by: str) -> Withdrawal | None:
    """What this account has declared and not confirmed."""
    return next((one for one in order.withdrawals if one.by == by and not withdrawal.counts(one)), None)


def confirmed_by(order: Order, by: str) -> Withdrawal | None:
    """The last withdrawal this account confirmed."""
    counted = [one for one in order.withdrawals if one.by == by and withdrawal.counts(one)]
    return max(counted, key=lambda one: one.confirmed_at, default=None)


def receipt(order: Order, confirmed: Withdrawal) -> Receipt:
    """What the buyer (or guardian) is given at once, and what stays with the order."""
    titles = {line.offer: line.title for line in order.lines}
    lines = [ReceiptLine(offer, titles[offer], quantity) for offer, quantity in confirmed.units.items()]
    return Receipt(
        confirmed.id, order.id, order.shop, confirmed.by, to_the_second(confirmed.confirmed_at), lines,
        Money(confirmed.amount, order.currency),
        rfc3339(confirmed.confirmed_at + withdrawal.REFUND_DAYS * DAY_MS),
    )  # fmt: skip


def _order_of(records: Records, order_id: str, by: str) -> Order:
    """The order, for its buyer and for the guardian who paid it; to anyone else it does not exist."""
    order = load(Order, records[f"order:{order_id}"])
    payment = load(Payment, records[f"payment:{order_id}"])
    if order is None or by not in (order.account, payment.payer if payment else order.account):
        raise not_found("order")
    return order


def _in_time(sale: Sale, now_ms: int) -> Sale:
    """The sale, if it can be withdrawn from now; before the last shipment that is always so."""
    check_open(sale)
    until = sale.withdrawal_until()
    if until is not None and now_ms >= until:
        raise Refusal("expired", f"The time to withdraw from this contract ended on {rfc3339(until)}.")
    return sale


def _available(sale: Sale) -> Counter[str]:
    """Units neither withdrawn nor given back yet."""
    withdrawn: Counter[str] = Counter()
    failed = {one.id for one in sale.refunds.items if one.state == "failed"}
    for one in sale.order.withdrawals:
        if withdrawal.counts(one) and one.refund in failed:
            withdrawn.update(one.units)
    return sale.refundable() - withdrawn


def _amount(sale: Sale, units: Units) -> int:
    return min(sale.price_back(units, _available(sale)), sale.left())


def _event(before: Withdrawal | None, after: Withdrawal, order: Order, now_ms: int) -> dict[str, Any]:
    return withdrawal_event(before, after, order.id, order.account, order.version, order.currency, now_ms)
