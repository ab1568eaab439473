"""The sandbox's SQLite file: one thread owns it, and acts that wait together share one transaction's fsync.

Each act is a plain function of the connection, run inside a savepoint: it takes effect whole or not at all,
and its caller hears nothing before the commit is on disk.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ACTS_PER_COMMIT = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
  id TEXT PRIMARY KEY, reference TEXT NOT NULL, method TEXT NOT NULL, currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0), state TEXT NOT NULL, decline_code TEXT,
  captured INTEGER NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
  refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  disputed INTEGER NOT NULL DEFAULT 0 CHECK (disputed >= 0),
  return_url TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, created_ms INTEGER NOT NULL,
  CHECK (refunded + disputed <= captured));
CREATE INDEX IF NOT EXISTS intents_by_reference ON intents (reference);
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, intent TEXT NOT NULL REFERENCES intents (id), act TEXT NOT NULL,
  at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS postings (
  entry INTEGER NOT NULL REFERENCES entries (seq), account TEXT NOT NULL, currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount <> 0));
CREATE INDEX IF NOT EXISTS postings_by_entry ON postings (entry);
CREATE TABLE IF NOT EXISTS answers (
  operation TEXT NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL, status INTEGER NOT NULL,
  body BLOB NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (operation, key));
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, intent TEXT NOT NULL, event TEXT NOT NULL, body BLOB NOT NULL,
  loose INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL,
  ended TEXT CHECK (ended IN ('delivered', 'given_up')));
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (due_ms) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS deliveries_of_intent ON deliveries (intent, seq) WHERE ended IS NULL;
"""


class Book:
    """Owner of the file. `await act(function)` runs `function(connection)` durably; `close()` waits for the
    last.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = _open(path)
        self._waiting: queue.SimpleQueue[tuple[Callable[..., Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="paysim-book", daemon=True)
        self._thread.start()

    async def act(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` returned or raised, once its effect is on disk (or undone)."""
        future: Future[T] = Future()
        self._waiting.put((function, future))
        # Shielded: a client that hangs up must not cancel an act that is already being written.
        return await asyncio.shield(asyncio.wrap_future(future))

    def close(self) -> None:
        """Finish what waits, then close the file."""
        self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        while True:
            batch, last = self._next_batch()
            if batch:
                self._commit(batch)
            if last:
                return

    def _next_batch(self) -> tuple[list[tuple[Callable[..., Any], Future[Any]]], bool]:
        first = self._waiting.get()
        batch = []
        while first is not None:
            batch.append(first)
            if len(batch) == ACTS_PER_COMMIT or self._waiting.empty():
                return batch, False
            first = self._waiting.get()
        return batch, True

    def _commit(self, batch: list[tuple[Callable[..., Any], Future[Any]]]) -> None:
        batch = [one for one in batch if one[1].set_running_or_notify_cancel()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._run(function) for function, _ in batch]
            self._connection.execute("COMMIT")
        except Exception as error:  # the file itself failed: nobody may be told of an effect
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            outcomes = [(None, error) for _ in batch]
        for (_, future), (answer, failure) in zip(batch, outcomes, strict=True):
            if failure is None:
                future.set_result(answer)
            else:
                future.set_exception(failure)

    def _run(self, function: Callable[..., Any]) -> tuple[Any, BaseException | None]:
        self._connection.execute("SAVEPOINT act")
        try:
            answer = function(self._connection)
        except Exception as error:
            self._connection.execute("ROLLBACK TO act")
            self._connection.execute("RELEASE act")
            return None, error
        self._connection.execute("RELEASE act")
        return answer, None


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.executescript(SCHEMA)
    return connection
