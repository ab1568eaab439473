"""Accounts: age bands, and what an account is; pure.

Law: protection never ends early. A birthday is a civil date at the buyer's place (29 February counts as
1 March); where a country has several zones the westernmost counts, and of a band only the month it ends in is
kept, so it lasts until that month is over. The last band before `adult` lasts until majority there, whatever its name
says (`config/countries`). The birth date itself is never kept.
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
_BEGINS_AT = {"under7": 0, "7-13": 7, "14-15": 14, "16-17": 16}  # years of age; `adult` at majority
_OLDEST_YEARS = 130
LONGEST_NAME = 100

class Place(msgspec.Struct, frozen=True):
    """What the law says about age in a country, or a state of one (`countries.py` reads it). Ages in years, clocks in ms.

    `requests_from`: from this age on someone under age may ask a guardian (None: never). `gates`: by a product's own gate
    (16: beer and wine, 18: spirits and tobacco) the age it takes here. `east_min`: minutes east of Greenwich of the place
    where a day ends last.
    """

    country: str
    majority: int
    requests_from: int | None
    data_consent: int
    gates: dict[int, int]
    east_min: int
    approval_ms: int
    legal_ms: int


class Age(msgspec.Struct, frozen=True):
    """What is kept of a birth date: the band, the last month it holds (`2028-05`; empty: for good)."""

    band: Band
    ends_month: str
    method: AgeMethod
    issuer: str = ""

    def now(self, at_ms: int, place: Place) -> Band:
        """The band at `at_ms`: the kept one, or a later one when months have gone by."""
        today = civil_date(at_ms, place.east_min)
        band, ends_month = self.band, self.ends_month
        while ends_month and f"{today:%Y-%m}" > ends_month:
            band, ends_month = _next(band, ends_month, place)
        return band


def grown_at(age: Age, place: Place) -> int | None:
    """From when on (ms) someone is of age, as far as what is kept tells; None while a band lies between, or for good."""
    if not age.ends_month or _next(age.band, age.ends_month, place)[0] != "adult":
        return None
    year, month = map(int, age.ends_month.split("-"))
    first = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) - timedelta(minutes=place.east_min)
    return int(first.timestamp()) * 1000


class Account(msgspec.Struct, frozen=True):
    """An account as its owner and the services see it; `name` is opened from its seal."""

    id: str
    email: str
    name: str
    country: str
    roles: frozenset[str]
    age: Age
    created_ms: int
    place: Place
    region: str = ""

    def band(self, at_ms: int) -> Band:
        """The age band at `at_ms`."""
        return self.age.now(at_ms, self.place)


UNKNOWN_AGE = Age("under7", "", "unknown")


def age_of(born: date, at_ms: int, place: Place, method: AgeMethod, issuer: str = "") -> Age:
    """The age to keep of someone born on `born`; ValueError for a date that is nobody's birthday."""
    today = civil_date(at_ms, place.east_min)
    # Someone born today east of us may have a birth date that is tomorrow's here.
    if born > today + timedelta(days=2) or today.year - born.year > _OLDEST_YEARS:
        raise ValueError("that is nobody's date of birth")
    for band in BANDS[:-1]:
        ends = birthday(born, _ends_at(band, place))
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


def old_enough(band: Band, years: int, place: Place) -> bool:
    """Whether whoever is in `band` has turned `years`, as far as a band can tell: only its beginning counts."""
    return (place.majority if band == "adult" else _BEGINS_AT[band]) >= years


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


def age_told(born: date, at_ms: int, place: Place, method: AgeMethod, issuer: str = "") -> Age:
    """`age_of` whom somebody says that birth date; Refusal (`invalid`) when it cannot be one."""
    age: Age = checked("born", lambda day: age_of(day, at_ms, place, method, issuer), born)
    return age


def _ends_at(band: Band, place: Place) -> int:
    following = BANDS[BANDS.index(band) + 1]
    return place.majority if following == "adult" else _BEGINS_AT[following]


def _next(band: Band, ends_month: str, place: Place) -> tuple[Band, str]:
    """The band after `band`, and the month it ends in turn."""
    following = BANDS[BANDS.index(band) + 1]
    if following == "adult":
        return following, ""
    year, month = ends_month.split("-")
    return following, f"{int(year) + _ends_at(following, place) - _ends_at(band, place):04d}-{month}"
