"""Products: what a shop sells, as its feed describes it. Pure.

A product's id lives on its shop's shelf (`p_w<shop>_<random>`), so its stock is found from the id alone, and
it stays the same over every import of the same `sku`. Stock itself is on the shelf; `quantity` here is what
the feed last said.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from livesale.kernel.money import Money

AGE_GATES = (16, 18)
STANDARD = "standard"
TAX_CATEGORIES = (STANDARD, "reduced", "zero")  # which of a country's VAT rates; feeds: g:tax_category

_MINIMUM_AGE = re.compile(
    r"(?:(?:min(?:imum)?[ _-]?age|ab)[ :_-]*)?(16|18)(?: ?\+| years| jahren?)?\Z", re.IGNORECASE
)
_SPIRITS = ("liquor & spirits", "spirits", "tobacco products", "vaporizers & electronic cigarettes")
_BEER_AND_WINE = ("beer", "wine", "alcoholic beverages", "hard cider")


class FeedProduct(msgspec.Struct, frozen=True, omit_defaults=True):
    """One accepted row of a feed; `sku` is the feed's `id`, `quantity` None means untracked."""

    sku: str
    title: str
    price: Money
    description: str = ""
    link: str = ""
    image: str = ""
    sale_price: Money | None = None
    availability: str = "in_stock"
    quantity: int | None = None
    gtin: str = ""
    brand: str = ""
    condition: str = "new"
    category: str = ""
    age_gate: int | None = None
    tax: str = STANDARD


class Product(msgspec.Struct, frozen=True):
    """A product of `shop`. `removed_at`: ms since 1970 when an import no longer had it, None while it is listed;
    `image`: a path on this server, "" without one.
    """

    id: str
    shop: str
    sku: str
    title: str
    description: str
    link: str
    image: str
    price: Money
    sale_price: Money | None
    availability: str
    quantity: int | None
    gtin: str
    brand: str
    condition: str
    category: str
    age_gate: int | None
    updated_at: int
    removed_at: int | None = None
    tax: str = STANDARD

    @property
    def tracked(self) -> bool:
        """Whether the feed counts this product's stock."""
        return self.quantity is not None


def own_picture(shop: str, address: str) -> str:
    """Where we serve the picture a feed names: our copy of another host's (`pictures.py`), a path of ours as it is.

    It follows from the address alone, so that an offer can name it before it has been fetched.
    """
    if not address.startswith(("http:", "https:")):
        return address
    return f"/pictures/{shop}/{hashlib.blake2b(address.encode(), digest_size=12).hexdigest()}.webp"


def age_gate(stated: str, adult: bool, category: str) -> int | None:
    """The age a buyer must have (JuSchG §§ 9, 10), None for no gate.

    The strictest of what the feed states (`16`, `18`, `18+`), its adult flag, and its category's leaf or
    ancestors: spirits and tobacco 18, beer and wine 16. ValueError when `stated` is no such age.
    """
    ages = [18] if adult else []
    if stated:
        found = _MINIMUM_AGE.match(stated)
        if found is None:
            raise ValueError("must be 16 or 18")
        ages.append(int(found.group(1)))
    steps = [step.strip().lower() for step in category.split(">")]
    if any(step in _SPIRITS for step in steps):
        ages.append(18)
    elif any(step in _BEER_AND_WINE for step in steps):
        ages.append(16)
    return max(ages, default=None)
