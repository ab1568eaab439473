"""Payments: the rules, pure. One payment record `payment:ORDER` beside each order that is being paid.

created → authorised → capturing → captured; created → requires_action → authorised; ends failed, voided, expired.
`unknown` is no end: it is resolved only by asking the provider, or by repeating the call with the same key.
Units are given back only when the provider has said that no money moves.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.kernel.clock import MINUTE_MS, SECOND_MS
from livesale.kernel.events import Event
from livesale.payments.events import PAYMENT_CHANGED

PAY_WITHIN_MS = 10 * MINUTE_MS
RETRY_MS = (1 * SECOND_MS, 2 * SECOND_MS, 5 * SECOND_MS, 15 * SECOND_MS, 60 * SECOND_MS)

MOVES = {
    "created": {"authorised", "requires_action", "failed", "voiding", "expired"},
    "requires_action": {"authorised", "failed", "voiding", "expired", "voided"},
    "authorised": {"capturing", "voiding"},
    "capturing": {"captured", "failed"},
    "voiding": {"voided", "failed"},
    "captured": {"refunded"},
}
ENDED = {"captured", "failed", "voided", "expired", "refunded"}


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt to have an order paid. `key` goes to the provider with every call of the attempt."""

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
    attempts: int = 0
    unknown: bool = False


def changed(payment: Payment, **fields: Any) -> Payment | None:
    """The payment with `fields`; None when its state does not allow the move (a repeated or late word)."""
    state = fields.get("state", payment.state)
    if state != payment.state and state not in MOVES.get(payment.state, set()):
        return None
    return msgspec.structs.replace(payment, **fields)


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
    }
