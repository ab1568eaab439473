"""A process that only runs the ledger, to be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.process import BaseProcess

from livesale.ledger.archive import Ledger
from livesale.store.database import engine
from livesale.store.valkey import connect


def started(store_url: str, sql_url: str) -> BaseProcess:
    """One that runs until it is killed, forked off a server that has loaded all it needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=run, args=(store_url, sql_url), daemon=True)
    process.start()
    return process


def run(store_url: str, sql_url: str) -> None:
    """What it does."""

    async def main() -> None:
        await Ledger(await connect(store_url), engine(sql_url), bytes(range(32))).run()

    asyncio.run(main())
