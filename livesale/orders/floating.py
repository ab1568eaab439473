"""Floating: a paid order that turns out to be a minor's, to which no guardian has agreed (§ 108 BGB). Pure.

floats → ratified | void. While it floats nothing is sent and the seller cannot step back (§ 109); the guardians are asked
(the order's approval, `asked`), on their majority the buyer (§ 108 (3)). Void: all money goes back in the same commit, and
what has not left is on sale again; what has left comes back as after a withdrawal.
Law: the order's record says it, so a shipment and a mark at the same moment are versions of one record: one comes first.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from livesale.guardians import model as approvals
from livesale.guardians.model import TERMS_VERSION, Approval
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.orders import model
from livesale.orders.aftersale import PAID, Sale, check_open, sale_of
from livesale.orders.asking import Nothing, approval_in, digest_of, ended_with
from livesale.orders.events import CONTRACT_CHANGED
from livesale.orders.model import Order
from livesale.orders.refunds import first_look, made, stored
from livesale.payments import refund
from livesale.store.decision import Decision, Mark, Put
from livesale.store.record import encode, load, put
from livesale.store.valkey import Records

MOVES = {"": {"floats"}, "floats": {"ratified", "void"}}
# What became of the question → what becomes of the contract.
BECOMES = {"ratified": "ratified", "refused": "void", "silent": "void"}
ENDED_OTHERWISE = ("refunded", "withdrawn")  # what a buyer's own withdrawal makes of the order meanwhile


class Found(msgspec.Struct, frozen=True):
    """What is known of the buyer: `too_young` to be bound at all, so that nobody is asked (§§ 104, 105 BGB); from
    `grown_at` (ms; None: not for years) on of age; how long a guardian has to answer (ms).
    """

    too_young: bool
    grown_at: int | None
    answer_ms: int


def marked(
    records: Records, order_id: str, approval_id: str, ship_to: dict[str, Any], found: Found, by: str, reason: str, now_ms: int,
) -> Decision:  # fmt: skip
    """The order is a minor's: it floats from here on, and the question is put. Marked before: Nothing."""
    sale = sale_of(records, order_id)
    order = sale.order
    if order.contract:
        raise Nothing
    check_open(sale)
    if order.approval:
        raise Refusal("conflict", "A guardian agreed to this order before it was bought.")
    until = now_ms + found.answer_ms
    grown_at = found.grown_at if found.grown_at and found.grown_at < until else 0
    asked = Approval(
        approval_id, order.id, order.account, digest_of(order, ship_to), order.total, order.currency, order.shop, now_ms, until,
        "refused" if found.too_young else "asked", since=now_ms, terms=TERMS_VERSION, grown_at=grown_at,
    )  # fmt: skip
    after = _moved(order, "floats", approval=approval_id)
    return Decision(
        order.shelf,
        puts=(_order(records, after), Put(f"approval:{approval_id}", 0, encode(asked))),
        marks=(Mark("due", f"approval:{approval_id}", approvals.due(asked)),),
        events=(_told(order, after, by, reason, now_ms), approvals.approval_event(None, asked)),
    )


def answered(records: Records, order_id: str, now_ms: int) -> Decision:
    """What the answer, or two weeks without one, makes of the contract."""
    order, approval = _floating(records, order_id)
    state = BECOMES.get(approval.state)
    if state is None:
        raise Nothing
    after = _moved(order, state)
    decision = Decision(
        order.shelf, puts=(_order(records, after),), events=(_told(order, after, "", approval.state, now_ms),)
    )
    return _all_back(records, decision, now_ms) if state == "void" else decision


def ended_otherwise(records: Records, order_id: str, now_ms: int) -> Decision:
    """All money is back by the buyer's own withdrawal: nobody has to answer any more."""
    order, approval = _floating(records, order_id)
    if order.state not in ENDED_OTHERWISE or approval.state not in approvals.AFTER_THE_SALE:
        raise Nothing
    after = _moved(order, "void")
    decision = Decision(order.shelf, puts=(_order(records, after),), events=(_told(order, after, "", order.state, now_ms),))
    return ended_with(records, decision, approval, "moot")


def _all_back(records: Records, decision: Decision, now_ms: int) -> Decision:
    """`decision`, with the refund of all that was not given back before."""
    sale = sale_of(records, decision.puts[0].record.partition(":")[2])
    if sale.order.state not in PAID or not sale.left():
        return decision
    asked = made(sale, "", sale.left(), sale.refundable(), _not_sent(sale), now_ms, cause=refund.SELLER)
    return replace(
        decision,
        puts=(*decision.puts, *stored(records, sale, asked)),
        marks=(first_look(asked, now_ms),),
        events=(*decision.events, refund.refund_event(None, asked, now_ms)),
    )


def _not_sent(sale: Sale) -> dict[str, int]:
    waiting, refundable = sale.to_send(), sale.refundable()
    return {offer: min(units, waiting[offer]) for offer, units in refundable.items() if waiting[offer]}


def _floating(records: Records, order_id: str) -> tuple[Order, Approval]:
    order, approval = load(Order, records[f"order:{order_id}"]), approval_in(records)
    if order is None or approval is None or order.contract != "floats" or order.approval != approval.id:
        raise Nothing
    return order, approval


def _moved(order: Order, state: str, **fields: Any) -> Order:
    if state not in MOVES.get(order.contract, set()):
        raise Refusal("conflict", f"A contract that is {order.contract or 'whole'} cannot become {state}.")
    return model.changed(order, contract=state, **fields)


def _order(records: Records, after: Order) -> Put:
    return put(f"order:{after.id}", records[f"order:{after.id}"], after)


def _told(before: Order, after: Order, by: str, reason: str, now_ms: int) -> Event:
    return {
        "type": CONTRACT_CHANGED, "order": after.id, "approval": after.approval, "state": after.contract,
        "before": before.contract, "by": by, "reason": reason, "at": now_ms,
    }  # fmt: skip
