"""Views: what operators are answered, as types; the API's description is made from them."""

from __future__ import annotations

from typing import Any

import msgspec


class Sum(msgspec.Struct):
    """A sum in minor units; the currency is empty where nothing was ever booked."""

    amount: int
    currency: str


class ShowFigures(msgspec.Struct):
    """A show at a glance: orders by state, money, units left of all offers, and what its studio sees.

    `media_delay_ms` is from a picture's last packet at the studio to its hub, `picture_age_ms` since the last picture
    came; null without one.
    """

    id: str
    title: str
    state: str
    viewers: int
    bitrate_kbps: int | float
    media_delay_ms: int | float | None
    picture_age_ms: int | float | None
    fps: int | float
    host: str
    warnings: str
    orders: dict[str, int]
    revenue: Sum
    refunded: Sum
    stock_left: int


class OfferFigures(msgspec.Struct):
    """Where an offer's units are."""

    id: str
    product: str
    title: str
    price: Sum
    free: int
    held: int
    paying: int
    claimed: int
    loaded: int


class OneShow(ShowFigures):
    """A show with its picture's figures and its offers' units; `updated_at` is when the studio last told."""

    width: int
    height: int
    updated_at: str | None
    offers: list[OfferFigures]


class ProcessFigures(msgspec.Struct):
    """A process of `livesale up` on this machine; 100 % is one core."""

    name: str
    pid: int | None
    up: bool
    cpu_percent: float
    rss_mib: float
    restarts: int
    uptime_s: int


class Alarm(msgspec.Struct):
    """A shelf whose log the ledger has stopped reading, and why."""

    shelf: str
    reason: str


class Overview(msgspec.Struct):
    """At most fifty shows, those on air first; orders by state, of all shows; mails by state."""

    shows: list[ShowFigures]
    orders: dict[str, int]
    viewers: int
    approvals_pending: int
    mails: dict[str, int]
    processes: list[ProcessFigures]
    alarms: list[Alarm]


class AuditLine(msgspec.Struct):
    """Who did what, to what."""

    id: str
    at: str
    actor: str
    action: str
    data: dict[str, Any]


class AuditPage(msgspec.Struct):
    """The audit, newest first; `next` is the following page's `after`."""

    items: list[AuditLine]
    next: str | None


class ApprovalListed(msgspec.Struct):
    """A request to a guardian, as last projected."""

    id: str
    order: str
    minor: str
    guardian: str | None
    state: str
    digest: str
    total: Sum
    requested_at: str | None
    expires_at: str | None
    updated_at: str | None


class ApprovalsListed(msgspec.Struct):
    """Requests to guardians, newest first; `next` is the following page's `after`."""

    items: list[ApprovalListed]
    next: str | None
