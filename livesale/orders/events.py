"""Facts about orders and their stock. `owner` is the buyer's account id; only the buyer is told."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# owner, order, version, state, before, lines: [{offer, product, quantity, price}], total, currency, shop, held_at,
# reserved_until, reason (empty unless it ended badly): everything a list of orders shows
ORDER_CHANGED = "order_changed"
# owner, offer, state (waiting, offered; ends taken, left, expired, closed), before, quantity, until (ms, while offered)
WAITLIST_CHANGED = "waitlist_changed"
TRANSFER_SET_ASIDE = "transfer_set_aside"  # transfer, product, quantity, to
TRANSFER_ARRIVED = "transfer_arrived"  # transfer, offer, quantity
TRANSFER_CONFIRMED = "transfer_confirmed"  # transfer
TRANSFER_RELEASED = "transfer_released"  # transfer, offer, product, quantity
STOCK_ADJUSTED = "stock_adjusted"  # product, delta, reason

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(ORDER_CHANGED, "owner", wire="order"),
        EventKind(WAITLIST_CHANGED, "owner", wire="notice"),
        EventKind(TRANSFER_SET_ASIDE, "internal"),
        EventKind(TRANSFER_ARRIVED, "internal"),
        EventKind(TRANSFER_CONFIRMED, "internal"),
        EventKind(TRANSFER_RELEASED, "internal"),
        EventKind(STOCK_ADJUSTED, "internal"),
    )
}
