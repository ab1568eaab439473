"""Facts about payments; readers on the server only."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# payment, order, state, before, amount, currency, payer (account id), captured, refunded (all sums in minor
# units), approval (empty unless a guardian pays)
PAYMENT_CHANGED = "payment_changed"
# order, state ("disputed" when it is about a dispute, else ""): the provider said something happened; ask it
PAYMENT_CHECK = "payment_check"
# payment, order, payer, disputed (minor units the buyer's bank has pulled back; 0: it gave them up), currency
PAYMENT_DISPUTED = "payment_disputed"
# owner (the buyer), order, refund, version (of the refund), state, before, lines: [{offer, quantity}], amount, currency,
# cause (seller, withdrawal), by (who asked for it), at
REFUND_CHANGED = "refund_changed"

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(PAYMENT_CHANGED, "internal"),
        EventKind(PAYMENT_CHECK, "internal"),
        EventKind(PAYMENT_DISPUTED, "internal"),
        EventKind(REFUND_CHANGED, "internal"),
    )
}
