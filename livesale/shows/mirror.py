"""Mirror: a show as viewers know it, kept up to date from the shelf's log. Made once, then told every entry.

It is what a joining viewer is welcomed with, and what `GET /shows/{show}` answers; no figure in it has another source.
"""

from __future__ import annotations

from typing import Any

from livesale.kernel.clock import rfc3339
from livesale.kernel.events import LATEST, Event, EventKind
from livesale.shows import events, model
from livesale.shows.model import Deal, Offer, OfferList, Pins, Rundown, Show
from livesale.store.record import load
from livesale.store.valkey import Store

STOCK = EventKind("stock_changed", "public", LATEST, wire="stock")


class Mirror:
    """The public state of one show."""

    def __init__(self, show: Show) -> None:
        self.show: dict[str, Any] = {
            "id": show.id,
            "title": show.title,
            "shop": show.shop,
            "currency": show.currency,
            "state": show.state,
            "starts_at": time_or_none(show.starts_at),
            "started_at": time_or_none(show.started_at),
            "ended_at": time_or_none(show.ended_at),
            "waitlist": show.waitlist,
        }
        self.owner = show.owner
        self._created = show.created_at
        self.epoch = show.epoch
        self.seq = 0
        self._offers: dict[str, dict[str, Any]] = {}
        self._units: dict[str, int] = {}  # `free:` and `waiting:` of each offer
        self.pins: list[str] = []
        self.pinned_at: int | None = None
        self.deal: dict[str, Any] | None = None
        self.rundown: dict[str, Any] = {"segments": [], "current": None}

    def apply(self, seq: int, at: int, counters: list[list[Any]], told: list[Event]) -> list[tuple[EventKind, Event]]:
        """Take one log entry in; gives the events viewers are to be told, stock figures included."""
        self.seq = seq
        sent: list[tuple[EventKind, Event]] = []
        for event in told:
            kind = events.KINDS.get(event["type"])
            if kind is not None and kind.wire is not None:
                self._take(event)
                sent.append((kind, self._wire(event)))
        for offer in self._count(counters):
            sent.append((STOCK, {"type": STOCK.type, "offer": offer, "left": self._left(offer)}))
        return sent

    @property
    def started(self) -> int:
        """What tells one run of this show's log from another: its creation."""
        return self._created

    def snapshot(self) -> dict[str, Any]:
        """The show as a map ready for JSON or msgpack (contract section 2: what an offer reads)."""
        offers = [self._offer(offer) for offer in self._offers]
        pins = {"pins": list(self.pins), "pinned_at": time_or_none(self.pinned_at)}
        return {**self.show, "offers": offers, **pins, "deal": self.deal, "rundown": self.rundown}

    def add_offer(self, offer: Offer) -> None:
        """Know an offer from its record."""
        self._offers[offer.id] = model.offer_event(offer)

    def set_units(self, counters: dict[str, int]) -> None:
        """Know offers' free units, and who waits for some, from their counters."""
        self._units.update(counters)

    def _count(self, counters: list[list[Any]]) -> list[str]:
        """Take an entry's counters in, all of them before any is looked at; the offers of which another number is left."""
        units = [(name, after) for name, _, after in counters if name.startswith(("free:", "waiting:"))]
        before = {offer: self._left(offer) for offer in dict.fromkeys(name.partition(":")[2] for name, _ in units)}
        self._units.update(units)
        tracked = {offer for offer in before if offer in self._offers and self._offers[offer]["tracked"]}
        return [offer for offer, left in before.items() if offer in tracked and self._left(offer) != left]

    def _left(self, offer: str) -> int:
        return model.left_of(self._units.get(f"free:{offer}", 0), self._units.get(f"waiting:{offer}", 0))

    def _offer(self, offer: str) -> dict[str, Any]:
        return model.offer_view(self._offers[offer], self._left(offer), self.deal)

    def _take(self, event: Event) -> None:
        kind = event["type"]
        if kind == events.SHOW_CHANGED:
            self.show["state"] = event["state"]
            self.show["started_at"] = time_or_none(event["started_at"])
            self.show["ended_at"] = time_or_none(event["ended_at"])
            self.epoch = event["started_at"] or self.epoch
        elif kind == events.WAITLIST_SET:
            self.show["waitlist"] = event["waitlist"]
        elif kind == events.OFFER_SET:
            self._offers[event["offer"]["id"]] = event["offer"]
        elif kind == events.PINS_SET:
            self.pins, self.pinned_at = list(event["offers"]), event["since"]
        elif kind == events.DEAL_SET:
            self.deal = model.deal_view(event["deal"])
        elif kind == events.RUNDOWN_SET:
            self.rundown = model.rundown_view(event)

    def _wire(self, event: Event) -> Event:
        told = {key: value for key, value in event.items() if key != "author"}
        if event["type"] == events.OFFER_SET:
            told["offer"] = self._offer(event["offer"]["id"])
        elif event["type"] == events.DEAL_SET:
            told["deal"] = self.deal
        elif event["type"] == events.RUNDOWN_SET:
            told = {"type": event["type"], **self.rundown}
        elif event["type"] in (events.SHOW_CHANGED, events.WAITLIST_SET):
            told = {"type": event["type"], **self.show}
        return told


def time_or_none(at_ms: int | None) -> str | None:
    """RFC 3339, or None where there is no time."""
    return None if at_ms is None else rfc3339(at_ms)


async def load_mirror(store: Store, shelf: str) -> Mirror | None:
    """The mirror as the shelf stands; entries after its `seq` may be applied on top, again or for the first time."""
    seq = await store.seq(shelf)  # read before the records: an entry seen twice is harmless, one missed is not
    listed = await _listed(store, shelf)
    found = await store.read(shelf, "show", "pins", "deal", "rundown", *(f"offer:{offer}" for offer in listed))
    show = load(Show, found["show"])
    if show is None:
        return None
    mirror = Mirror(show)
    mirror.seq = seq
    for offer in (load(Offer, found[f"offer:{offer_id}"]) for offer_id in listed):
        if offer:
            mirror.add_offer(offer)
    if listed:
        units = [f"{place}:{offer}" for offer in listed for place in ("free", "waiting")]
        mirror.set_units(await store.counters(shelf, *units))
    pins, deal, rundown = load(Pins, found["pins"]), load(Deal, found["deal"]), load(Rundown, found["rundown"])
    if pins:
        mirror.pins, mirror.pinned_at = pins.offers, pins.since
    mirror.deal = model.deal_view(model.deal_event(deal, show.currency)) if deal else None
    if rundown:
        mirror.rundown = model.rundown_view(model.rundown_event(rundown))
    return mirror


async def _listed(store: Store, shelf: str) -> list[str]:
    listed = load(OfferList, (await store.read(shelf, "offers"))["offers"])
    return listed.offers if listed else []
