"""Checks over HTTP: operators find an account by its address, note an age they have seen proven, and take it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from livesale.accounts.checks import Checks, Known, Seen
from livesale.accounts.routes import Email
from livesale.kernel.clock import rfc3339
from livesale.kernel.routing import OPERATOR, Answer, Call, Route


class AgeOf(msgspec.Struct, forbid_unknown_fields=True):
    """Whose age it is about."""

    email: Email


class AgeSeen(msgspec.Struct, forbid_unknown_fields=True):
    """What an operator has seen. Of the birth date only the age band is kept."""

    born: date
    seen: Seen


class AgeKnown(msgspec.Struct):
    """What is known of an account's age; `checked_at`: of the last operator's check, which can be taken back."""

    account: str
    country: str
    region: str
    age_band: str
    age_method: str
    age_issuer: str
    checked_at: str | None
    seen: str | None


def routes(checks: Checks, now_ms: Callable[[], int]) -> list[Route]:
    """Every route about operators' checks."""

    def shown(known: Known) -> Answer:
        one, at = known.account, rfc3339(known.at_ms) if known.at_ms else None
        band, age = one.band(now_ms()), one.age
        return Answer(AgeKnown(one.id, one.country, one.region, band, age.method, age.issuer, at, known.seen or None))

    async def find(call: Call) -> Answer:
        return shown(await checks.find(call.account(), call.body.email))

    async def check(call: Call) -> Answer:
        body: AgeSeen = call.body
        return shown(await checks.check(call.account(), call.path["account"], body.born, body.seen))

    async def undo(call: Call) -> Answer:
        return shown(await checks.undo(call.account(), call.path["account"]))

    return [
        Route("POST", "/ops/ages", find, "What is known of somebody's age", OPERATOR, AgeOf, AgeKnown, atomic=True),
        Route(
            "PUT", "/ops/ages/{account}", check, "Note an age you have checked", OPERATOR, AgeSeen, AgeKnown,
            refuses=("step_up_required",),
        ),
        Route(
            "DELETE", "/ops/ages/{account}", undo, "Take the last check back", OPERATOR, answer=AgeKnown,
            refuses=("step_up_required", "conflict"),
        ),
    ]  # fmt: skip
