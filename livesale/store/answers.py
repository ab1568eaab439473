"""Answers of commands that write SQL, kept under their Idempotency-Key in the transaction of the effect.

Law: neither is there without the other, whatever is killed. A command with work left after its transaction (a feed's
stock goes to a shelf) keeps its answer `unfinished`: until it has finished, a repetition carries it out again, and the
first answer stands. Kept for at least 24 h; the worker's daily run forgets what is older.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata
from livesale.store.decision import KeyReused, Once

answers = Table(
    "answers",
    metadata,
    Column("scope", String(200), primary_key=True),  # account and operation
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("answers_at", "at_ms"),
)


async def keep(db: AsyncConnection, once: Once, at_ms: int, *, finished: bool = True) -> None:
    """Keep `once.answer`; the first one stays. Refusal conflict, for all of the transaction, when another call is first."""
    first = await _kept(db, once)
    if first is not None and not finished:
        return
    row = {"scope": once.scope, "key": once.key, "fingerprint": once.fingerprint, "answer": once.answer}
    try:
        await db.execute(insert(answers).values(**row, finished=finished, at_ms=at_ms))
    except IntegrityError as error:
        raise Refusal("conflict", "This call is being carried out already.") from error


async def finish(db: AsyncConnection, once: Once) -> None:
    """Nothing is left to do: from now on the answer is repeated."""
    await db.execute(update(answers).where(_under(once)).values(finished=True))


async def told(db: AsyncConnection, once: Once, *, unfinished: bool = False) -> bytes | None:
    """The answer kept under the key, None when there is none (or its command has work left); KeyReused for another call."""
    row = await _kept(db, once)
    return None if row is None or not (row[2] or unfinished) else row[1]


async def forget(db: AsyncConnection, now_ms: int) -> None:
    """Delete what was kept for a day."""
    await db.execute(delete(answers).where(answers.c.at_ms < now_ms - DAY_MS))


async def forget_of(db: AsyncConnection, account: str) -> None:
    """Delete what was kept for an account's calls."""
    await db.execute(delete(answers).where(answers.c.scope.startswith(f"{account}:", autoescape=True)))


async def _kept(db: AsyncConnection, once: Once) -> tuple[str, bytes, bool] | None:
    query = select(answers.c.fingerprint, answers.c.answer, answers.c.finished).where(_under(once))
    row = (await db.execute(query)).first()
    if row is not None and row.fingerprint != once.fingerprint:
        raise KeyReused
    return None if row is None else (row.fingerprint, row.answer, row.finished)


def _under(once: Once) -> ColumnElement[bool]:
    return and_(answers.c.scope == once.scope, answers.c.key == once.key)
