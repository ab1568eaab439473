"""Facts about orders and their stock. `owner` is the buyer's account id; only the buyer is told."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# owner, order, version, state, before, lines: [{offer, product, quantity, price}], total (lines − discount + shipping),
# shipping, discount, claim (of its coupon, or empty), currency, shop, held_at, reserved_until, reason (empty unless it
# ended badly): everything a list of orders shows
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
# order, records: [name], released (whether what its buyer's limits counted was given up: the show had ended)
ORDER_ARCHIVED = "order_archived"
ORDER_REOPENED = "order_reopened"  # order, records: [name]: the same bytes are on the shelf again
TRANSFER_SET_ASIDE = "transfer_set_aside"  # transfer, product, quantity, to
TRANSFER_ARRIVED = "transfer_arrived"  # transfer, offer, product, quantity
TRANSFER_CONFIRMED = "transfer_confirmed"  # transfer
TRANSFER_RELEASED = "transfer_released"  # transfer, offer, product, quantity
STOCK_ADJUSTED = "stock_adjusted"  # product, delta, reason, by (who corrected it; absent when a feed did)
# On the shop's shelf: coupon, code, and of a made one its terms: percent, amount, minimum, currency, quota, limit
COUPON_MADE = "coupon_made"
COUPON_REMOVED = "coupon_removed"
COUPON_SET_ASIDE = "coupon_set_aside"  # claim, coupon, order, amount: one of its quota, until the order has ended or is paid
COUPON_USED = "coupon_used"  # claim, coupon, order, amount
COUPON_RELEASED = "coupon_released"  # claim, coupon, order, amount
# On the order's: claim, coupon, order, amount
COUPON_APPLIED = "coupon_applied"
COUPON_TAKEN_OFF = "coupon_taken_off"

# On the order's. order, approval, state (floats, ratified, void), before, by (who marked it; empty: by law), reason, at
CONTRACT_CHANGED = "contract_changed"

PRODUCT_WITHDRAWN = "product_withdrawn"  # on the shop's. product: its shop has it no more

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(ORDER_CHANGED, "owner", wire="order"),
        EventKind(WAITLIST_CHANGED, "owner", wire="notice"),
        EventKind(SHIPMENT_MADE, "internal"),
        EventKind(WITHDRAWAL_CHANGED, "internal"),
        EventKind(LATE_PAYMENT, "internal"),
        EventKind(UNITS_RETURNED, "internal"),
        EventKind(ORDER_ARCHIVED, "internal"),
        EventKind(ORDER_REOPENED, "internal"),
        EventKind(TRANSFER_SET_ASIDE, "internal"),
        EventKind(TRANSFER_ARRIVED, "internal"),
        EventKind(TRANSFER_CONFIRMED, "internal"),
        EventKind(TRANSFER_RELEASED, "internal"),
        EventKind(STOCK_ADJUSTED, "internal"),
        EventKind(COUPON_MADE, "internal"),
        EventKind(COUPON_REMOVED, "internal"),
        EventKind(COUPON_SET_ASIDE, "internal"),
        EventKind(COUPON_USED, "internal"),
        EventKind(COUPON_RELEASED, "internal"),
        EventKind(COUPON_APPLIED, "internal"),
        EventKind(COUPON_TAKEN_OFF, "internal"),
        EventKind(CONTRACT_CHANGED, "internal"),
        EventKind(PRODUCT_WITHDRAWN, "internal"),
    )
}
