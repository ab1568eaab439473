"""Consents over HTTP: one's own, and as guardian a ward's. A purchase approval is no consent to anything here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from livesale.accounts.consents import TEXTS, VERSION, Consents, Purpose, Standing
from livesale.kernel.actor import Actor
from livesale.kernel.clock import rfc3339
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class ConsentSaid(msgspec.Struct, forbid_unknown_fields=True):
    """A yes or no to one purpose; `version`: of the text that was read."""

    purpose: Purpose
    granted: bool
    version: Annotated[str, msgspec.Meta(max_length=20)]


class ConsentText(msgspec.Struct):
    """What is agreed to, word for word."""

    de: str
    en: str


class ConsentView(msgspec.Struct):
    """What stands for one purpose. `said_at` null: never asked, which is a no; `how`: by its owner (`page`) or a `guardian`.

    `may_grant` says who can agree now: its `owner`, a `guardian`, or (empty) nobody. Anyone of them can always say no.
    """

    purpose: str
    granted: bool
    said_at: str | None
    how: str
    may_grant: str
    version: str
    text: ConsentText


class ConsentPage(msgspec.Struct):
    """Every purpose, and what stands."""

    items: list[ConsentView]
    next: str | None = None


# (guardian, minor): refused unless the one may answer for the other now, who has just proven who they are
CheckGuards = Callable[[Actor, str], Awaitable[None]]


def routes(consents: Consents, check_guards: CheckGuards) -> list[Route]:
    """All four routes."""
    handlers = _Handlers(consents, check_guards)
    says = ("superseded", "step_up_required")
    return [
        Route("GET", "/me/consents", handlers.mine, "What you have agreed to", ACCOUNT, answer=ConsentPage),
        Route("PUT", "/me/consents", handlers.say, "Agree or disagree", ACCOUNT, ConsentSaid, ConsentPage, refuses=says),
        Route("GET", "/wards/{minor}/data-consents", handlers.ward, "What stands for a ward", ACCOUNT, answer=ConsentPage),
        Route(
            "PUT", "/wards/{minor}/data-consents", handlers.say_for, "Agree or disagree for a ward", ACCOUNT, ConsentSaid,
            ConsentPage, refuses=says,
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, consents: Consents, check_guards: CheckGuards) -> None:
        self._consents = consents
        self._check_guards = check_guards

    async def mine(self, call: Call) -> Answer:
        return _page(await self._consents.of(call.account().account))

    async def say(self, call: Call) -> Answer:
        account = call.account().account
        return await self._said(call, account)

    async def ward(self, call: Call) -> Answer:
        await self._check_guards(call.account(), call.path["minor"])
        return _page(await self._consents.of(call.path["minor"]))

    async def say_for(self, call: Call) -> Answer:
        await self._check_guards(call.account(), call.path["minor"])
        return await self._said(call, call.path["minor"])

    async def _said(self, call: Call, account: str) -> Answer:
        body: ConsentSaid = call.body
        by = call.account().account
        return _page(await self._consents.say(account, body.purpose, body.granted, body.version, by))


def _page(standing: list[Standing]) -> Answer:
    return Answer(ConsentPage([_view(one) for one in standing]))


def _view(one: Standing) -> ConsentView:
    said_at = rfc3339(one.at_ms) if one.at_ms else None
    return ConsentView(one.purpose, one.granted, said_at, one.how, one.may_grant, VERSION, ConsentText(**TEXTS[one.purpose]))
