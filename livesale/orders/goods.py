"""Goods: what a shop sells by itself, beside its shows (replays, clips): its catalogue's products at today's price. Pure.

Such an offer's id is the product's, its units are the shop's own (`free:PRODUCT`), and it stands in no record: what
`placing.place` reads of a show's shelf is made here from the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable

from livesale.catalog.model import Product
from livesale.kernel.refusals import invalid
from livesale.shows.model import Offer, Show
from livesale.store.record import encode
from livesale.store.valkey import Records, Versioned

ABSENT = 0  # the version of what is in no record: the commit expects that it stays so


def as_records(shop: str, products: Iterable[Product]) -> Records:
    """The shop as a show that is always on, its products as offers; `invalid` for products in several currencies."""
    listed = [product for product in products if product.shop == shop and product.removed_at is None]
    offers = {f"offer:{product.id}": _offer(product) for product in listed}
    currencies = {offer.currency for offer in offers.values()}
    if len(currencies) > 1:
        raise invalid("lines", "an order is in one currency")
    stall = Show("", "", shop, currencies.pop() if currencies else "EUR", "", state="live")
    return {name: Versioned(ABSENT, encode(record)) for name, record in {"show": stall, **offers}.items()}


def _offer(product: Product) -> Offer:
    price = product.sale_price or product.price
    return Offer(
        product.id, product.id, product.title, product.image or "", price.amount, price.currency, None, product.tracked,
        product.age_gate, product.tax,
    )  # fmt: skip
