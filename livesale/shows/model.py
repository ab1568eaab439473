"""Shows, offers, pins and deals: the rules, pure. A show's shelf is `show:ID`.

`draft → live ⇄ paused → ended`; a scheduled show is a draft with a start time. A cancelled show has ended and says so: what
guardians were asked in it ends with it, where a show that has run its course leaves them their time. Prices are minor units
of the show's currency. Stock is never in these records: it is the shelf's counters, so that a hold disturbs no reader of
an offer.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from livesale.catalog.model import STANDARD
from livesale.kernel.clock import SECOND_MS, rfc3339
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal, invalid
from livesale.shows.events import OFFER_SET

MOST_PINS = 3
COUNTDOWN_S = (0, 300)
DURATION_S = (30, 1200)
MOST_OFFERS = 200
MOST_TITLE = 120
LONGEST_PART_S = 86_400
MOST_CHAT_CHARACTERS = 300
LINE = "line"  # who finds an offer sold out may wait in line; units that come free go to the line
FIRST_PAID = "first_paid"  # there is no line: units that come free are anybody's

MOVES = {
    "start": ({"draft"}, "live"),
    "pause": ({"live"}, "paused"),
    "resume": ({"paused"}, "live"),
    "end": ({"live", "paused"}, "ended"),
    "cancel": ({"draft", "live", "paused"}, "ended"),
}


class Show(msgspec.Struct, frozen=True, omit_defaults=True):
    """The show itself. `epoch` (ms) is when its broadcast began: media time 0."""

    id: str
    title: str
    shop: str
    currency: str
    owner: str
    state: str = "draft"
    created_at: int = 0
    starts_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    epoch: int = 0
    waitlist: str = LINE
    cancelled: bool = False


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A product on sale in a show at `price` minor units."""

    id: str
    product: str
    title: str
    image: str
    price: int
    currency: str
    per_buyer_limit: int | None = None
    tracked: bool = True
    age_gate: int | None = None
    tax: str = STANDARD
    reference: int | None = None  # once reduced while on sale: the lowest price of the 30 days before (reductions.py)


class OfferList(msgspec.Struct, frozen=True):
    """The show's offers, in the order they were added; changes only when one is added."""

    offers: list[str]


class Pins(msgspec.Struct, frozen=True):
    """The offers on air, at most three, and since when (ms)."""

    offers: list[str]
    since: int = 0


class Deal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A flash deal: `price` from `starts_at` until before `ends_at` (ms), for `quantity` units if given."""

    id: str
    offer: str
    price: int
    starts_at: int
    ends_at: int
    quantity: int | None = None
    per_buyer_limit: int | None = None
    reference: int | None = None  # the lowest price of the 30 days before (reductions.py)

    def runs(self, now_ms: int) -> bool:
        """Whether its price is the price now."""
        return self.starts_at <= now_ms < self.ends_at


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of the rundown; going on to it puts the first three of its offers on air."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_TITLE)]
    offers: list[str] = []
    planned_s: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_PART_S)] = 300


class Rundown(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is planned, and when (ms) each part that has begun did; the last of those runs."""

    segments: list[Segment]
    began: list[int] = []


class Mutes(msgspec.Struct, frozen=True):
    """Accounts that may not chat in this show."""

    accounts: list[str]


def move(show: Show, verb: str, now_ms: int) -> Show:
    """The show after one of MOVES; conflict when its state does not allow it."""
    allowed, state = MOVES[verb]
    if show.state not in allowed:
        raise Refusal("conflict", f"A show that is {show.state} cannot {verb}.")
    changed = msgspec.structs.replace(show, state=state)
    if verb == "start":
        return msgspec.structs.replace(changed, started_at=now_ms, epoch=now_ms)
    if state == "ended":
        return msgspec.structs.replace(changed, ended_at=now_ms, cancelled=verb == "cancel")
    return changed


def on_air(show: Show | None) -> Show:
    """The show, if it can sell right now; show_not_live otherwise."""
    if show is None:
        raise Refusal("not_found", "There is no such show.")
    if show.state not in ("live", "paused"):
        raise Refusal("show_not_live", "This show is not on air.")
    return show


def price_now(offer: Offer, deal: Deal | None, now_ms: int) -> int:
    """What one unit costs at `now_ms` (minor units)."""
    if deal is not None and deal.offer == offer.id and deal.runs(now_ms):
        return deal.price
    return offer.price


