"""Money that arrives for an order that has ended: claim again if units are free, else give it back. Pure.

Law: never silent. The order comes back to life (and goes on to `paid` as any other), or its buyer and whoever paid are
told that the money goes back: an authorisation is voided, what was captured all the same is refunded.
"""

from __future__ import annotations

from msgspec.structs import replace

from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, random_name
from livesale.orders import model
from livesale.orders.events import LATE_PAYMENT
from livesale.orders.model import Order
from livesale.payments import model as payments
from livesale.payments import refund
from livesale.payments.model import Payment
from livesale.payments.refund import Refund, Refunds
from livesale.store.decision import Counter, Decision, Mark
from livesale.store.record import load, put
from livesale.store.valkey import Records

LATE = "late"  # what a refund of late money is for


def revive(records: Records, order: Order, payment: Payment) -> Decision | None:
    """The order claims units in the commit that lets its money be captured; Short when there are none, or others wait.

    It does not count against the buyer's orders that are being paid: this one has been. None: it did not end unpaid,
    or it had a coupon, which has gone back and may be in another order by now, or a guardian's consent, which has ended.
    """
    capturing = payments.changed(payment, state="capturing")
    if order.coupon or order.approval or order.state not in model.REVIVED or capturing is None:
        return None
    after = model.changed(order, state="awaiting_payment", reservation="claimed", reason="")
    moves = [replace(one, ceiling=None) if one.name.startswith("paying_orders:") else one for one in model.moves(order, after)]
    return Decision(
        order.shelf,
        counters=tuple(moves),
        puts=(
            put(f"order:{order.id}", records[f"order:{order.id}"], after),
            put(f"payment:{order.id}", records[f"payment:{order.id}"], capturing),
        ),
        events=(model.order_event(order, after), payments.payment_event(payment, capturing)),
    )


def let_go(records: Records, order: Order, payment: Payment) -> Decision | None:
    """Nothing is left for the order: what is authorised is voided, and people are told."""
    voiding = payments.changed(payment, state="voiding")
    if voiding is None:
        return None
    name = f"payment:{order.id}"
    return Decision(
        order.shelf,
        puts=(put(name, records[name], voiding),),
        events=(payments.payment_event(payment, voiding), _told(order, voiding)),
    )


def give_back(records: Records, order: Order, payment: Payment, now_ms: int) -> Decision | None:
    """Captured although the order has ended: all of it is asked back, once. None: it is on its way already."""
    name = f"refunds:{order.id}"
    if order.state not in model.REVIVED or load(Refunds, records[name]) is not None:
        return None
    asked = Refund(
        new_id("rf", order.shelf), order.id, order.account, payment.captured, payment.currency, f"ref_{random_name()}",
        "", now_ms, cause=LATE, changed_at=now_ms,
    )  # fmt: skip
    return Decision(
        order.shelf,
        counters=(Counter("revenue", payment.captured),),
        puts=(put(name, None, refund.added(payment, Refunds([]), asked)),),
        marks=(Mark("due", f"pay:{order.id}", None), Mark("due", f"refund:{order.id}", refund.next_look(Refunds([asked]), now_ms))),
        events=(refund.refund_event(None, asked, now_ms),),
    )


def _told(order: Order, payment: Payment) -> Event:
    return {
        "type": LATE_PAYMENT,
        "owner": order.account,
        "order": order.id,
        "version": payment.turn,
        "amount": payment.amount,
        "currency": payment.currency,
    }
