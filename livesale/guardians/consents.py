"""The consent record: everything a family has agreed to, for one ward, as one document to keep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from livesale.guardians.allowance_routes import AllowanceView, view
from livesale.guardians.allowances import Allowances
from livesale.guardians.link_routes import named
from livesale.guardians.model import Approval
from livesale.guardians.service import Guardians
from livesale.kernel.clock import rfc3339
from livesale.kernel.money import Money
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class TieRecord(msgspec.Struct):
    """A link there is or was, with the guardian's own declaration."""

    link: str
    guardian: str
    verified: bool
    since: str
    ends_at: str | None
    mode: str
    authority: str
    declared_at: str | None


class ConsentRecord(msgspec.Struct):
    """A request and what became of it; `by_allowance`: agreed to in advance. `digest` covers what was agreed to."""

    approval: str
    order: str
    state: str
    guardian: str | None
    by_allowance: bool
    total: Money
    payee: str
    digest: str
    terms: str
    requested_at: str
    decided_at: str | None


class Consents(msgspec.Struct):
    """A ward's links, allowance and requests (the last hundred, newest first)."""

    ward: str
    made_at: str
    frozen: bool
    links: list[TieRecord]
    allowance: AllowanceView
    requests: list[ConsentRecord]


# (minor ids) -> approval ids, newest first
Listed = Callable[[list[str]], Awaitable[list[str]]]


def routes(guardians: Guardians, allowances: Allowances, listed: Listed) -> list[Route]:
    """The one route."""

    async def export(call: Call) -> Answer:
        minor, actor = named(call.path["minor"]), call.account()
        standing = await allowances.standing(actor, minor)  # refuses who is not of the family
        family = await guardians.family_of(minor)
        asked = [await guardians.seen(actor, one) for one in await listed([minor])]
        ties = [
            TieRecord(
                one.id, one.guardian, one.verified, rfc3339(one.since), _time(one.ends_at), one.mode, one.authority,
                _time(one.declared_at),
            )
            for one in family.ties
        ]  # fmt: skip
        now = rfc3339(guardians.store.now_ms())
        record = Consents(minor, now, bool(family.frozen_by), ties, view(minor, standing), [_consent(one) for one in asked])
        return Answer(record, headers={"Content-Disposition": f'attachment; filename="consents-{minor}.json"'})

    return [Route("GET", "/wards/{minor}/consents", export, "Everything agreed to for a ward", ACCOUNT, answer=Consents)]


def _consent(found: Approval) -> ConsentRecord:
    return ConsentRecord(
        found.id, found.order, found.state, found.guardian or None, bool(found.spend), Money(found.total, found.currency),
        found.payee, found.digest, found.terms, rfc3339(found.requested_at), _time(found.decided_at),
    )  # fmt: skip


def _time(at_ms: int | None) -> str | None:
    return rfc3339(at_ms) if at_ms else None
