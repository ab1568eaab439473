"""Shows over HTTP: decode, call, encode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import msgspec

from livesale.kernel.actor import Actor
from livesale.kernel.clock import parse_rfc3339
from livesale.kernel.ids import is_name, shelf
from livesale.kernel.money import Currency, Money
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.routing import ACCOUNT, HOST, Answer, Call, Route
from livesale.media.captions import Cue, cue
from livesale.shows.mirror import load_mirror
from livesale.shows.model import Rundown, Segment, Show, on_air, rundown_event, rundown_view
from livesale.shows.replay import ReplayView
from livesale.shows.service import Shows
from livesale.shows.views import (
    CaptionView,
    ChatRemoved,
    ChatView,
    DealView,
    Live,
    Muted,
    Reacted,
    RundownView,
    ShowPage,
    ShowView,
    Ticket,
    Whip,
)

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class NewShow(msgspec.Struct, forbid_unknown_fields=True):
    """A show to be planned."""

    title: Title
    shop: str
    currency: Currency
    starts_at: str | None = None


class ShowChange(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of units that come free once an offer is sold out: they go to the waiting line, or to anyone."""

    waitlist: Literal["line", "first_paid"]


class SetPins(msgspec.Struct, forbid_unknown_fields=True):
    """The offers to be on air."""

    offers: list[str]


class NewDeal(msgspec.Struct, forbid_unknown_fields=True):
    """A flash deal to be announced."""

    offer: str
    price: Money
    countdown_s: int = 0
    duration_s: int = 300
    quantity: Quantity | None = None
    per_buyer_limit: Quantity | None = None


class SetRundown(msgspec.Struct, forbid_unknown_fields=True):
    """The plan of a show."""

    segments: Annotated[list[Segment], msgspec.Meta(max_length=100)]


class Say(msgspec.Struct, forbid_unknown_fields=True):
    """A chat message."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class NewCaption(msgspec.Struct, forbid_unknown_fields=True):
    """A line of captions, said at `at` (default: now), in `lang` (BCP 47)."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    at: str | None = None
    lang: Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")] = "de"


class React(msgspec.Struct, forbid_unknown_fields=True):
    """A reaction: heart, clap, laugh, wow."""

    kind: Annotated[str, msgspec.Meta(pattern="^(heart|clap|laugh|wow)$")]


class Mute(msgspec.Struct, forbid_unknown_fields=True):
    """The account that may chat no more, by a message it wrote."""

    account: str


@dataclass(frozen=True, slots=True)
class Doors:
    """What shows need of the rest of the system, wired in `apps/web.py`."""

    can_sell: Callable[[Actor, str], Awaitable[bool]]  # (caller, shop): may the caller run shows of this shop
    hubs: Callable[[str, Call], Awaitable[list[str]]]  # (show, call): bases a browser asking under this host can use
    ticket: Callable[[str, Call], Awaitable[Ticket]]
    whip: Callable[[str, Call], Whip]
    live: Callable[[str], Awaitable[dict[str, Any]]]  # the studio's live figures of a show
    # (state, shop, limit, after) -> show ids, newest first, and where the next page begins
    listed: Callable[[str | None, str | None, int, str | None], Awaitable[tuple[list[str], str | None]]]
    react: Callable[[str, str], Awaitable[None]]
    figures: Callable[[str], Awaitable[dict[str, Any]]]  # orders by state and revenue, for the host
    caption: Callable[[str, Cue], Awaitable[None]]
    hls: Callable[[str], str]  # where a show's HLS is
    replay: Callable[[Show], Awaitable[ReplayView]]
    poster: Callable[[str], str | None]  # a show's newest picture


