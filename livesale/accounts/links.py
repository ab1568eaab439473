"""Sign-in links: one use, fifteen minutes, to the account's own mail address. Only a hash of a link is kept.

The link's secret stands behind a `#`, so no server, proxy or scanner is ever sent it, and opening the page signs nobody
in: that takes a press, which is a POST. A link proves a mail box, not a person: it is no fresh proof (step-up).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts.attempts import Attempts
from livesale.accounts.model import Account, checked, folded
from livesale.accounts.service import Accounts, SignedIn
from livesale.accounts.signins import audit
from livesale.kernel.clock import MINUTE_MS
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata

LINK_MS = 15 * MINUTE_MS

# (whose, the link): mails it; raises when it cannot
Send = Callable[[Account, str], Awaitable[None]]

log = logging.getLogger(__name__)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the secret
    Column("account", String(40), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("until_ms", BigInteger, nullable=False, index=True),
)


class Links:
    """Sends them and lets in who brings one. `send` None: this machine sends no mails."""

    def __init__(
        self, engine: AsyncEngine, accounts: Accounts, origin: str, now_ms: Callable[[], int], send: Send | None
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._origin = origin
        self._now_ms = now_ms
        self._send = send
        self._attempts = Attempts()
        self._sending: set[asyncio.Task[None]] = set()

    def ask(self, email: str, address: str | None = None) -> None:
        """Mail a link to whoever has that address; says nothing, and takes as long, when nobody has.

        Refused after ten in a quarter of an hour, by mail address and by the caller's (None: nothing limits it).
        """
        if self._send is None:
            raise Refusal("conflict", "This machine sends no mails. Sign in with your password or a passkey.")
        email = checked("email", folded, email)
        now_ms = self._now_ms()
        keys = [f"account {email}", *([f"address {address}"] if address is not None else [])]
        for key in keys:
            self._attempts.check(key, now_ms)
        for key in keys:
            self._attempts.failed(key, now_ms)
        task = asyncio.create_task(self._make(email, self._send))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def enter(self, secret: str, device: str = "") -> SignedIn:
        """Sign in with the link's secret; refused (`expired`) the second time, or too late."""
        now_ms = self._now_ms()
        async with self._engine.begin() as db:
            account = await _take(db, _hash(secret), now_ms)
        if account is None:
            raise Refusal("expired", "This link has been used or is too old. Ask for a new one.")
        return await self._accounts.enter(account, device, "link", fresh=False)

    async def sent(self) -> None:
        """Wait for the mails that are on their way."""
        await asyncio.gather(*self._sending)

    async def _make(self, email: str, send: Send) -> None:
        try:
            try:
                account = await self._accounts.by_email(email)
            except Refusal:  # nobody's
                return
            secret, now_ms = secrets.token_urlsafe(24), self._now_ms()
            async with self._engine.begin() as db:
                await db.execute(delete(sign_in_links).where(sign_in_links.c.until_ms <= now_ms))
                values = {"hash": _hash(secret), "account": account.id, "until_ms": now_ms + LINK_MS}
                await db.execute(insert(sign_in_links).values(**values))
                await audit(db, now_ms, account.id, "session.link", account.id, {})
            await send(account, f"{self._origin}/login#link={secret}")
        except Exception as error:  # nobody waits for this: who gets no mail asks again
            log.warning("no sign-in link was sent: %s", type(error).__name__)


async def _take(db: AsyncConnection, hashed: str, now_ms: int) -> str | None:
    """Whose link this is, which is none from now on: of two at once, one gets it."""
    good = (sign_in_links.c.hash == hashed) & (sign_in_links.c.until_ms > now_ms)
    return (await db.execute(delete(sign_in_links).where(good).returning(sign_in_links.c.account))).scalar()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
