"""Revocations: which tokens are void although they are signed and have not expired; known here within 2 s."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store
from livesale.accounts.tokens import Claims
from livesale.kernel.clock import MINUTE_MS
from livesale.store.database import reading

POLL_S = 1.0
# Looked at again each time: a transaction may become visible later than its time says, and clocks differ.
OVERLAP_MS = 1 * MINUTE_MS

log = logging.getLogger(__name__)


class Revocations:
    """This process's copy of the revocations in SQL."""

    def __init__(self, engine: AsyncEngine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._polled_ms = 0
        self._sids: dict[str, int] = {}  # → until
        self._accounts: dict[str, tuple[int, int]] = {}  # → issued up to, until

    def covers(self, claims: Claims) -> bool:
        """Whether these claims have been revoked."""
        if claims.sid in self._sids:
            return True
        issued_up_to, _ = self._accounts.get(claims.account, (-1, 0))
        return claims.issued <= issued_up_to

    def add(self, sid: str, account: str, at_ms: int, until_ms: int) -> None:
        """Know of one at once, in the process that made it."""
        if sid:
            self._sids[sid] = until_ms
        else:
            known_at, known_until = self._accounts.get(account, (-1, 0))
            self._accounts[account] = (max(at_ms, known_at), max(until_ms, known_until))

    async def poll(self) -> None:
        """Learn what was revoked since the last time, forget what no longer matters."""
        now_ms = self._now_ms()
        async with reading(self._engine) as db:
            for row in await store.revoked_since(db, self._polled_ms - OVERLAP_MS, now_ms):
                self.add(row["sid"], row["account"], row["at_ms"], row["until_ms"])
        self._polled_ms = now_ms
        self._sids = {sid: until for sid, until in self._sids.items() if until > now_ms}
        self._accounts = {name: known for name, known in self._accounts.items() if known[1] > now_ms}

    async def run(self) -> None:
        """Poll until cancelled; while the database does not answer, the copy stands."""
        while True:
            try:
                await self.poll()
            except (SQLAlchemyError, OSError) as error:
                log.warning("revocations not read: %s", error)
            await asyncio.sleep(POLL_S)
