"""Commands that put products on sale in a show: an offer's record comes with its units, in one commit on the show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from livesale.catalog.model import Product
from livesale.kernel.actor import Actor
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, random_name, shelf
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.orders.transfers import MOST_UNITS, Transfers
from livesale.shows.events import OFFER_RAISED
from livesale.shows.model import (
    MOST_OFFERS,
    Deal,
    Offer,
    OfferList,
    Show,
    deal_event,
    deal_view,
    left_of,
    offer_event,
    offer_set,
    offer_view,
)
from livesale.store.decision import Decision, Put
from livesale.store.record import encode, load, put, version
from livesale.store.valkey import Store


@dataclass(frozen=True, slots=True)
class Offers:
    """Adds offers and their stock."""

    store: Store
    product: Callable[[str], Awaitable[Product | None]]
    transfers: Transfers
    lowest: Callable[[str, str, int], Awaitable[int | None]]  # as `shows/service.py` has it

    async def add(
        self,
        actor: Actor,
        show_id: str,
        product_id: str,
        price: int,
        currency: str,
        quantity: int,
        limit: int | None,
        act: str = "",
    ) -> Offer:
        """A new offer with `quantity` units from the shop's stock; `short` when the shop has fewer."""
        on_shelf, act = shelf("show", show_id), act or random_name()
        records = await self.store.read(on_shelf, "show", "offers")
        show = _owned(actor, load(Show, records["show"]))
        listed = load(OfferList, records["offers"]) or OfferList([])
        if currency != show.currency:
            raise invalid("price", f"this show sells in {show.currency}")
        if len(listed.offers) >= MOST_OFFERS:
            raise Refusal("limit_reached", f"A show has at most {MOST_OFFERS} offers.")
        product = await self.product(product_id)
        if product is None or product.shop != show.shop:
            raise not_found("product in this shop")
        tracked = product.quantity is not None
        offer = Offer(
            new_id("of", on_shelf, act), product.id, product.title, product.image or "", price, currency, limit, tracked,
            product.age_gate, product.tax,
        )  # fmt: skip
        arrival = Decision(
            on_shelf,
            expect=(("show", version(records["show"])),),
            puts=(
                Put(f"offer:{offer.id}", 0, encode(offer)),
                Put("offers", version(records["offers"]), encode(OfferList([*listed.offers, offer.id]))),
            ),
            events=(offer_set(offer),),
            id=act,
        )
        await self._bring(show, offer, quantity, arrival)
        return offer

    async def change(
        self, actor: Actor, show_id: str, offer_id: str, price: Money | None, add_quantity: int | None
    ) -> None:
        """Another price (units held keep theirs), or more units, or (negative) fewer: never fewer than are free."""
        on_shelf, name = shelf("show", show_id), f"offer:{offer_id}"
        records = await self.store.read(on_shelf, "show", name)
        show, offer = _owned(actor, load(Show, records["show"])), load(Offer, records[name])
        if offer is None:
            raise not_found("offer in this show")
        if price is not None:
            if price.currency != show.currency:
                raise invalid("price", f"this show sells in {show.currency}")
            told: Event = {"type": OFFER_RAISED, "offer": offer_id, "price": price.amount}
            dearer = (told,) if price.amount > offer.price else ()
            reference = await self._reference(show, offer, price.amount)
            offer = msgspec.structs.replace(offer, price=price.amount, reference=reference)
            row = put(name, records[name], offer)
            await self.store.commit(Decision(on_shelf, puts=(row,), events=(offer_set(offer), *dearer)))
        if add_quantity and add_quantity > 0:
            await self._bring(show, offer, add_quantity, Decision(on_shelf, events=(offer_set(offer),)))
        elif add_quantity:
            await self.transfers.to_shop(on_shelf, show.shop, offer.product, offer.id, -add_quantity)

    async def _reference(self, show: Show, offer: Offer, price: int) -> int | None:
        """What a lower price than the one on sale is measured against; None where nothing is reduced."""
        if show.state not in ("live", "paused") or price > offer.price or (price == offer.price and offer.reference is None):
            return None
        before = await self.lowest(offer.product, offer.currency, self.store.now_ms())
        known = [one for one in (before, offer.reference, offer.price) if one is not None]
        return min(known) if price < offer.price else offer.reference

    async def shown(self, show_id: str, offer_id: str) -> dict[str, Any]:
        """The offer as people read it, with what is left now."""
        on_shelf = shelf("show", show_id)
        records = await self.store.read(on_shelf, f"offer:{offer_id}", "deal")
        offer, deal = load(Offer, records[f"offer:{offer_id}"]), load(Deal, records["deal"])
        if offer is None:
            raise not_found("offer in this show")
        free, waiting = f"free:{offer_id}", f"waiting:{offer_id}"
        units = await self.store.counters(on_shelf, free, waiting)
        running = deal_view(deal_event(deal, offer.currency)) if deal else None
        return offer_view(offer_event(offer), left_of(units[free], units[waiting]), running)

    async def _bring(self, show: Show, offer: Offer, quantity: int, arrival: Decision) -> None:
        if not 0 <= quantity <= MOST_UNITS:
            raise invalid("quantity", f"0 to {MOST_UNITS} units")
        if offer.tracked and quantity:
            await self.transfers.to_show(show.shop, offer.product, offer.id, quantity, arrival)
        else:
            await self.store.commit(arrival)


def _owned(actor: Actor, show: Show | None) -> Show:
    if show is None:
        raise not_found("show")
    if actor.account != show.owner and not actor.has("operator"):
        raise Refusal("forbidden", "Only the host of this show can do that.")
    if show.state == "ended":
        raise Refusal("show_not_live", "This show has ended.")
    return show
