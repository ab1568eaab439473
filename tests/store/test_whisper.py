"""Whispers: heard by whoever listens, kept for nobody, and heard again after the store was away."""

from __future__ import annotations

import asyncio
import shutil

from livesale.kernel.refusals import Refusal
from livesale.store.valkey import Store, connect
from livesale.store.whisper import overheard, whisper
from tests.support.valkey import ValkeyProcess


async def until_listening(store: Store) -> None:
    """Waits until the store has a listener."""
    while True:
        try:
            if (await store.ask("PUBSUB", "NUMSUB", "news"))[1]:
                return
        except Refusal:
            pass  # still away
        await asyncio.sleep(0.01)


async def test_a_listener_outlives_the_store() -> None:
    """What is said while it listens is heard in order; a restart of the store costs what was said meanwhile, no more."""
    process = ValkeyProcess()
    process.start()
    store = await connect(process.url)
    heard: list[bytes] = []

    async def listen() -> None:
        async for message in overheard(store, "news"):
            heard.append(message)

    await whisper(store, "news", b"nobody listens")
    listening = asyncio.create_task(listen())
    try:
        await until_listening(store)
        for number in range(3):
            await whisper(store, "news", b"%d" % number)
        process.kill()
        process.start()
        while b"again" not in heard:  # one saying may be lost: redis-py listens on a connection it then gives up
            await until_listening(store)
            await whisper(store, "news", b"again")
            await asyncio.sleep(0.01)
        assert heard[:3] == [b"0", b"1", b"2"]
        assert set(heard[3:]) == {b"again"}
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await store.close()
        process.kill()
        shutil.rmtree(process.folder, ignore_errors=True)
