"""Facts about payments; readers on the server only."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# payment, order, state, before, amount, currency, payer (account id), captured, refunded (all sums in minor units)
PAYMENT_CHANGED = "payment_changed"
PAYMENT_CHECK = "payment_check"  # order: the provider said something happened; ask it
# owner (the buyer), order, refund, version (of the refund), state, before, lines: [{offer, quantity}], amount, currency,
# cause (seller, withdrawal), by (who asked for it), at
REFUND_CHANGED = "refund_changed"

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(PAYMENT_CHANGED, "internal"),
        EventKind(PAYMENT_CHECK, "internal"),
        EventKind(REFUND_CHANGED, "internal"),
    )
}
