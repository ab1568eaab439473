"""The orders room's table: the records of past orders, as they were when they left their shelf.

Law: of a record only the newest version is kept, whoever writes last; a row stays where it is when its order comes back,
and means nothing until the order has left again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table, and_, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.orders.past import PastRecord
from livesale.store.database import metadata

MOST_AT_ONCE = 200  # records in one statement: each is six of its parameters

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
    standing: set[PastRecord] = set()
    for start in range(0, len(records), MOST_AT_ONCE):
        some = records[start : start + MOST_AT_ONCE]
        await connection.execute(_upsert(connection), [msgspec.structs.asdict(one) for one in some])
        row = past_records.c
        query = select(past_records).where(tuple_(row.shelf, row.record).in_([(one.shelf, one.record) for one in some]))
        standing |= {PastRecord(**found) for found in (await connection.execute(query)).mappings()}
    return standing.intersection(records)


async def named(connection: AsyncConnection, shelf: str, names: Sequence[str]) -> list[PastRecord]:
    """The records of these names."""
    return await _found(connection, past_records.c.shelf == shelf, past_records.c.record.in_(names))


async def of_order(connection: AsyncConnection, order_id: str) -> list[PastRecord]:
    """All records of an order."""
    return await _found(connection, past_records.c.order_id == order_id)


async def _found(connection: AsyncConnection, *where: Any) -> list[PastRecord]:
    rows = (await connection.execute(select(past_records).where(*where))).mappings()
    return [PastRecord(**row) for row in rows]


def _upsert(connection: AsyncConnection) -> Any:
    """A newer version over an older one; of the same version only what was not released can become so."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(past_records)
    row, new = past_records.c, statement.excluded
    newer = or_(row.version < new.version, and_(row.version == new.version, ~row.released))
    fields = {name: new[name] for name in ("order_id", "version", "data", "released")}
    return statement.on_conflict_do_update(index_elements=["shelf", "record"], set_=fields, where=newer)