def routes(shows: Shows, doors: Doors) -> list[Route]:
    """Every route of the shows room."""
    handlers = _Handlers(shows, doors)
    of_show = partial(Route, answer=ShowView)
    return [
        of_show("POST", "/shows", handlers.create, "Plan a show", HOST, NewShow, status=201),
        Route("GET", "/shows", handlers.list, "Shows by state", answer=ShowPage, query=("state", "limit", "after", "shop")),
        of_show("GET", "/shows/{show}", handlers.get, "A show as it is now"),
        Route(
            "GET", "/shows/{show}/replay", handlers.replay, "The recording of an ended show, its pins and deals as chapters",
            answer=ReplayView, refuses=("conflict", "in_progress"),
        ),
        of_show(
            "PATCH", "/shows/{show}", handlers.change, "Keep waiting lists, or first paid, first served", HOST, ShowChange,
            refuses=("conflict", "show_not_live"),
        ),
        *(
            of_show(
                "POST", f"/shows/{{show}}/{verb}", handlers.mover(verb), f"{verb.capitalize()} the show", HOST,
                refuses=("conflict",),
            )
            for verb in ("start", "end", "cancel", "pause", "resume")
        ),
        of_show(
            "PUT", "/shows/{show}/pins", handlers.pins, "Put up to three offers on air", HOST, SetPins,
            refuses=("conflict", "show_not_live"),
        ),
        Route(
            "POST", "/shows/{show}/deals", handlers.deal, "Announce a flash deal", HOST, NewDeal, DealView, 201,
            refuses=("conflict", "show_not_live"),
        ),
        Route(
            "PUT", "/shows/{show}/rundown", handlers.rundown, "Set the rundown, also while it runs", HOST, SetRundown, RundownView,
            refuses=("conflict",),
        ),
        Route(
            "POST", "/shows/{show}/rundown/next", handlers.next, "Go on to the next part: its offers go on air", HOST,
            answer=RundownView, refuses=("conflict", "show_not_live"),
        ),
        Route(
            "POST", "/shows/{show}/chat", handlers.say, "Say something in the chat", ACCOUNT, Say, ChatView, 201,
            refuses=("show_not_live",),
        ),
        Route("DELETE", "/shows/{show}/chat/{message}", handlers.unsay, "Remove a message", HOST, answer=ChatRemoved),
        Route("POST", "/shows/{show}/mutes", handlers.mute, "Mute an account in this show", HOST, Mute, Muted),
        Route(
            "POST", "/shows/{show}/captions", handlers.caption, "Say a line of captions; lost when no studio has the show",
            HOST, NewCaption, CaptionView, 201, refuses=("show_not_live",),
        ),
        Route("POST", "/shows/{show}/reactions", handlers.react, "React to the show", ACCOUNT, React, Reacted),
        Route(
            "POST", "/shows/{show}/ticket", handlers.ticket, "A ticket for the hub", answer=Ticket, status=201,
            refuses=("show_not_live",),
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, shows: Shows, doors: Doors) -> None:
        self._shows = shows
        self._doors = doors

    async def create(self, call: Call) -> Answer:
        actor, body = call.account(), call.body
        if not await self._doors.can_sell(actor, body.shop):
            raise Refusal("forbidden", f"You do not run the shop {body.shop}.")
        try:
            starts_at = parse_rfc3339(body.starts_at) if body.starts_at else None
        except ValueError as error:
            raise invalid("starts_at", str(error)) from error
        show = await self._shows.create(actor, body.title, body.shop, body.currency, starts_at, call.act())
        return Answer(await self._view(show.id, call), 201)

    async def list(self, call: Call) -> Answer:
        state = call.query.get("state")
        if state not in (None, "live", "scheduled", "ended", "draft", "paused"):
            raise invalid("state", "live, scheduled or ended")
        limit = _limit(call.query.get("limit"))
        ids, after = await self._doors.listed(state, call.query.get("shop"), limit, call.query.get("after"))
        found = [view for view in [await self._quiet(show_id, call) for show_id in ids] if view]
        return Answer(ShowPage(found, after))

    async def get(self, call: Call) -> Answer:
        return Answer(await self._view(call.path["show"], call))

    async def replay(self, call: Call) -> Answer:
        return Answer(await self._doors.replay(await self._shows.load(call.path["show"])))

    async def change(self, call: Call) -> Answer:
        await self._shows.set_waitlist(call.account(), call.path["show"], call.body.waitlist)
        return Answer(await self._view(call.path["show"], call))

    def mover(self, verb: str) -> Callable[[Call], Awaitable[Answer]]:
        async def move(call: Call) -> Answer:
            await self._shows.move(call.account(), call.path["show"], verb, call.act())
            return Answer(await self._view(call.path["show"], call))

        return move

    async def pins(self, call: Call) -> Answer:
        await self._shows.pin(call.account(), call.path["show"], call.body.offers)
        return Answer(await self._view(call.path["show"], call))

    async def deal(self, call: Call) -> Answer:
        body = call.body
        show = await self._shows.load(call.path["show"])
        if body.price.currency != show.currency:
            raise invalid("price", f"this show sells in {show.currency}")
        await self._shows.deal(
            call.account(), show.id, body.offer, body.price.amount, body.countdown_s, body.duration_s,
            body.quantity, body.per_buyer_limit, call.act(),
        )  # fmt: skip
        view = await self._view(show.id, call)
        return Answer(view.deal, 201)

    async def rundown(self, call: Call) -> Answer:
        return _rundown(await self._shows.set_rundown(call.account(), call.path["show"], call.body.segments))

    async def next(self, call: Call) -> Answer:
        return _rundown(await self._shows.next_segment(call.account(), call.path["show"], call.act()))

    async def say(self, call: Call) -> Answer:
        said = await self._shows.say(call.account(), call.path["show"], call.body.text, call.act())
        return Answer(ChatView(said.id, said.name, said.text), 201)

    async def unsay(self, call: Call) -> Answer:
        await self._shows.unsay(call.account(), call.path["show"], call.path["message"])
        return Answer(ChatRemoved(call.path["message"]))

    async def mute(self, call: Call) -> Answer:
        await self._shows.mute(call.account(), call.path["show"], call.body.account)
        return Answer(Muted(call.body.account))

    async def react(self, call: Call) -> Answer:
        await self._shows.load(call.path["show"])
        await self._doors.react(call.path["show"], call.body.kind)
        return Answer(Reacted(call.body.kind))

    async def caption(self, call: Call) -> Answer:
        show = on_air(await self._shows.owned(call.account(), call.path["show"]))
        try:
            at_ms = parse_rfc3339(call.body.at) if call.body.at else self._shows.store.now_ms()
        except ValueError as error:
            raise invalid("at", str(error)) from error
        said = cue(call.body.text, call.body.lang.lower(), max(0, at_ms - show.epoch))
        await self._doors.caption(show.id, said)
        return Answer(CaptionView(said.text, said.lang, said.begins_ms, said.ends_ms), 201)

    async def ticket(self, call: Call) -> Answer:
        show = await self._shows.load(call.path["show"])
        if show.state == "ended":
            raise Refusal("show_not_live", "This show has ended.")
        return Answer(await self._doors.ticket(show.id, call), 201)

    async def _quiet(self, show_id: str, call: Call) -> ShowView | None:
        try:
            return await self._view(show_id, call)
        except Refusal:
            return None

    async def _view(self, show_id: str, call: Call) -> ShowView:
        if not is_name(show_id):
            raise not_found("show")
        mirror = await load_mirror(self._shows.store, shelf("show", show_id))
        if mirror is None:
            raise not_found("show")
        live = await self._doors.live(show_id)
        view = {
            **mirror.snapshot(),
            "viewers": int(live.get("viewers", 0)),
            "picture": live.get("host") == "live",  # whether a host's picture comes in right now
            "hub": await self._doors.hubs(show_id, call),
            "hls": self._doors.hls(show_id),
            "poster": self._doors.poster(show_id),
        }
        actor = call.actor
        if actor and (actor.account == mirror.owner or actor.has("operator")):
            whip, seen = self._doors.whip(show_id, call), msgspec.convert(live, Live)
            view |= {"whip": whip, "live": seen, **await self._doors.figures(show_id)}
        return msgspec.convert(view, ShowView)


def _rundown(rundown: Rundown) -> Answer:
    return Answer(msgspec.convert(rundown_view(rundown_event(rundown)), RundownView))


def _limit(text: str | None) -> int:
    if text is None:
        return 50
    if not text.isdecimal() or not 1 <= int(text) <= 200:
        raise invalid("limit", "a whole number from 1 to 200")
    return int(text)
