"""After the sale: what the machines of one paid order come to together. Pure.

`VISIBLE` maps them to the one state people see. Units are told by offer: all lines of an offer cost the same, and a
coupon's discount is shared by offer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.orders import model, pricing
from livesale.orders.fulfilment import Fulfilment, reached
from livesale.orders.model import Order
from livesale.orders.withdrawal import counts, ends_at
from livesale.payments import refund
from livesale.payments.model import Payment
from livesale.payments.refund import Refunds
from livesale.store.record import load
from livesale.store.valkey import Records

Units = Mapping[str, int]  # offer → quantity

PAID = ("paid", "shipped", "completed")  # only here something can still happen after the sale

# (where the money is, how far the goods are) → the state people see. A withdrawal is a right that was used: an order
# whose money is back is `withdrawn` as soon as any of it was withdrawn.
VISIBLE = {
    ("kept", "open"): "paid",
    ("kept", "partly_shipped"): "paid",
    ("kept", "shipped"): "shipped",
    ("kept", "completed"): "completed",
    **{("given_back", goods): "refunded" for goods in ("open", "partly_shipped", "shipped", "completed")},
    **{("withdrawn", goods): "withdrawn" for goods in ("open", "partly_shipped", "shipped", "completed")},
}


SOLD = frozenset(VISIBLE.values())


@dataclass(frozen=True, slots=True)
class Sale:
    """One paid order with the records of its machines."""

    order: Order
    payment: Payment
    refunds: Refunds

    def ordered(self) -> Counter[str]:
        """Units bought."""
        units: Counter[str] = Counter()
        for line in self.order.lines:
            units[line.offer] += line.quantity
        return units

    def refundable(self) -> Counter[str]:
        """Units no refund was asked for yet."""
        return self.ordered() - _sum(one.units for one in self.refunds.standing())

    def to_send(self) -> Counter[str]:
        """Units the buyer still waits for. What is given up counts as not sent yet: that is the unit to keep."""
        by_seller = (one.units for one in self.refunds.standing() if one.cause == refund.SELLER)
        withdrawn = (one.units for one in self.order.withdrawals if counts(one))
        return self.ordered() - self.goods().sent() - _sum(by_seller) - _sum(withdrawn)

    def goods(self) -> Fulfilment:
        """The fulfilment so far."""
        return self.order.fulfilment or Fulfilment()

    def worth(self, units: Units) -> int:
        """What was paid for these units (minor units), less discount; over all units of the order it is exact.

        What is paid for three of an offer need not divide by three: so units are worth what those given up so far and
        these are worth together, less what the former were taken for.
        """
        taken = sum(one.worth for one in self.refunds.standing())
        return max(0, pricing.paid_for(self.order, self.ordered() - self.refundable() + Counter(units)) - taken)

    def price_back(self, units: Units, available: Counter[str]) -> int:
        """What is to be given back for these of the `available` units; with the last ones standard shipping, too.

        (§ 357 (2) BGB: shipping follows the withdrawal from the whole contract.)
        """
        return self.worth(units) + (0 if available - Counter(units) else self.order.shipping)

    def left(self) -> int:
        """What can still be asked back (minor units)."""
        return refund.left(self.payment, self.refunds)

    def withdrawal_until(self) -> int | None:
        """When the right to withdraw ends (ms); None while goods are still to come (§ 356 (2) no. 1 b BGB)."""
        return None if self.to_send() or not self.goods().shipments else ends_at(self.goods().sent_at())

    def quiet(self) -> bool:
        """Whether nothing is in flight."""
        return all(one.settled for one in self.refunds.items) and all(
            one.state != "confirmed" for one in self.order.withdrawals
        )


def names(order_id: str) -> tuple[str, str, str]:
    """The records a sale is read from."""
    return (f"order:{order_id}", f"payment:{order_id}", f"refunds:{order_id}")


def order_in(records: Records, order_id: str) -> tuple[Order, Sale | None]:
    """The order, and its sale once it has been paid; not_found without one."""
    order_name, payment_name, refunds_name = names(order_id)
    order, payment = load(Order, records[order_name]), load(Payment, records[payment_name])
    if order is None:
        raise not_found("order")
    if payment is None or not payment.captured:
        return order, None
    return order, Sale(order, payment, load(Refunds, records[refunds_name]) or Refunds([]))


def sale_of(records: Records, order_id: str) -> Sale:
    """The sale; not_found without order, conflict for one that nobody has paid."""
    order, sale = order_in(records, order_id)
    if sale is None:
        raise Refusal("conflict", f"This order is {order.state}: it has not been paid.")
    return sale


def check_open(sale: Sale) -> None:
    """Refuse (conflict) what comes too early or too late: the order is not paid yet, or all of it has been given back."""
    if sale.order.state not in PAID:
        raise Refusal("conflict", f"This order is {sale.order.state}: nothing more can be done with it.")


def check_not_on_hold(sale: Sale, *also: str) -> None:
    """Refuse (on_hold) what must wait: while the order's contract floats, and while the buyer's bank has the money back.
    One answer for both: a seller learns no reason, and cannot guess it.
    """
    if sale.order.contract in ("floats", *also) or sale.payment.disputed:
        raise Refusal("on_hold", "This order is on hold for now. Please leave it as it is; it goes on, or ends, by itself.")


def visible(sale: Sale) -> str:
    """The state people see; an order that ended unpaid stays so whatever late money it gives back."""
    if sale.order.state in model.REVIVED:
        return sale.order.state
    money = "kept"
    if sale.refunds.back().sum("done") == sale.payment.captured:
        money = "withdrawn" if any(counts(one) for one in sale.order.withdrawals) else "given_back"
    return VISIBLE[money, sale.goods().state]


def followed(sale: Sale, **fields: Any) -> Order:
    """The order with `fields`, its goods and its state as they follow from all machines, in its next version."""
    order = msgspec.structs.replace(sale.order, **fields)
    if order.fulfilment:
        remaining = Sale(order, sale.payment, sale.refunds.back()).to_send().total()
        order = msgspec.structs.replace(order, fulfilment=reached(order.fulfilment, remaining))
    state = visible(Sale(order, sale.payment, sale.refunds))
    changes = {name: getattr(order, name) for name in ("fulfilment", "withdrawals")}
    return model.changed(sale.order, state=state, **changes)


def chosen(wanted: Units | None, available: Counter[str], what: str) -> dict[str, int]:
    """The units meant: all available ones unless named; `limit_reached`, naming each line that asks for more."""
    if wanted is None:
        if not available:
            raise Refusal("limit_reached", f"Nothing of this order is left to be {what}.")
        return dict(available)
    if not wanted:
        raise invalid("lines", "name at least one line")
    short = [
        {"offer": offer, "requested": quantity, "left": available[offer]}
        for offer, quantity in wanted.items()
        if quantity > available[offer]
    ]
    if short:
        raise Refusal("limit_reached", f"That is more than is left to be {what}.", short)
    return dict(wanted)


def repeats(once: tuple[str, str], done: Iterable[tuple[str, str]]) -> bool:
    """Whether a command under this key was carried out before; refused when it was another command."""
    found = next((fingerprint for key, fingerprint in done if key and key == once[0]), None)
    if found is not None and found != once[1]:
        raise Refusal("idempotency_key_reused", "This Idempotency-Key was used for another request.")
    return found is not None


def _sum(each: Iterable[Units]) -> Counter[str]:
    units: Counter[str] = Counter()
    for one in each:
        units.update(one)
    return units
