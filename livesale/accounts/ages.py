"""Ages: how an account's age becomes known by its owner: a word, or an issuer's proof. An operator's check is in checks.py.

Law: an age only ever becomes better known. A word counts once, where nothing is known; a proof does not undo a check, and
nobody whose guardian is known grows up by a credential that may be the guardian's: an operator has to look. Of a birth
date or a credential only band, month, method and issuer stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts import passkey_rows, store
from livesale.accounts.challenges import Challenges
from livesale.accounts.credentials import Asked, Issuers, issuer_of, nonce_in, unreadable
from livesale.accounts.model import Account, Age, age_told
from livesale.accounts.service import Accounts
from livesale.accounts.signins import audit
from livesale.kernel.actor import Actor
from livesale.kernel.clock import SECOND_MS
from livesale.kernel.refusals import Refusal


class Ages:
    """Takes them in. `issuers`: whose credentials count; `audience`: what those have to be made for; `has_guardian`: of an
    account.
    """

    def __init__(
        self, engine: AsyncEngine, accounts: Accounts, challenges: Challenges, issuers: Issuers, audience: str,
        now_ms: Callable[[], int], has_guardian: Callable[[str], Awaitable[bool]],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._accounts = accounts
        self._challenges = challenges
        self._issuers = issuers
        self._audience = audience
        self._now_ms = now_ms
        self._has_guardian = has_guardian

    async def declare(self, actor: Actor, born: date) -> Account:
        """The owner's own word; refused (`conflict`) once anything is known: nobody grows up by saying so again."""
        account = await self._accounts.me(actor.account)
        age = age_told(born, self._now_ms(), account.place, "declared")
        async with self._engine.begin() as db:
            if not await store.set_age(db, account.id, age, known_before=("unknown",)):
                raise Refusal("conflict", "Your age is known already. If it is wrong, please ask the operator of this shop.")
            await self._audited(db, account.id, account.id, age)
        return await self._accounts.me(account.id)

    async def ask(self, actor: Actor) -> Asked:
        """What a credential has to say, to whom, with which nonce; good once, for five minutes."""
        if not self._issuers:
            raise Refusal("conflict", "This shop takes no proofs of age. Please ask its operator.")
        account, now_ms = await self._accounts.me(actor.account), self._now_ms()
        nonce = self._challenges.make("age", actor.account, now_ms).hex()
        return Asked(f"age_over_{account.place.majority}", self._audience, nonce, now_ms // SECOND_MS)

    async def prove(self, actor: Actor, credential: str) -> Account:
        """An issuer's word that the owner is of age where they live; refused (`forbidden`) when it proves nothing."""
        account, now_ms = await self._accounts.me(actor.account), self._now_ms()
        nonce = nonce_in(credential)
        if not nonce:
            raise unreadable()
        ends_ms = self._challenges.check(_unhex(nonce), "age", actor.account, now_ms)
        asked = Asked(f"age_over_{account.place.majority}", self._audience, nonce, now_ms // SECOND_MS)
        age = Age("adult", "", "verified", issuer_of(credential, asked, self._issuers)[:100])
        if await self._has_guardian(account.id):
            raise Refusal("forbidden", "You have a guardian here. If you are of age, please ask the operator of this shop.")
        async with self._engine.begin() as db:
            await passkey_rows.spend_once(db, hashlib.sha256(nonce.encode()).hexdigest(), ends_ms, now_ms)
            if not await store.set_age(db, account.id, age, known_before=("unknown", "declared")):
                raise Refusal("conflict", "Your age has been checked already. If it is wrong, please ask the operator.")
            await self._audited(db, account.id, account.id, age)
        return await self._accounts.me(account.id)

    async def _audited(self, db: AsyncConnection, actor: str, account: str, age: Age) -> None:
        """Who said it and how, never what: an age is nobody's business in the audit."""
        said = {"method": age.method, "issuer": age.issuer}
        await audit(db, self._now_ms(), actor, "account.age", account, said)


def _unhex(nonce: str) -> bytes:
    try:
        return bytes.fromhex(nonce)
    except ValueError:
        return b""
