"""A stampede: 20,000 buyers want one of 1,000 units, through several web processes, from several processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from livesale.apps.wiring import Wiring
from livesale.bench.cast import Cast, Person, Stage
from livesale.bench.child import Child
from livesale.bench.orders import check
from livesale.bench.system import System, running_system
from livesale.settings import load_settings

BUYERS, UNITS = 20_000, 1_000
WEB, CROWDS, CONNECTIONS = 2, 2, 64
SECONDS = 600  # nobody is turned away for being slow


@dataclass(frozen=True)
class Outcome:
    """What became of the crowd: orders acknowledged, refusals by code, anything else, and what the shelf says."""

    sold: int
    refused: Counter[str]
    errors: int
    checked: dict[str, int]
    served: dict[str, float]  # CPU seconds of each web process
    longest_s: float


async def run(folder: Path) -> Outcome:
    """A system of its own in `folder`, one show, one offer, everyone at once."""
    settings = load_settings(folder, {"processes": f"web={WEB}"})
    async with running_system(settings) as system, Wiring(system.settings) as wiring:
        cast = Cast(system, wiring)
        await cast.shop(UNITS)
        stage, people = await cast.show("Stampede", UNITS), await cast.people(BUYERS)
        before = system.cpu_s()
        came = await _crowds(system, stage, people)
        used = {name: spent - before[name] for name, spent in system.cpu_s().items() if name.startswith("web")}
        ids = [one for crowd in came for one in crowd["ids"]]
        return Outcome(
            len(ids), sum((Counter(crowd["refused"]) for crowd in came), Counter()),
            sum(crowd["errors"] + crowd["unasked"] for crowd in came), await check(wiring.store, stage, UNITS, ids), used,
            max(crowd["wall_s"] for crowd in came),
        )  # fmt: skip


async def _crowds(system: System, stage: Stage, people: list[Person]) -> list[dict[str, Any]]:
    """Everyone asks once, a part of them from each process, all at the same time."""
    parts = urlsplit(system.url)
    options = {"host": parts.hostname, "port": parts.port, "connections": CONNECTIONS}
    async with AsyncExitStack() as held:
        crowds = [await held.enter_async_context(Child("livesale.bench.buyers", options)) for _ in range(CROWDS)]
        return await asyncio.gather(
            *(
                crowd.ask(
                    {
                        "show": stage.show, "offer": stage.offer, "seconds": SECONDS, "whole": False,
                        "tokens": [person.token for person in people[number::CROWDS]],
                    }
                )
                for number, crowd in enumerate(crowds)
            )
        )  # fmt: skip
