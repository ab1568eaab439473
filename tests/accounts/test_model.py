"""Age bands: exact to the civil day when they begin, never short when they end; no birth date is kept."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesale.accounts.countries import shipped
from livesale.accounts.model import (
    BANDS,
    UNKNOWN_AGE,
    Place,
    age_of,
    birthday,
    called,
    civil_date,
    country_code,
    folded,
    known_role,
    old_enough,
)

YEARS_AT = {"7-13": 7, "14-15": 14, "16-17": 16}
PLACES = {one: shipped().place(*one.split("-")) for one in ("DE", "GB", "US", "US-AL", "US-NY", "XX")}
DE = PLACES["DE"]


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


def midnight_ms(day: date, place: Place) -> int:
    """When `day` begins there."""
    return ms(day.year, day.month, day.day) - place.east_min * 60_000


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("band", [*YEARS_AT, "adult"])
def test_a_band_begins_on_the_birthday_there(band, place):
    """A band begins with the first millisecond of the birthday at the place, and not one earlier; `adult` with majority."""
    born = date(2010, 5, 17)
    begins = midnight_ms(birthday(born, YEARS_AT.get(band, place.majority)), place)
    before = BANDS[BANDS.index(band) - 1]
    assert age_of(born, begins, place, "declared").band == band
    assert age_of(born, begins - 1, place, "declared").band == before


@given(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(-14 * 60, 14 * 60), st.integers(16, 21))
def test_an_adult_has_turned_of_age_there(born, east_min, years):
    """Wherever within 14 hours of Greenwich, nobody is an adult one millisecond before the civil day there on which they
    come of age, whatever month it is asked in; born on 29 February, that is 1 March."""
    place = Place("XX", max(18, years), 7, 16, {}, east_min, 0, 0)
    begins = midnight_ms(birthday(born, place.majority), place)
    assert age_of(born, begins, place, "declared").band == "adult"
    assert age_of(born, begins - 1, place, "declared").band == "16-17"
    kept = age_of(born, begins - 400 * 86_400_000, place, "declared")
    assert kept.now(begins - 1, place) != "adult"
    if (born.month, born.day) == (2, 29) and birthday(born, place.majority).day == 1:
        assert civil_date(begins, east_min) == date(born.year + place.majority, 3, 1)


def test_how_old_a_band_is():
    """A band counts as its first birthday, and `adult` as majority there."""
    assert [old_enough(band, 14, DE) for band in BANDS] == [False, False, True, True, True]
    assert old_enough("adult", 21, PLACES["US"]) and not old_enough("adult", 21, PLACES["US-NY"])


@pytest.mark.parametrize(
    ("years", "day"),
    [(7, date(2019, 3, 1)), (14, date(2026, 3, 1)), (16, date(2028, 2, 29)), (18, date(2030, 3, 1))],
)
def test_born_on_29_february(years, day):
    """29 February counts as 1 March in a year that has none."""
    assert birthday(date(2012, 2, 29), years) == day


@pytest.mark.parametrize("hours", [-14, 14])
def test_fourteen_hours_off(hours):
    """However far a clock or zone is off, an unknown place never ends protection before the day does."""
    born, turns = date(2005, 11, 23), date(2026, 11, 23)
    there = midnight_ms(turns, PLACES["XX"]) + hours * 3_600_000
    expected = "adult" if hours > 0 else "16-17"
    assert age_of(born, there, PLACES["XX"], "declared").band == expected
    assert civil_date(ms(2026, 11, 23, 12), hours * 60) == date(2026, 11, 22 if hours < 0 else 24)


def test_protection_lasts_until_the_month_is_over():
    """Of a band that has begun only the month it ends in is kept; it holds until that month is over there."""
    age = age_of(date(2010, 5, 17), ms(2026, 11, 23), DE, "declared")
    assert (age.band, age.ends_month) == ("16-17", "2028-05")
    june = midnight_ms(date(2028, 6, 1), DE)
    assert [age.now(at, DE) for at in (june - 1, june)] == ["16-17", "adult"]


def test_bands_follow_each_other_by_month():
    """One kept band is enough to know all later ones."""
    age = age_of(date(2024, 2, 29), ms(2026, 1, 1), DE, "verified", "operator")
    seen = [age.now(ms(year, month, 15), DE) for year in range(2026, 2044) for month in (2, 3, 4)]
    assert list(dict.fromkeys(seen)) == list(BANDS)
    assert age.now(ms(2042, 3, 31, 22), DE) == "16-17"
    assert age.now(ms(2042, 3, 31, 23), DE) == "adult"


@given(
    st.dates(date(1950, 1, 1), date(2026, 1, 1)),
    st.integers(0, 40 * 365),
    st.integers(0, 40 * 365),
    st.sampled_from(list(PLACES.values())),
)
def test_never_older_than_true(born, asked_after, later, place):
    """At any time the kept band is at most the true one, and at most a month behind it."""
    asked = ms(born.year, born.month, born.day) + (asked_after + 1) * 86_400_000
    at = asked + later * 86_400_000
    kept = age_of(born, asked, place, "declared").now(at, place)
    true = age_of(born, at, place, "declared").band
    a_month_ago = age_of(born, max(asked, at - 31 * 86_400_000), place, "declared").band
    assert BANDS.index(a_month_ago) <= BANDS.index(kept) <= BANDS.index(true)


@given(st.dates(date(2009, 1, 1), date(2026, 1, 1)))
def test_birth_date_is_dropped(born):
    """What is kept does not tell the day of birth."""
    kept = age_of(born, ms(2026, 11, 23), DE, "declared")
    same_month = age_of(born.replace(day=2), ms(2026, 11, 23), DE, "declared")
    assert str(born) not in msgspec.json.encode(kept).decode()
    if born.month not in (11, 2) and born.day > 1:
        assert kept == same_month


def test_unknown_age_is_the_youngest():
    """Who has not told an age is protected like the youngest, for good."""
    assert UNKNOWN_AGE.now(ms(2099, 1, 1), DE) == "under7"


@pytest.mark.parametrize("born", [date(1880, 1, 1), date(2027, 1, 1)])
def test_impossible_birth_dates_are_refused(born):
    """Nobody is 146, and nobody is born next year."""
    with pytest.raises(ValueError, match="nobody's date of birth"):
        age_of(born, ms(2026, 11, 23), DE, "declared")


def test_born_today_in_the_east():
    """Someone born this morning in Auckland can be told while it is yesterday here."""
    assert age_of(date(2026, 11, 24), ms(2026, 11, 23), PLACES["US"], "declared").band == "under7"
    assert civil_date(ms(2026, 11, 23), 0) + timedelta(days=1) == date(2026, 11, 24)


@pytest.mark.parametrize(
    "text", ["", "ada", "@x.de", "ada@", "a b@x.de", "ada@x.de\n.", "a" * 250 + "@x.de", "a\x00@x.de"]
)
def test_what_is_no_address(text):
    """What cannot be a mail address is refused."""
    with pytest.raises(ValueError, match="no mail address"):
        folded(text)


def test_fields_have_one_form():
    """Addresses fold, codes are capitals, names lose the blanks around them."""
    assert folded(" Ada@Example.ORG ") == "ada@example.org"
    assert (country_code("de"), called("  Ada L. "), known_role("host")) == ("DE", "Ada L.", "host")
    for rule, wrong in [
        (country_code, "DEU"),
        (country_code, "ß1"),
        (called, " "),
        (called, "a\nb"),
        (known_role, "king"),
    ]:
        with pytest.raises(ValueError):
            rule(wrong)
