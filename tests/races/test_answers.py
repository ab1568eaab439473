"""The same call to two processes at once: with its answer kept in the effect's transaction it happens once."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from livesale.http.idempotency import Replies
from livesale.http.replies import Reply, reply_of
from livesale.kernel.routing import Answer, Call, Route
from livesale.store.database import reading
from tests.http.conftest import Whole, whole

__all__ = ["whole"]  # a fixture

TIMES = 8


class Writing:
    """A command that writes a row; `guarded`: it keeps its answer in the same transaction."""

    def __init__(self, found: Whole, guarded: bool) -> None:
        self.database = found.wiring.database
        self.guarded = guarded
        self.route = Route("POST", "/rows", self._write, "Write", sql=True)
        self.processes = [Replies(found.wiring.store, self.database) for _ in range(TIMES)]

    async def _write(self, call: Call) -> Answer:
        async with self.database.begin() as db:
            await db.execute(text("INSERT INTO rows_written DEFAULT VALUES"))
            made = Answer({"rows": (await db.execute(text("SELECT count(*) FROM rows_written"))).scalar()})
            if self.guarded:
                await call.keep(db, made)
        return made

    async def execute(self, call: Call) -> Reply:
        return reply_of(await self._write(call), self.route)

    async def at_once(self) -> list[Reply]:
        """Every process is sent the same call."""
        async with self.database.begin() as db:
            await db.execute(text("CREATE TABLE rows_written (id INTEGER PRIMARY KEY)"))
        call = Call(None, {}, key="k", fingerprint="print", peer="192.0.2.1")
        return await asyncio.gather(*(one.once(self.route, call, self.execute) for one in self.processes))

    async def rows(self) -> int:
        """Rows written."""
        async with reading(self.database) as db:
            return int((await db.execute(text("SELECT count(*) FROM rows_written"))).scalar() or 0)


async def test_without_its_answer_a_call_to_many_happens_many_times(whole: Whole) -> None:
    """The guard taken off: each process carries it out."""
    unguarded = Writing(whole, guarded=False)
    await unguarded.at_once()
    assert await unguarded.rows() > 1


async def test_with_it_a_call_to_many_happens_once(whole: Whole) -> None:
    """One row, and every process tells of it."""
    guarded = Writing(whole, guarded=True)
    replies = await guarded.at_once()
    assert await guarded.rows() == 1
    assert {reply.body for reply in replies} == {b'{"rows":1}'}
