"""Coupons between a shop's shelf and an order's: set aside, apply, then used or released; a crash anywhere errs safely.

Crossing two shelves is never one commit (as in `transfers.py`). The shop gives one of the quota up first, keeping
`claim:ID` with a deadline; the order takes it once (`claim:ID` must not exist there); when the order is paid the shop counts
it as used, when it ends unpaid or drops the code it goes back. Whoever finds a deadline asks the order's shelf.
"""

from __future__ import annotations

from dataclasses import dataclass

from livesale.kernel.actor import Actor
from livesale.kernel.events import Event
from livesale.kernel.ids import random_name, shelf, shelf_of
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import coupons
from livesale.orders.coupons import Claim, Codes, Coupon
from livesale.orders.events import COUPON_TAKEN_OFF, ORDER_CHANGED
from livesale.orders.model import Order
from livesale.store.decision import Conflict, Decision, Short
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """A coupon and where its quota is."""

    coupon: Coupon
    left: int
    aside: int
    used: int


@dataclass(frozen=True, slots=True)
class Coupons:
    """A shop's coupons, and their way onto orders."""

    store: Store

    def reactions(self) -> tuple[Reaction, ...]:
        """An order with a coupon that is paid, or ends unpaid, or drops it."""
        return (
            Reaction(ORDER_CHANGED, self._told, coupons.ENDS),
            Reaction(COUPON_TAKEN_OFF, self._told),
        )

    async def make(self, coupon: Coupon, act: str = "") -> Standing:
        """A new coupon; with an id for the act, a repetition makes none."""
        on_shelf = shelf("shop", coupon.shop)
        names = ("coupons", f"coupon:{coupon.code}")
        await self.store.act(on_shelf, names, lambda records, _: coupons.made(records, coupon), act)
        return await self._standing(on_shelf, coupon.code)

    async def every(self, shop: str) -> list[Standing]:
        """The shop's coupons, oldest first."""
        on_shelf = shelf("shop", shop)
        codes = load(Codes, (await self.store.read(on_shelf, "coupons"))["coupons"]) or Codes([])
        return [await self._standing(on_shelf, code) for code in codes.codes]

    async def remove(self, shop: str, code: str) -> None:
        """End it: orders that have it keep it."""
        names = ("coupons", f"coupon:{code}")
        await self.store.act(shelf("shop", shop), names, lambda records, _: coupons.removed(records, shop, code))

    async def apply(self, actor: Actor, order_id: str, code: str, act: str = "") -> None:
        """Put a code on an order that is held; coupon_refused when it does not work there."""
        order = await self._own(actor, order_id)
        if order.coupon and order.coupon.code == code:
            return
        coupons.check_takes_code(order)
        claim = await self._set_aside(order, code, act or random_name())
        names = (f"order:{order_id}", f"claim:{claim.id}")
        try:
            await self.store.act(order.shelf, names, lambda records, _: coupons.applied(records, claim))
        except Refusal as refusal:
            if refusal.code != "store_unavailable":  # then nobody knows, and the deadline finds out
                await self.finish(shelf("shop", claim.shop), claim.id)
            raise

    async def take_off(self, actor: Actor, order_id: str) -> None:
        """Take the code off an order that is held: it can be used again."""
        order = await self._own(actor, order_id)
        if order.coupon is None:
            return
        claim = order.coupon.claim
        names = (f"order:{order_id}", f"claim:{claim}")
        await self.store.act(order.shelf, names, lambda records, _: coupons.taken_off(records, order_id, claim))
        await self.finish(shelf("shop", order.shop), claim)

    async def finish(self, on_shelf: str, claim_id: str) -> None:
        """What a claim's deadline does: bring it to one of its ends, or look again later; harmless when repeated."""
        name = f"claim:{claim_id}"
        claim = load(Claim, (await self.store.read(on_shelf, name))[name])
        if claim is None:
            return
        found = await self.store.read(claim.target, name, f"order:{claim.order}")
        there, order = load(Claim, found[name]), load(Order, found[f"order:{claim.order}"])
        if there is None:
            try:
                await self.store.commit(Decision(claim.target, puts=(coupons.fence(claim),)))
            except Conflict:  # it came in this very moment: the next look finds it
                return
        how = coupons.fate(there, order) if there else "released"
        await self.store.act(
            on_shelf,
            (name,),
            lambda records, now: coupons.ended(records, claim, how)
            if how
            else coupons.postponed(records, claim, order, now),
        )

    async def _set_aside(self, order: Order, code: str, act: str) -> Claim:
        on_shelf, claim_id = shelf("shop", order.shop), coupons.claim_id(order.shop, act)
        try:
            await self.store.act(
                on_shelf,
                (f"coupon:{code}",),
                lambda records, now: coupons.set_aside(records, claim_id, code, order, now),
                claim_id,
            )
        except Short as short:
            raise coupons.lack_refusal(short.lacks) from short
        claim = load(Claim, (await self.store.read(on_shelf, f"claim:{claim_id}"))[f"claim:{claim_id}"])
        if claim is None:
            raise Refusal("conflict", "This took too long, and the code was set free again. Please try again.")
        return claim

    async def _own(self, actor: Actor, order_id: str) -> Order:
        on_shelf, name = shelf_of(order_id, "o"), f"order:{order_id}"
        order = load(Order, (await self.store.read(on_shelf, name))[name]) if on_shelf else None
        if order is None or order.account != actor.account:
            raise not_found("order")
        return order

    async def _standing(self, on_shelf: str, code: str) -> Standing:
        coupon = load(Coupon, (await self.store.read(on_shelf, f"coupon:{code}"))[f"coupon:{code}"])
        if coupon is None:
            raise not_found("coupon in this shop")
        names = [f"coupon_{place}:{coupon.id}" for place in ("left", "aside", "used")]
        found = await self.store.counters(on_shelf, *names)
        return Standing(coupon, *(found[name] for name in names))

    async def _told(self, _shelf: str, event: Event) -> None:
        on_shelf = shelf_of(event["claim"], "cl")
        if on_shelf:
            await self.finish(on_shelf, event["claim"])
