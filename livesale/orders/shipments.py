"""From units handed to a carrier to the order's next state; and the end of an order that nobody withdrew. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from livesale.kernel.ids import new_id
from livesale.kernel.refusals import Refusal
from livesale.orders import model
from livesale.orders.aftersale import Units, check_not_on_hold, check_open, chosen, followed, repeats, sale_of
from livesale.orders.events import SHIPMENT_MADE
from livesale.orders.fulfilment import MOST_SHIPMENTS, Fulfilment, Shipment, moved
from livesale.orders.model import Order
from livesale.orders.withdrawal import ends_at
from livesale.store.decision import Decision, Mark
from livesale.store.record import load, put, version
from livesale.store.valkey import Records


class Repeated(Exception):
    """The command was carried out before: there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent; without `units` everything that is still to be sent."""

    units: Units | None
    carrier: str = ""
    tracking: str = ""


def ship(records: Records, order_id: str, by: str, parcel: Parcel, once: tuple[str, str], now_ms: int) -> Decision:
    """One shipment more; the order is shipped when nothing the buyer still wants is left."""
    sale = sale_of(records, order_id)
    sent = sale.goods().shipments
    if repeats(once, (one.once for one in sent)):
        raise Repeated
    check_open(sale)
    check_not_on_hold(sale, "void")
    units = chosen(parcel.units, sale.to_send(), "sent")
    if len(sent) >= MOST_SHIPMENTS:
        raise Refusal("limit_reached", f"An order has at most {MOST_SHIPMENTS} shipments.")
    made = Shipment(new_id("sh", sale.order.shelf), units, now_ms, by, parcel.carrier, parcel.tracking, once)
    after = followed(sale, fulfilment=msgspec.structs.replace(sale.goods(), shipments=[*sent, made]))
    told = {
        "type": SHIPMENT_MADE,
        "owner": after.account,
        "order": after.id,
        "version": after.version,
        "shipment": made.id,
        "lines": [{"offer": offer, "quantity": quantity} for offer, quantity in units.items()],
        "by": by,
        "at": now_ms,
    }
    return Decision(
        after.shelf,
        # what is being given back meanwhile must not be sent
        expect=((f"refunds:{order_id}", version(records[f"refunds:{order_id}"])),),
        counters=model.moves(sale.order, after),
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
        marks=completion(after),
        events=(told, *state_event(sale.order, after)),
    )


def complete(records: Records, shelf: str, order_id: str, now_ms: int) -> Decision:
    """What the end of the withdrawal period does; while something is in flight its end will look again."""
    done = Decision(shelf, marks=(Mark("due", f"complete:{order_id}", None),))
    order = load(Order, records[f"order:{order_id}"])
    if order is None or order.state != "shipped":
        return done
    sale = sale_of(records, order_id)
    if not sale.quiet():
        return done
    goods = moved(sale.goods(), "completed")
    after = followed(sale, fulfilment=goods)
    return Decision(
        shelf,
        expect=((f"refunds:{order_id}", version(records[f"refunds:{order_id}"])),),
        counters=model.moves(order, after),
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
        marks=completion(after),
        not_before=ends_at(goods.sent_at()),
        events=state_event(order, after),
    )


def completion(order: Order) -> tuple[Mark, ...]:
    """The mark that completes a shipped order, and the one that archives an order that has ended."""
    goods = order.fulfilment or Fulfilment()
    at = ends_at(goods.sent_at()) if order.state == "shipped" else None
    return (Mark("due", f"complete:{order.id}", at), *((model.leaves(order),) if order.state in model.ENDED else ()))


def state_event(before: Order, after: Order) -> tuple[dict[str, object], ...]:
    """The order's own fact, when its state changed."""
    return (model.order_event(before, after),) if before.state != after.state else ()
