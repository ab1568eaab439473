"""Events: past-tense facts of a log entry, as plain maps so that a log stays readable without our classes.

An event is `{"type": …, …}`. Every type is declared once, here in its family's table by the room that owns it
(`events.py`), with who may see it and whether it may be lost on the way to a viewer.
"""

from __future__ import annotations

from typing import Any

import msgspec

Event = dict[str, Any]

MUST = "must"  # delivered, or the viewer knows by after/upto
LATEST = "latest"  # only the newest value counts; coalesced
MAY_DROP = "may_drop"  # first to go, never replayed


class EventKind(msgspec.Struct, frozen=True):
    """How one type of event travels.

    `to`: "public" (every viewer), "owner" (the account in the event's `owner`, which is stripped before sending)
    or "internal" (readers on the server only). `wire`: the type viewers know (contract section 3), None when internal.
    """

    type: str
    to: str
    loss: str = MUST
    wire: str | None = None
