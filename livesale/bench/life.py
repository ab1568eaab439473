"""A show's life beside what is measured: the same act again and again, by the public API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def again_and_again(act: Callable[[], Awaitable[None]], pause_s: float) -> AsyncIterator[None]:
    """`act`, a pause, `act` …, for as long as the context lasts."""

    async def live() -> None:
        while True:
            await act()
            await asyncio.sleep(pause_s)

    task = asyncio.create_task(live())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()  # a show that fell silent is not the one that was to be measured
