"""Countries: the one reader of `config/countries/CC.toml`: ages, gates, clocks and VAT, each rule with source and date.

A rule's date says what it is worth: `checked` is the day its source was looked up; `written` (or a rate's `since`, `seen`) is
of one that somebody wrote down without looking: `livesale doctor` counts those. A country without a table is `unknown.toml`'s:
adults only. A state that is not told counts as the strictest. An operator's folder (`countries`) has tables that take the place
of ours, whole.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from livesale.accounts.model import Place
from livesale.catalog.model import TAX_CATEGORIES
from livesale.kernel.clock import DAY_MS, HOUR_MS
from livesale.settings import CONFIG, SettingsError

FOLDER = CONFIG / "countries"
UNKNOWN = "unknown"
YOUNGEST_MAJORITY = 18  # of any table: the bands below it have fixed names
BAND_BEGINS = (7, 14, 16)  # `requests_from` is one of these
DATES = ("checked", "written", "since", "seen")
_GATES = {16: "beer_and_wine", 18: "spirits_and_tobacco"}
_HUNDREDTHS = 100

Rates = Mapping[str, int]  # a product's tax category → hundredths of a percent


class Country(NamedTuple):
    """A table: its place where no state is told, majority by state, VAT (None: not written down), rules not looked up."""

    place: Place
    regions: Mapping[str, int]
    vat: Rates | None
    unchecked: tuple[str, ...]


class Countries:
    """Every table, read once. SettingsError names the file and rule that cannot be used."""

    def __init__(self, *folders: Path) -> None:
        paths = {path.stem: path for folder in (FOLDER, *folders) for path in sorted(folder.glob("*.toml"))}
        self._tables = {code: _read(code, path) for code, path in paths.items()}

    def place(self, country: str, region: str = "") -> Place:
        """What holds for whoever lives there."""
        table = self._tables.get(country) or self._tables[UNKNOWN]
        place = table.place
        return Place(
            country, table.regions.get(region, place.majority), place.requests_from, place.data_consent, place.gates,
            place.east_min, place.approval_ms, place.legal_ms,
        )  # fmt: skip

    def regions(self, country: str) -> frozenset[str]:
        """The states that may be told of a country; none where it makes no difference."""
        table = self._tables.get(country)
        return frozenset(table.regions) if table else frozenset()

    def unchecked(self) -> dict[str, tuple[str, ...]]:
        """By country, the rules (`age.majority`) whose source nobody has looked up; countries without any are left out."""
        return {code: table.unchecked for code, table in sorted(self._tables.items()) if table.unchecked}

    def rates(self, country: str) -> Rates | None:
        """Its rates of VAT; None where nobody has written them down."""
        table = self._tables.get(country)
        return table.vat if table else None


@cache
def shipped() -> Countries:
    """The tables that come with livesale."""
    return Countries()


def of_folder(folder: str) -> Countries:
    """The shipped tables, with those in an operator's `folder` (empty: none) in place of ours."""
    if not folder:
        return shipped()
    if not Path(folder).is_dir():
        raise SettingsError(f"countries: {folder} is no folder")
    return Countries(Path(folder))


def _read(code: str, path: Path) -> Country:
    try:
        return _country(code, tomllib.loads(path.read_text("utf-8"), parse_float=Decimal))
    except KeyError as error:
        raise SettingsError(f"{path}: {error} is missing") from None
    except (OSError, TypeError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from None


def _country(code: str, table: dict[str, Any]) -> Country:
    for name, rule in _rules(table):
        if not rule["source"] or not any(rule.get(date) for date in DATES):
            raise ValueError(f"{name} needs a source and the date it was checked (or only `written`)")
    age, clocks = table["age"], table["clocks"]
    requests_from = age["requests_from"]["years"] if "requests_from" in age else None
    place = Place(
        code, age["majority"]["years"], requests_from, age["data_consent"]["years"],
        {gate: table["gates"][name]["years"] for gate, name in _GATES.items()}, age["days_end"]["east_min"],
        clocks["approval"]["hours"] * HOUR_MS, clocks["legal"]["days"] * DAY_MS,
    )  # fmt: skip
    regions = {region: rule["years"] for region, rule in table.get("regions", {}).items()}
    if min(place.majority, *regions.values(), YOUNGEST_MAJORITY) < YOUNGEST_MAJORITY:
        raise ValueError(f"majority begins at {YOUNGEST_MAJORITY} or later")
    if place.majority < max(regions.values(), default=0):
        raise ValueError("majority where no state is told is that of the strictest state")
    if requests_from not in (None, *BAND_BEGINS):
        raise ValueError(f"requests_from is one of {BAND_BEGINS}: a band's beginning")
    if place.approval_ms > place.legal_ms:
        raise ValueError("the approval's clock is longer than the legal one")
    vat = {name: int(rule["percent"] * _HUNDREDTHS) for name, rule in _vat(table).items()} if "vat" in table else None
    unchecked = tuple(name for name, rule in _rules(table) if not rule.get("checked"))
    return Country(place, regions, vat, unchecked)


def _vat(table: dict[str, Any]) -> dict[str, Any]:
    return {category: table["vat"][category] for category in TAX_CATEGORIES}


def _rules(table: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{part}.{name}", rule) for part, rules in table.items() for name, rule in rules.items()]
