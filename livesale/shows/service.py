"""Commands on a show: load, decide, commit. Stock moves with offers in `orders/transfers.py`."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from livesale.kernel.actor import Actor
from livesale.kernel.events import Event
from livesale.kernel.ids import NAME_CHARACTERS, is_name, name_from, new_id, random_name, shelf
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.shows import events, model
from livesale.shows.model import Deal, Mutes, Offer, Pins, Rundown, Show
from livesale.store.decision import Committed, Counter, Decision, Mark, Put
from livesale.store.record import R, load, put, version
from livesale.store.valkey import Records, Store

# (product, currency, now) -> the lowest price it was sold at in the 30 days before; None: it was not on sale
Lowest = Callable[[str, str, int], Awaitable[int | None]]
Seal = Callable[[str, bytes, str], Awaitable[bytes]]  # (account, text, context) -> sealed with the account's key

LEASE = "lease"  # the record whose version is the fencing number of the show's studio
_COLOURS = [
    "Amber",
    "Azure",
    "Coral",
    "Cream",
    "Ebony",
    "Green",
    "Hazel",
    "Indigo",
    "Ivory",
    "Jade",
    "Lilac",
    "Olive",
    "Pearl",
    "Ruby",
    "Silver",
    "Teal",
]
_BIRDS = [
    "Crane",
    "Dove",
    "Eagle",
    "Finch",
    "Gull",
    "Heron",
    "Ibis",
    "Jay",
    "Kite",
    "Lark",
    "Martin",
    "Owl",
    "Plover",
    "Robin",
    "Swan",
    "Wren",
]


def handle(account: str) -> str:
    """The name others see in the chat: fixed for an account, and nothing of who it is."""
    drawn = hashlib.blake2b(account.encode(), digest_size=4, person=b"livesale-handle").digest()
    return f"{_COLOURS[drawn[0] % 16]} {_BIRDS[drawn[1] % 16]} {int.from_bytes(drawn[2:]) % 100:02d}"


def chat_seal(message: str) -> str:
    """What the seal of a chat line is made for."""
    return f"chat:{message}"


class Line(msgspec.Struct, frozen=True):
    """A line of the chat as everybody reads it."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Shows:
    """The commands of the shows room."""

    store: Store
    lowest: Lowest
    seal: Seal

    async def create(
        self, actor: Actor, title: str, shop: str, currency: str, starts_at: int | None, act: str = ""
    ) -> Show:
        """A new draft, owned by the caller."""
        if not title.strip() or len(title) > model.MOST_TITLE:
            raise invalid("title", f"a title has 1 to {model.MOST_TITLE} characters")
        act = act or random_name()
        show = Show(
            name_from(act, NAME_CHARACTERS), title.strip(), shop, currency, actor.account, starts_at=starts_at,
            created_at=self.store.now_ms(),
        )  # fmt: skip
        created: Event = {
            "type": events.SHOW_CREATED, "show": show.id, "title": show.title, "shop": shop, "currency": currency,
            "owner": show.owner, "starts_at": starts_at, "created_at": show.created_at,
        }  # fmt: skip
        on_shelf = shelf("show", show.id)
        await self.store.commit(Decision(on_shelf, puts=(put("show", None, show),), events=(created,), id=act))
        return show

    async def load(self, show_id: str) -> Show:
        """The show; not_found when there is none."""
        return _show(await self.store.read(_shelf(show_id), "show"))

    async def owned(self, actor: Actor, show_id: str) -> Show:
        """The show, if the caller runs it (or is an operator); forbidden otherwise."""
        show = await self.load(show_id)
        _check_owner(actor, show)
        return show

    async def move(self, actor: Actor, show_id: str, verb: str, act: str = "") -> Show:
        """Start, pause, resume, end or cancel the show."""

        def decide(records: Records, now_ms: int) -> Decision:
            show = _owned(actor, records)
            after = model.move(show, verb, now_ms)
            return Decision(_shelf(show_id), puts=(put("show", records["show"], after),), events=(show_event(after),))

        await self.store.act(_shelf(show_id), ("show",), decide, act)
        return await self.load(show_id)

    async def set_waitlist(self, actor: Actor, show_id: str, waitlist: str) -> None:
        """Say what becomes of units that come free: they go to the line, or to whoever is first."""

        def decide(records: Records, _now_ms: int) -> Decision:
            show = _owned(actor, records)
            if show.state == "ended":
                raise Refusal("show_not_live", "This show has ended.")
            row = put("show", records["show"], msgspec.structs.replace(show, waitlist=waitlist))
            told: Event = {"type": events.WAITLIST_SET, "waitlist": waitlist}
            return Decision(_shelf(show_id), puts=(row,), events=(told,))

        await self.store.act(_shelf(show_id), ("show",), decide)

    async def pin(self, actor: Actor, show_id: str, offers: list[str]) -> list[str]:
        """Put up to three offers on air, in this order, in place of those there were."""
        if len(offers) > model.MOST_PINS or len(set(offers)) != len(offers):
            raise invalid("offers", "at most three different offers can be pinned")

        def decide(records: Records, now_ms: int) -> Decision:
            _owned(actor, records)
            for offer in offers:
                if records[f"offer:{offer}"] is None:
                    raise invalid("offers", f"{offer} is not an offer of this show")
            pins = put("pins", records["pins"], Pins(offers, now_ms))
            told: Event = {"type": events.PINS_SET, "offers": offers, "since": now_ms}
            return Decision(_shelf(show_id), puts=(pins,), events=(told,))

        await self.store.act(_shelf(show_id), ("show", "pins", *(f"offer:{one}" for one in offers)), decide)
        return offers

    async def deal(
        self, actor: Actor, show_id: str, offer_id: str, price: int, countdown_s: int, duration_s: int,
        quantity: int | None = None, per_buyer_limit: int | None = None, act: str = "",
    ) -> Deal:  # fmt: skip
        """Announce a flash deal; one at a time."""
        name = f"offer:{offer_id}"
        deal_id = new_id("d", _shelf(show_id), act)
        known = load(Offer, (await self.store.read(_shelf(show_id), name))[name])
        before = await self.lowest(known.product, known.currency, self.store.now_ms()) if known else None

        def decide(records: Records, now_ms: int) -> Decision:
            show = model.on_air(_owned(actor, records))
            offer = _offer(records[name])
            model.check_deal(offer, price, countdown_s, duration_s)
            running = load(Deal, records["deal"])
            if running and running.ends_at > now_ms:
                raise Refusal("conflict", "Another deal is on. It must end first.")
            deal = Deal(
                deal_id,
                offer_id,
                price,
                *model.deal_times(countdown_s, duration_s, now_ms),
                quantity,
                per_buyer_limit,
                offer.price if before is None else min(before, offer.price),
            )
            units = (Counter(f"deal:{deal_id}", quantity),) if quantity else ()
            return Decision(
                _shelf(show_id),
                expect=((name, version(records[name])),),
                counters=units,
                puts=(put("deal", records["deal"], deal),),
                marks=(Mark("due", f"deal:{deal_id}", deal.ends_at),),
                events=({"type": events.DEAL_SET, "deal": model.deal_event(deal, show.currency)},),
            )

        await self.store.act(_shelf(show_id), ("show", "deal", name), decide, act)
        return _found(load(Deal, (await self.store.read(_shelf(show_id), "deal"))["deal"]), "deal")

    async def end_deal(self, on_shelf: str, deal_id: str) -> None:
        """What the deal's deadline does: viewers are told it is over."""

        def decide(records: Records, _now_ms: int) -> Decision:
            deal = load(Deal, records["deal"])
            over = Mark("due", f"deal:{deal_id}", None)
            if deal is None or deal.id != deal_id:
                return Decision(on_shelf, marks=(over,))
            return Decision(
                on_shelf,
                drops=(("deal", version(records["deal"])),),
                marks=(over,),
                not_before=deal.ends_at,
                events=({"type": events.DEAL_SET, "deal": None},),
            )

        await self.store.act(on_shelf, ("deal",), decide)

    async def set_rundown(self, actor: Actor, show_id: str, segments: list[model.Segment]) -> Rundown:
        """Replace the plan, also while it runs (`model.replanned`)."""
        shown = sorted({offer for part in segments for offer in part.offers})

        def decide(records: Records, _now_ms: int) -> Decision:
            _owned(actor, records)
            for offer in shown:
                if records[f"offer:{offer}"] is None:
                    raise invalid("segments", f"{offer} is not an offer of this show")
            return _rundown(show_id, records, model.replanned(load(Rundown, records["rundown"]), segments))

        await self.store.act(_shelf(show_id), ("show", "rundown", *(f"offer:{one}" for one in shown)), decide)
        return await self._rundown_now(show_id)

    async def next_segment(self, actor: Actor, show_id: str, act: str = "") -> Rundown:
        """Go on to the next part and put its offers on air, in one act."""

        def decide(records: Records, now_ms: int) -> Decision:
            _owned(actor, records)
            rundown, shown = model.next_part(load(Rundown, records["rundown"]), now_ms)
            decision = _rundown(show_id, records, rundown)
            if not shown:
                return decision
            pins = put("pins", records["pins"], Pins(shown, now_ms))
            told: Event = {"type": events.PINS_SET, "offers": shown, "since": now_ms}
            return replace(decision, puts=(*decision.puts, pins), events=(*decision.events, told))

        await self.store.act(_shelf(show_id), ("show", "rundown", "pins"), decide, act)
        return await self._rundown_now(show_id)

    async def _rundown_now(self, show_id: str) -> Rundown:
        return _found(load(Rundown, (await self.store.read(_shelf(show_id), "rundown"))["rundown"]), "rundown")

    async def say(self, actor: Actor, show_id: str, text: str, act: str = "") -> Line:
        """A line in the chat, under the account's handle. The log keeps its text sealed with the account's key, for it is
        what a person wrote: `apps/chat.py` opens it for viewers.
        """
        text = " ".join(text.split())
        if not text or len(text) > model.MOST_CHAT_CHARACTERS:
            raise invalid("text", f"a message has 1 to {model.MOST_CHAT_CHARACTERS} characters")
        records = await self.store.read(_shelf(show_id), "show", "mutes")
        show = model.on_air(_show(records))
        mutes = load(Mutes, records["mutes"])
        if mutes and actor.account in mutes.accounts:
            raise Refusal("forbidden", "The host has muted you in this chat.")
        name = "Host" if actor.account == show.owner else handle(actor.account)
        message = new_id("m", _shelf(show_id), act)
        sealed = b64encode(await self.seal(actor.account, text.encode(), chat_seal(message))).decode()
        said: Event = {
            "type": events.CHAT_SAID, "id": message, "name": name, "sealed": sealed,
            "host": actor.account == show.owner, "author": actor.account,
        }  # fmt: skip
        await self.store.commit(Decision(_shelf(show_id), events=(said,), id=act or random_name()))
        return Line(message, name, text)

    async def unsay(self, actor: Actor, show_id: str, message: str) -> None:
        """Take a message out of the chat."""
        await self.owned(actor, show_id)
        await self.store.commit(Decision(_shelf(show_id), events=({"type": events.CHAT_REMOVED, "id": message},)))

    async def take_back(self, show_id: str, messages: list[str]) -> None:
        """What somebody who is being erased has said goes from the pages of those who watch."""
        told = tuple({"type": events.CHAT_REMOVED, "id": message} for message in messages)
        await self.store.commit(Decision(_shelf(show_id), events=told))

    async def mute(self, actor: Actor, show_id: str, message_author: str) -> None:
        """Let an account chat no more in this show."""

        def decide(records: Records, _now_ms: int) -> Decision:
            _owned(actor, records)
            mutes = load(Mutes, records["mutes"]) or Mutes([])
            accounts = sorted({*mutes.accounts, message_author})
            return Decision(
                _shelf(show_id),
                puts=(put("mutes", records["mutes"], Mutes(accounts)),),
                events=({"type": events.MUTED, "account": message_author},),
            )

        await self.store.act(_shelf(show_id), ("show", "mutes"), decide)

    async def take_lease(self, show_id: str, studio: str) -> Committed:
        """Record that `studio` holds the show from now on; the commit's seq is the fencing number."""

        def decide(records: Records, now_ms: int) -> Decision:
            _show(records)
            lease = Lease(studio, now_ms)
            return Decision(
                _shelf(show_id),
                puts=(put(LEASE, records[LEASE], lease),),
                events=({"type": events.LEASE_TAKEN, "studio": studio},),
            )

        return await self.store.act(_shelf(show_id), ("show", LEASE), decide)


