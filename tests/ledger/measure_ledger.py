"""Measures how many log entries a second the ledger archives and projects: `python -m tests.ledger.measure_ledger`.

Entries are holds as a busy show makes them (4 counters, a record, an event); they are in the store before the clock
starts; the database is SQLite on the folder given (default: a temporary one), or the URL given.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time

from livesale.ledger import tables
from livesale.ledger.positions import start_of
from livesale.ledger.write import write_batch
from livesale.store import database
from livesale.store.log import read_log
from livesale.store.valkey import connect
from tests.ledger.sale import Sale
from tests.support.valkey import ValkeyProcess

ENTRIES = 20_000


async def measure(url: str, database_url: str, at_once: int) -> tuple[float, float]:
    """Entries a second, and entries a second of this process's CPU (for a machine that others use too)."""
    store, engine = await connect(url), database.engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(tables.metadata.drop_all)
        await connection.run_sync(tables.metadata.create_all)
    entries = await read_log(store, "show:4k2c000000", most=ENTRIES)
    places = {"show:4k2c000000": start_of("show:4k2c000000")}
    spent, began = time.process_time(), time.perf_counter()
    for start in range(0, len(entries), at_once):
        places = await write_batch(engine, entries[start : start + at_once], places)
    took, cpu = time.perf_counter() - began, time.process_time() - spent
    await engine.dispose()
    await store.close()
    return len(entries) / took, len(entries) / cpu


async def main(database_url: str) -> None:
    valkey = ValkeyProcess()
    valkey.start()
    try:
        sale = Sale(await connect(valkey.url))
        await sale.open(stock=10 * ENTRIES)
        await sale.rush(ENTRIES)
        for at_once in (50, 500, 2_000):
            speed, per_cpu = await measure(valkey.url, database_url, at_once)
            print(f"{at_once:5} entries a transaction: {speed:8,.0f} entries/s, {per_cpu:8,.0f} a CPU second")
    finally:
        valkey.kill()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite+aiosqlite:///{folder}/livesale.db"))
