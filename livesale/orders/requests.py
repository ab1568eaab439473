"""What orders do when a request to a guardian has moved, or what it asks for has. Each reaction is one commit.

Units whose hold is over are first taken from what the show has, then fetched from the shop's shelf by transfers that
name the order (after the show has ended, all of them are there); with too few left the request is void.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from livesale.accounts.model import Place
from livesale.guardians.events import APPROVAL_CHANGED
from livesale.guardians.family import FAMILY, Stopped, capture_begins, family_in
from livesale.guardians.model import Approval
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, shelf
from livesale.kernel.refusals import Refusal
from livesale.orders import asking
from livesale.orders.asking import Nothing
from livesale.orders.events import ORDER_CHANGED
from livesale.orders.model import Order
from livesale.orders.pricing import Destination, priced_for
from livesale.orders.transfers import Transfers
from livesale.shows.events import OFFER_RAISED
from livesale.shows.model import Deal, Offer, Show
from livesale.store.decision import Decision, Short
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Records, Store

WITHDRAWN, SHOW_CANCELLED = "product_withdrawn", "show_cancelled"  # reasons of orders that end so
MOST_OPEN = 10_000  # requests of a shelf: a tenth of its stock, capped for each minor


class Addresses(Protocol):
    """Who opens a sealed address, and knows what holds where the minor lives."""

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def place_of(self, account: str) -> Place: ...


class Prices(Protocol):
    """What going to a country means for the price of a shop's order."""

    async def to(self, shop: str, country: str) -> Destination: ...


