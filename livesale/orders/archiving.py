"""Archiving: closed orders leave their shelf for the archive in SQL, and come back when something late happens.

Law: first the archive holds the records, then one commit takes exactly those versions off the shelf; so a crash between
the two leaves the order where it was, and whatever changed meanwhile is a conflict. PAST.md says why.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.refusals import Refusal
from livesale.orders import past, past_records
from livesale.orders.model import Order
from livesale.orders.past import ARCHIVINGS, PastRecord
from livesale.store.database import reading
from livesale.store.decision import Conflict, Decision, Mark, Short
from livesale.store.record import load
from livesale.store.valkey import Records, Store, Versioned

log = structlog.get_logger(__name__)

Leaving = tuple[list[PastRecord], "asyncio.Future[bool]"]


@dataclass
class Archiving:
    """The archive of one process: the port of `store/valkey.py`, and what the mark `archive:ORDER` does."""

    store: Store
    database: AsyncEngine
    _leaving: list[Leaving] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    async def missing(self, shelf: str, found: Records) -> dict[str, Versioned]:
        """See `Past.missing`."""
        names = past.sought(found)
        if not names:
            return {}
        try:
            async with reading(self.database) as connection:
                kept = await past_records.named(connection, shelf, names)
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable() from error
        return {one.record: Versioned(one.version, one.data, one.order_id) for one in kept}

    async def bring_back(self, shelf: str, past_order: str) -> None:
        """See `Past.bring_back`."""
        archivings = (await self.store.counters(shelf, ARCHIVINGS))[ARCHIVINGS]
        try:
            async with reading(self.database) as connection:
                kept = await past_records.of_order(connection, past_order)
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable() from error
        try:
            await self.store.commit(past.come_back(past_order, kept, archivings, self.store.now_ms()))
        except (Conflict, Short):  # it is back already, or something left meanwhile: who asked reads again
            return

    async def archive(self, shelf: str, order_id: str) -> None:
        """What the mark does; harmless when the order has left, has come back to life or is changing right now."""
        name = f"order:{order_id}"
        stored = (await self.store.read(shelf, name))[name]
        order = load(Order, stored)
        if order is None or (stored and stored.past):
            await self.store.commit(Decision(shelf, marks=(Mark("due", f"archive:{order_id}", None),)))
            return
        records = {name: stored, **await self.store.read(shelf, "show", *past.names(order)[1:])}
        if not past.is_closed(records, order):
            await self.store.commit(past.stay(records, order, self.store.now_ms()))
            return
        kept, decision = past.leave(records, order)
        if not await self._keep(kept):
            log.error("the archive holds something else: an order stays on its shelf", order=order_id)
            decision = past.stay(records, order, self.store.now_ms())
        await self.store.commit(decision)

    async def _keep(self, kept: list[PastRecord]) -> bool:
        """Whether the archive holds exactly these now. Whoever comes while it writes shares its next transaction."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._leaving.append((kept, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        while self._leaving:
            batch, self._leaving = self._leaving, []
            try:
                async with self.database.begin() as connection:
                    standing = await past_records.keep(connection, [one for kept, _ in batch for one in kept])
            except (SQLAlchemyError, OSError) as error:
                _answer(batch, error=error)
            else:
                _answer(batch, standing)


def _answer(batch: list[Leaving], standing: set[PastRecord] | None = None, error: Exception | None = None) -> None:
    for kept, done in batch:
        if done.done():  # whoever asked was cancelled
            continue
        if error is not None:
            done.set_exception(_unavailable())
        else:
            done.set_result(standing is not None and standing.issuperset(kept))


def _unavailable() -> Refusal:
    return Refusal("store_unavailable", "The archive does not answer right now. Please try again.", retry_after_s=1)
