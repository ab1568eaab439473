"""Idempotency of the sandbox: one key, one effect, one answer, however often and however late it is asked
again.

The answer is written in the same transaction as its effect, so no crash separates them. Refusals that come
from executing are kept too; those of a malformed request are not, as nothing was tried.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from livesale.kernel.refusals import Refusal, not_found
from livesale.payments.paysim.book import Book

_KEY = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}\Z")

Answer = tuple[int, bytes]  # status, JSON body
Act = Callable[[sqlite3.Connection], Any]


class Answers:
    """Runs acts under their keys; owns the set of keys that are running now."""

    def __init__(self, book: Book, now_ms: Callable[[], int]) -> None:
        self._book = book
        self._now_ms = now_ms
        self._running: set[tuple[str, str]] = set()

    async def once(self, key: str, operation: str, body: Any, act: Act) -> Answer:
        """The first answer to `operation` under `key`: of `act` now, or the one kept.

        Keys are scoped by operation. Refuses other content under the same key, and a call beside a running
        one.
        """
        if not _KEY.match(key):
            raise Refusal("invalid", "Idempotency-Key needs 1 to 255 printable ASCII characters.")
        place = operation, key
        if place in self._running:
            raise Refusal("in_progress", "A call with this Idempotency-Key is still running.")
        fingerprint = hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
        self._running.add(place)
        try:
            return await self._book.act(lambda connection: self._answer(connection, place, fingerprint, act))
        finally:
            self._running.discard(place)

    async def first(self, key: str, operation: str) -> Answer:
        """The answer kept for `operation` under `key`, whether or not it arrived; Refusal `not_found`."""
        query = "SELECT status, body FROM answers WHERE operation = ? AND key = ?"
        kept = await self._book.act(lambda connection: connection.execute(query, (operation, key)).fetchone())
        if kept is None:
            raise not_found("call under this key")
        return kept["status"], kept["body"]

    def _answer(
        self, connection: sqlite3.Connection, place: tuple[str, str], fingerprint: bytes, act: Act
    ) -> Answer:
        kept = connection.execute(
            "SELECT fingerprint, status, body FROM answers WHERE operation = ? AND key = ?", place
        ).fetchone()
        if kept is not None:
            if kept["fingerprint"] != fingerprint:
                raise Refusal("idempotency_key_reused", "This Idempotency-Key was used with another request.")
            return kept["status"], kept["body"]
        try:
            status, answer = 200, msgspec.json.encode(act(connection))
        except Refusal as refusal:
            # Acts refuse before they write, so there is no effect to undo beside the kept refusal.
            status, answer = refusal.status, problem(refusal)
        connection.execute(
            "INSERT INTO answers (operation, key, fingerprint, status, body, at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*place, fingerprint, status, answer, self._now_ms()),
        )
        return status, answer


def problem(refusal: Refusal) -> bytes:
    """The RFC 9457 body of a refusal; the narrower code (`over_refund`) wins over the general one
    (`conflict`).
    """
    code = next((error["code"] for error in refusal.errors if "code" in error), refusal.code)
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": refusal.status, "code": code}
    return msgspec.json.encode({**body, "detail": refusal.detail, "errors": refusal.errors})