@dataclass(frozen=True, slots=True)
class RequestReactions:
    """The orders room's part in a request; `on_sale(product)`: whether its shop still has it in its catalogue; `origin`: of
    our pages.
    """

    store: Store
    transfers: Transfers
    addresses: Addresses
    prices: Prices
    on_sale: Callable[[str], Awaitable[bool]]
    origin: str

    def reactions(self) -> tuple[Reaction, ...]:
        """The events it takes."""
        return (
            Reaction(APPROVAL_CHANGED, self._approved, frozenset({"approved"})),
            Reaction(APPROVAL_CHANGED, self._ended, frozenset({"declined", "expired", *asking.WITHHELD})),
            Reaction(APPROVAL_CHANGED, self._superseded, frozenset({"superseded"})),
            Reaction(APPROVAL_CHANGED, self._extended, frozenset({"requested"})),
            Reaction(ORDER_CHANGED, self._cancelled, frozenset({"cancelled"})),
            Reaction(OFFER_RAISED, self._raised),
        )

    async def _approved(self, shelf: str, event: Event) -> None:
        order_id, names = event["order"], _names(event)
        if await is_stopped(self.store, event["minor"]):
            await quietly(self.store.act(shelf, names, lambda records, now: asking.stop(records, order_id, now)))
            return
        reason = await self._unavailable(shelf, order_id)
        if not reason:
            try:
                return await quietly(
                    self.store.act(shelf, names, lambda records, now: asking.begin(records, order_id, self.origin, now))
                )
            except Short as short:
                reason = "" if await self._fetched(shelf, event, short) else "sold_out"
        if reason:
            await quietly(self.store.act(shelf, names, lambda records, _: asking.void(records, order_id, "approved", reason)))

    async def _unavailable(self, shelf: str, order_id: str) -> str:
        """Why it is not to be had any more, though its units may be; empty when it is."""
        found = await self.store.read(shelf, "show", f"order:{order_id}")
        show, order = load(Show, found["show"]), load(Order, found[f"order:{order_id}"])
        if show is not None and show.cancelled:
            return SHOW_CANCELLED
        lines = order.lines if order else []
        return "" if all([await self.on_sale(line.product) for line in lines]) else WITHDRAWN

    async def _fetched(self, shelf: str, event: Event, short: Short) -> bool:
        """Whether what the show lacks came from its shop, and the payment began with it."""
        order = await self._order(shelf, event["order"])
        lacking = {lack.name.partition(":")[2] for lack in short.lacks if lack.name.startswith(("free:", "waiting:"))}
        lines = [line for line in order.lines if line.offer in lacking] if order else []
        if order is None or not lines:
            return False
        wanted: dict[tuple[str, str], int] = {}
        for line in lines:
            wanted[line.product, line.offer] = wanted.get((line.product, line.offer), 0) + line.quantity
        try:
            await self.transfers.to_order(
                order.shop, shelf, order.id, wanted, _names(event),
                lambda records, now: asking.begin(records, event["order"], self.origin, now),
            )  # fmt: skip
        except Nothing:
            return True
        except Short:
            return False
        except Refusal as refusal:
            if refusal.code != "short":
                raise
            return False
        return True

    async def _ended(self, shelf: str, event: Event) -> None:
        order_id, state = event["order"], event["state"]

        def decide(records: Records, now_ms: int) -> Decision:
            order = load(Order, records[f"order:{order_id}"])
            if order is not None and order.state == "awaiting_payment":
                return asking.call_off(records, order_id, now_ms)
            return asking.end_request(records, order_id, state, now_ms)

        await quietly(self.store.act(shelf, _names(event), decide))

    async def _superseded(self, shelf: str, event: Event) -> None:
        """It ended although nothing of the order changed (the terms did): the same is asked again."""
        order = await self._order(shelf, event["order"])
        if order is not None and order.approval == event["approval"]:
            await self._ask_again(shelf, order, lambda now, _records, _now_ms: now)

    async def _extended(self, shelf: str, event: Event) -> None:
        if event["before"] != "requested":
            return
        order_id = event["order"]
        try:
            await quietly(
                self.store.act(shelf, _names(event), lambda records, now: asking.held_longer(records, order_id, now))
            )
        except Short:
            return

    async def _cancelled(self, shelf: str, event: Event) -> None:
        """An order that left `awaiting_guardian` another way takes its request with it."""
        order = await self._order(shelf, event["order"]) if event["before"] == "awaiting_guardian" else None
        if order is not None and order.approval is not None:
            name = f"approval:{order.approval}"
            await quietly(self.store.act(shelf, (name,), lambda records, _: asking.cancel_request(shelf, records, name)))

    async def _raised(self, shelf: str, event: Event) -> None:
        """An offer costs more: open requests for it are asked anew, at what it costs now."""
        offer_id = event["offer"]
        ids = await self.store.first(shelf, asking.OPEN, MOST_OPEN)
        found = await self.store.read(shelf, *(f"approval:{one}" for one in ids))
        for approval in [load(Approval, record) for record in found.values()]:
            order = await self._order(shelf, approval.order) if approval and approval.state == "requested" else None
            if order is not None and any(line.offer == offer_id for line in order.lines):
                await self._ask_dearer(shelf, order, offer_id)

    async def _ask_dearer(self, shelf: str, order: Order, offer_id: str) -> None:
        to = await self.prices.to(order.shop, order.country)

        def dearer(now: Order, records: Records, now_ms: int) -> Order:
            offer = load(Offer, records[f"offer:{offer_id}"])
            asked = asking.raised(now, offer, load(Deal, records["deal"]), now_ms) if offer else None
            if asked is None:
                raise Nothing
            return priced_for(asked, to)

        await self._ask_again(shelf, order, dearer, f"offer:{offer_id}", "deal")

    async def _ask_again(
        self, shelf: str, order: Order, changed: Callable[[Order, Records, int], Order], *names: str
    ) -> None:
        ship_to: dict[str, Any] = msgspec.json.decode(
            await self.addresses.unseal(order.account, order.ship_to, f"ship_to:{order.id}")
        )
        approval_id, place = new_id("ap", shelf), await self.addresses.place_of(order.account)

        def decide(records: Records, now_ms: int) -> Decision:
            now, before = load(Order, records[f"order:{order.id}"]), asking.approval_in(records)
            if now is None or (now.approval, now.state, now.ship_to) != (order.approval, "awaiting_guardian", order.ship_to):
                raise Nothing
            if before is None or before.state not in ("requested", "superseded"):
                raise Nothing
            return asking.ask(records, changed(now, records, now_ms), approval_id, ship_to, now.ship_to, {}, now_ms, place)

        await quietly(self.store.act(shelf, (f"order:{order.id}", f"approval:{order.approval}", *names), decide))

    async def _order(self, shelf: str, order_id: str) -> Order | None:
        return load(Order, (await self.store.read(shelf, f"order:{order_id}"))[f"order:{order_id}"])


def _names(event: Event) -> tuple[str, ...]:
    return (f"order:{event['order']}", f"payment:{event['order']}", f"approval:{event['approval']}")


async def is_stopped(store: Store, minor: str) -> bool:
    """Whether a guardian has stopped all buying of the account; no money moves by this: `may_capture` comes later."""
    on_shelf = shelf("person", minor)
    return bool(family_in((await store.read(on_shelf, FAMILY))[FAMILY]).frozen_by)


async def may_capture(store: Store, minor: str, order: str) -> bool:
    """Whether the order's capture began before any stop of the family, by a commit that a stop cannot overlook."""
    try:
        await store.act(
            shelf("person", minor), (FAMILY,), lambda records, now: capture_begins(records, minor, order, now)
        )
    except Stopped:
        return False
    return True


async def quietly(work: Awaitable[object]) -> None:
    """Do the work; a repetition that finds it done is fine."""
    try:
        await work
    except Nothing:
        return
