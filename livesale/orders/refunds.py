"""From a seller's wish to a refund the provider will be asked for, and what the order does when it has ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from livesale.kernel.clock import SECOND_MS
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, random_name
from livesale.kernel.refusals import invalid
from livesale.orders import model
from livesale.orders.aftersale import Sale, Units, check_not_on_hold, check_open, chosen, followed, repeats, sale_of
from livesale.orders.events import UNITS_RETURNED
from livesale.orders.model import Line, Order
from livesale.orders.shipments import Repeated, completion, state_event
from livesale.orders.withdrawal import Withdrawal, moved, withdrawal_event
from livesale.payments import refund
from livesale.payments.model import Payment
from livesale.payments.refund import Refund, Refunds
from livesale.store.decision import Counter, Decision, Mark, Put
from livesale.store.record import load, put
from livesale.store.valkey import Records

FIRST_LOOK_MS = 2 * SECOND_MS  # when the clock looks after a refund, should the reader have died


class Nothing(Exception):
    """There is nothing left to do: a repeated event."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a seller gives back: an amount, lines, or (neither) everything left; `restock`: the units are on sale again."""

    units: Units | None
    amount: int | None
    currency: str
    restock: bool


def ask(records: Records, order_id: str, by: str, wish: Wish, once: tuple[str, str], now_ms: int) -> Decision:
    """A refund requested, its key stored before any call; `limit_reached` beyond what was captured or ordered."""
    sale = sale_of(records, order_id)
    if repeats(once, (one.once for one in sale.refunds.items)):
        raise Repeated
    check_open(sale)
    check_not_on_hold(sale)  # a seller cannot step back from a contract that floats (§ 109 BGB)
    if wish.amount is not None and wish.currency != sale.order.currency:
        raise invalid("amount", f"this order was paid in {sale.order.currency}")
    amount, units = _meant(sale, wish)
    owed = _owed(sale, units)
    cause = refund.WITHDRAWAL if owed else refund.SELLER
    asked = made(sale, by, amount, units, units if wish.restock else {}, now_ms, once=once, cause=cause)
    withdrawals = [msgspec.structs.replace(one, refund=asked.id) if one is owed else one for one in sale.order.withdrawals]
    after = model.changed(sale.order, withdrawals=withdrawals)
    order_name = f"order:{order_id}"
    return Decision(
        after.shelf,
        puts=(put(order_name, records[order_name], after), *stored(records, sale, asked)),
        marks=(first_look(asked, now_ms),),
        events=(refund.refund_event(None, asked, now_ms),),
    )


def made(
    sale: Sale, by: str, amount: int, units: Units, returned: Units, now_ms: int, **more: Any
) -> Refund:
    """A refund of this sale, with a key of its own for the provider."""
    order = sale.order
    return Refund(
        new_id("rf", order.shelf), order.id, order.account, amount, order.currency, f"ref_{random_name()}", by, now_ms,
        units=dict(units), returned=dict(returned), worth=sale.worth(units), changed_at=now_ms, **more,
    )  # fmt: skip


def stored(records: Records, sale: Sale, asked: Refund) -> tuple[Put, ...]:
    """The refunds with one more, as far as the law allows."""
    name = f"refunds:{sale.order.id}"
    return (put(name, records[name], refund.added(sale.payment, sale.refunds, asked)),)


def first_look(asked: Refund, now_ms: int) -> Mark:
    """The mark that finishes the refund whatever dies."""
    return Mark("due", f"refund:{asked.order}", now_ms + FIRST_LOOK_MS)


def _meant(sale: Sale, wish: Wish) -> tuple[int, Units]:
    """(amount, units given up). Whoever gives back all that is left gives up all units that are left."""
    left, refundable = sale.left(), sale.refundable()
    if wish.units is not None:
        units = chosen(wish.units, refundable, "given back")
        most = sale.price_back(units, refundable)
        if wish.amount is not None and wish.amount > most:
            raise invalid("amount", f"these lines cost {most} (minor units)")
        return (min(most, left) if wish.amount is None else wish.amount), units
    if wish.amount is None or wish.amount == left:
        return left, refundable
    if wish.restock:
        raise invalid("lines", "name the lines that come back on sale: an amount alone has no units")
    return wish.amount, {}


def _owed(sale: Sale, units: Units) -> Withdrawal | None:
    """The withdrawal of exactly these units whose own refund has failed: this one takes its place."""
    failed = {one.id for one in sale.refunds.items if one.state == "failed"}
    return next((one for one in sale.order.withdrawals if one.refund in failed and one.units == units), None)


def settle(records: Records, order_id: str, now_ms: int) -> Decision:
    """Refunds that have ended: units back on sale, withdrawals done, the state people see; each once."""
    order_name, refunds_name = f"order:{order_id}", f"refunds:{order_id}"
    order, payment = load(Order, records[order_name]), load(Payment, records[f"payment:{order_id}"])
    refunds = load(Refunds, records[refunds_name])
    if order is None or payment is None or refunds is None:
        raise Nothing
    ended = [one for one in refunds.items if one.state in ("done", "failed") and not one.settled]
    if not ended:
        raise Nothing
    settled = refunds.replaced(*(msgspec.structs.replace(one, settled=True) for one in ended))
    sale = Sale(order, payment, settled)
    withdrawals = [_followed(one, sale) for one in order.withdrawals]
    after = followed(sale, withdrawals=withdrawals)
    back = lines_back(order, [one.returned for one in ended if one.state == "done"])
    return Decision(
        order.shelf,
        counters=(*_on_sale(order, back), *model.state_moves(order, after)),
        puts=(put(order_name, records[order_name], after), put(refunds_name, records[refunds_name], settled)),
        marks=completion(after),
        events=(
            *state_event(order, after),
            *_withdrawal_events(order, after, now_ms),
            *_returned_event(order, back),
        ),
    )


def lines_back(order: Order, returned: Iterable[Units]) -> list[Line]:
    """The order's lines, with the quantities that come back."""
    rest = {offer: 0 for offer in (line.offer for line in order.lines)}
    for units in returned:
        for offer, quantity in units.items():
            rest[offer] += quantity
    lines = []
    for line in order.lines:
        quantity = min(line.quantity, rest[line.offer])
        rest[line.offer] -= quantity
        if quantity:
            lines.append(msgspec.structs.replace(line, quantity=quantity))
    return lines


def _on_sale(order: Order, back: list[Line]) -> list[Counter]:
    """claimed → free, and what the buyer's limit and the deal had counted."""
    part = msgspec.structs.replace(order, lines=back)
    return model.unit_moves(part, msgspec.structs.replace(part, reservation="released"))


def _followed(withdrawal: Withdrawal, sale: Sale) -> Withdrawal:
    """Done with its own refund, or once everything is back another way."""
    done = {one.id for one in sale.refunds.items if one.state == "done"}
    all_back = sale.refunds.sum("done") == sale.payment.captured
    return moved(withdrawal, "done") if withdrawal.refund in done or all_back else withdrawal


def _withdrawal_events(before: Order, after: Order, now_ms: int) -> list[Event]:
    return [
        withdrawal_event(was, now, after.id, after.account, after.version, after.currency, now_ms)
        for was, now in zip(before.withdrawals, after.withdrawals, strict=True)
        if was.state != now.state
    ]


def _returned_event(order: Order, back: list[Line]) -> list[Event]:
    if not back:
        return []
    lines = [{"offer": line.offer, "quantity": line.quantity} for line in back]
    return [{"type": UNITS_RETURNED, "order": order.id, "lines": lines}]
