"""Allowances over HTTP: what a guardian agrees to in advance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from livesale.guardians.allowance import Allowance
from livesale.guardians.allowance import QuietHours as Quiet
from livesale.guardians.allowances import Allowances, Standing
from livesale.guardians.link_routes import named
from livesale.guardians.routes import PayBy
from livesale.kernel.clock import rfc3339
from livesale.kernel.money import Money
from livesale.kernel.refusals import invalid
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route

Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="24 hours, such as 21:00")]
Category = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Shop = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class QuietHours(msgspec.Struct, forbid_unknown_fields=True, rename={"begins": "from", "ends": "until"}):
    """At the ward's place; over midnight when `until` is earlier."""

    begins: Clock
    ends: Clock


class NewAllowance(msgspec.Struct, forbid_unknown_fields=True):
    """An order within it needs no approval: it is charged to `payment` at once and in full.

    Never by itself: products with an age limit, `blocked` shops, `quiet_hours`, and what both guardians must agree to.
    `categories`: the only ones, each with those below it; none: all. Without `payment` the one given before stays; a
    `monthly` of nothing ends it.
    """

    monthly: Money
    per_order: Money
    categories: list[Category] = []
    quiet_hours: QuietHours | None = None
    blocked: list[Shop] = []
    payment: PayBy | None = None


class AllowanceView(msgspec.Struct):
    """An allowance. `pays`: there is a way to pay, so it agrees by itself; `spent`: of `month`, where the ward lives."""

    minor: str
    guardian: str
    monthly: Money
    per_order: Money
    categories: list[str]
    quiet_hours: QuietHours | None
    blocked: list[str]
    pays: bool
    month: str
    spent: Money
    left: Money
    granted_at: str | None


# (account, text, context) -> sealed with the account's key
Seal = Callable[[str, bytes, str], Awaitable[bytes]]


def routes(allowances: Allowances, seal: Seal) -> list[Route]:
    """Both routes."""
    at = _Handlers(allowances, seal)
    path = "/wards/{minor}/allowance"
    return [
        Route("GET", path, at.get, "What may be bought without asking", ACCOUNT, answer=AllowanceView),
        Route(
            "PUT", path, at.put, "Agree in advance, within limits", ACCOUNT, NewAllowance, AllowanceView,
            refuses=("step_up_required",),
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, allowances: Allowances, seal: Seal) -> None:
        self._allowances = allowances
        self._seal = seal

    async def get(self, call: Call) -> Answer:
        minor = named(call.path["minor"])
        return Answer(view(minor, await self._allowances.standing(call.account(), minor)))

    async def put(self, call: Call) -> Answer:
        minor, body, actor = named(call.path["minor"]), call.body, call.account()
        if body.monthly.currency != body.per_order.currency:
            raise invalid("per_order", "is in the currency of monthly")
        if min(body.monthly.amount, body.per_order.amount) < 0:
            raise invalid("monthly", "is not negative, nor is per_order")
        token = body.payment.token.encode() if body.payment else b""
        sealed = await self._seal(actor.account, token, f"allowance:{minor}") if token else b""
        quiet = Quiet(body.quiet_hours.begins, body.quiet_hours.ends) if body.quiet_hours else None
        wish = Allowance(
            actor.account, body.monthly.amount, body.per_order.amount, body.monthly.currency,
            self._allowances.families.store.now_ms(), body.categories, quiet, body.blocked, sealed,
        )  # fmt: skip
        return Answer(view(minor, await self._allowances.grant(actor, minor, wish, call.act())))


def view(minor: str, standing: Standing) -> AllowanceView:
    """The allowance as its family reads it."""
    found = standing.allowance
    quiet = QuietHours(found.quiet_hours.begins, found.quiet_hours.ends) if found.quiet_hours else None
    return AllowanceView(
        minor, found.guardian, Money(found.monthly, found.currency), Money(found.per_order, found.currency),
        found.categories, quiet, found.blocked, bool(found.token), standing.month, Money(standing.spent, found.currency),
        Money(max(0, found.monthly - standing.spent), found.currency), rfc3339(found.granted_at) if found.granted_at else None,
    )  # fmt: skip
