"""Time as the rooms use it: whole milliseconds since 1970 UTC, always handed in, never read in a model."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def rfc3339(at_ms: int) -> str:
    """`2026-11-23T18:04:05.123Z` for milliseconds since 1970."""
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(maxsize=4096)
def _second(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}"


def parse_rfc3339(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 time; ValueError without an offset or when malformed."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset, for example 2026-11-23T18:00:00Z")
    return round(moment.timestamp() * 1000)
