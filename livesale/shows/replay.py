"""What a replay tells beside its pictures: pins and deals as chapters, cards at their moment. Pure.

Times of the log are milliseconds since 1970; `at(ms)` says where in the replay that is, in µs. A deal of a replay has
always expired: what a product costs today is asked of the shop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from livesale.kernel.events import Event
from livesale.kernel.money import Money
from livesale.shows.events import DEAL_SET, OFFER_SET, PINS_SET

TOLD = frozenset({PINS_SET, DEAL_SET, OFFER_SET})

Place = Callable[[int], int]


class Chapter(msgspec.Struct):
    """A product on air (`pin`), or its flash deal (`deal`), from `at_s` until `until_s`; `price` is what it cost then."""

    kind: Literal["pin", "deal"]
    offer: str
    title: str
    image: str
    price: Money
    at_s: float
    until_s: float
    expired: bool


class Told(msgspec.Struct, omit_defaults=True):
    """What viewers were told at `at_s`: the offers on air from then on, a deal (null: it is over), or an offer's price."""

    type: Literal["pins", "deal", "offer"]
    at_s: float
    pins: list[str] | msgspec.UnsetType = msgspec.UNSET
    deal: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    offer: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class ReplayOffer(msgspec.Struct):
    """An offer of the show as it last was; `today` is what its product costs in the shop now, null when it has it no more."""

    id: str
    product: str
    title: str
    image: str
    price: Money
    today: Today | None


class Today(msgspec.Struct):
    """What a product costs now, and how many the shop has (null: it does not count them); `POST /shops/{shop}/orders` takes
    this `offer`.
    """

    shop: str
    offer: str
    price: Money
    left: int | None


class Captions(msgspec.Struct):
    """What was said, as WebVTT, in one language (BCP 47)."""

    lang: str
    url: str


class Thumbnail(msgspec.Struct):
    """A small picture of the replay at `at_s`."""

    at_s: float
    url: str


class ReplayView(msgspec.Struct):
    """The recording of an ended show. Every `_s` is a place in it, in seconds, whichever of `mp4` and `hls` is played."""

    show: str
    title: str
    shop: str
    currency: str
    started_at: str | None
    ended_at: str | None
    duration_s: float
    mp4: str
    hls: str
    chapters_vtt: str
    captions: list[Captions]
    poster: str | None
    thumbnails: list[Thumbnail]
    chapters: list[Chapter]
    events: list[Told]
    offers: list[ReplayOffer]


def chapters(events: Iterable[tuple[int, Event]], place: Place, until_us: int) -> list[Chapter]:
    """Pins and deals in the order of their beginnings; what is shorter than nothing on the recording is left out."""
    offers: dict[str, Event] = {}
    pinned: dict[str, Chapter] = {}
    deal: Chapter | None = None
    found: list[Chapter] = []
    for at_ms, event in events:
        here = seconds(place(at_ms))
        if event["type"] == OFFER_SET:
            offers[event["offer"]["id"]] = event["offer"]
        elif event["type"] == PINS_SET:
            for offer in [each for each in pinned if each not in event["offers"]]:
                pinned.pop(offer).until_s = here
            for offer in event["offers"]:
                if offer in offers and offer not in pinned:
                    pinned[offer] = _chapter("pin", offers[offer], offers[offer]["price"], here, until_us)
                    found.append(pinned[offer])
        elif event["type"] == DEAL_SET:
            if deal is not None:
                deal.until_s = min(deal.until_s, here)
                deal = None
            told = event["deal"]
            if told is not None and told["offer"] in offers:
                begins, ends = seconds(place(told["starts_at"])), min(seconds(place(told["ends_at"])), seconds(until_us))
                deal = _chapter("deal", offers[told["offer"]], told["price"], begins, until_us)
                deal.until_s = ends
                found.append(deal)
    return sorted((each for each in found if each.until_s > each.at_s), key=lambda each: each.at_s)


def told(events: Iterable[tuple[int, Event]], place: Place) -> list[Told]:
    """What viewers were told of offers, pins and deals, each at its moment."""
    found: list[Told] = []
    for at_ms, event in events:
        at_s = seconds(place(at_ms))
        if event["type"] == PINS_SET:
            found.append(Told("pins", at_s, pins=event["offers"]))
        elif event["type"] == OFFER_SET:
            found.append(Told("offer", at_s, offer=event["offer"]))
        elif event["type"] == DEAL_SET:
            found.append(Told("deal", at_s, deal=_expired(event["deal"], place)))
    return found


def last_offers(events: Iterable[tuple[int, Event]]) -> list[Event]:
    """Every offer as it last was, in the order they were added."""
    found: dict[str, Event] = {}
    for _, event in events:
        if event["type"] == OFFER_SET:
            found[event["offer"]["id"]] = event["offer"]
    return list(found.values())


def seconds(us: int) -> float:
    """µs as seconds, to the millisecond."""
    return round(us / 1_000_000, 3)


def _chapter(kind: Literal["pin", "deal"], offer: Event, price: dict[str, Any], at_s: float, until_us: int) -> Chapter:
    money = msgspec.convert(price, Money)
    return Chapter(
        kind, offer["id"], offer["title"], offer["image"], money, at_s, seconds(until_us), kind == "deal"
    )  # fmt: skip


def _expired(deal: Event | None, place: Place) -> dict[str, Any] | None:
    if deal is None:
        return None
    times = {"at_s": seconds(place(deal["starts_at"])), "until_s": seconds(place(deal["ends_at"]))}
    kept = {name: deal[name] for name in ("id", "offer", "price", "quantity")}
    return {**kept, **times, "expired": True}
