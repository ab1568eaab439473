"""Whispers: what is said once over the store and kept nowhere; whoever does not listen just then has missed it.

Nothing durable rests on them. A studio that is told of reactions so has no cursor to move and no log to fill.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
import structlog
from redis.exceptions import RedisError

from livesale.store.valkey import Store

RETRY_S = 0.25

T = TypeVar("T")

log = structlog.get_logger(__name__)


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


async def overheard_as(store: Store, channel: str, kind: type[T]) -> AsyncIterator[T]:
    """The same, msgpack of `kind`; what is not (a process of another version said it) is logged and passed over."""
    decoder = msgspec.msgpack.Decoder(kind)
    async for message in overheard(store, channel):
        try:
            yield decoder.decode(message)
        except msgspec.MsgspecError as error:
            log.warning("a whisper could not be read", channel=channel, why=str(error))
