"""Withdrawal: the consumer's right to go back on the contract, in the two steps of § 356a BGB. Pure.

declared → confirmed → done. Step 1 ("withdraw from contract", § 356a (1), (2)) says what would be withdrawn and changes
nothing; step 2 ("confirm withdrawal", § 356a (3)) is the declaration that counts, and its receipt with contents, date
and time goes out at once (§ 356a (4)); done: the money is back (§ 357 (1)). Part of an order may be withdrawn.

We give the money back at once and do not wait for the goods, as § 357 (4) would let a seller do.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from livesale.kernel.clock import DAY_MS
from livesale.kernel.events import Event
from livesale.orders.events import WITHDRAWAL_CHANGED

# Everything is rounded in the buyer's favour: a period that is too long does no harm, one too short is void (§ 361 (2)).
PERIOD_DAYS = 14  # § 355 (2) BGB; it runs from the receipt of the last goods (§ 356 (2) no. 1)
DELIVERY_DAYS = 14  # from shipment to receipt, which we do not see: transport, and the week a parcel waits at a shop
SHIFT_DAYS = 5  # a last day on a weekend or holiday moves (§ 193; four in a row at Easter), ends at midnight (§ 188)
REFUND_DAYS = 14  # § 357 (1): the money must be back by then

MOVES = {"declared": {"confirmed"}, "confirmed": {"done"}}


class Withdrawal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `by` (the buyer, or the guardian who paid) withdraws: `units` (offer → quantity), worth `amount`."""

    id: str
    by: str
    units: dict[str, int]
    amount: int
    declared_at: int
    state: str = "declared"
    confirmed_at: int = 0
    refund: str = ""


def counts(withdrawal: Withdrawal) -> bool:
    """Whether it has been confirmed: only then it is a declaration."""
    return withdrawal.state != "declared"


def moved(withdrawal: Withdrawal, state: str, **fields: Any) -> Withdrawal:
    """The withdrawal in its next state; as it is when the table does not allow the move."""
    if state not in MOVES.get(withdrawal.state, set()):
        return withdrawal
    return msgspec.structs.replace(withdrawal, state=state, **fields)


def ends_at(sent_at: int) -> int:
    """Until when goods that left at `sent_at` (ms) can be withdrawn, counted so that it is never too short."""
    return sent_at + (DELIVERY_DAYS + PERIOD_DAYS + SHIFT_DAYS) * DAY_MS


def to_the_second(at_ms: int) -> str:
    """`2026-11-25T18:04:05Z`: date and time of a declaration (§ 356a (4))."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def withdrawal_event(
    before: Withdrawal | None, after: Withdrawal, order: str, owner: str, version: int, currency: str, now_ms: int
) -> Event:
    """The fact of a change; that of `confirmed` has all a receipt needs."""
    return {
        "type": WITHDRAWAL_CHANGED,
        "owner": owner,
        "order": order,
        "version": version,
        "withdrawal": after.id,
        "state": after.state,
        "before": before.state if before else "",
        "lines": [{"offer": offer, "quantity": quantity} for offer, quantity in after.units.items()],
        "amount": after.amount,
        "currency": currency,
        "by": after.by,
        "at": now_ms,
    }
