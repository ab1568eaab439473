"""Archiving: closed orders leave their shelf for the archive in SQL, and come back when something late happens.

Law: first the archive holds the records, then one commit takes exactly those versions off the shelf; so a crash between
the two leaves the order where it was, and whatever changed meanwhile is a conflict. PAST.md says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.refusals import Refusal
from livesale.orders import past, past_records
from livesale.orders.past import ARCHIVINGS, PastRecord
from livesale.orders.together import Together
from livesale.store.database import reading
from livesale.store.decision import Conflict, Decision, Mark, Short
from livesale.store.valkey import Records, Store, Versioned

log = structlog.get_logger(__name__)

Names = tuple[str, list[str]]  # a shelf, and records that are not on it


class Archiving:
    """The archive of one process: the port of `store/valkey.py`, and what the mark `archive:ORDER` does."""

    def __init__(self, store: Store, database: AsyncEngine) -> None:
        self.database = database
        self._store = store
        self._kept = Together(self._keep)
        self._found = Together(self._find)

    async def missing(self, shelf: str, found: Records) -> dict[str, Versioned]:
        """See `Past.missing`."""
        names = past.sought(found)
        if not names:
            return {}
        kept = await self._found.ask((shelf, names))
        return {one.record: Versioned(one.version, one.data, one.order_id) for one in kept}

    async def bring_back(self, shelf: str, past_order: str) -> None:
        """See `Past.bring_back`."""
        archivings = (await self._store.counters(shelf, ARCHIVINGS))[ARCHIVINGS]
        with _available():
            async with reading(self.database) as connection:
                kept = await past_records.of_order(connection, past_order)
        with suppress(Conflict, Short):  # it is back already, or something left meanwhile: who asked reads again
            await self._store.commit(past.come_back(past_order, kept, archivings, self._store.now_ms()))

    async def archive(self, shelf: str, order_id: str) -> None:
        """What the mark does; harmless when the order has left, has come back to life or is changing right now."""
        name = f"order:{order_id}"
        first = (await self._store.read(shelf, name))[name]
        if first is None or first.past:
            await self._store.commit(Decision(shelf, marks=(Mark("due", f"archive:{order_id}", None),)))
            return
        records = await self._store.read(shelf, "show", *past.names(past.order_in(first)))
        if (now := records[name]) is None:
            return
        order = past.order_in(now)
        if not past.is_closed(records, order):
            await self._store.commit(past.stay(records, order, self._store.now_ms()))
            return
        kept, decision = past.leave(records, order)
        if not await self._kept.ask(kept):
            log.error("the archive holds something else: an order stays on its shelf", order=order_id)
            decision = past.stay(records, order, self._store.now_ms())
        await self._store.commit(decision)

    async def _keep(self, orders: list[list[PastRecord]]) -> list[bool]:
        """For each order, whether the archive holds exactly these records now."""
        with _available():
            async with self.database.begin() as connection:
                standing = await past_records.keep(connection, [record for records in orders for record in records])
        return [standing.issuperset(records) for records in orders]

    async def _find(self, asked: list[Names]) -> list[list[PastRecord]]:
        wanted = [(shelf, name) for shelf, names in asked for name in names]
        with _available():
            async with reading(self.database) as connection:
                found = {(one.shelf, one.record): one for one in await past_records.named(connection, wanted)}
        return [[found[shelf, name] for name in names if (shelf, name) in found] for shelf, names in asked]


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        why = "The archive does not answer right now. Please try again."
        raise Refusal("store_unavailable", why, retry_after_s=1) from error
