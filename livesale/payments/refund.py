"""Refunds: the rules, pure. One record `refunds:ORDER` beside the payment that they give back from.

requested → refunding → done | failed | unknown; `unknown` is no end: it is resolved only by repeating the call with the
same key. Law: what is under way and what is done together never exceed what was captured (`added` is the one door).
"""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.payments.events import REFUND_CHANGED
from livesale.payments.model import RETRY_MS, Payment

MOST_REFUNDS = 100  # of one order
SELLER, WITHDRAWAL = "seller", "withdrawal"  # what a refund is for

MOVES = {
    "requested": {"refunding"},
    "refunding": {"done", "failed", "unknown"},
    "unknown": {"done", "failed"},
}
OPEN = frozenset(MOVES)


class Refund(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money on its way back. `key` goes to the provider with every call; `once` is the command's key and fingerprint.

    `units` (offer → quantity) are given up with it, `returned` of them go back on sale, `worth` is what was paid for
    them: the orders room's business, as is `settled`: whether the order has followed the refund's end.
    """

    id: str
    order: str
    owner: str
    amount: int
    currency: str
    key: str
    by: str
    asked_at: int
    cause: str = SELLER
    units: dict[str, int] = {}
    returned: dict[str, int] = {}
    worth: int = 0
    once: tuple[str, str] = ("", "")
    state: str = "requested"
    version: int = 1
    changed_at: int = 0
    attempts: int = 0
    turn: int = 0  # how often the provider said that its key has made no refund, and will not
    decline: str = ""
    settled: bool = False


class Refunds(msgspec.Struct, frozen=True):
    """Every refund of one order, oldest first."""

    items: list[Refund]

    def standing(self) -> list[Refund]:
        """Those that have not failed: money gone back or on its way."""
        return [one for one in self.items if one.state != "failed"]

    def open(self) -> list[Refund]:
        """Those the provider has still to answer."""
        return [one for one in self.items if one.state in OPEN]

    def back(self) -> Refunds:
        """Those that are done and that the order has followed."""
        return Refunds([one for one in self.items if one.state == "done" and one.settled])

    def sum(self, *states: str) -> int:
        """Minor units of the refunds in these states."""
        return sum(one.amount for one in self.items if one.state in states)

    def replaced(self, *changed: Refund) -> Refunds:
        """The same with these in place of their former selves."""
        by_id = {one.id: one for one in changed}
        return Refunds([by_id.get(one.id, one) for one in self.items])


def left(payment: Payment, refunds: Refunds) -> int:
    """What can still be asked back of a payment (minor units)."""
    return payment.captured - sum(one.amount for one in refunds.standing())


def added(payment: Payment, refunds: Refunds, refund: Refund) -> Refunds:
    """The refunds with one more; `limit_reached`, naming what is left, when that would be more than was captured."""
    rest = left(payment, refunds)
    if not 0 < refund.amount <= rest:
        detail = f"Only {rest} (minor units) can still be given back." if rest else "Everything has been given back."
        money = {"amount": rest, "currency": payment.currency}
        raise Refusal("limit_reached", detail, [{"field": "amount", "left": money}])
    if len(refunds.items) >= MOST_REFUNDS:
        raise Refusal("limit_reached", f"An order has at most {MOST_REFUNDS} refunds.")
    return Refunds([*refunds.items, refund])


def moved(refund: Refund, state: str, now_ms: int, **fields: Any) -> Refund | None:
    """The refund in its next state; None when its state does not allow the move (a repeated or late word)."""
    if state not in MOVES.get(refund.state, set()):
        return None
    version = refund.version + 1
    return msgspec.structs.replace(refund, state=state, version=version, changed_at=now_ms, **fields)


def next_look(refunds: Refunds, now_ms: int) -> int | None:
    """When the provider is asked again about what is open (ms); None when nothing is."""
    tries = [one.attempts for one in refunds.open()]
    return now_ms + RETRY_MS[min(*tries, len(RETRY_MS) - 1)] if tries else None


def refund_event(before: Refund | None, after: Refund, now_ms: int) -> Event:
    """The fact of a change; `version` counts the changes of this refund."""
    return {
        "type": REFUND_CHANGED,
        "owner": after.owner,
        "order": after.order,
        "refund": after.id,
        "version": after.version,
        "state": after.state,
        "before": before.state if before else "",
        "lines": [{"offer": offer, "quantity": quantity} for offer, quantity in after.units.items()],
        "amount": after.amount,
        "currency": after.currency,
        "cause": after.cause,
        "by": after.by,
        "at": now_ms,
    }
