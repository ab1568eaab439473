"""The process `livesale edge` as another machine would run it: two keys, an upstream's address, and no store anywhere."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.hub.viewers import CHAT, RELAY_KEY, House

PATIENCE_S = 20


async def test_an_edge_without_a_store(tmp_path: Path) -> None:
    """Its DATA has ticket.pub and relay.key only, and the store's address leads nowhere: it is announced, lets viewers in by
    ticket, fetches the show once, and at SIGTERM sends them elsewhere."""
    house = await House().start()
    channel = house.open()
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "ticket.pub").write_bytes(house.key.public_key().public_bytes_raw())
    (keys / "relay.key").write_bytes(RELAY_KEY)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "livesale.cli", "edge", "--data", str(tmp_path),
        env={**os.environ, "LIVESALE_HUBS_UPSTREAMS": f"ws://127.0.0.1:9,{house.base}",
             "LIVESALE_VALKEY_URL": "redis://127.0.0.1:9", "LIVESALE_DATABASE_URL": "postgresql://127.0.0.1:9/none"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (known := house.hub.tree.hubs()):
                await asyncio.sleep(0.01)
        edge = House(name=known[0].name, key=house.key, port=int(known[0].url.rpartition(":")[2]))
        viewers = [await edge.join(name) for name in ("ann", "ben")]
        for viewer in viewers:
            await viewer.until("welcome")
        channel.entry(1, 0, [(CHAT, {"id": 1})])
        for viewer in viewers:
            await viewer.until("chat", id=1)
        assert len(channel.receivers()) == 1
        process.send_signal(signal.SIGTERM)
        assert [await viewer.closed() for viewer in viewers] == [4011, 4011]
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert house.hub.tree.hubs() == []
    finally:
        if process.returncode is None:
            process.kill()
        await house.hub.stop()
