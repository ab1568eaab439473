"""Money: double entries from what payments say is captured and refunded. Pure.

Accounts: `provider` (what the payment provider owes us), `revenue:SHELF` (what was sold there), `refunds:SHELF` (what
was given back). A debit is positive, a credit negative; the two entries of a booking sum to zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from livesale.ledger.projection import Paid

PROVIDER = "provider"
CAPTURED = "captured"
REFUNDED = "refunded"

Booked = dict[tuple[str, str], int]  # (payment, what) → sum booked on `provider`, captures positive


def entries(paid: Iterable[Paid], before: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """The money rows that bring what is booked up to what `paid` tells, in its order."""
    booked: Booked = dict(before)
    rows: list[dict[str, Any]] = []
    for one in paid:
        for what, total in ((CAPTURED, one.captured), (REFUNDED, -one.refunded)):
            delta = total - booked.get((one.payment, what), 0)
            if delta:
                booked[one.payment, what] = total
                rows += _booking(one, what, delta)
    return rows


def counter_account(what: str, shelf: str) -> str:
    """The account on the other side of `provider`."""
    return f"{'revenue' if what == CAPTURED else 'refunds'}:{shelf}"


def _booking(paid: Paid, what: str, delta: int) -> list[dict[str, Any]]:
    common = {
        "shelf": paid.shelf,
        "seq": paid.seq,
        "at_ms": paid.at_ms,
        "currency": paid.currency,
        "what": what,
        "payment": paid.payment,
        "order_id": paid.order,
    }
    return [
        {**common, "account": PROVIDER, "amount": delta},
        {**common, "account": counter_account(what, paid.shelf), "amount": -delta},
    ]
