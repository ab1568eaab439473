"""Rates of VAT by country, from `config/countries/CC.toml`; read once, kept in hundredths of a percent (8.1 % is 810).

A country without a file has no rates: its orders tell no share of VAT rather than a wrong one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from livesale.catalog.model import TAX_CATEGORIES
from livesale.settings import CONFIG

Rates = Mapping[str, int]  # a product's tax category → hundredths of a percent

COUNTRIES = CONFIG / "countries"
_HUNDREDTHS = 100


@cache
def rates_of(country: str) -> Rates | None:
    """The rates of a country (ISO 3166-1 alpha-2); None where nobody has written them down."""
    return _every().get(country)


@cache
def _every() -> dict[str, Rates]:
    return {path.stem: _read(path.read_text("utf-8")) for path in sorted(COUNTRIES.glob("*.toml"))}


def _read(text: str) -> Rates:
    told = tomllib.loads(text, parse_float=Decimal)["vat"]
    return {category: int(told[category]["percent"] * _HUNDREDTHS) for category in TAX_CATEGORIES}
