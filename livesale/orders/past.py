"""Past: when an order is closed, and the two Decisions that take its records off its shelf and bring them back. Pure.

Law: the records of an order are all on its shelf or all in the archive, and coming back changes nothing but their
versions: not a byte of them, no counter. (PAST.md has the whole way, with what a crash leaves at each step.)
"""

from __future__ import annotations

from collections import Counter as Units
from collections.abc import Mapping, Sequence

import msgspec

from livesale.guardians import model as approvals
from livesale.guardians.model import Approval
from livesale.orders import model
from livesale.orders.aftersale import SOLD, Sale
from livesale.orders.events import ORDER_ARCHIVED, ORDER_REOPENED
from livesale.orders.model import Order
from livesale.orders.refunds import lines_back
from livesale.payments import model as payments
from livesale.payments.model import Payment
from livesale.payments.refund import Refunds
from livesale.shows.model import Show
from livesale.store.decision import Counter, Decision, Mark, Put
from livesale.store.record import load, version
from livesale.store.valkey import Records, Versioned

OF_ORDER = ("order", "payment", "refunds")  # every record that is named KIND:ORDER
KINDS = frozenset({*OF_ORDER, "approval", "claim"})  # whose records may be in the archive
ARCHIVINGS = "archivings"  # counts what ever left the shelf: whoever brings back sees whether anything left meanwhile


class PastRecord(msgspec.Struct, frozen=True):
    """A record in the archive: `version` as it was on the shelf; `released` as in the fact ORDER_ARCHIVED."""

    shelf: str
    record: str
    order_id: str
    version: int
    data: bytes
    released: bool


def names(order: Order) -> tuple[str, ...]:
    """Every record of an order that there may be."""
    found = [f"{kind}:{order.id}" for kind in OF_ORDER]
    found += [f"approval:{one}" for one in (*order.asked_before, order.approval) if one]
    if order.coupon:
        found.append(f"claim:{order.coupon.claim}")
    return tuple(found)


def order_in(record: Versioned) -> Order:
    """The order of its record."""
    order = load(Order, record)
    assert order
    return order


def sought(found: Records) -> list[str]:
    """The names without a record that may be in the archive: where any record of an order is, the others are too."""
    there = {name.partition(":")[2] for name, record in found.items() if record is not None}
    parts = [(name, *name.partition(":")[::2]) for name, record in found.items() if record is None]
    return [name for name, kind, of in parts if kind in KINDS and of not in there]


def is_closed(records: Records, order: Order) -> bool:
    """Whether an order that has ended has nothing in flight: no money, no question, no withdrawal."""
    payment = load(Payment, records[f"payment:{order.id}"])
    refunds = load(Refunds, records[f"refunds:{order.id}"]) or Refunds([])
    approval = load(Approval, records[f"approval:{order.approval}"]) if order.approval else None
    if order.state not in model.ENDED or (approval and approval.state in approvals.MOVES):
        return False
    if payment is None:
        return True
    kept = payment.captured - payment.refunded if order.state not in SOLD else 0  # it came too late, and must go back
    return payment.state in payments.ENDED and not kept and Sale(order, payment, refunds).quiet()


def leave(records: Records, order: Order) -> tuple[list[PastRecord], Decision]:
    """What the archive has to hold, and then the commit that takes exactly that off the shelf."""
    released = _is_over(records)
    there = {name: record for name in names(order) if (record := records[name])}
    kept = [
        PastRecord(order.shelf, name, order.id, record.version, record.data, released) for name, record in there.items()
    ]
    absent = [(name, 0) for name in names(order) if name not in there]
    return kept, Decision(
        order.shelf,
        expect=(("show", version(records["show"])), *absent),
        counters=(Counter(ARCHIVINGS, 1), *(_limits(there, order, -1) if released else ())),
        drops=tuple((name, record.version) for name, record in there.items()),
        marks=(Mark("due", f"archive:{order.id}", None),),
        events=({"type": ORDER_ARCHIVED, "order": order.id, "records": sorted(there), "released": released},),
    )


def stay(records: Records, order: Order, now_ms: int) -> Decision:
    """It is not closed: looked at again while it waits for something, and by its next end when it lives on."""
    again = now_ms + model.ARCHIVED_AFTER_MS if order.state in model.ENDED else None
    name = f"order:{order.id}"
    return Decision(
        order.shelf, expect=((name, version(records[name])),), marks=(Mark("due", f"archive:{order.id}", again),)
    )


def come_back(order_id: str, kept: Sequence[PastRecord], archivings: int, now_ms: int) -> Decision:
    """The same bytes on the shelf again. `archivings` was read before `kept`: an order that came back and left again
    meanwhile may have changed (Short: read again).
    """
    records = {one.record: Versioned(one.version, one.data) for one in kept}
    order = order_in(records[f"order:{order_id}"])
    released = any(one.released for one in kept)
    return Decision(
        order.shelf,
        counters=(
            Counter(ARCHIVINGS, 0, archivings, archivings),
            *(_limits(records, order, 1) if released else ()),
        ),
        puts=tuple(Put(one.record, 0, one.data) for one in kept),
        marks=(Mark("due", f"archive:{order_id}", now_ms + model.ARCHIVED_AFTER_MS),),
        events=({"type": ORDER_REOPENED, "order": order_id, "records": sorted(records)},),
    )


def _is_over(records: Records) -> bool:
    show = load(Show, records["show"])
    return show is not None and show.state == "ended"


def _limits(records: Mapping[str, Versioned], order: Order, sign: int) -> tuple[Counter, ...]:
    """What the order still counts against its buyer's limits; nobody asks for them once the show has ended."""
    if order.reservation not in model.UNITS_OF:
        return ()
    refunds = load(Refunds, records.get(f"refunds:{order.id}")) or Refunds([])
    back = lines_back(order, (one.returned for one in refunds.items if one.state == "done" and one.settled))
    units: Units[str] = Units()
    for lines, way in ((order.lines, 1), (back, -1)):
        for line in lines:
            units[line.offer] += way * line.quantity if line.limited else 0
    return tuple(Counter(f"buyer:{order.account}:{offer}", sign * count) for offer, count in units.items() if count)
