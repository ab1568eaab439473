"""Requests to guardians over HTTP: decode, call, encode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec

from livesale.guardians.model import Approval
from livesale.guardians.service import Guardians
from livesale.guardians.store import Link
from livesale.kernel.actor import Actor
from livesale.kernel.clock import rfc3339
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class PayBy(msgspec.Struct, forbid_unknown_fields=True):
    """The guardian's own way to pay."""

    method: Literal["card"]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Approve(msgspec.Struct, forbid_unknown_fields=True):
    """Consent to exactly what `digest` covers."""

    digest: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    payment: PayBy


# (approval) -> lines, ship-to and state of the order as the guardian may read them
Details = Callable[[Approval], Awaitable[dict[str, Any]]]
# (account) -> the name a family knows it by
NameOf = Callable[[str], Awaitable[str]]
# (minor ids) -> approval ids, newest first
Listed = Callable[[list[str]], Awaitable[list[str]]]


def routes(guardians: Guardians, details: Details, listed: Listed, name_of: NameOf) -> list[Route]:
    """Every route of the guardians room."""
    handlers = _Handlers(guardians, details, listed, name_of)
    return [
        Route("GET", "/approvals", handlers.list, "Requests, newest first", ACCOUNT),
        Route("GET", "/approvals/{approval}", handlers.get, "One request", ACCOUNT),
        Route("POST", "/approvals/{approval}/approve", handlers.approve, "Approve and pay", ACCOUNT, Approve),
        Route("POST", "/approvals/{approval}/decline", handlers.decline, "Decline", ACCOUNT),
        Route("GET", "/guardians/links", handlers.links, "Your family links", ACCOUNT),
    ]


class _Handlers:
    def __init__(self, guardians: Guardians, details: Details, listed: Listed, name_of: NameOf) -> None:
        self._guardians = guardians
        self._details = details
        self._listed = listed
        self._name_of = name_of

    async def list(self, call: Call) -> Answer:
        actor = call.account()
        minors = {link.minor for link in await self._guardians.links_of(actor.account)}
        found = await self._listed(sorted(minors | {actor.account}))
        return Answer(
            {"items": [view for view in [await self._quiet(actor, one) for one in found] if view], "next": None}
        )

    async def get(self, call: Call) -> Answer:
        return Answer(await self._view(call.account(), call.path["approval"]))

    async def approve(self, call: Call) -> Answer:
        body: Approve = call.body
        approval = await self._guardians.approve(
            call.account(), call.path["approval"], body.digest, body.payment.token, call.act()
        )
        return Answer(await self._shown(approval))

    async def decline(self, call: Call) -> Answer:
        approval = await self._guardians.decline(call.account(), call.path["approval"], call.act())
        return Answer(await self._shown(approval))

    async def links(self, call: Call) -> Answer:
        links = await self._guardians.links_of(call.account().account)
        return Answer({"items": [await self._named(link) for link in links], "next": None})

    async def _named(self, link: Link) -> dict[str, Any]:
        return {
            "id": link.id, "minor": link.minor, "guardian": link.guardian, "verified": link.verified,
            "minor_name": await self._name_of(link.minor), "guardian_name": await self._name_of(link.guardian),
        }  # fmt: skip

    async def _view(self, actor: Actor, approval_id: str) -> dict[str, Any]:
        return await self._shown(await self._guardians.seen(actor, approval_id))

    async def _quiet(self, actor: Actor, approval_id: str) -> dict[str, Any] | None:
        try:
            return await self._view(actor, approval_id)
        except Refusal:
            return None

    async def _shown(self, approval: Approval) -> dict[str, Any]:
        return {
            "id": approval.id,
            "order": approval.order,
            "state": approval.state,
            "total": Money(approval.total, approval.currency),
            "payee": approval.payee,
            "digest": approval.digest,
            "requested_at": rfc3339(approval.requested_at),
            "expires_at": rfc3339(approval.expires_at),
            **await self._details(approval),
        }
