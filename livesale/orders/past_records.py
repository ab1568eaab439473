"""The orders room's table: the records of past orders, as they were when they left their shelf.

Law: of a record only the newest version is kept, whoever writes last; a row stays where it is when its order comes back,
and means nothing until the order has left again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, LargeBinary, String, Table, and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.orders.past import PastRecord
from livesale.store.database import metadata

MOST_IN_A_LIST = 500  # names in one IN (…), as in the ledger's batches

past_records = Table(
    "past_records",
    metadata,
    Column("shelf", String(64), primary_key=True),
    Column("record", String(512), primary_key=True),
    Column("order_id", String(160), nullable=False, index=True),
    Column("version", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("released", Boolean, nullable=False),
)


async def keep(connection: AsyncConnection, records: Sequence[PastRecord]) -> set[PastRecord]:
    """Write the records down, in the caller's transaction; those that are there now exactly as given."""
    if not records:
        return set()
    await connection.execute(_upsert(connection), [msgspec.structs.asdict(one) for one in records])
    return set(await named(connection, [(one.shelf, one.record) for one in records])).intersection(records)


async def named(connection: AsyncConnection, wanted: Sequence[tuple[str, str]]) -> list[PastRecord]:
    """The records of these shelves and names."""
    found: list[PastRecord] = []
    for start in range(0, len(wanted), MOST_IN_A_LIST):
        of_shelf: dict[str, list[str]] = defaultdict(list)
        for shelf, record in wanted[start : start + MOST_IN_A_LIST]:
            of_shelf[shelf].append(record)
        # pairs in one IN (…) SQLite looks for in the whole table
        row = past_records.c
        each = [and_(row.shelf == shelf, row.record.in_(records)) for shelf, records in of_shelf.items()]
        found += await _found(connection, or_(*each))
    return found


async def of_order(connection: AsyncConnection, order_id: str) -> list[PastRecord]:
    """All records of an order."""
    return await _found(connection, past_records.c.order_id == order_id)


async def _found(connection: AsyncConnection, where: ColumnElement[bool]) -> list[PastRecord]:
    rows = (await connection.execute(select(past_records).where(where))).mappings()
    return [PastRecord(**row) for row in rows]


def _upsert(connection: AsyncConnection) -> Any:
    """A newer version over an older one; of the same version only what was not released can become so."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(past_records)
    row, new = past_records.c, statement.excluded
    newer = or_(row.version < new.version, and_(row.version == new.version, ~row.released))
    fields = {name: new[name] for name in ("order_id", "version", "data", "released")}
    return statement.on_conflict_do_update(index_elements=["shelf", "record"], set_=fields, where=newer)
