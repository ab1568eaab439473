"""Money: whole minor units of one ISO 4217 currency; sums are exact, currencies never mix."""

from __future__ import annotations

from typing import Annotated

import msgspec

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code")]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12, description="minor units")]

_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "JOD": 3, "TND": 3}


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount in minor units, `{"amount": 1999, "currency": "EUR"}`."""

    amount: Amount
    currency: Currency

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add")
        return Money(self.amount + other.amount, self.currency)

    def times(self, quantity: int) -> Money:
        """`quantity` times this amount."""
        return Money(self.amount * quantity, self.currency)


class VatShare(msgspec.Struct):
    """What of an amount is taxed at one rate: `rate` in percent, as `19` or `8.1`; `net` and `amount` make the gross."""

    rate: str
    net: Money
    amount: Money


def minor_digits(currency: str) -> int:
    """Digits behind the decimal point of `currency` (ISO 4217 exponent; 2 where not listed)."""
    return _MINOR_DIGITS.get(currency, 2)
