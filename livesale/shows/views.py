"""Views: what the shows room answers over HTTP, as types; the API's description is made from them.

A show's map comes from the mirror, which tells viewers the same over the hub; `convert` fits it into its type, so what
is not described is not sent.
"""

from __future__ import annotations

import msgspec

from livesale.kernel.money import Money


class DealView(msgspec.Struct):
    """A flash deal: its price from `starts_at` until before `ends_at`; `quantity` null: as many as there are.

    `reference_price`: the lowest price of the 30 days before, which any percentage is of (§ 11 PAngV).
    """

    id: str
    offer: str
    price: Money
    starts_at: str
    ends_at: str
    quantity: int | None
    reference_price: Money | None = None


class OfferView(msgspec.Struct):
    """An offer as people read it; `left` is null where units are not counted (`tracked` false).

    `reference_price`: of an offer whose price was lowered, the lowest of the 30 days before (§ 11 PAngV); else null.
    """

    id: str
    product: str
    title: str
    image: str
    price: Money
    left: int | None
    per_buyer_limit: int | None
    tracked: bool
    deal: DealView | None
    reference_price: Money | None = None


class PartView(msgspec.Struct):
    """A part of the rundown; `started_at` null: not yet."""

    title: str
    offers: list[str]
    planned_s: int
    started_at: str | None


class RundownView(msgspec.Struct):
    """The plan of a show, and which part runs; null: not begun."""

    segments: list[PartView]
    current: int | None


class Whip(msgspec.Struct):
    """Where and with what bearer token the host publishes: by WHIP, or by WebSocket at `{url}/socket` without UDP."""

    url: str
    token: str


class Live(msgspec.Struct):
    """What the studio last saw of the host's sending; zeros when nobody tells, `updated` is ms since 1970.

    `media_delay_ms`: from a picture's last packet to the hub; `picture_age_ms`: since the last picture came;
    `key_interval_ms`: between the last two key frames; −1: none.
    """

    viewers: int
    bitrate_kbps: int | float
    media_delay_ms: int | float
    picture_age_ms: int | float
    key_interval_ms: int | float
    fps: int | float
    width: int
    height: int
    updated: int
    host: str
    warnings: str


class ShowView(msgspec.Struct):
    """A show as it is now; `picture`: whether a host's comes in right now, `poster`: a small one of lately.

    The last four are for host and operators.
    """

    id: str
    title: str
    shop: str
    currency: str
    state: str
    starts_at: str | None
    started_at: str | None
    ended_at: str | None
    waitlist: str
    offers: list[OfferView]
    pins: list[str]
    pinned_at: str | None
    deal: DealView | None
    rundown: RundownView
    viewers: int
    picture: bool
    hub: list[str]
    hls: str
    poster: str | None
    whip: Whip | msgspec.UnsetType = msgspec.UNSET
    live: Live | msgspec.UnsetType = msgspec.UNSET
    orders: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    revenue: Money | msgspec.UnsetType = msgspec.UNSET


class ShowPage(msgspec.Struct):
    """Shows, newest first; `next` is the following page's `after`."""

    items: list[ShowView]
    next: str | None


class ChatView(msgspec.Struct):
    """A message as everybody reads it."""

    id: str
    name: str
    text: str


class CaptionView(msgspec.Struct):
    """A line of captions on its way to the viewers; times are ms of media time, as in the hub's event `caption`."""

    text: str
    lang: str
    begins_ms: int
    ends_ms: int


class ChatRemoved(msgspec.Struct):
    """A message is gone."""

    id: str
    removed: bool = True


class Muted(msgspec.Struct):
    """An account that may chat no more in this show."""

    account: str
    muted: bool = True


class Reacted(msgspec.Struct):
    """A reaction on its way to the viewers."""

    kind: str


class Ticket(msgspec.Struct):
    """Opens one socket at `hub` until `expires_at`. `now` is the server's time: with the round trip halved, the best a page
    can know of it."""

    ticket: str
    hub: str
    expires_at: str
    now: str
