"""Codes: the second half of a fresh proof beside the password, six digits mailed to the account's own address.

A password alone may be saved on a shared device, and a mail box open on another; both at once are taken for the person.
Law: a code is good once, for ten minutes, for the sign-in that asked. Wrong answers and codes sent are counted in SQL, a
guess before it is looked at, so neither a restart nor a race gives another try.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts.model import Account
from livesale.accounts.service import Accounts, SignedIn
from livesale.accounts.signins import audit
from livesale.accounts.tokens import Claims
from livesale.kernel.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata

CODE_MS = 10 * MINUTE_MS
WINDOW_MS = HOUR_MS
MOST_SENT, MOST_TRIED = 5, 10  # within a window, of an account

SendCode = Callable[[Account, str], Awaitable[None]]  # (whose, the code): mails it; raises when it cannot

log = logging.getLogger(__name__)

step_up_codes = Table(
    "step_up_codes",
    metadata,
    Column("account", String(40), ForeignKey("accounts.id"), primary_key=True),
    Column("sid", String(40), nullable=False),  # the sign-in that asked
    Column("hash", String(64), nullable=False),  # keyed; empty: none is open
    Column("until_ms", BigInteger, nullable=False),
    Column("window_ms", BigInteger, nullable=False),  # when the counting began
    Column("sent", Integer, nullable=False),
    Column("tried", Integer, nullable=False),
)


class Codes:
    """Sends and takes them. `send` None: this machine sends no mails, and the password is all there is."""

    def __init__(
        self, engine: AsyncEngine, accounts: Accounts, key: bytes, now_ms: Callable[[], int], send: SendCode | None
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._key = key
        self._now_ms = now_ms
        self._send = send

    async def ask(self, claims: Claims, password: str, address: str | None = None) -> None:
        """Mail a code to whoever has this sign-in and knows the password; the one before is void."""
        if self._send is None:
            raise Refusal("conflict", "This machine sends no mails: your password is enough.")
        account = await self._accounts.check_password(claims, password, address)
        code, now_ms = f"{secrets.randbelow(10**6):06d}", self._now_ms()
        async with self._engine.begin() as db:
            await self._count(db, account.id, now_ms, "sent", MOST_SENT)
            values = {"sid": claims.sid, "hash": self._hash(claims.sid, code), "until_ms": now_ms + CODE_MS}
            await db.execute(update(step_up_codes).where(step_up_codes.c.account == account.id).values(**values))
            await audit(db, now_ms, account.id, "session.code", account.id, {"sid": claims.sid})
        try:
            await self._send(account, code)
        except Exception as error:  # a mail server's words may name the address
            log.warning("no code was sent: %s", type(error).__name__)
            raise Refusal("store_unavailable", "The mail could not be sent. Please try again.", retry_after_s=5) from error

    async def step_up(self, claims: Claims, password: str, code: str, address: str | None = None) -> SignedIn:
        """The same sign-in, freshly proven by password and code (where mails are sent)."""
        account = await self._accounts.check_password(claims, password, address)
        if self._send is None:
            return await self._accounts.refresh(claims, "password")
        now_ms = self._now_ms()
        async with self._engine.begin() as db:
            await self._count(db, account.id, now_ms, "tried", MOST_TRIED)
        async with self._engine.begin() as db:
            good = (
                (step_up_codes.c.account == account.id) & (step_up_codes.c.sid == claims.sid)
                & (step_up_codes.c.until_ms > now_ms) & (step_up_codes.c.hash == self._hash(claims.sid, code))
            )  # fmt: skip
            taken = await db.execute(update(step_up_codes).where(good).values(hash="", tried=0))
        if taken.rowcount != 1:
            raise Refusal("unauthenticated", "This code is wrong, too old, or used already.")
        return await self._accounts.refresh(claims, "password and code")

    async def _count(self, db: AsyncConnection, account: str, now_ms: int, what: str, most: int) -> None:
        """One more within the window; refused (`rate_limited`) when there were too many."""
        of_account = step_up_codes.c.account == account
        await db.execute(delete(step_up_codes).where(of_account & (step_up_codes.c.window_ms <= now_ms - WINDOW_MS)))
        try:
            async with db.begin_nested():
                fresh = {"sid": "", "hash": "", "until_ms": 0, "window_ms": now_ms, "sent": 0, "tried": 0}
                await db.execute(insert(step_up_codes).values(account=account, **fresh))
        except IntegrityError:
            pass  # its window is still open
        column = step_up_codes.c[what]
        done = await db.execute(update(step_up_codes).where(of_account & (column < most)).values({what: column + 1}))
        if done.rowcount != 1:
            began = (await db.execute(select(step_up_codes.c.window_ms).where(of_account))).scalar_one()
            wait_s = -((now_ms - began - WINDOW_MS) // SECOND_MS)
            raise Refusal("rate_limited", "Too many codes. Please try again later.", retry_after_s=wait_s)

    def _hash(self, sid: str, code: str) -> str:
        return hmac.digest(self._key, f"step-up {sid} {code}".encode(), hashlib.sha256).hex()
