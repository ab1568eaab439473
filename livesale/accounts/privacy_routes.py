"""One's data over HTTP: have it all, or have it erased (GDPR Art. 15, 17, 20). Both need a fresh proof."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from livesale.accounts.cookies import session_cookie
from livesale.kernel.actor import Actor
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class ExportedAccount(msgspec.Struct):
    """What is known of you. Of your age: the band, and the month it ends in (empty: it does not)."""

    id: str
    email: str
    name: str
    country: str
    region: str
    roles: list[str]
    created_at: str
    age_band: str
    age_band_ends: str
    age_method: str
    age_issuer: str


class ExportedAccess(msgspec.Struct):
    """A browser, program or passkey that can act for you."""

    kind: str
    id: str
    name: str
    created_at: str
    expires_at: str | None


class ExportedOrder(msgspec.Struct):
    """An order of yours; `order` is the same as `GET /orders/{order}` gives, `ship_to` where it went or was to go."""

    order: Any
    ship_to: dict[str, str] | None


class ExportedRequest(msgspec.Struct):
    """A request to a guardian: yours, or one that you decided."""

    id: str
    order: str
    minor: str
    guardian: str | None
    state: str
    requested_at: str
    updated_at: str | None


class ExportedLink(msgspec.Struct):
    """A family link of yours."""

    id: str
    minor: str
    guardian: str
    verified: bool


class ExportedConsent(msgspec.Struct):
    """A yes or no to what your data may be used for; `by`: the account that said it."""

    purpose: str
    granted: bool
    version: str
    at: str
    how: str
    by: str


class ExportedPush(msgspec.Struct):
    """A browser you are told in: its address at its push service."""

    device: str
    endpoint: str
    created_at: str


class ExportedLine(msgspec.Struct):
    """What you said in a show's chat."""

    show: str
    at: str
    text: str


class ExportedAct(msgspec.Struct):
    """What was written down about an act on your account."""

    at: str
    action: str
    by: str


class Export(msgspec.Struct):
    """Everything personal we have of you, for you and for programs."""

    exported_at: str
    account: ExportedAccount
    access: list[ExportedAccess]
    pushes: list[ExportedPush]
    orders: list[ExportedOrder]
    requests: list[ExportedRequest]
    family: list[ExportedLink]
    consents: list[ExportedConsent]
    chat: list[ExportedLine]
    acts: list[ExportedAct]


class Erased(msgspec.Struct):
    """The account is gone. `kept`: what the law makes us keep, without your name, and why."""

    kept: list[str]
    erased: bool = True


ExportOf = Callable[[Actor], Awaitable[Export]]
Erase = Callable[[Actor], Awaitable[list[str]]]  # what is kept


def routes(export: ExportOf, erase: Erase) -> list[Route]:
    """Both routes."""

    async def give(call: Call) -> Answer:
        told = {"Content-Disposition": 'attachment; filename="livesale-export.json"', "Cache-Control": "no-store"}
        return Answer(await export(call.account()), headers=told)

    async def forget(call: Call) -> Answer:
        kept = await erase(call.account())
        return Answer(Erased(kept), headers={"Set-Cookie": session_cookie("", 0, call.secure)})

    return [
        Route("GET", "/me/export", give, "All your data", ACCOUNT, answer=Export, refuses=("step_up_required",)),
        Route(
            "DELETE", "/me", forget, "Erase your account", ACCOUNT, answer=Erased, refuses=("step_up_required", "conflict"),
        ),
    ]  # fmt: skip
