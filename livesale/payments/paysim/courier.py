"""Delivery of webhooks: a persisted queue, tried until the receiver says 2xx, in order per payment.

An event is queued in the transaction that caused it. After a crash it may be delivered again, never
forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable

import aiohttp
import msgspec

from livesale.kernel.ids import random_name
from livesale.payments.paysim.book import Book
from livesale.payments.paysim.faults import Faults
from livesale.payments.provider import Attempt
from livesale.payments.webhooks import SIGNATURE_HEADER, WebhookEvent, sign

PARALLEL = 16
ANSWER_TIMEOUT_S = 10
FIRST_RETRY_MS = 500
LONGEST_RETRY_MS = 3_600_000
MOST_ATTEMPTS = 80  # about three days at one an hour

log = logging.getLogger(__name__)

Due = tuple[int, bytes, int]  # seq, body, attempts so far


class Courier:
    """Queues events (`tell`, inside an act) and delivers them (`run`, until cancelled) to `url`."""

    def __init__(
        self, book: Book, url: str | None, secret: str, faults: Faults, now_ms: Callable[[], int]
    ) -> None:
        self._book = book
        self._url = url
        self._secret = secret
        self._faults = faults
        self._now_ms = now_ms
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = (
            None  # learned in `run`; make_app needs no running loop
        )

    def tell(self, connection: sqlite3.Connection, event: str, payment: Attempt) -> None:
        """Queue `event` about `payment`; called on the book's thread, inside the causing transaction."""
        if self._url is None:
            return
        now_ms = self._now_ms()
        body = msgspec.json.encode(WebhookEvent(f"evt_{random_name(20)}", event, now_ms, payment))
        copies, late_ms = self._faults.of_webhook()
        connection.executemany(
            "INSERT INTO deliveries (intent, event, body, loose, due_ms) VALUES (?, ?, ?, ?, ?)",
            [(payment.provider_id, event, body, int(late_ms > 0), now_ms + late_ms)] * copies,
        )
        # The flag may be seen before the commit; `run` then asks the book, whose queue stands behind this
        # act.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """Deliver whatever is due, for ever."""
        self._loop = asyncio.get_running_loop()
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    await self._round(session)
                except sqlite3.Error:  # a full disk, a locked file: the queue is kept, so try again
                    log.exception("the webhook queue could not be read")
                    await asyncio.sleep(1)

    async def _round(self, session: aiohttp.ClientSession) -> None:
        self._news.clear()
        due = await self._book.act(self._due)
        if due:
            await asyncio.gather(*(self._deliver(session, *one) for one in due))
        else:
            await self._wait(await self._book.act(_next_due_ms))

    async def _wait(self, next_due_ms: int | None) -> None:
        pause_s = None if next_due_ms is None else max(0, next_due_ms - self._now_ms()) / 1000 + 0.001
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):  # Python 3.11's wait_for swallows a cancel that comes with the news
                await self._news.wait()

    def _due(self, connection: sqlite3.Connection) -> list[Due]:
        # An event waits for the earlier ones of its payment, unless those are held back on purpose (loose).
        rows = connection.execute(
            "SELECT seq, body, attempts FROM deliveries d WHERE ended IS NULL AND due_ms <= ? AND NOT EXISTS"
            " (SELECT 1 FROM deliveries e WHERE e.intent = d.intent AND e.seq < d.seq AND e.ended IS NULL"
            "  AND e.loose = 0) ORDER BY due_ms, seq LIMIT ?",
            (self._now_ms(), PARALLEL),
        )
        return [(row["seq"], row["body"], row["attempts"]) for row in rows]

    async def _deliver(self, session: aiohttp.ClientSession, seq: int, body: bytes, attempts: int) -> None:
        delivered = await self._post(session, body)
        ended = "delivered" if delivered else "given_up" if attempts + 1 >= MOST_ATTEMPTS else None
        pause_ms = min(FIRST_RETRY_MS << min(attempts, 20), LONGEST_RETRY_MS)
        row = (attempts + 1, self._now_ms() + pause_ms, ended, seq)
        await self._book.act(
            lambda connection: connection.execute(
                "UPDATE deliveries SET attempts = ?, due_ms = ?, ended = ? WHERE seq = ?", row
            )
        )

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        assert self._url is not None
        headers = {
            SIGNATURE_HEADER: sign(self._secret, body, self._now_ms() // 1000),
            "Content-Type": "application/json",
        }
        try:
            async with session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("webhook not delivered: %r", error)
            return False


def _next_due_ms(connection: sqlite3.Connection) -> int | None:
    """When the next delivery that waits for nothing but time is due."""
    row = connection.execute(
        "SELECT MIN(due_ms) FROM deliveries d WHERE ended IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries e"
        " WHERE e.intent = d.intent AND e.seq < d.seq AND e.ended IS NULL AND e.loose = 0)"
    ).fetchone()
    return None if row[0] is None else int(row[0])
