"""Requests to guardians over HTTP: decode, call, encode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Literal

import msgspec

from livesale.guardians.model import Approval
from livesale.guardians.news import News
from livesale.guardians.service import Guardians
from livesale.kernel.actor import Actor
from livesale.kernel.clock import rfc3339
from livesale.kernel.money import Money, VatShare
from livesale.kernel.refusals import Refusal, invalid
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route

LONGEST_WAIT_S = 25


class PayBy(msgspec.Struct, forbid_unknown_fields=True):
    """The guardian's own way to pay."""

    method: Literal["card"]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Approve(msgspec.Struct, forbid_unknown_fields=True):
    """Consent to exactly what `digest` covers."""

    digest: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    payment: PayBy


class Ratify(msgspec.Struct, forbid_unknown_fields=True):
    """Consent, after the sale, to exactly what `digest` covers."""

    digest: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class AskedLine(msgspec.Struct):
    """A line of the order a minor asks for; `price` is one unit's."""

    offer: str
    product: str
    title: str
    image: str
    quantity: int
    price: Money


class AskedShipTo(msgspec.Struct):
    """Where the order is to go."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str


class OrderAsked(msgspec.Struct):
    """The order behind a request, as guardian and minor may read it."""

    lines: list[AskedLine]
    ship_to: AskedShipTo
    minor_name: str
    order_state: str
    shipping: Money
    discount: Money
    vat: list[VatShare]
    held: bool


class ApprovalView(OrderAsked):
    """A request to a guardian; consent is to exactly what `digest` covers.

    Its units are held until `held_until` (null: not any more), which a guardian may extend once while `may_extend`.
    `agreed`: who has agreed already, by name, while all guardians must.
    """

    id: str
    order: str
    minor: str
    state: str
    total: Money
    payee: str
    digest: str
    requested_at: str
    expires_at: str
    held_until: str | None
    may_extend: bool
    agreed: list[str]


class ApprovalPage(msgspec.Struct):
    """Requests, newest first."""

    items: list[ApprovalView]
    next: str | None = None


# (minors, since (ms; 0: now), seconds to wait) -> what has changed
Tidings = Callable[[Iterable[str], int, float], Awaitable[News]]
Details = Callable[[Approval], Awaitable[OrderAsked]]
# (account) -> the name a family knows it by
NameOf = Callable[[str], Awaitable[str]]
# (minor ids) -> approval ids, newest first
Listed = Callable[[list[str]], Awaitable[list[str]]]


def routes(guardians: Guardians, details: Details, listed: Listed, name_of: NameOf, tidings: Tidings) -> list[Route]:
    """Every route of the guardians room."""
    handlers = _Handlers(guardians, details, listed, name_of, tidings)
    return [
        Route("GET", "/approvals", handlers.list, "Requests, newest first", ACCOUNT, answer=ApprovalPage),
        Route(
            "GET", "/approvals/news", handlers.news, "Waits up to 25 s for a change; then look", ACCOUNT, answer=News,
            query=("after", "wait"),
        ),
        Route("GET", "/approvals/{approval}", handlers.get, "One request", ACCOUNT, answer=ApprovalView),
        Route(
            "POST", "/approvals/{approval}/approve", handlers.approve, "Approve and pay", ACCOUNT, Approve,
            ApprovalView, refuses=("step_up_required", "superseded", "conflict", "expired"),
        ),
        Route(
            "POST", "/approvals/{approval}/ratify", handlers.ratify, "Agree to what has been bought already", ACCOUNT,
            Ratify, ApprovalView, refuses=("step_up_required", "superseded", "conflict", "expired"),
        ),
        Route(
            "POST", "/approvals/{approval}/decline", handlers.decline, "Decline", ACCOUNT, answer=ApprovalView,
            refuses=("superseded", "conflict", "expired"),
        ),
        Route(
            "POST", "/approvals/{approval}/revoke", handlers.revoke, "Take consent back before it is paid", ACCOUNT,
            answer=ApprovalView, refuses=("conflict",),
        ),
        Route(
            "POST", "/approvals/{approval}/extend", handlers.extend, "Have the units held for longer, once", ACCOUNT,
            answer=ApprovalView, refuses=("conflict",),
        ),
    ]  # fmt: skip


def _number(call: Call, name: str) -> int:
    """A query parameter that is a whole number; 0 without one."""
    told = call.query.get(name, "0")
    if not (told.isascii() and told.isdecimal() and len(told) < 16):
        raise invalid(name, "is a whole number")
    return int(told)


class _Handlers:
    def __init__(
        self, guardians: Guardians, details: Details, listed: Listed, name_of: NameOf, tidings: Tidings
    ) -> None:
        self._guardians = guardians
        self._details = details
        self._listed = listed
        self._name_of = name_of
        self._tidings = tidings

    async def list(self, call: Call) -> Answer:
        actor = call.account()
        minors = {link.minor for link in await self._guardians.links_of(actor.account)}
        found = await self._listed(sorted(minors | {actor.account}))
        return Answer(ApprovalPage([view for view in [await self._quiet(actor, one) for one in found] if view]))

    async def news(self, call: Call) -> Answer:
        account = call.account().account
        minors = {account, *(link.minor for link in await self._guardians.links_of(account))}
        after, wait = (_number(call, name) for name in ("after", "wait"))
        return Answer(await self._tidings(minors, after, min(wait, LONGEST_WAIT_S)))

    async def get(self, call: Call) -> Answer:
        return Answer(await self._view(call.account(), call.path["approval"]))

    async def approve(self, call: Call) -> Answer:
        body: Approve = call.body
        approval = await self._guardians.approve(
            call.account(), call.path["approval"], body.digest, body.payment.token, call.act()
        )
        return Answer(await self._shown(approval))

    async def ratify(self, call: Call) -> Answer:
        approval = await self._guardians.ratify(call.account(), call.path["approval"], call.body.digest, call.act())
        return Answer(await self._shown(approval))

    async def decline(self, call: Call) -> Answer:
        approval = await self._guardians.decline(call.account(), call.path["approval"], call.act())
        return Answer(await self._shown(approval))

    async def revoke(self, call: Call) -> Answer:
        return Answer(await self._shown(await self._guardians.revoke(call.account(), call.path["approval"], call.act())))

    async def extend(self, call: Call) -> Answer:
        return Answer(await self._shown(await self._guardians.extend(call.account(), call.path["approval"], call.act())))

    async def _view(self, actor: Actor, approval_id: str) -> ApprovalView:
        return await self._shown(await self._guardians.seen(actor, approval_id))

    async def _quiet(self, actor: Actor, approval_id: str) -> ApprovalView | None:
        try:
            return await self._view(actor, approval_id)
        except Refusal:
            return None

    async def _shown(self, approval: Approval) -> ApprovalView:
        asked = await self._details(approval)
        held = asked.held and approval.state == "requested"
        return ApprovalView(
            asked.lines, asked.ship_to, asked.minor_name, asked.order_state, asked.shipping, asked.discount, asked.vat,
            asked.held, approval.id, approval.order, approval.minor,
            approval.state, Money(approval.total, approval.currency), approval.payee, approval.digest,
            rfc3339(approval.requested_at), rfc3339(approval.expires_at),
            rfc3339(approval.held_until) if held else None, held and not approval.extended,
            [await self._name_of(guardian) for guardian in approval.agreed],
        )  # fmt: skip
