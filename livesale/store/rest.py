"""Rest: lets shelves on which nothing is left to do leave the active set, so that old shows cost nobody a look.

A shelf rests when its room says that it is over, every reader and the archive have handled all of its log, and it has no
mark. The next commit brings it back (active.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from livesale.store import active
from livesale.store.readers import Cursor, going_on
from livesale.store.record import load
from livesale.store.valkey import Store

LOOK_EVERY_S = 30.0


class Rest:
    """`readers` are the names of those with a cursor on each shelf, `archived` tells how far the ledger has come."""

    def __init__(
        self,
        store: Store,
        readers: tuple[str, ...],
        archived: Callable[[str], Awaitable[int]],
        is_over: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._records = tuple(f"cursor:{name}" for name in readers)
        self._archived = archived
        self._is_over = is_over

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with going_on("looking for shelves that may rest"):
                for shelf in await self._store.active_shelves():
                    if await self._is_over(shelf):
                        await self.try_to(shelf)

    async def try_to(self, shelf: str) -> bool:
        """Whether `shelf` sleeps now and has left."""
        token = await active.entered(self._store, shelf)
        seq = await self._store.seq(shelf)
        found = await self._store.read(shelf, *self._records)
        cursors = [load(Cursor, record) for record in found.values()]
        # The entry behind a cursor is the one that moved it.
        if any(cursor is None or cursor.seq + 1 < seq for cursor in cursors) or await self._archived(shelf) < seq:
            return False
        if not await active.sleep(self._store, shelf, seq):
            return False
        await active.leave(self._store, shelf, token)
        return True
