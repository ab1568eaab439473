"""Sign-ins: the browsers and programs that act for an account; its owner sees them and can end each.

A token's answer is not kept under its Idempotency-Key, for it holds the secret: its `sid` follows from the call, so a
repetition signs the same claims again and gives the same token.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts import store
from livesale.accounts.model import called, checked
from livesale.accounts.permissions import checked_scopes
from livesale.accounts.revocations import Revocations
from livesale.accounts.tokens import Claims, Kind, Tokens
from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS, MINUTE_MS
from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal, not_found
from livesale.kernel.sealing import seal, unseal
from livesale.store.database import reading
from livesale.store.decision import KeyReused

FRESH_MS = 10 * MINUTE_MS
MOST_TOKENS = 50  # of an account
LONGEST_DAYS = 3650


class SignIn(msgspec.Struct, frozen=True):
    """One sign-in: a browser's (`device`), or a token its owner named and gave `scopes` (none: the operator made it)."""

    sid: str
    kind: Kind
    device: str
    name: str
    scopes: tuple[str, ...]
    created_ms: int
    expires_ms: int


class SignIns:
    """Lists, ends and makes them. `revocations` is this process's copy of what has ended."""

    def __init__(
        self, engine: AsyncEngine, tokens: Tokens, revocations: Revocations, now_ms: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._tokens = tokens
        self._revocations = revocations
        self._now_ms = now_ms

    async def of(self, account: str) -> list[SignIn]:
        """The sign-ins of an account that have neither ended nor expired, newest first."""
        async with reading(self._engine) as db:
            owner = await store.find(db, account=account)
            rows = await store.sessions_of(db, account, self._now_ms())
        return [_sign_in(row, owner["key"] if owner else None) for row in rows]

    async def end(self, account: str, sid: str) -> None:
        """End one; here at once, in other processes within 2 s; refused (`not_found`) when it is not the account's."""
        now_ms = self._now_ms()
        async with self._engine.begin() as db:
            known = {row["sid"]: row for row in await store.sessions_of(db, account, now_ms)}
            if sid not in known:
                raise not_found("sign-in")
            until_ms = known[sid]["expires_ms"]
            await store.revoke(db, sid, account, now_ms, until_ms)
            await audit(db, now_ms, account, f"{known[sid]['kind']}.end", account, {"sid": sid})
        self._revocations.add(sid, account, now_ms, until_ms)

    async def end_all(self, account: str, actor: str) -> None:
        """End every sign-in and token of the account."""
        now_ms = self._now_ms()
        until_ms = now_ms + LONGEST_DAYS * DAY_MS
        async with self._engine.begin() as db:
            await store.revoke(db, "", account, now_ms, until_ms)
            await audit(db, now_ms, actor, "account.sign_out_everywhere", account, {})
        self._revocations.add("", account, now_ms, until_ms)

    async def make_token(
        self, actor: Actor, name: str, wanted: list[str], days: int, act: str = ""
    ) -> tuple[SignIn, str]:
        """A token of the actor's account and its secret; without scopes wanted it may read only.

        Refused unless the actor has just proven who they are. The same `act` gives the same token.
        """
        now_ms = self._now_ms()
        check_fresh(actor, now_ms)
        name = checked("name", called, name)
        scopes, sid = checked_scopes(actor.roles, wanted), act or random_name()
        try:
            async with self._engine.begin() as db:
                made = await self._known_or_new(db, actor, sid, name, scopes, days, now_ms)
        except IntegrityError as error:
            raise Refusal("conflict", "This call is being carried out already.") from error
        roles = tuple(sorted(actor.roles))
        claims = Claims(
            "token", actor.account, roles, actor.country, made.created_ms, made.expires_ms, sid, scopes=scopes
        )
        return made, self._tokens.sign(claims)

    async def _known_or_new(
        self, db: AsyncConnection, actor: Actor, sid: str, name: str, scopes: tuple[str, ...], days: int, now_ms: int
    ) -> SignIn:
        owner = await store.find(db, account=actor.account)
        if owner is None or owner["key"] is None:
            raise not_found("account")
        if await store.was_revoked(db, sid):
            raise Refusal("gone", "This token has been ended.")
        rows = await store.sessions_of(db, actor.account, now_ms)
        for row in rows:
            if row["sid"] == sid:
                known = _sign_in(row, owner["key"])
                asked = (name, scopes, days * DAY_MS)
                if (known.name, known.scopes, known.expires_ms - known.created_ms) != asked:
                    raise KeyReused
                return known
        if sum(row["kind"] == "token" for row in rows) >= MOST_TOKENS:
            raise Refusal("limit_reached", f"An account has at most {MOST_TOKENS} tokens. End one first.")
        expires_ms = now_ms + days * DAY_MS
        sealed = seal(owner["key"], name.encode(), f"token:{sid}")
        await store.add_session(
            db, sid, actor.account, "token", now_ms, expires_ms, name=sealed, scopes=" ".join(scopes)
        )
        said = {"sid": sid, "scopes": list(scopes), "expires": expires_ms}
        await audit(db, now_ms, actor.account, "token.make", actor.account, said)
        return SignIn(sid, "token", "", name, scopes, now_ms, expires_ms)


def check_fresh(actor: Actor, now_ms: int) -> None:
    """Refused (`step_up_required`) unless the caller has proven who they are within the last ten minutes."""
    if now_ms - actor.stepped_up_ms > FRESH_MS:
        raise Refusal("step_up_required", "Please show again that it is you.")


async def audit(
    db: AsyncConnection, at_ms: int, actor: str, action: str, account: str, data: dict[str, Any]
) -> None:
    """Write down who did what to which account, in the transaction of the act."""
    await store.write_audit(db, at_ms, actor, action, account, json.dumps(data, sort_keys=True))


def _sign_in(row: RowMapping, key: bytes | None) -> SignIn:
    name = unseal(key, row["name"], f"token:{row['sid']}").decode() if key and row["name"] else ""
    scopes = tuple(row["scopes"].split())
    return SignIn(row["sid"], row["kind"], row["device"], name, scopes, row["created_ms"], row["expires_ms"])
