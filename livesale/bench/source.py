"""The hub process of `bench fanout`: the shipped hub with a synthetic camera, log entries and reactions.

Speaks lines of JSON: reads its settings, prints `{"port": …}`, then obeys `begin`, `pause`, `stats`, `stop`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import Any

import uvloop

from livesale.bench.pace import STAMP, Pace, open_many_files
from livesale.hub.channel import Channel
from livesale.hub.hub import Hub
from livesale.kernel.events import LATEST, MAY_DROP, Event, EventKind
from livesale.media.ring import Fragment, Init

CHAT = EventKind("chat_said", "public", wire="chat")
STOCK = EventKind("stock_moved", "public", LATEST, "stock")
REACTION = EventKind("reacted", "public", MAY_DROP, "reaction")
CHATS_PER_S = 2
KEY_EVERY_S = 2


class Camera:
    """Sends `frames_per_s` key-framed pictures of `frame_bytes` while it runs, and a show's events with them."""

    def __init__(self, channel: Channel, frame_bytes: int, frames_per_s: int) -> None:
        self._channel = channel
        self._frame = bytes(frame_bytes)
        self._per_s = frames_per_s
        self._sequence = 0
        self._seq = 0
        self._task: asyncio.Task[None] | None = None
        channel.media_init(Init(1, 0, 'video/mp4; codecs="avc1.42c020"', bytes(700)))

    def begin(self) -> None:
        """Goes on air."""
        self._task = asyncio.create_task(self._run())

    def pause(self) -> None:
        """Stops sending."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        pace = Pace(self._per_s)
        while True:
            await asyncio.sleep(max(0.0, pace.next_s - time.monotonic()))
            self._send(pace.take())

    def _send(self, due_s: float) -> None:
        here = self._sequence
        if here % max(1, self._per_s // CHATS_PER_S) == 0:
            self._say()
        key = here % (KEY_EVERY_S * self._per_s) == 0
        data = STAMP.pack(due_s) + self._frame[STAMP.size :]
        self._channel.media([Fragment(1, key, 0, here, here * 1_000_000 // self._per_s, data)])
        self._sequence += 1

    def _say(self) -> None:
        self._seq += 1
        chat = {"id": str(self._seq), "name": "bench", "text": "What colours are there?"}
        events: list[tuple[EventKind, Event]] = [
            (CHAT, chat),
            (STOCK, {"offer": "of_1", "left": 1000 - self._seq}),
            (REACTION, {"kind": "heart"}),
        ]
        self._channel.entry(self._seq, time.time_ns() // 1_000_000, events)


async def serve(options: dict[str, Any]) -> None:
    """Runs until `stop` or the end of stdin."""
    hub = Hub("bench", bytes.fromhex(options["public_key"]))
    port = await hub.start()
    channel = hub.channel(options["show"])
    channel.open("bench", 1, lambda: {"id": options["show"], "state": "live", "offers": [], "pins": []})
    camera = Camera(channel, options["frame_bytes"], options["frames_per_s"])
    gc.collect()
    gc.freeze()
    print(json.dumps({"port": port}), flush=True)
    loop = asyncio.get_running_loop()
    while (order := (await loop.run_in_executor(None, sys.stdin.readline)).strip()) not in ("", "stop"):
        if order == "begin":
            camera.begin()
        elif order == "pause":
            camera.pause()
        elif order == "stats":
            print(json.dumps(hub.stats()[options["show"]]), flush=True)
    await hub.stop()


if __name__ == "__main__":
    open_many_files()
    uvloop.run(serve(json.loads(sys.stdin.readline())))
