"""Accounts: age bands, and what an account is; pure.

Law: protection never ends early. A birthday is a civil date at the buyer's place (29 February counts as
1 March); where a country has several zones the westernmost counts, and of a band only the month it ends in is
kept, so it lasts until that month is over. The birth date itself is never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec

from livesale.kernel.actor import ROLES
from livesale.kernel.refusals import invalid

Band = Literal["under7", "7-13", "14-15", "16-17", "adult"]
AgeMethod = Literal["unknown", "declared", "verified"]

BANDS: tuple[Band, ...] = ("under7", "7-13", "14-15", "16-17", "adult")
_ENDS_AT = {"under7": 7, "7-13": 14, "14-15": 16, "16-17": 18}  # years of age
_OLDEST_YEARS = 130
LONGEST_NAME = 100

# Westernmost standard time of a country in minutes east of Greenwich; in summer its days end sooner, never
# later. Everywhere else counts as the last place on Earth where a day ends.
_LAST_PLACE_MIN = -12 * 60
_OFFSET_MIN = (
    dict.fromkeys(("AT", "BE", "CH", "CZ", "DE", "DK", "HR", "HU", "IT", "LI", "LU", "MT", "NO"), 60)
    | dict.fromkeys(("PL", "SE", "SI", "SK"), 60)
    | dict.fromkeys(("GB", "IE", "IS", "ES"), 0)
    | dict.fromkeys(("BG", "CY", "EE", "FI", "GR", "LT", "LV", "RO", "UA"), 120)
    | {"PT": -60, "FR": 60, "NL": 60, "US": -600, "CA": -480, "JP": 540, "KR": 540, "AU": 480, "NZ": 720}
)


class Age(msgspec.Struct, frozen=True):
    """What is kept of a birth date: the band, the last month it holds (`2028-05`; empty: for good)."""

    band: Band
    ends_month: str
    method: AgeMethod
    issuer: str = ""

    def now(self, at_ms: int, country: str) -> Band:
        """The band at `at_ms`: the kept one, or a later one when months have gone by."""
        today = civil_date(at_ms, offset_min(country))
        band, ends_month = self.band, self.ends_month
        while ends_month and f"{today:%Y-%m}" > ends_month:
            band, ends_month = _next(band, ends_month)
        return band


class Account(msgspec.Struct, frozen=True):
    """An account as its owner and the services see it; `name` is opened from its seal."""

    id: str
    email: str
    name: str
    country: str
    roles: frozenset[str]
    age: Age
    created_ms: int

    def band(self, at_ms: int) -> Band:
        """The age band at `at_ms`."""
        return self.age.now(at_ms, self.country)


UNKNOWN_AGE = Age("under7", "", "unknown")


def age_of(born: date, at_ms: int, country: str, method: AgeMethod, issuer: str = "") -> Age:
    """The age to keep of someone born on `born`; ValueError for a date that is nobody's birthday."""
    today = civil_date(at_ms, offset_min(country))
    # Someone born today east of us may have a birth date that is tomorrow's here.
    if born > today + timedelta(days=2) or today.year - born.year > _OLDEST_YEARS:
        raise ValueError("that is nobody's date of birth")
    for band in BANDS[:-1]:
        ends = birthday(born, _ENDS_AT[band])
        if today < ends:
            return Age(band, f"{ends:%Y-%m}", method, issuer)
    return Age("adult", "", method, issuer)


def birthday(born: date, years: int) -> date:
    """The day someone turns `years`; 29 February counts as 1 March where the year has none."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def civil_date(at_ms: int, east_min: int) -> date:
    """The calendar's date at `at_ms`, `east_min` minutes east of Greenwich."""
    return (datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(minutes=east_min)).date()


def offset_min(country: str) -> int:
    """Minutes east of Greenwich of the place in `country` where a day ends last."""
    return _OFFSET_MIN.get(country, _LAST_PLACE_MIN)


def folded(email: str) -> str:
    """`email` as it is compared; ValueError when it cannot be an address."""
    text = email.strip().casefold()
    name, at, host = text.rpartition("@")
    if not (at and name and host) or len(text) > 254 or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("that is no mail address")
    return text


def called(name: str) -> str:
    """`name` without blanks around it; ValueError when it is none."""
    text = name.strip()
    if not 1 <= len(text) <= LONGEST_NAME or not text.isprintable():
        raise ValueError(f"has 1 to {LONGEST_NAME} characters")
    return text


def country_code(text: str) -> str:
    """The ISO 3166-1 code in capitals; ValueError when it has not that form."""
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError("is two letters, such as DE")
    return text.upper()


def known_role(text: str) -> str:
    """`text`, which is a role; ValueError otherwise."""
    if text not in ROLES:
        raise ValueError(f"is one of {', '.join(ROLES)}")
    return text


def checked(field: str, rule: Callable[[Any], Any], value: Any) -> Any:
    """What `rule` makes of `value`; its ValueError as the refusal of that field."""
    try:
        return rule(value)
    except ValueError as error:
        raise invalid(field, str(error)) from None


def _next(band: Band, ends_month: str) -> tuple[Band, str]:
    """The band after `band`, and the month it ends in turn."""
    following = BANDS[BANDS.index(band) + 1]
    if following == "adult":
        return following, ""
    year, month = ends_month.split("-")
    return following, f"{int(year) + _ENDS_AT[following] - _ENDS_AT[band]:04d}-{month}"
