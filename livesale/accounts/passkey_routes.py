"""Passkeys over HTTP. A `credential` is what the browser's `PublicKeyCredential.toJSON()` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.accounts.model import LONGEST_NAME
from livesale.accounts.passkeys import Passkey, Passkeys
from livesale.accounts.routes import Door, Me
from livesale.accounts.sites import Site, site_of
from livesale.kernel.clock import rfc3339
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]


class NewPasskey(msgspec.Struct, forbid_unknown_fields=True):
    """What the browser made, and what its owner calls it."""

    name: Name
    credential: dict[str, Any]


class PasskeyName(msgspec.Struct, forbid_unknown_fields=True):
    """Another name."""

    name: Name


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """What the browser signed."""

    credential: dict[str, Any]


class PasskeyOptions(msgspec.Struct):
    """For `navigator.credentials`: `publicKey` as `parse…OptionsFromJSON` reads it; its challenge is good once, for 5 min."""

    public_key: dict[str, Any] = msgspec.field(name="publicKey")


class PasskeyView(msgspec.Struct):
    """One of your passkeys; `used_at` null: never yet."""

    id: str
    name: str
    created_at: str
    used_at: str | None


class PasskeyPage(msgspec.Struct):
    """Your passkeys, oldest first."""

    items: list[PasskeyView]
    next: str | None = None


def routes(passkeys: Passkeys, door: Door, public_urls: Sequence[str]) -> list[Route]:
    """Every route about passkeys; `door` gives the answer of a sign-in."""
    handlers = _Handlers(passkeys, door, public_urls)
    proven = ("expired", "unauthenticated", "conflict")
    return [
        Route("GET", "/passkeys", handlers.list, "Your passkeys", ACCOUNT, answer=PasskeyPage),
        Route(
            "POST", "/passkeys/options", handlers.options_to_add, "Begin to add a passkey", ACCOUNT,
            answer=PasskeyOptions, refuses=("step_up_required", "conflict"), atomic=True,
        ),
        Route(
            "POST", "/passkeys", handlers.add, "Add a passkey", ACCOUNT, NewPasskey, PasskeyView, 201,
            ("step_up_required", "limit_reached", *proven), sql=True,
        ),
        Route("PATCH", "/passkeys/{id}", handlers.rename, "Rename a passkey", ACCOUNT, PasskeyName, PasskeyView),
        Route(
            "DELETE", "/passkeys/{id}", handlers.remove, "Remove a passkey", ACCOUNT, answer=PasskeyPage,
            refuses=("step_up_required", "conflict"),
        ),
        Route(
            "POST", "/session/passkey/options", handlers.options_to_enter, "Begin to sign in with a passkey",
            answer=PasskeyOptions, refuses=("conflict",), atomic=True,
        ),
        Route(
            "POST", "/session/passkey", handlers.enter, "Sign in with a passkey (sets cookies)", body=Proof, answer=Me,
            refuses=proven,
        ),
        Route(
            "POST", "/session/step-up/options", handlers.options_to_prove, "Begin to show again that it is you", ACCOUNT,
            answer=PasskeyOptions, refuses=("conflict",), atomic=True,
        ),
        Route(
            "POST", "/session/step-up/passkey", handlers.step_up, "Show with a passkey that it is you", ACCOUNT, Proof, Me,
            refuses=proven,
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, passkeys: Passkeys, door: Door, public_urls: Sequence[str]) -> None:
        self._passkeys = passkeys
        self._door = door
        self._public_urls = public_urls

    async def list(self, call: Call) -> Answer:
        return Answer(await self._page(call))

    async def options_to_add(self, call: Call) -> Answer:
        return Answer(PasskeyOptions(await self._passkeys.options_to_add(call.account(), self._site(call))))

    async def add(self, call: Call) -> Answer:
        body: NewPasskey = call.body

        async def keep(db: AsyncConnection, passkey: Passkey) -> None:
            await call.keep(db, Answer(_view(passkey), 201))

        made = await self._passkeys.add(call.account(), self._site(call), body.name, body.credential, keep)
        return Answer(_view(made), 201)

    async def rename(self, call: Call) -> Answer:
        return Answer(_view(await self._passkeys.rename(call.account(), call.path["id"], call.body.name)))

    async def remove(self, call: Call) -> Answer:
        await self._passkeys.remove(call.account(), call.path["id"])
        return Answer(await self._page(call))

    async def options_to_enter(self, call: Call) -> Answer:
        return Answer(PasskeyOptions(await self._passkeys.options_to_prove(self._site(call), None)))

    async def enter(self, call: Call) -> Answer:
        signed = await self._passkeys.enter(self._site(call), call.body.credential, self._door.device(call))
        return await self._door.entered(signed, call)

    async def options_to_prove(self, call: Call) -> Answer:
        return Answer(PasskeyOptions(await self._passkeys.options_to_prove(self._site(call), call.account())))

    async def step_up(self, call: Call) -> Answer:
        claims = self._door.claims(call)
        signed = await self._passkeys.step_up(self._site(call), call.body.credential, call.account(), claims)
        return await self._door.entered(signed, call)

    async def _page(self, call: Call) -> PasskeyPage:
        return PasskeyPage([_view(one) for one in await self._passkeys.of(call.account().account)])

    def _site(self, call: Call) -> Site:
        return site_of(call.host, call.secure, self._public_urls)


def _view(one: Passkey) -> PasskeyView:
    used_at = rfc3339(one.used_ms) if one.used_ms else None
    return PasskeyView(one.id, one.name, rfc3339(one.created_ms), used_at)
