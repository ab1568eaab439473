"""Facts about approvals: never sent to viewers, hosts or anyone but the minor and the guardians."""

from __future__ import annotations

from livesale.kernel.events import EventKind

# approval, order, minor, guardian (who decided, or empty), state, before, digest, total, currency, expires_at
APPROVAL_CHANGED = "approval_changed"

KINDS = {kind.type: kind for kind in (EventKind(APPROVAL_CHANGED, "internal"),)}
