"""Batch: the row operations of many entries gathered, later ones over earlier ones, and written in few statements.

A hot show changes the same counters in every entry: of 500 entries only the last value of each is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.ledger import tables
from livesale.ledger.money import Booked, entries
from livesale.ledger.projection import Append, Operation, Paid, Upsert

MOST_IN_A_LIST = 500  # names in one IN (…): SQLite takes 32,766 parameters, PostgreSQL 32,767


class Batch:
    """What a transaction is going to write beside the archive."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, tuple[str, ...]], tuple[dict[str, Any], dict[str, Any]]] = {}
        self._more: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._paid: list[Paid] = []

    def add(self, operations: Iterable[Operation]) -> None:
        """Take the operations of the next entry."""
        for operation in operations:
            if isinstance(operation, Upsert):
                self._upsert(operation)
            elif isinstance(operation, Append):
                self._more[operation.table].append(operation.values)
            else:
                self._paid.append(operation)

    def _upsert(self, operation: Upsert) -> None:
        known = self._rows.setdefault((operation.table, operation.key), ({}, operation.first))
        known[0].update(operation.values)

    async def write(self, connection: AsyncConnection) -> None:
        """Carry out everything gathered, in the caller's transaction."""
        grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for (name, key), (values, first) in self._rows.items():
            columns = {column.name: part for column, part in zip(_table(name).primary_key, key, strict=True)}
            grouped[name, tuple(sorted(values)), tuple(first)].append({**columns, **values, **first})
        for (name, changing, _), rows in grouped.items():
            await write_rows(connection, name, changing, rows)
        for name, rows in self._more.items():
            await write_rows(connection, name, None, rows)
        booked = entries(self._paid, await _booked(connection, self._paid))
        if booked:
            await write_rows(connection, "money", None, booked)


async def touch_shows(connection: AsyncConnection, positions: dict[str, int]) -> None:
    """Note the last position of each show among the shelves in `positions`."""
    rows = [
        (name, seq) for shelf, seq in positions.items() for kind, _, name in [shelf.partition(":")] if kind == "show"
    ]
    for name, seq in rows:
        await connection.execute(update(tables.shows).where(tables.shows.c.id == name).values(last_seq=seq))


async def write_rows(
    connection: AsyncConnection, table: str, changing: tuple[str, ...] | None, rows: list[dict[str, Any]]
) -> None:
    """Insert `rows`, all with the same columns; where the primary key is there already, set `changing` (None: a mistake).

    By the driver's own executemany: SQLAlchemy's costs as much a row as all of the projection.
    """
    text, names = _statement(connection.dialect, table, changing, tuple(rows[0]))
    await connection.exec_driver_sql(text, [tuple(map(row.__getitem__, names)) for row in rows])


@lru_cache(maxsize=256)
def _statement(
    dialect: Dialect, table: str, changing: tuple[str, ...] | None, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The driver's text, and the columns in the order of its parameters."""
    make = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statement = make(_table(table))
    key = [column.name for column in _table(table).primary_key]
    if changing:
        statement = statement.on_conflict_do_update(
            index_elements=key, set_={name: statement.excluded[name] for name in changing}
        )
    elif changing is not None:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())


def _table(name: str) -> Table:
    table: Table = getattr(tables, name)
    return table


async def _booked(connection: AsyncConnection, paid: list[Paid]) -> Booked:
    """What is booked so far of the payments named."""
    names = sorted({one.payment for one in paid})
    booked: Booked = {}
    money = tables.money.c
    for start in range(0, len(names), MOST_IN_A_LIST):
        found = await connection.execute(
            select(money.payment, money.what, func.sum(money.amount))
            .where(money.account == "provider", money.payment.in_(names[start : start + MOST_IN_A_LIST]))
            .group_by(money.payment, money.what)
        )
        booked |= {(payment, what): int(total) for payment, what, total in found}
    return booked
