"""Places: what time it is where a ward lives. Pure. A country of several zones has all of them: each must agree."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

# The first is the one whose calendar counts months.
ZONES: dict[str, tuple[str, ...]] = {
    "DE": ("Europe/Berlin",),
    "AT": ("Europe/Vienna",),
    "CH": ("Europe/Zurich",),
    "FR": ("Europe/Paris",),
    "NL": ("Europe/Amsterdam",),
    "IT": ("Europe/Rome",),
    "ES": ("Europe/Madrid", "Atlantic/Canary"),
    "GB": ("Europe/London",),
    "US": (
        "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage",
        "Pacific/Honolulu",
    ),
}  # fmt: skip


def local(at_ms: int, country: str) -> list[datetime]:
    """The time in each zone of the country; none for a country nothing is known of."""
    return [datetime.fromtimestamp(at_ms / 1000, ZoneInfo(name)) for name in ZONES.get(country, ())]


def month(at_ms: int, country: str) -> str:
    """The month of the ward's calendar, such as `2026-11`; empty where nothing is known of the place."""
    times = local(at_ms, country)
    return f"{times[0]:%Y-%m}" if times else ""


def within(at_ms: int, country: str, begins: str, ends: str) -> bool:
    """Whether it is from `begins` to before `ends` (`21:00`, over midnight too) in any zone; where nothing is known, yes."""
    clocks = [f"{time:%H:%M}" for time in local(at_ms, country)]
    if begins <= ends:
        inside = [begins <= clock < ends for clock in clocks]
    else:
        inside = [clock >= begins or clock < ends for clock in clocks]
    return any(inside) or not clocks
