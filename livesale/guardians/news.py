"""News for a family's pages: what has changed since they last asked. A hint to look, never the thing itself."""

from __future__ import annotations

import msgspec


class News(msgspec.Struct, frozen=True):
    """`at` goes with the next question; `approvals` are ids of requests that changed, `family`: links or an allowance."""

    at: int
    approvals: list[str]
    family: bool
