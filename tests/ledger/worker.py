"""A process that only runs the ledger, to be killed: `python -m tests.ledger.worker STORE_URL SQL_URL`."""

from __future__ import annotations

import asyncio
import sys

from livesale.ledger.archive import Ledger
from livesale.store.database import engine
from livesale.store.valkey import connect


async def main(store_url: str, sql_url: str) -> None:
    """Run until killed."""
    await Ledger(await connect(store_url), engine(sql_url), bytes(range(32))).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
