"""Orders: the rules, pure. One order record on the shelf of its show (or shop); its units are the shelf's counters.

Two machines; what comes after the sale has its own (`fulfilment.py`, `withdrawal.py`, `payments/refund.py`), mapped to
the one state people see by `aftersale.py`:
  reservation  held → paying → claimed; ends released, expired; `lapsed`: a guardian is asked but the hold is over
  order        held → (awaiting_guardian →) awaiting_payment → paid → shipped → completed, and the ends; one that ended
               unpaid is `awaiting_payment` again when its money comes late and finds units (late.py)
Units: `free → held → paying → claimed`, each move in the commit that changes the reservation, so that for every offer
free + offered + held + paying + claimed = loaded at every log position (`offered`: to the head of its line, waitlist.py).
"""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.catalog.model import STANDARD
from livesale.kernel.clock import HOUR_MS, MINUTE_MS
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.orders.events import ORDER_CHANGED
from livesale.orders.fulfilment import Fulfilment
from livesale.orders.withdrawal import Withdrawal
from livesale.store.decision import Counter, Lack, Mark

HOLD_MS = 10 * MINUTE_MS
ARCHIVED_AFTER_MS = HOUR_MS  # from the end of the reservation: until then pages and mails still ask for it
MOST_LINES = 50
MOST_PAYING_ORDERS = 2

UNITS_OF = {"held": "held", "paying": "paying", "claimed": "claimed"}  # where a reservation keeps its units
REVIVED = ("expired", "cancelled", "payment_failed")  # by money that comes late
ENDED = {*REVIVED, "declined", "refunded", "withdrawn", "completed"}
MOVES = {
    "held": {"awaiting_guardian", "awaiting_payment", "cancelled", "expired"},
    "awaiting_guardian": {"awaiting_payment", "declined", "cancelled", "expired"},
    "awaiting_payment": {"paid", "payment_failed", "cancelled", "expired"},
    "paid": {"shipped", "refunded", "withdrawn"},
    "shipped": {"completed", "refunded", "withdrawn"},
    "completed": {"refunded", "withdrawn"},
    **{state: {"awaiting_payment"} for state in REVIVED},
}


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """`quantity` units of an offer at `price` minor units each, as fixed when they were held."""

    offer: str
    product: str
    title: str
    image: str
    quantity: int
    price: int
    deal: str | None = None
    limited: bool = False
    tracked: bool = True
    age_gate: int | None = None
    tax: str = STANDARD
    vat: int | None = None  # hundredths of a percent, as fixed with the price; None: nobody knows


