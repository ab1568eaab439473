"""Ages over HTTP: say it once, or prove it by an issuer's credential."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from livesale.accounts.ages import Ages
from livesale.accounts.credentials import LONGEST
from livesale.accounts.routes import Door, Me
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class Born(msgspec.Struct, forbid_unknown_fields=True):
    """A date of birth, of which only a band is kept."""

    born: date


class AgeCredential(msgspec.Struct, forbid_unknown_fields=True):
    """A JWT of an issuer, or an SD-JWT with its disclosures and key binding."""

    credential: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * LONGEST)]


class AgeAsked(msgspec.Struct):
    """What the credential has to say: `claim` true, for `audience`, with this `nonce` (good once, for 5 minutes)."""

    claim: str
    audience: str
    nonce: str


def routes(ages: Ages, door: Door) -> list[Route]:
    """Every route about ages."""
    handlers = _Handlers(ages, door)
    return [
        Route("POST", "/me/age", handlers.declare, "Say when you were born, once", ACCOUNT, Born, Me, refuses=("conflict",)),
        Route(
            "POST", "/me/age-proof/options", handlers.ask, "Begin to prove that you are of age", ACCOUNT, answer=AgeAsked,
            refuses=("conflict",), atomic=True,
        ),
        Route(
            "POST", "/me/age-proof", handlers.prove, "Prove that you are of age", ACCOUNT, AgeCredential, Me,
            refuses=("expired", "conflict"),
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, ages: Ages, door: Door) -> None:
        self._ages = ages
        self._door = door

    async def declare(self, call: Call) -> Answer:
        return Answer(self._door.view(await self._ages.declare(call.account(), call.body.born)))

    async def ask(self, call: Call) -> Answer:
        asked = await self._ages.ask(call.account())
        return Answer(AgeAsked(asked.claim, asked.audience, asked.nonce))

    async def prove(self, call: Call) -> Answer:
        return Answer(self._door.view(await self._ages.prove(call.account(), call.body.credential)))
