"""Erasure: an account's key is destroyed, and with it every name, address and label that was sealed with it, anywhere.

What stays is the account's id in records the law makes us keep, and nobody's any more: no address finds it, nobody can
sign in to it, its age and country are forgotten. Doing it twice is harmless.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import checks, codes, links, passkey_rows, pushes, store
from livesale.accounts.revocations import Revocations
from livesale.accounts.signins import LONGEST_DAYS, audit
from livesale.kernel.clock import DAY_MS
from livesale.store import answers
from livesale.store.database import scrub

_FORGOTTEN = {
    "email_sealed": b"", "name": b"", "country": "", "region": "", "roles": "", "password_hash": "",
    "band": "under7", "band_ends_month": "", "age_method": "unknown", "age_issuer": "",
}  # fmt: skip
_OWNED = (
    store.sealing_keys, store.sessions, links.sign_in_links, codes.step_up_codes, passkey_rows.passkeys,
    pushes.push_subscriptions, checks.age_checks,
)  # fmt: skip


class Erasing:
    """Destroys accounts' keys. `revocations` is this process's copy of what has ended."""

    def __init__(self, engine: AsyncEngine, revocations: Revocations, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._revocations = revocations
        self._now_ms = now_ms

    async def erase(self, account: str) -> None:
        """Everything of the account that is only its own, in one transaction; sign-ins and tokens end with it."""
        now_ms = self._now_ms()
        until_ms = now_ms + LONGEST_DAYS * DAY_MS
        async with self._engine.begin() as db:
            await store.revoke(db, "", account, now_ms, until_ms)
            for table in _OWNED:
                await db.execute(delete(table).where(table.c.account == account))
            await answers.forget_of(db, account)
            values = {**_FORGOTTEN, "email_hash": f"erased:{account}"}
            await db.execute(update(store.accounts).where(store.accounts.c.id == account).values(**values))
            await audit(db, now_ms, account, "account.erase", account, {})
        self._revocations.add("", account, now_ms, until_ms)
        await scrub(self._engine)
