"""`livesale bench crowd`: many viewers come at a steady pace, then an edge is killed under half of them.

On a system of its own with two edges, a host on air and somebody who chats ten times a second. Its figures: how long a welcome
takes at that pace, what a connected viewer costs, and how long after `kill -9` the last viewer of the dead edge is back;
`incomplete` and `gaps` count viewers that lack an event.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import cycle
from typing import Any

import msgspec

from livesale.apps.running import read_running
from livesale.apps.wiring import Wiring
from livesale.bench.cast import Cast, Person, Stage
from livesale.bench.child import Child
from livesale.bench.fanout import Door, first_viewer
from livesale.bench.life import again_and_again
from livesale.bench.summary import tell
from livesale.bench.system import System, running_system
from livesale.bench.usage import cpu_s, rss_kib
from livesale.kernel.refusals import Refusal
from livesale.settings import Settings

TALKERS = 20
TALK_EVERY_S = 0.1
BACK_WITHIN_S = 20.0
CALM_S = 1.0


async def run(settings: Settings, chosen: dict[str, int], *, as_json: bool) -> int:
    """The command: prints the summary as its last line; 1 when a viewer is not back or lacks something."""
    if read_running(settings.data) is not None:
        raise Refusal("conflict", "bench crowd kills an edge: not of a system that runs; give another --data")
    own = msgspec.structs.replace(settings, processes="edge=2")
    async with running_system(own) as system, Wiring(system.settings) as wiring:
        summary = await measure(system, wiring, **chosen)
    tell(summary, as_json=as_json)
    return 1 if summary["incomplete"] or summary["gaps"] or summary["back"] < summary["cut_off"] else 0


async def measure(
    system: System, wiring: Wiring, viewers: int = 4_000, joins_per_s: int = 500, frame_bytes: int = 2_000,
    frames_per_s: int = 4,
) -> dict[str, Any]:  # fmt: skip
    """Joins, rest, kill, return."""
    cast = Cast(system, wiring)
    await cast.shop(1)
    stage = await cast.show("Crowd", 1)
    await cast.until_listed(stage.show)
    publisher = {"url": stage.whip_url, "token": stage.whip_token, "frame_bytes": frame_bytes, "frames_per_s": frames_per_s}
    said: list[str] = []
    async with (
        Child("livesale.bench.camera", publisher) as camera,
        Child("livesale.bench.watchers", {"url": system.url, "show": stage.show}) as crowd,
    ):
        await camera.answer()
        await first_viewer(cast, stage, camera, Door())
        serving = edges(system)
        idle_kib = rss_kib(serving.values())
        camera.tell("begin")
        joined = await crowd.ask({"join": viewers, "per_s": joins_per_s})
        async with again_and_again(chat(cast, stage, await cast.people(TALKERS), said), TALK_EVERY_S):
            await asyncio.sleep(CALM_S)
            grown_kib = rss_kib(serving.values()) - idle_kib
            before_s, killed_s = cpu_s([crowd.pid]), time.monotonic()
            os.kill(next(iter(serving.values())), signal.SIGKILL)
            await until_back(crowd, viewers, killed_s)
            load_cpu = (cpu_s([crowd.pid]) - before_s) / (time.monotonic() - killed_s)
            await asyncio.sleep(CALM_S)
        told = await until_complete(crowd, said, killed_s)
    memory = {"rss_kib_per_viewer": round(grown_kib / viewers, 1)}
    return {"bench": "crowd", "viewers": viewers} | joined | memory | told | {"said": len(said), "load_cpu": round(load_cpu, 3)}


def edges(system: System) -> dict[str, int]:
    """The pids of the edges by name."""
    return {each.name: each.pid for each in system.running.processes if each.name.startswith("edge")}


async def until_back(crowd: Child, viewers: int, killed_s: float) -> None:
    """Waits until all are connected again, for BACK_WITHIN_S at most."""
    while time.monotonic() - killed_s < BACK_WITHIN_S:
        told = await crowd.ask({"said": [], "since": killed_s})
        if told["cut_off"] and told["connected"] == viewers:
            return
        await asyncio.sleep(0.1)


async def until_complete(crowd: Child, said: list[str], killed_s: float) -> dict[str, Any]:
    """The last report; what was said a moment ago may still be on its way."""
    for _ in range(50):
        told = await crowd.ask({"said": said, "since": killed_s})
        if not told["incomplete"]:
            break
        await asyncio.sleep(0.1)
    return told


def chat(cast: Cast, stage: Stage, people: Iterable[Person], said: list[str]) -> Callable[[], Awaitable[None]]:
    """The next of `people` says something; `said` has the ids of what was acknowledged."""
    turns = cycle(people)

    async def act() -> None:
        with suppress(Refusal):
            answer = await cast.call("POST", f"/shows/{stage.show}/chat", {"text": "Hello?"}, next(turns))
            said.append(answer["id"])

    return act
