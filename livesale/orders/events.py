"""Facts about orders and their stock. `owner` is the buyer's account id; only the buyer is told."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# owner, order, version, state, before, lines: [{offer, product, quantity, price}], total, currency, shop, held_at,
# reserved_until, reason (empty unless it ended badly): everything a list of orders shows
ORDER_CHANGED = "order_changed"
# owner, offer, state (waiting, offered; ends taken, left, expired, closed), before, quantity, until (ms, while offered)
WAITLIST_CHANGED = "waitlist_changed"
# owner, order, version, shipment, lines: [{offer, quantity}], by, at (carrier and tracking are in the order's record)
SHIPMENT_MADE = "shipment_made"
# owner, order, version, withdrawal, state, before, lines: [{offer, quantity}], amount, currency, by (the buyer, or the
# guardian who paid), at: of `confirmed` the receipt is made (date and time of the declaration, § 356a (4) BGB)
WITHDRAWAL_CHANGED = "withdrawal_changed"
# owner, order, version (grows with each late payment), amount, currency: it came after the order had ended, no units are
# left, and the money goes back
LATE_PAYMENT = "late_payment"
UNITS_RETURNED = "units_returned"  # order, lines: [{offer, quantity}]: units of a paid order are on sale again
TRANSFER_SET_ASIDE = "transfer_set_aside"  # transfer, product, quantity, to
TRANSFER_ARRIVED = "transfer_arrived"  # transfer, offer, product, quantity
TRANSFER_CONFIRMED = "transfer_confirmed"  # transfer
TRANSFER_RELEASED = "transfer_released"  # transfer, offer, product, quantity
STOCK_ADJUSTED = "stock_adjusted"  # product, delta, reason, by (who corrected it; absent when a feed did)

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(ORDER_CHANGED, "owner", wire="order"),
        EventKind(WAITLIST_CHANGED, "owner", wire="notice"),
        EventKind(SHIPMENT_MADE, "internal"),
        EventKind(WITHDRAWAL_CHANGED, "internal"),
        EventKind(LATE_PAYMENT, "internal"),
        EventKind(UNITS_RETURNED, "internal"),
        EventKind(TRANSFER_SET_ASIDE, "internal"),
        EventKind(TRANSFER_ARRIVED, "internal"),
        EventKind(TRANSFER_CONFIRMED, "internal"),
        EventKind(TRANSFER_RELEASED, "internal"),
        EventKind(STOCK_ADJUSTED, "internal"),
    )
}
