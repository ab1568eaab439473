"""Country tables: each rule with source and date, an unknown country sells to adults only, an operator's table wins."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from livesale.accounts.countries import FOLDER, UNKNOWN, Countries, of_folder, shipped
from livesale.kernel.clock import DAY_MS, HOUR_MS
from livesale.settings import SettingsError

# majority, data consent, beer and wine, spirits and tobacco
KNOWN = {
    "DE": (18, 16, 16, 18), "AT": (18, 14, 16, 18), "CH": (18, 16, 16, 18), "FR": (18, 15, 18, 18),
    "NL": (18, 16, 18, 18), "IT": (18, 14, 18, 18), "ES": (18, 14, 18, 18), "GB": (18, 13, 18, 18),
    "US": (21, 13, 21, 21),
}  # fmt: skip


@pytest.mark.parametrize("country", KNOWN)
def test_what_the_law_says(country: str) -> None:
    """The nine countries named have their ages, and everyone's clocks are a day and two weeks."""
    place = shipped().place(country)
    assert (place.majority, place.data_consent, place.gates[16], place.gates[18]) == KNOWN[country]
    assert (place.approval_ms, place.legal_ms) == (24 * HOUR_MS, 14 * DAY_MS)
    assert place.requests_from in (7, 14)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_rule_can_be_looked_up(path: Path) -> None:
    """Ages, gates and clocks have a source, and either the date somebody looked at it or one that says nobody has."""
    table = tomllib.loads(path.read_text("utf-8"))
    for part in ("age", "gates", "clocks", *({"regions"} & set(table))):
        for name, rule in table[part].items():
            assert rule["source"] and ("checked" in rule) != ("written" in rule), f"{part}.{name}"


def test_what_nobody_has_looked_up_is_told() -> None:
    """Of a table, the rules without a day on which they were looked up, rates included; Germany's ages all have one."""
    unchecked = shipped().unchecked()
    assert [name for name in unchecked["DE"] if not name.startswith("vat.")] == []
    assert "regions.NE" in unchecked["US"] and "regions.AL" not in unchecked["US"]
    assert "gates.spirits_and_tobacco" in unchecked["NL"] and "gates.beer_and_wine" not in unchecked["NL"]
    assert UNKNOWN not in unchecked


def test_a_state_that_is_told_counts_and_else_the_strictest() -> None:
    """Alabama and Nebraska 19, Mississippi 21, New York 18; without a state 21: nobody is taken for an adult who is none."""
    majority = [shipped().place("US", state).majority for state in ("AL", "NE", "MS", "NY", "", "ZZ")]
    assert majority == [19, 19, 21, 18, 21, 21]
    assert shipped().regions("DE") == frozenset()


def test_a_country_without_a_table_sells_to_adults_only() -> None:
    """`unknown.toml` holds there: nobody may ask a guardian, and an adult is who is one anywhere."""
    place = shipped().place("ZW")
    assert (place.country, place.requests_from, place.majority, shipped().rates("ZW")) == ("ZW", None, 21, None)


def test_an_operator_s_table_takes_the_place_of_ours(tmp_path: Path) -> None:
    """A folder's CC.toml counts whole, the other countries stay; a country of its own is known, too."""
    ours = (FOLDER / f"{UNKNOWN}.toml").read_text("utf-8")
    (tmp_path / "DE.toml").write_text(ours.replace("years = 21", "years = 20"))
    (tmp_path / "BR.toml").write_text(ours)
    tables = of_folder(str(tmp_path))
    assert (tables.place("DE").majority, tables.place("AT").majority, tables.place("BR").country) == (20, 18, "BR")
    assert tables.rates("DE") is None and shipped().place("DE").majority == 18


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('source = "nobody can ask", ', "", "'source' is missing"),
        (", checked = 2026-11-26", "", "needs a source and the date"),
        ("majority = { years = 21", "majority = { years = 17", "majority begins at 18"),
        ("hours = 24", "hours = 999", "longer than the legal one"),
        ("data_consent", "data_assent", "'data_consent' is missing"),
        ("[age]", "[age", "DE.toml"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, before: str, after: str, says: str) -> None:
    """The operator reads which file and what is wrong with it, before anything starts."""
    (tmp_path / "DE.toml").write_text((FOLDER / f"{UNKNOWN}.toml").read_text("utf-8").replace(before, after))
    with pytest.raises(SettingsError, match=says):
        Countries(tmp_path)


def test_no_folder_is_told() -> None:
    """A folder that is not there is no reason to take ours in silence."""
    with pytest.raises(SettingsError, match="is no folder"):
        of_folder("/nowhere")
