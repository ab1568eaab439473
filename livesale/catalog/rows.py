"""One row of a feed: text fields in, a product out, or the field at fault and why. Pure.

Limits and value lists are those of the Google product data specification, so a feed that Google takes is
taken here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from livesale.catalog.model import TAX_CATEGORIES, FeedProduct, age_gate
from livesale.kernel.money import Money, minor_digits

MAX_ID = 50
MAX_TITLE = 150
MAX_DESCRIPTION = 5_000
MAX_ADDRESS = 2_000
MAX_NAME = 70
MAX_CATEGORY = 750
MAX_MINOR_UNITS = 10**12
MAX_QUANTITY = 10**9

AVAILABILITIES = ("in_stock", "out_of_stock", "preorder", "backorder")
CONDITIONS = ("new", "refurbished", "used")
FIELDS = frozenset(
    {"id", "title", "description", "link", "image_link", "price", "sale_price", "availability", "quantity"}
    | {"gtin", "brand", "condition", "product_type", "google_product_category", "adult", "minimum_age", "tax_category"}
)

# ISO 4217, circulating currencies. A code outside the list is a typing mistake, not a price.
_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN"
    " BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS"
    " GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW"
    " KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD"
    " NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD"
    " SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED"
    " VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())

_PRICE = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,12}))?[ \u00a0]*([A-Za-z]{3})\Z")
_QUANTITY = re.compile(r"[0-9]{1,12}\Z")
_ADDRESS = re.compile(r"(?:https?://[^/?#\s]+|/(?!/))\S*\Z", re.IGNORECASE)


class RowRejected(Exception):
    """The row cannot be taken: `field` and `reason`, which reads on from the field's name."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


def product_of(row: Mapping[str, str]) -> FeedProduct:
    """The product a row describes; RowRejected names the first field at fault."""
    price = money(row, "price")
    if price is None:
        raise RowRejected("price", "is missing")
    availability = _one_of(row, "availability", AVAILABILITIES)
    category = _text(row, "product_type", MAX_CATEGORY) or _text(row, "google_product_category", MAX_CATEGORY)
    return FeedProduct(
        sku=_text(row, "id", MAX_ID, needed=True),
        title=_text(row, "title", MAX_TITLE, needed=True),
        description=_text(row, "description", MAX_DESCRIPTION, lines=True),
        link=_address(row, "link"),
        image=_address(row, "image_link"),
        price=price,
        sale_price=_sale_price(row, price),
        availability=availability,
        quantity=_quantity(row, availability),
        gtin=_text(row, "gtin", MAX_NAME),
        brand=_text(row, "brand", MAX_NAME),
        condition=_one_of(row, "condition", CONDITIONS),
        category=category,
        age_gate=_age_gate(row),
        tax=_one_of(row, "tax_category", TAX_CATEGORIES),
    )


def money(row: Mapping[str, str], field: str) -> Money | None:
    """`19.99 EUR` as exactly 1999 minor units of EUR; None when the field is empty or absent."""
    text = row.get(field, "")
    if not text:
        return None
    found = _PRICE.match(text)
    if found is None:
        raise RowRejected(field, f"must read like 19.99 EUR, not {text[:40]!r}")
    whole, part, currency = found[1], found[2] or "", found[3].upper()
    if currency not in CURRENCIES:
        raise RowRejected(field, f"has no known currency: {currency}")
    digits = minor_digits(currency)
    if part[digits:].strip("0"):
        raise RowRejected(field, f"has more than the {digits} decimals of {currency}")
    amount = int(whole + part[:digits].ljust(digits, "0"))
    if not 0 < amount <= MAX_MINOR_UNITS:
        raise RowRejected(field, "must be more than nothing" if not amount else "is too large")
    return Money(amount, currency)


def _sale_price(row: Mapping[str, str], price: Money) -> Money | None:
    sale = money(row, "sale_price")
    if sale is not None and (sale.currency != price.currency or sale.amount > price.amount):
        raise RowRejected("sale_price", "must be in the price's currency and not above it")
    return sale


def _quantity(row: Mapping[str, str], availability: str) -> int | None:
    text = row.get("quantity", "")
    if not text:
        # Untracked stock is endless; what is stated to be out of stock is counted, as none.
        return 0 if availability == "out_of_stock" else None
    if not _QUANTITY.match(text) or int(text) > MAX_QUANTITY:
        raise RowRejected("quantity", f"must be a whole number from 0 to {MAX_QUANTITY}, not {text[:40]!r}")
    return int(text)


def _age_gate(row: Mapping[str, str]) -> int | None:
    # Both categories count: a shop's own word for the shelf must not lift the gate Google's name sets.
    category = f"{row.get('product_type', '')} > {row.get('google_product_category', '')}"
    adult = row.get("adult", "").lower() in ("yes", "true")
    try:
        return age_gate(row.get("minimum_age", ""), adult, category)
    except ValueError as error:
        raise RowRejected("minimum_age", str(error)) from error


def _text(row: Mapping[str, str], field: str, most: int, needed: bool = False, lines: bool = False) -> str:
    text = row.get(field, "").strip() if lines else " ".join(row.get(field, "").split())
    if needed and not text:
        raise RowRejected(field, "is missing")
    if len(text) > most:
        raise RowRejected(field, f"has more than {most} characters")
    return text


def _address(row: Mapping[str, str], field: str) -> str:
    text = row.get(field, "")
    if text and (len(text) > MAX_ADDRESS or not _ADDRESS.match(text) or not text.isprintable()):
        raise RowRejected(field, "must be an http or https address, or a path on this server")
    return text


def _one_of(row: Mapping[str, str], field: str, values: tuple[str, ...]) -> str:
    text = row.get(field, "").lower().replace(" ", "_")
    if text and text not in values:
        raise RowRejected(field, f"must be one of {', '.join(values)}, not {text[:40]!r}")
    return text or values[0]
