"""Facts about shows. Stock figures are no events: readers take them from the counters of the same log entry."""

from __future__ import annotations

from livesale.kernel.events import LATEST, EventKind

SHOW_CREATED = "show_created"  # show, title, shop, currency, owner, starts_at
SHOW_CHANGED = "show_changed"  # id, state, title, started_at, ended_at, cancelled (when it is)
WAITLIST_SET = "waitlist_set"  # waitlist: "line" or "first_paid"
OFFER_SET = "offer_set"  # offer: {id, product, title, image, price, currency, per_buyer_limit}
OFFER_RAISED = "offer_raised"  # offer, price: it costs more than before
PINS_SET = "pins_set"  # offers: [id], since (ms)
DEAL_SET = "deal_set"  # deal: {id, offer, price, starts_at, ends_at} or None when it ended
RUNDOWN_SET = "rundown_set"  # segments: [{title, offers, planned_s}], began: [ms]
CHAT_SAID = "chat_said"  # id, name, sealed (text, with the author's key; viewers get `text`), author (account id; not sent on)
CHAT_REMOVED = "chat_removed"  # id
MUTED = "muted"  # account
LEASE_TAKEN = "lease_taken"  # studio, number

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(SHOW_CREATED, "internal"),
        EventKind(SHOW_CHANGED, "public", wire="show"),
        EventKind(WAITLIST_SET, "public", wire="show"),
        EventKind(OFFER_SET, "public", wire="offer"),
        EventKind(OFFER_RAISED, "internal"),
        EventKind(PINS_SET, "public", wire="pins"),
        EventKind(DEAL_SET, "public", wire="deal"),
        EventKind(RUNDOWN_SET, "public", LATEST, wire="rundown"),
        EventKind(CHAT_SAID, "public", wire="chat"),
        EventKind(CHAT_REMOVED, "public", wire="chat_removed"),
        EventKind(MUTED, "internal"),
        EventKind(LEASE_TAKEN, "internal"),
    )
}
