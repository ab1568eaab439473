"""Waiting: the commands on the lines of sold-out offers, and what moves them on. Each is one commit on the show."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal

from livesale.kernel.actor import Actor
from livesale.kernel.events import Event
from livesale.kernel.ids import shelf_of
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import model, waitlist
from livesale.orders.events import ORDER_CHANGED, TRANSFER_ARRIVED, TRANSFER_RELEASED, UNITS_RETURNED, WAITLIST_CHANGED
from livesale.orders.waitlist import MOST_AT_ONCE, InLine, NotInLine, Wait, in_order, record_name, with_units
from livesale.shows.events import SHOW_CHANGED, WAITLIST_SET
from livesale.shows.model import FIRST_PAID, OfferList, Show
from livesale.store.decision import Conflict, Decision, Short
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Records, Store

State = Literal["waiting", "offered", "none"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account is: `state` waiting (at `place`, from 1, of `waiting`), offered (`until`, ms) or none."""

    offer: str
    state: State
    quantity: int
    place: int | None
    waiting: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The lines of all shows; units that came free are offered for `offer_ms`."""

    store: Store
    offer_ms: int

    async def join(self, actor: Actor, offer: str, quantity: int) -> Standing:
        """Go to the end of the line; who is in it keeps the place. Refused while there are units to buy."""
        try:
            await self._join(actor.account, offer, quantity, behind=False)
        except InLine:
            pass
        except Short as short:
            if any(lack.name.startswith("buyer:") for lack in short.lacks):
                raise Refusal("limit_reached", "That is more than one buyer may have.", [{"offer": offer}]) from short
            await self._join_behind(actor.account, offer, quantity)
        return await self.standing(actor, offer)

    async def leave(self, actor: Actor, offer: str) -> Standing:
        """Give the place up, and the units that were offered."""
        on_shelf, name = _shelf(offer), record_name(offer, actor.account)

        def decide(records: Records, _now_ms: int) -> Decision:
            decision = waitlist.end(on_shelf, records, offer, (actor.account,), "left")
            if decision is None:
                raise NotInLine
            return decision

        with contextlib.suppress(NotInLine):
            await self.store.act(on_shelf, (name,), decide)
        return await self.standing(actor, offer)

    async def standing(self, actor: Actor, offer: str) -> Standing:
        """Where the caller is in the line of an offer."""
        on_shelf, name, counter = _shelf(offer), record_name(offer, actor.account), f"waiting:{offer}"
        found = await self.store.read(on_shelf, name, f"offer:{offer}")
        if found[f"offer:{offer}"] is None:
            raise not_found("offer")
        waiting = (await self.store.counters(on_shelf, counter))[counter]
        wait = load(Wait, found[name])
        if wait is None:
            return Standing(offer, "none", 0, None, waiting, None)
        if wait.state == "offered":
            return Standing(offer, "offered", wait.quantity, None, waiting, wait.until)
        before = await self.store.rank(on_shelf, in_order(offer), actor.account)
        return Standing(offer, "waiting", wait.quantity, (before or 0) + 1, waiting, None)

    async def run_out(self, on_shelf: str, member: str) -> None:
        """What the deadline of an offer to one account does; `member` is OFFER:ACCOUNT."""
        offer, _, account = member.partition(":")
        await self.store.act(
            on_shelf,
            (record_name(offer, account),),
            lambda records, _now_ms: waitlist.run_out(on_shelf, records, offer, account),
        )

    def reactions(self) -> tuple[Reaction, ...]:
        """Whatever may have freed units (a request's hold that lapsed too), ended a show or its lines."""
        return (
            Reaction(ORDER_CHANGED, self.handle, frozenset(model.ENDED | {"awaiting_guardian"})),
            Reaction(UNITS_RETURNED, self.handle),
            Reaction(TRANSFER_ARRIVED, self.handle),
            Reaction(TRANSFER_RELEASED, self.handle),
            Reaction(WAITLIST_CHANGED, self.handle),
            Reaction(WAITLIST_SET, self.handle),
            Reaction(SHOW_CHANGED, self.handle, frozenset({"ended"})),
        )

    async def handle(self, shelf: str, event: Event) -> None:
        """React to whatever may have freed units, ended a show or its lines; a repetition finds the work done."""
        for offer in await self._moved_by(shelf, event):
            await self.advance(shelf, offer)

    async def advance(self, on_shelf: str, offer: str) -> None:
        """Offer what is free to the head of the line, and to the next, until one of the two is used up."""
        while await self._step(on_shelf, offer):
            pass

    async def _join(self, account: str, offer: str, quantity: int, *, behind: bool) -> None:
        on_shelf = _shelf(offer)
        names = ("show", f"offer:{offer}", record_name(offer, account))
        await self.store.act(
            on_shelf,
            names,
            lambda records, _: waitlist.join(on_shelf, records, account, offer, quantity, behind=behind),
        )

    async def _join_behind(self, account: str, offer: str, quantity: int) -> None:
        """Units are free, but perhaps on their way to others who wait."""
        try:
            await self._join(account, offer, quantity, behind=True)
        except InLine:
            return
        except Short as short:
            raise Refusal("conflict", "There are units left. You can buy now.", [{"offer": offer}]) from short

    async def _moved_by(self, shelf: str, event: Event) -> list[str]:
        kind = event["type"]
        if kind == ORDER_CHANGED:
            freed = event["state"] in model.ENDED or event["state"] == event["before"]
            return [line["offer"] for line in event["lines"]] if freed else []
        if kind == UNITS_RETURNED:
            return [line["offer"] for line in event["lines"]]
        if kind in (TRANSFER_ARRIVED, TRANSFER_RELEASED):
            return [event["offer"]] if shelf_of(event["offer"], "of") == shelf else []
        if kind == WAITLIST_CHANGED:
            return [event["offer"]] if event["before"] == "offered" else []
        if kind == WAITLIST_SET or (kind == SHOW_CHANGED and event["state"] == "ended"):
            listed = load(OfferList, (await self.store.read(shelf, "offers"))["offers"])
            return listed.offers if listed else []
        return []

    async def _step(self, on_shelf: str, offer: str) -> bool:
        """One commit that moves the line; whether there may be more to do."""
        names = (f"free:{offer}", f"waiting:{offer}", f"offered:{offer}")
        free, waiting, offered = (await self.store.counters(on_shelf, *names)).values()
        if not waiting and not offered:
            return False
        show = load(Show, (await self.store.read(on_shelf, "show"))["show"])
        ended = show is None or show.state == "ended"
        closing = show is None or ended or show.waitlist == FIRST_PAID
        index = with_units(offer) if ended and offered else in_order(offer)
        accounts = await self.store.first(on_shelf, index, MOST_AT_ONCE)
        if not accounts or not (closing or free > 0):
            return False
        records = await self.store.read(on_shelf, "show", *(record_name(offer, account) for account in accounts))
        if closing:
            decision = waitlist.end(on_shelf, records, offer, accounts, "closed")
        else:
            until = self.store.now_ms() + self.offer_ms
            decision = waitlist.serve(on_shelf, records, offer, accounts, free, until)
        if decision is not None:  # None: those who were read have left since
            with contextlib.suppress(Conflict, Short):  # somebody left, or took what was free: look again
                await self.store.commit(decision)
        return True


def _shelf(offer: str) -> str:
    found = shelf_of(offer, "of")
    if found is None:
        raise not_found("offer")
    return found
