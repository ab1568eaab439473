"""Passkeys: sign in, or prove afresh who one is, with a key a device holds and unlocks for its owner (WebAuthn level 3).

User verification is required every time, so a passkey counts as two factors. What a browser answers is checked by the
`webauthn` library; the challenge (once), the site and the sign counter are ours to check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import webauthn
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from livesale.accounts import passkey_rows as rows
from livesale.accounts import store
from livesale.accounts.challenges import CHALLENGE_MS, Challenges, Purpose
from livesale.accounts.model import called, checked
from livesale.accounts.service import Accounts, SignedIn
from livesale.accounts.signins import audit, check_fresh
from livesale.accounts.sites import Site
from livesale.accounts.tokens import Claims
from livesale.kernel.actor import Actor
from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal, not_found
from livesale.kernel.sealing import seal, unseal
from livesale.store.database import reading

MOST_PASSKEYS = 20  # of an account
SELLER = "livesale"  # what a browser shows as the site's name

Credential = dict[str, Any]  # what the browser's PublicKeyCredential.toJSON() gives
Keep = Callable[[AsyncConnection, "Passkey"], Awaitable[None]]


class Passkey(msgspec.Struct, frozen=True):
    """A passkey as its owner sees it; `used_ms` 0: never yet."""

    id: str
    name: str
    created_ms: int
    used_ms: int


class Passkeys:
    """Adds, lists and removes them, and lets their owners in."""

    def __init__(
        self, engine: AsyncEngine, accounts: Accounts, challenges: Challenges, now_ms: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._challenges = challenges
        self._now_ms = now_ms

    async def of(self, account: str) -> list[Passkey]:
        """The account's passkeys, oldest first."""
        async with reading(self._engine) as db:
            owner = await store.find(db, account=account)
            found = await rows.of_account(db, account)
        return [_passkey(row, owner["key"] if owner else None) for row in found]

    async def options_to_add(self, actor: Actor, site: Site) -> Credential:
        """What the browser needs to make one; refused unless the actor has just proven who they are."""
        now_ms = self._now_ms()
        async with reading(self._engine) as db:
            await _check_may_add(db, actor, now_ms)
        account = await self._accounts.me(actor.account)
        options = webauthn.generate_registration_options(
            rp_id=site.rp_id,
            rp_name=SELLER,
            user_id=account.id.encode(),
            user_name=account.email,
            user_display_name=account.name,
            challenge=self._challenges.make("add", actor.sid, now_ms),
            timeout=CHALLENGE_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=await self._descriptors(actor.account),
        )
        return options_to_json_dict(options)

    async def add(
        self, actor: Actor, site: Site, name: str, credential: Credential, keep: Keep | None = None
    ) -> Passkey:
        """Keep the passkey a browser has made; `keep` is called in the transaction."""
        now_ms = self._now_ms()
        name = checked("name", called, name)
        async with reading(self._engine) as db:
            await _check_may_add(db, actor, now_ms)
        challenge, ends_ms = self._challenge(credential, "add", actor.sid)
        made = _verified(
            webauthn.verify_registration_response, credential=credential, expected_challenge=challenge,
            expected_rp_id=site.rp_id, expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
        passkey = Passkey(random_name(), name, now_ms, 0)
        try:
            async with self._engine.begin() as db:
                await self._spend(db, challenge, ends_ms)
                owner = await _check_may_add(db, actor, now_ms)
                if len(await rows.of_account(db, actor.account)) >= MOST_PASSKEYS:
                    raise Refusal("limit_reached", f"An account has at most {MOST_PASSKEYS} passkeys.")
                sealed = seal(owner["key"], name.encode(), f"passkey:{passkey.id}")
                await rows.add(
                    db, passkey.id, actor.account, made.credential_id, made.credential_public_key, made.sign_count,
                    sealed, now_ms,
                )  # fmt: skip
                await audit(db, now_ms, actor.account, "passkey.add", actor.account, {"passkey": passkey.id})
                if keep is not None:
                    await keep(db, passkey)
        except IntegrityError as error:
            raise Refusal("conflict", "This passkey is there already.") from error
        return passkey

    async def rename(self, actor: Actor, passkey: str, name: str) -> Passkey:
        """Call it something else."""
        name = checked("name", called, name)
        async with self._engine.begin() as db:
            row, owner = await self._own(db, actor.account, passkey)
            await rows.rename(db, passkey, seal(owner["key"], name.encode(), f"passkey:{passkey}"))
            await audit(db, self._now_ms(), actor.account, "passkey.rename", actor.account, {"passkey": passkey})
        return Passkey(passkey, name, row["created_ms"], row["used_ms"])

    async def remove(self, actor: Actor, passkey: str) -> None:
        """Forget one; needs a fresh proof; refused when there would be no way in any more."""
        now_ms = self._now_ms()
        check_fresh(actor, now_ms)
        async with self._engine.begin() as db:
            _, owner = await self._own(db, actor.account, passkey)
            if not owner["password_hash"] and len(await rows.of_account(db, actor.account)) == 1:
                raise Refusal("conflict", "This is the only way into your account. Add another passkey first.")
            await rows.remove(db, passkey)
            await audit(db, now_ms, actor.account, "passkey.remove", actor.account, {"passkey": passkey})

    async def options_to_prove(self, site: Site, actor: Actor | None) -> Credential:
        """What the browser needs to sign with one: any of the site's to sign in, one of the actor's to prove afresh."""
        purpose, bound = _asked(actor)
        options = webauthn.generate_authentication_options(
            rp_id=site.rp_id,
            challenge=self._challenges.make(purpose, bound, self._now_ms()),
            timeout=CHALLENGE_MS,
            allow_credentials=await self._descriptors(actor.account) if actor else None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    async def enter(self, site: Site, credential: Credential, device: str = "") -> SignedIn:
        """Sign a browser in."""
        account = await self._prove(site, credential, None)
        return await self._accounts.enter(account, device, "passkey")

    async def step_up(self, site: Site, credential: Credential, actor: Actor, claims: Claims) -> SignedIn:
        """The same sign-in, freshly proven."""
        await self._prove(site, credential, actor)
        return await self._accounts.refresh(claims, "passkey")

    async def _prove(self, site: Site, credential: Credential, actor: Actor | None) -> str:
        """Whose passkey signed this challenge; refused alike whatever was wrong."""
        purpose, bound = _asked(actor)
        challenge, ends_ms = self._challenge(credential, purpose, bound)
        async with reading(self._engine) as db:
            row = await rows.by_credential(db, _bytes_of(credential.get("rawId")))
        if row is None or (actor is not None and row["account"] != actor.account):
            raise _unproven()
        done = _verified(
            webauthn.verify_authentication_response, credential=credential, expected_challenge=challenge,
            expected_rp_id=site.rp_id, expected_origin=site.origin, credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"], require_user_verification=True,
        )  # fmt: skip
        async with self._engine.begin() as db:
            await self._spend(db, challenge, ends_ms)
            if not await rows.used(db, row["id"], row["sign_count"], done.new_sign_count, self._now_ms()):
                raise _unproven()  # its counter moved meanwhile: two answers of one key, or a copy of it
        return str(row["account"])

    def _challenge(self, credential: Credential, purpose: Purpose, bound: str) -> tuple[bytes, int]:
        """The challenge the answer says it signed, and when that ends."""
        try:
            raw = base64url_to_bytes(credential["response"]["clientDataJSON"])
            challenge = parse_client_data_json(raw).challenge
        except Exception as error:  # the library raises whatever its parsers trip over
            raise _unproven() from error
        return challenge, self._challenges.check(challenge, purpose, bound, self._now_ms())

    async def _spend(self, db: AsyncConnection, challenge: bytes, ends_ms: int) -> None:
        await rows.spend_once(db, hashlib.sha256(challenge).hexdigest(), ends_ms, self._now_ms())

    async def _descriptors(self, account: str) -> list[PublicKeyCredentialDescriptor]:
        async with reading(self._engine) as db:
            return [PublicKeyCredentialDescriptor(id=row["credential"]) for row in await rows.of_account(db, account)]

    async def _own(self, db: AsyncConnection, account: str, passkey: str) -> tuple[RowMapping, RowMapping]:
        """(the passkey's row, its owner's); to everybody else it does not exist."""
        owner = await store.find(db, account=account)
        row = next((one for one in await rows.of_account(db, account) if one["id"] == passkey), None)
        if row is None or owner is None or owner["key"] is None:
            raise not_found("passkey")
        return row, owner


async def _check_may_add(db: AsyncConnection, actor: Actor, now_ms: int) -> RowMapping:
    """The owner's row; refused without a fresh proof where there is a way to give one: else a mailed link is enough."""
    owner = await store.find(db, account=actor.account)
    if owner is None or owner["key"] is None:
        raise not_found("account")
    if owner["password_hash"] or actor.via != "session" or await rows.of_account(db, actor.account):
        check_fresh(actor, now_ms)
    return owner


def _asked(actor: Actor | None) -> tuple[Purpose, str]:
    return ("prove", actor.sid) if actor else ("enter", "")


def _verified(verify: Callable[..., Any], **said: Any) -> Any:
    try:
        return verify(**said)
    except Exception as error:  # its own exceptions, and whatever its CBOR and ASN.1 parsers trip over
        raise _unproven() from error


def _bytes_of(text: Any) -> bytes:
    try:
        return base64url_to_bytes(str(text))
    except ValueError as error:
        raise _unproven() from error


def _unproven() -> Refusal:
    return Refusal("unauthenticated", "This passkey does not open the account.")


def _passkey(row: RowMapping, key: bytes | None) -> Passkey:
    name = unseal(key, row["name"], f"passkey:{row['id']}").decode() if key else ""
    return Passkey(row["id"], name, row["created_ms"], row["used_ms"])
