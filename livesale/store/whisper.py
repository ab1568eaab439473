"""Whispers: what is said once over the store and kept nowhere; whoever does not listen just then has missed it.

Nothing durable rests on them. A studio that is told of reactions so has no cursor to move and no log to fill.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from redis.exceptions import RedisError

from livesale.store.valkey import Store

RETRY_S = 0.25


async def whisper(store: Store, channel: str, message: bytes) -> None:
    """Say `message` to whoever listens to `channel` now; Refusal store_unavailable."""
    await store.ask("PUBLISH", channel, message)


async def overheard(store: Store, channel: str) -> AsyncIterator[bytes]:
    """What is said on `channel` from now on, through restarts of the store."""
    while True:
        try:
            async with store.client.pubsub(ignore_subscribe_messages=True) as listener:
                await listener.subscribe(channel)
                async for message in listener.listen():
                    yield message["data"]
        except (RedisError, OSError):
            await asyncio.sleep(RETRY_S)
