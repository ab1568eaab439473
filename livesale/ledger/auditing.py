"""Auditing: which facts of the logs become lines of the audit, and what a line says. Ids and figures, never names."""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.guardians.events import (
    ALLOWANCE_SET,
    ALLOWANCE_SPENT,
    APPROVAL_CHANGED,
    APPROVAL_SEEN,
    CAPTURE_BEGUN,
    FAMILY_FROZEN,
    LINK_CHANGED,
)
from livesale.kernel.events import Event
from livesale.orders.events import (
    CONTRACT_CHANGED,
    COUPON_APPLIED,
    COUPON_MADE,
    COUPON_RELEASED,
    COUPON_REMOVED,
    COUPON_SET_ASIDE,
    COUPON_TAKEN_OFF,
    COUPON_USED,
    LATE_PAYMENT,
    ORDER_CHANGED,
    PRODUCT_WITHDRAWN,
    SHIPMENT_MADE,
    STOCK_ADJUSTED,
    TRANSFER_ARRIVED,
    TRANSFER_CONFIRMED,
    TRANSFER_RELEASED,
    TRANSFER_SET_ASIDE,
    UNITS_RETURNED,
    WAITLIST_CHANGED,
    WITHDRAWAL_CHANGED,
)
from livesale.payments.events import PAYMENT_CHANGED, PAYMENT_DISPUTED, REFUND_CHANGED
from livesale.shows.events import (
    CHAT_REMOVED,
    DEAL_SET,
    LEASE_TAKEN,
    MUTED,
    OFFER_SET,
    PINS_SET,
    SHOW_CHANGED,
    SHOW_CREATED,
    WAITLIST_SET,
)

# Event → dotted action; one ending in a dot is completed by the event's state.
ACTIONS = {
    SHOW_CREATED: "show.created",
    SHOW_CHANGED: "show.",
    OFFER_SET: "offer.set",
    PINS_SET: "pins.set",
    DEAL_SET: "deal.set",
    CHAT_REMOVED: "chat.removed",
    MUTED: "chat.muted",
    LEASE_TAKEN: "studio.lease_taken",
    WAITLIST_SET: "show.waitlist_set",
    ORDER_CHANGED: "order.",
    WAITLIST_CHANGED: "waitlist.",
    TRANSFER_SET_ASIDE: "transfer.set_aside",
    TRANSFER_ARRIVED: "transfer.arrived",
    TRANSFER_CONFIRMED: "transfer.confirmed",
    TRANSFER_RELEASED: "transfer.released",
    STOCK_ADJUSTED: "stock.adjusted",
    COUPON_MADE: "coupon.made",
    COUPON_REMOVED: "coupon.removed",
    COUPON_SET_ASIDE: "coupon.set_aside",
    COUPON_APPLIED: "coupon.applied",
    COUPON_TAKEN_OFF: "coupon.taken_off",
    COUPON_USED: "coupon.used",
    COUPON_RELEASED: "coupon.released",
    PAYMENT_CHANGED: "payment.",
    PAYMENT_DISPUTED: "payment.disputed",
    SHIPMENT_MADE: "shipment.made",
    REFUND_CHANGED: "refund.",
    WITHDRAWAL_CHANGED: "withdrawal.",
    LATE_PAYMENT: "payment.late",
    UNITS_RETURNED: "units.returned",
    CONTRACT_CHANGED: "contract.",
    PRODUCT_WITHDRAWN: "product.withdrawn",
    APPROVAL_CHANGED: "approval.",
    APPROVAL_SEEN: "approval.seen",
    LINK_CHANGED: "guardian.link.",
    FAMILY_FROZEN: "guardian.",
    CAPTURE_BEGUN: "guardian.capture_begun",
    ALLOWANCE_SET: "allowance.",
    ALLOWANCE_SPENT: "allowance.",
}

# States an order, or a place in a line, enters by its buyer's hand only.
_BUYER_ACTS = frozenset({"held", "awaiting_guardian", "waiting", "left", "taken"})
_NOT_TOLD = frozenset({"type", "title", "image", "by"})


def line(event: Event, shelf: str, seq: int) -> dict[str, Any] | None:
    """`{actor, action, data}` of an audited event, else None. `actor` is empty when the event does not tell."""
    action = ACTIONS.get(event["type"])
    if action is None:
        return None
    if action.endswith("."):
        action += event["state"]
    data = {"shelf": shelf, "seq": seq, **_told(event)}
    return {"actor": _actor(event), "action": action, "data": msgspec.json.encode(data).decode()}


def _actor(event: Event) -> str:
    if event.get("by"):
        return str(event["by"])
    if event["type"] in (ORDER_CHANGED, WAITLIST_CHANGED):
        return str(event["owner"]) if event["state"] in _BUYER_ACTS else ""
    if event["type"] == APPROVAL_CHANGED:
        return str(event.get("guardian") or (event["minor"] if event["state"] == "requested" else ""))
    return str(event["owner"]) if event["type"] == SHOW_CREATED else ""


def _told(event: Event) -> dict[str, Any]:
    """The event's ids and figures; a nested thing by its id, lines as offer and quantity."""
    told: dict[str, Any] = {}
    for name, value in event.items():
        if name in _NOT_TOLD:
            continue
        if isinstance(value, dict):
            told |= {name if key == "id" else key: part for key, part in value.items() if key not in _NOT_TOLD}
        elif name == "lines":
            told[name] = [{"offer": one.get("offer"), "quantity": one.get("quantity")} for one in value]
        else:
            told[name] = value
    return told
