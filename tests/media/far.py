"""What `scripts/line network` runs behind its bad line: those of a host, a page, a viewer and an edge that it is told of.

Reads a line of JSON `{whip?, uplink?, viewer?, edge?}`, says "ready" once all are there, and when the edge has noticed that
its upstream is gone (CLOCK_MONOTONIC); until the end of stdin.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress

import aiohttp
import uvloop
from websockets.asyncio.client import connect

from livesale.hub.edge import Edge
from livesale.hub.hub import Hub
from livesale.media.frames import VIDEO
from tests.hub.viewers import RELAY_KEY, SHOW
from tests.media.test_uplink import DELTA, KEY, message
from tests.support.media import TOKEN
from tests.support.publisher import PICTURE_S, Camera, Microphone, Publisher

PICTURE_BYTES = 4_000


async def whip(url: str) -> None:
    """A host with camera and microphone."""
    await Publisher(url, TOKEN, Microphone().track(), Camera(picture_bytes=PICTURE_BYTES).track()).start()


async def uplink(url: str) -> asyncio.Task[None]:
    """A page without UDP."""
    session = aiohttp.ClientSession()
    socket = await session.ws_connect(url)
    await socket.send_json({"type": "publish", "token": TOKEN})

    async def send() -> None:
        number = 0
        with suppress(ConnectionError):
            while True:
                await socket.send_bytes(message(VIDEO, number * 40_000, DELTA if number % 10 else KEY))
                number += 1
                await asyncio.sleep(PICTURE_S)

    return asyncio.create_task(send())


async def viewer(address: str) -> asyncio.Task[None]:
    """Reads all there is."""
    socket = await connect(address, subprotocols=["livesale.v1"], max_size=None, proxy=None, ping_interval=None)

    async def read() -> None:
        async for _ in socket:
            pass

    return asyncio.create_task(read())


async def edge(told: dict[str, str]) -> list[object]:
    """An edge of the hub at `base`, with a viewer."""
    hub = Hub(told["name"], bytes.fromhex(told["key"]), relay_key=RELAY_KEY)
    port = await hub.start()
    made = Edge(hub, [told["base"]], RELAY_KEY)
    await made.announce(f"ws://127.0.0.1:{port}")
    watching = await viewer(f"ws://127.0.0.1:{port}/v1/shows/{SHOW}?ticket={told['ticket']}")
    while hub.viewers() == 0:
        await asyncio.sleep(0.01)
    upstream = hub.upstream_of(SHOW)
    assert upstream is not None

    async def notice() -> None:
        while upstream._open:
            await asyncio.sleep(0.01)
        print(json.dumps({"edge": time.monotonic()}), flush=True)

    return [hub, made, watching, asyncio.create_task(notice())]


async def main() -> None:
    """Runs until the end of stdin."""
    told = json.loads(sys.stdin.readline())
    ways = {"whip": whip, "uplink": uplink, "viewer": viewer, "edge": edge}
    there = [await ways[name](where) for name, where in told.items()]
    print(json.dumps("ready"), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    del there


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
