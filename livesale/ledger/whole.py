"""Whole: lets a piece of work end before a cancellation goes on.

A statement cancelled half-way leaves aiosqlite's thread with an open transaction, and SQLite's write lock with it,
until the process ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; a cancellation meanwhile is raised once `work` has ended."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            task.exception()  # seen: whoever cancelled does not want it
        raise
