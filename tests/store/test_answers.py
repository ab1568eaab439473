"""Answers in SQL: kept with their effect or not at all, the first one stands, and they are forgotten after a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.store import answers
from livesale.store.database import engine, reading
from livesale.store.decision import KeyReused, Once
from tests.support import sqlite

FIRST = Once("ann:POST /accounts", "k", "print", b"first")
SECOND = Once("ann:POST /accounts", "k", "print", b"second")
OTHER = Once("ann:POST /accounts", "k", "other print", b"other")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = f"sqlite+aiosqlite:///{tmp_path}/db"
    await asyncio.to_thread(sqlite.migrate, url)
    made = engine(url)
    yield made
    await made.dispose()


async def keep(database: AsyncEngine, once: Once, at_ms: int = 0, *, finished: bool = True) -> None:
    async with database.begin() as db:
        await answers.keep(db, once, at_ms, finished=finished)


async def keep_and_fail(database: AsyncEngine) -> None:
    async with database.begin() as db:
        await answers.keep(db, FIRST, 0)
        raise RuntimeError("killed")


async def told(database: AsyncEngine, once: Once, *, unfinished: bool = False) -> bytes | None:
    async with reading(database) as db:
        return await answers.told(db, once, unfinished=unfinished)


async def test_the_first_answer_stands(database: AsyncEngine) -> None:
    """A second command under the key is refused with all its transaction; another request's is told apart."""
    assert await told(database, FIRST) is None
    await keep(database, FIRST)
    with pytest.raises(Refusal) as refused:
        await keep(database, SECOND)
    assert refused.value.code == "conflict"
    assert await told(database, SECOND) == b"first"
    with pytest.raises(KeyReused):
        await told(database, OTHER)


async def test_an_answer_goes_with_its_effect(database: AsyncEngine) -> None:
    """A transaction that fails after keeping has kept nothing."""
    with pytest.raises(RuntimeError):
        await keep_and_fail(database)
    assert await told(database, FIRST) is None


async def test_unfinished_work_is_done_again_and_its_answer_stands(database: AsyncEngine) -> None:
    """Until the command has finished its answer is not repeated; the repetition's own is not kept."""
    await keep(database, FIRST, finished=False)
    assert await told(database, FIRST) is None
    await keep(database, SECOND, finished=False)
    assert await told(database, FIRST, unfinished=True) == b"first"
    async with database.begin() as db:
        await answers.finish(db, FIRST)
    assert await told(database, FIRST) == b"first"


async def test_answers_are_kept_for_a_day(database: AsyncEngine) -> None:
    """Not a millisecond less."""
    await keep(database, FIRST, 1000)
    for now_ms, left in ((1000 + DAY_MS, b"first"), (1001 + DAY_MS, None)):
        async with database.begin() as db:
            await answers.forget(db, now_ms)
        assert await told(database, FIRST) == left
