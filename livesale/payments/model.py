"""Payments: the rules, pure. One payment record `payment:ORDER` beside each order that is being paid.

created → authorised → capturing → captured; created → requires_action → authorised; ends failed, voided, expired.
`unknown` is no end: it is resolved only by asking the provider, or by repeating the call with the same key.
Units are given back only when the provider has said that no money moves. Should it say later that money did move, the
payment is `authorised` again, whatever it had come to, and asks for units again (orders/late.py).
"""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.kernel.clock import MINUTE_MS, SECOND_MS
from livesale.kernel.events import Event
from livesale.payments.events import PAYMENT_CHANGED
from livesale.payments.provider import REPLAYED, Attempt

PAY_WITHIN_MS = 10 * MINUTE_MS
RETRY_MS = (1 * SECOND_MS, 2 * SECOND_MS, 5 * SECOND_MS, 15 * SECOND_MS, 60 * SECOND_MS)

MOVES = {
    "created": {"authorised", "requires_action", "failed", "voiding", "expired"},
    "requires_action": {"authorised", "failed", "voiding", "expired", "voided"},
    "authorised": {"capturing", "voiding"},
    "capturing": {"captured", "failed"},
    "voiding": {"voided", "failed", "captured"},
    "captured": {"refunded"},
    **{state: {"authorised"} for state in ("failed", "voided", "expired")},
}
UNPAID = {"failed", "voided", "expired"}  # ended without money, as far as we know
ENDED = {"captured", "refunded", *UNPAID}


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt to have an order paid. `key` goes to the provider with every call of the attempt.

    `turn` makes a new key of it once the provider has said that an act whose key only answers 500 has not been done.
    """

    order: str
    payer: str
    amount: int
    currency: str
    token: str
    key: str
    started_at: int
    deadline: int
    state: str = "created"
    provider_id: str = ""
    redirect_url: str = ""
    return_url: str = ""
    decline: str = ""
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    attempts: int = 0
    turn: int = 0
    approval: str = ""  # the guardian's consent that pays


def changed(payment: Payment, **fields: Any) -> Payment | None:
    """The payment with `fields`; None when its state does not allow the move (a repeated or late word)."""
    state = fields.get("state", payment.state)
    if state != payment.state and state not in MOVES.get(payment.state, set()):
        return None
    return msgspec.structs.replace(payment, **fields)


def key_of(payment: Payment, act: str) -> str:
    """What the provider knows an act of the attempt by."""
    return f"{payment.key}:{act}" + (f":{payment.turn}" if payment.turn else "")


def learned(payment: Payment, attempt: Attempt) -> Payment | None:
    """The payment after what the provider said; None when that is nothing new."""
    said = attempt.state
    if said == "unknown" or said == payment.state:
        return None
    fields: dict[str, Any] = {"state": said, "provider_id": attempt.provider_id or payment.provider_id}
    if payment.state in UNPAID:
        fields["turn"] = payment.turn + 1  # what was answered under the old keys is over
    if payment.state in ("capturing", "voiding"):
        if said == "authorised":  # not done, and its key will not do it any more
            return changed(payment, turn=payment.turn + 1) if attempt.decline == REPLAYED else None
        if said == "refunded":
            fields["state"] = "captured"
    elif said in ("captured", "refunded"):  # more than we asked for: through the claim first
        if payment.state == "authorised":
            return None
        fields["state"] = "authorised"
    elif said == "voided" and payment.state == "requires_action":
        fields["state"] = "expired"
    if said == "voided" and payment.state in ("created", "capturing"):  # not by us
        fields |= {"state": "failed", "decline": "voided"}
    if fields["state"] == "captured":
        fields["captured"] = attempt.captured or payment.amount
    if said == "failed":
        fields["decline"] = attempt.decline or "declined"
    if said == "requires_action":
        fields["redirect_url"] = attempt.redirect_url or ""
    return changed(payment, **fields)


def retry_at(payment: Payment, now_ms: int) -> int:
    """When to ask the provider again after an unknown outcome (ms)."""
    return now_ms + RETRY_MS[min(payment.attempts, len(RETRY_MS) - 1)]


def payment_event(before: Payment | None, after: Payment) -> Event:
    """The fact of a change; sums in minor units."""
    return {
        "type": PAYMENT_CHANGED,
        "payment": after.key,
        "order": after.order,
        "state": after.state,
        "before": before.state if before else "",
        "amount": after.amount,
        "currency": after.currency,
        "payer": after.payer,
        "captured": after.captured,
        "refunded": after.refunded,
        "approval": after.approval,
    }