def check_deal(offer: Offer, price: int, countdown_s: int, duration_s: int) -> None:
    """Refuse a deal outside the contract's ranges, or that is none."""
    if not COUNTDOWN_S[0] <= countdown_s <= COUNTDOWN_S[1]:
        raise invalid("countdown_s", "a countdown takes 0 to 300 seconds")
    if not DURATION_S[0] <= duration_s <= DURATION_S[1]:
        raise invalid("duration_s", "a deal lasts 30 to 1200 seconds")
    if price >= offer.price:
        raise invalid("price", "a deal costs less than the offer does now")


def deal_times(countdown_s: int, duration_s: int, now_ms: int) -> tuple[int, int]:
    """Start and end (ms) of a deal announced at `now_ms`."""
    starts = now_ms + countdown_s * SECOND_MS
    return starts, starts + duration_s * SECOND_MS


def replanned(before: Rundown | None, segments: list[Segment]) -> Rundown:
    """The new plan. What has run stays run while the new plan still has those parts; else it begins again.

    The part that runs may be changed while it does.
    """
    if before is None or not before.began or len(segments) < len(before.began):
        return Rundown(segments)
    past = len(before.began) - 1
    return Rundown(segments, before.began if segments[:past] == before.segments[:past] else [])


def next_part(rundown: Rundown | None, now_ms: int) -> tuple[Rundown, list[str]]:
    """The rundown gone on to its next part at `now_ms`, and the offers that part puts on air (none: as before)."""
    if rundown is None or not rundown.segments:
        raise Refusal("conflict", "This show has no rundown yet.")
    if len(rundown.began) >= len(rundown.segments):
        raise Refusal("conflict", "That was the last part of the rundown.")
    part = rundown.segments[len(rundown.began)]
    shown = list(dict.fromkeys(part.offers))[:MOST_PINS]
    return Rundown(rundown.segments, [*rundown.began, now_ms]), shown


def rundown_event(rundown: Rundown) -> Event:
    """The rundown as viewers are told it; times in ms."""
    return {"segments": msgspec.to_builtins(rundown.segments), "began": rundown.began}


def rundown_view(told: Event) -> dict[str, Any]:
    """`{segments: [{title, offers, planned_s, started_at}], current}`; `current` None before the first part."""
    began = told["began"]
    starts = [rfc3339(at) for at in began] + [None] * (len(told["segments"]) - len(began))
    segments = [{**part, "started_at": at} for part, at in zip(told["segments"], starts, strict=True)]
    return {"segments": segments, "current": len(began) - 1 if began else None}


def offer_event(offer: Offer) -> Event:
    """The offer as viewers are told it (stock comes with the counters)."""
    return {
        "id": offer.id,
        "product": offer.product,
        "title": offer.title,
        "image": offer.image,
        "price": {"amount": offer.price, "currency": offer.currency},
        "per_buyer_limit": offer.per_buyer_limit,
        "tracked": offer.tracked,
        "reference_price": _money(offer.reference, offer.currency),
    }


def deal_event(deal: Deal, currency: str) -> Event:
    """The deal as viewers are told it; times in ms."""
    return {
        "id": deal.id,
        "offer": deal.offer,
        "price": {"amount": deal.price, "currency": currency},
        "starts_at": deal.starts_at,
        "ends_at": deal.ends_at,
        "quantity": deal.quantity,
        "reference_price": _money(deal.reference, currency),
    }


def _money(amount: int | None, currency: str) -> Event | None:
    return None if amount is None else {"amount": amount, "currency": currency}


def deal_view(deal: Event | None) -> dict[str, Any] | None:
    """A deal with its times as people's programs read them."""
    if deal is None:
        return None
    return {**deal, "starts_at": rfc3339(deal["starts_at"]), "ends_at": rfc3339(deal["ends_at"])}


def offer_view(offer: Event, left: int, deal: dict[str, Any] | None) -> dict[str, Any]:
    """An offer as the contract reads it; an untracked product has no number left to show."""
    running = deal if deal and deal["offer"] == offer["id"] else None
    return {**offer, "left": max(0, left) if offer["tracked"] else None, "deal": running}


def left_of(free: int, waiting: int) -> int:
    """What is left for anyone: nothing while others wait, for what is free then is theirs."""
    return 0 if waiting > 0 else max(0, free)


def offer_set(offer: Offer) -> Event:
    """The fact of an offer as it is from now on."""
    return {"type": OFFER_SET, "offer": offer_event(offer)}