def whip_token(tag_key: bytes, show_id: str) -> str:
    """The bearer token that may publish to a show: a keyed hash, so that no list of tokens is kept anywhere."""
    return hashlib.blake2b(show_id.encode(), key=tag_key, digest_size=18, person=b"livesale-whip").hexdigest()


class Lease(msgspec.Struct, frozen=True):
    """Which studio process holds the show; the record's version is its fencing number."""

    studio: str
    since: int


def show_event(show: Show) -> Event:
    """The fact of a show's new state."""
    return {
        "type": events.SHOW_CHANGED, "id": show.id, "state": show.state, "title": show.title,
        "started_at": show.started_at, "ended_at": show.ended_at, **({"cancelled": True} if show.cancelled else {}),
    }  # fmt: skip


def _shelf(show_id: str) -> str:
    if not is_name(show_id):
        raise not_found("show")
    return shelf("show", show_id)


def _show(records: Records) -> Show:
    return _found(load(Show, records["show"]), "show")


def _offer(stored: Any) -> Offer:
    return _found(load(Offer, stored), "offer in this show")


def _found(value: R | None, what: str) -> R:
    if value is None:
        raise not_found(what)
    return value


def _check_owner(actor: Actor, show: Show) -> None:
    if actor.account != show.owner and not actor.has("operator"):
        raise Refusal("forbidden", "Only the host of this show can do that.")


def _owned(actor: Actor, records: Records) -> Show:
    show = _show(records)
    _check_owner(actor, show)
    return show


def _rundown(show_id: str, records: Records, rundown: Rundown) -> Decision:
    row: Put = put("rundown", records["rundown"], rundown)
    told: Event = {"type": events.RUNDOWN_SET, **model.rundown_event(rundown)}
    return Decision(_shelf(show_id), puts=(row,), events=(told,))
