"""Facts about approvals and families: never sent to viewers, hosts or anyone but the minor and the guardians."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# approval, order, minor, guardian (who decided, or empty), state, before, digest, total, currency, expires_at, spend (of
# the allowance that agreed, or empty)
APPROVAL_CHANGED = "approval_changed"
APPROVAL_SEEN = "approval_seen"  # approval, order, minor, by (the guardian who has it on their desk), at: once a day
# On the minor's `person:` shelf. link, minor, guardian, state (active, ending, kept, ended, declared), before, verified,
# since, until (ms, while it is ending), mode, authority, by (empty: the clock), at
LINK_CHANGED = "link_changed"
FAMILY_FROZEN = "family_frozen"  # minor, state (frozen, thawed), by, at
CAPTURE_BEGUN = "capture_begun"  # minor, order, at: from here on a stop comes too late for this order
# minor, guardian (who pays), state (granted, ended), by, monthly, per_order, currency, version
ALLOWANCE_SET = "allowance_set"
# minor, spend, order, amount, month, state (aside, used, released, returned), before, returned
ALLOWANCE_SPENT = "allowance_spent"

KINDS = {
    kind.type: kind
    for kind in (
        EventKind(APPROVAL_CHANGED, "internal"),
        EventKind(APPROVAL_SEEN, "internal"),
        EventKind(LINK_CHANGED, "internal"),
        EventKind(FAMILY_FROZEN, "internal"),
        EventKind(CAPTURE_BEGUN, "internal"),
        EventKind(ALLOWANCE_SET, "internal"),
        EventKind(ALLOWANCE_SPENT, "internal"),
    )
}