class Applied(msgspec.Struct, frozen=True):
    """A coupon on an order: what it takes off, and the claim (`claims.py`) that keeps it from being used up elsewhere."""

    claim: str
    code: str
    amount: int


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order. `version` grows by one with every change; `ship_to` is sealed with the buyer's key.

    `total` is the goods less the coupon plus `shipping` to `country`, for which it was priced.
    """

    id: str
    shelf: str
    shop: str
    account: str
    lines: list[Line]
    total: int
    currency: str
    held_at: int
    reserved_until: int
    state: str = "held"
    reservation: str = "held"
    version: int = 1
    reason: str = ""
    ref: str | None = None
    ship_to: bytes = b""
    approval: str | None = None
    asked_before: list[str] = []  # requests that this one took the place of
    fulfilment: Fulfilment | None = None
    withdrawals: list[Withdrawal] = []
    country: str = ""
    shipping: int = 0
    coupon: Applied | None = None
    contract: str = ""  # of one that turned out to be a minor's: floats, ratified or void (floating.py)

    def discount(self) -> int:
        """What a coupon takes off (minor units)."""
        return self.coupon.amount if self.coupon else 0


def nobody_waits(offer: str) -> Counter:
    """The guard of everything that takes free units of an offer and is not the head of its line."""
    return Counter(f"waiting:{offer}", 0, 0, 0)


def changed(order: Order, **fields: Any) -> Order:
    """The order with `fields` and the next version; an impossible move of its state is a conflict."""
    state = fields.get("state", order.state)
    if state != order.state and state not in MOVES.get(order.state, set()):
        raise Refusal("conflict", f"An order that is {order.state} cannot become {state}.")
    return msgspec.structs.replace(order, version=order.version + 1, **fields)


def unit_moves(before: Order | None, after: Order) -> list[Counter]:
    """The counters that follow the order from one reservation to the next; checks come with their floors."""
    source = UNITS_OF.get(before.reservation, "free") if before else "free"
    target = UNITS_OF.get(after.reservation, "free")
    moves: list[Counter] = []
    for line in after.lines:
        if source != target and line.tracked:
            moves += [
                Counter(f"{source}:{line.offer}", -line.quantity),
                Counter(f"{target}:{line.offer}", line.quantity),
            ]
            if source == "free":
                moves.append(nobody_waits(line.offer))
        moves += _limits(line, after.account, source, target)
    return moves


def _limits(line: Line, account: str, source: str, target: str) -> list[Counter]:
    """What a hold counts against and a release gives back: the buyer's limit and the deal's quantity."""
    if (source == "free") == (target == "free"):
        return []
    sign = -1 if target == "free" else 1
    rows = [Counter(f"buyer:{account}:{line.offer}", sign * line.quantity)] if line.limited else []
    if line.deal:
        rows.append(Counter(f"deal:{line.deal}", -sign * line.quantity))
    return rows


def state_moves(before: Order | None, after: Order) -> list[Counter]:
    """The shelf's number of orders in each state, and of the buyer's orders that are being paid."""
    was, now = before.state if before else None, after.state
    if was == now:
        return []
    rows = [Counter(f"n:{now}", 1)] + ([Counter(f"n:{was}", -1)] if was else [])
    paying = f"paying_orders:{after.account}"
    if now == "awaiting_payment":
        rows.append(Counter(paying, 1, 0, MOST_PAYING_ORDERS))
    elif was == "awaiting_payment":
        rows.append(Counter(paying, -1))
    return rows


def moves(before: Order | None, after: Order) -> tuple[Counter, ...]:
    """Every counter a change of an order moves."""
    return (*unit_moves(before, after), *state_moves(before, after))


def leaves(order: Order) -> Mark:
    """The mark that takes an order that has ended off its shelf (past.py)."""
    return Mark("due", f"archive:{order.id}", order.reserved_until + ARCHIVED_AFTER_MS)


def order_event(before: Order | None, after: Order) -> Event:
    """The fact of a change, with all that lists and mails need and nothing personal but the account id."""
    return {
        "type": ORDER_CHANGED,
        "owner": after.account,
        "order": after.id,
        "version": after.version,
        "state": after.state,
        "before": before.state if before else "",
        "lines": [
            {"offer": line.offer, "product": line.product, "quantity": line.quantity, "price": line.price}
            for line in after.lines
        ],
        "total": after.total,
        "shipping": after.shipping,
        "discount": after.discount(),
        "claim": after.coupon.claim if after.coupon else "",
        "currency": after.currency,
        "shop": after.shop,
        "held_at": after.held_at,
        "reserved_until": after.reserved_until,
        "reason": after.reason,
    }


def lack_refusal(lacks: list[Lack], lines: list[Line]) -> Refusal:
    """What the buyer is told when counters did not fit: every short line and what is left of it."""
    by_name = {lack.name: lack for lack in lacks}
    errors = []
    for place, line in enumerate(lines):
        lack = by_name.get(f"free:{line.offer}") or by_name.get(f"deal:{line.deal}")
        others_wait = f"waiting:{line.offer}" in by_name
        if lack or others_wait:
            left = max(0, lack.now) if lack and not others_wait else 0
            errors.append({"line": place, "offer": line.offer, "requested": line.quantity, "left": left})
    if errors:
        return Refusal("sold_out", "There are not enough units left.", errors)
    if any(name.startswith("paying_orders:") for name in by_name):
        return Refusal("limit_reached", "Two of your orders are being paid already. Please finish one first.")
    if any(name.startswith("request") for name in by_name):
        return Refusal("limit_reached", "There are too many open requests right now. Please try again later.")
    limits = [line.offer for line in lines if any(name.endswith(f":{line.offer}") for name in by_name)]
    return Refusal("limit_reached", "That is more than one buyer may have.", [{"offer": offer} for offer in limits])
