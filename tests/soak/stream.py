"""A show for as long as one likes, and whether anything grows: memory and open files of every process, lateness of the picture.

The demo's host is on air; viewers read steadily, too slowly, come and go, one plays HLS with AAC; captions and chat are
said. Law: what a process holds and how late the picture is stay level, by their slope over the whole run.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urljoin

import aiohttp
import psutil

from tests.soak.trend import Bound, Points, allowed, rise, rises
from tests.soak.viewers import Crowd
from tests.support.system import System

HEAP_KIB = Bound(noise=4096, per_min=64)  # caches fill in a run's first minutes; an hour's leak may be 4 MiB
FILES = Bound(noise=8, per_min=0)
LATE_MS = Bound(noise=150, per_min=1)  # of the middle of each sample; a machine that gets busy meanwhile is no drift
STEADY, SLOW, FLAPPING = 6, 3, 2
SAY_EVERY_S = 2.0
SHOWN = 12  # values of each figure
TOLD_AFTER_S = 60.0  # a run of this length has told who reads too slowly


@dataclass
class Run:
    """What was seen. `heap_kib` and `files`: by process; `late_ms`: the middle of each sample, from 0 on."""

    heap_kib: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    files: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    late_ms: list[tuple[float, float]] = field(default_factory=list)
    crowd: Crowd | None = None
    _generation: int = -1
    _offset_ms: float = 0.0

    def lateness(self, at_s: float, late_ms: dict[int, list[float]]) -> None:
        """Takes a sample, by the host's generations. A host that comes back lies on the timeline by its first picture's
        luck, anew each time: the line goes on where it was."""
        for generation, values in sorted(late_ms.items()):
            middle_ms = median(values)
            if generation != self._generation:
                self._offset_ms = (self.late_ms[-1][1] if self.late_ms else 0.0) - middle_ms
                self._generation = generation
            self.late_ms.append((at_s, middle_ms + self._offset_ms))

    def faults(self) -> list[str]:
        """What grew or was missed, in words; empty when all is well."""
        found = [said for said, bad in self._figures() if bad]
        assert self.crowd is not None
        if self.crowd.holes:
            found.append(f"{self.crowd.holes} pictures or events were missed by viewers that read all")
        if not (self.crowd.heard and self.crowd.segments and self.late_ms):
            found.append("there was no picture, no caption or no HLS")
        lasted_s = self.late_ms[-1][0] - self.late_ms[0][0] if self.late_ms else 0
        if lasted_s > TOLD_AFTER_S and not self.crowd.closed:
            found.append("no slow viewer was ever told so")
        return found

    def told(self) -> list[str]:
        """A line for each figure."""
        assert self.crowd is not None
        about = f"{self.crowd.joins} joins, closed {dict(self.crowd.closed)}, holes {self.crowd.holes}"
        return [said for said, _ in self._figures()] + [about]

    def _figures(self) -> Iterator[tuple[str, bool]]:
        for unit, bound, by_name in (("KiB", HEAP_KIB, self.heap_kib), ("files", FILES, self.files)):
            for name, points in sorted(by_name.items()):
                yield _said(f"{name}, {unit}", points, bound), rises(points, bound)
        if self.late_ms:
            yield _said("lateness, ms", self.late_ms, LATE_MS), rises(self.late_ms, LATE_MS)


async def run(system: System, seconds: float, every_s: float, settle_s: float, more: Sequence[int] = ()) -> Run:
    """Watches the demo's show for so long, after `settle_s` that do not count; `more`: processes to look at too."""
    seen, show = Run(), await asyncio.to_thread(system.demo_show)
    pids = _pids(system.data) | {f"process {pid}": pid for pid in more}
    host, viewer = [await asyncio.to_thread(system.token, f"{who}@demo.example") for who in ("host", "adult")]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        crowd = seen.crowd = Crowd(f"{system.url.rstrip('/')}/api/v1", show["id"], session)
        async with _together(
            *(crowd.steady() for _ in range(STEADY)), *(crowd.slow() for _ in range(SLOW)),
            *(crowd.flap() for _ in range(FLAPPING)), crowd.by_hls(urljoin(system.url, show["hls"])),
            _say(session, f"{crowd.api}/shows/{show['id']}/captions", host, "Guten Abend"),
            _say(session, f"{crowd.api}/shows/{show['id']}/chat", viewer, "Schön"),
        ):  # fmt: skip
            await asyncio.sleep(settle_s)
            crowd.late.clear()
            began_s = time.monotonic()
            while (at_s := time.monotonic() - began_s) < seconds:
                await asyncio.sleep(every_s)
                _sample(seen, pids, at_s, crowd)
    return seen


def _sample(seen: Run, pids: dict[str, int], at_s: float, crowd: Crowd) -> None:
    for name, pid in pids.items():
        seen.heap_kib.setdefault(name, []).append((at_s, _heap_kib(pid)))
        seen.files.setdefault(name, []).append((at_s, psutil.Process(pid).num_fds()))
    seen.lateness(at_s, crowd.late)
    crowd.late = {}


def _heap_kib(pid: int) -> float:
    """Memory of its own, files mapped into it left out."""
    found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None, "Linux 4.5 or newer"
    return float(found[1])


def _pids(data: Path) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in json.loads((data / "run.json").read_text())["processes"]}


async def _say(session: aiohttp.ClientSession, url: str, token: str, what: str) -> None:
    for number in itertools.count():
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(12)}
        async with session.post(url, json={"text": f"{what} {number}"}, headers=headers) as answer:
            assert answer.status < 300, (url, await answer.text())
        await asyncio.sleep(SAY_EVERY_S)


def _said(name: str, points: Points, bound: Bound) -> str:
    values = [value for _, value in points]
    course = " ".join(f"{value:.0f}" for value in values[:: len(values) // SHOWN + 1] + values[-1:])
    minutes = (points[-1][0] - points[0][0]) / 60
    return f"{name}: {course} in {minutes:.1f} min; rise by slope {rise(points):.0f}, allowed {allowed(points, bound):.0f}"


@asynccontextmanager
async def _together(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs all of it beside the block, and ends it with the block; what fails in it fails the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        yield
        for task in tasks:
            task.cancel()
