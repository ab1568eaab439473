"""News: lets a request wait for what becomes of an order, by one tail over the shelves where somebody waits.

Asking the store again and again cost the web process twenty reads an order under load; a tail costs one for many.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from livesale.orders.events import ORDER_CHANGED
from livesale.payments.events import PAYMENT_CHANGED
from livesale.store.log import Entry, LogGap, Tail, glimpses
from livesale.store.valkey import Store

REST_S = 0.01
BLOCK_MS = 20  # the longest a shelf on which somebody begins to wait is not heard


class News:
    """Owner of the map from order to those who wait for it; listens only while somebody does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, dict[str, set[asyncio.Event]]] = defaultdict(dict)  # by shelf and order
        self._tail = Tail(store)
        self._listening: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def of(self, shelf: str, order: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set when something happened to the order since. Look once before the first wait."""
        happened = asyncio.Event()
        self._waiting[shelf].setdefault(order, set()).add(happened)
        try:
            await self._listen(shelf)
            yield happened
        finally:
            self._leave(shelf, order, happened)

    async def _listen(self, shelf: str) -> None:
        if self._listening is None:
            self._tail = Tail(self._store, REST_S, BLOCK_MS)
            self._listening = asyncio.create_task(self._run(self._tail))
        tail = self._tail
        if shelf not in tail.following():
            seq = await self._store.seq(shelf)
            if shelf not in tail.following():
                tail.follow(shelf, seq)

    def _leave(self, shelf: str, order: str, happened: asyncio.Event) -> None:
        of_shelf = self._waiting[shelf]
        of_shelf[order].discard(happened)
        if not of_shelf[order]:
            del of_shelf[order]
        if not of_shelf:
            del self._waiting[shelf]
            self._tail.leave(shelf)
        if not self._waiting and self._listening:
            self._listening.cancel()
            self._listening = None

    async def _run(self, tail: Tail) -> None:
        while True:
            try:
                async for batch in tail.batches():
                    for entry in batch:
                        self._tell(entry)
            except LogGap as gap:  # whoever waits there looks for himself; the next to come listens from where it is now
                tail.leave(gap.shelf)
                for waiting in self._waiting.get(gap.shelf, {}).values():
                    _wake(waiting)

    def _tell(self, entry: Entry) -> None:
        of_shelf = self._waiting.get(entry.shelf)
        if not of_shelf:
            return
        for seen in glimpses(entry):
            needs_buyer = seen.type == PAYMENT_CHANGED and seen.state == "requires_action"
            if seen.type == ORDER_CHANGED or needs_buyer:
                _wake(of_shelf.get(seen.order, ()))


def _wake(waiting: set[asyncio.Event] | tuple[()]) -> None:
    for each in waiting:
        each.set()
