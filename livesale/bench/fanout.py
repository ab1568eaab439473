"""`livesale bench fanout`: what one frame to one viewer costs the running system, beside a bare write(2) to the same readers.

A real show: pictures of an exact size come by WHIP, viewers by tickets over HTTP, people chat, react and buy meanwhile.
System and floor take turns of two seconds, so that whatever else this machine does meets both, and of each the middle turn
counts. With `--slow` so many more
viewers come afterwards who read too slowly (bench/slow.py), for some turns more: what they cost the others. The server's
CPU is that of the processes that serve viewers: edges, as their tickets say; the studio that takes the video in is told
beside it, and where it serves them itself it is in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil

from livesale.apps.ports import Claims
from livesale.apps.running import read_running
from livesale.apps.wiring import Wiring
from livesale.bench.cast import Cast, Person, Stage
from livesale.bench.certificates import make_certificate
from livesale.bench.child import Child
from livesale.bench.life import again_and_again
from livesale.bench.pace import LEAST_BYTES
from livesale.bench.proxies import PROXIES, proxy
from livesale.bench.summary import tell
from livesale.bench.system import System, running_system
from livesale.bench.usage import cpu_s, rss_kib
from livesale.kernel.refusals import Refusal
from livesale.settings import Settings, variable_of

TURN_S = 2.0
WARM_UP_S = 0.5
SLOW_TURNS = 6  # long enough that the slow ones are told so: who flaps is behind from its second second on
TALK_EVERY_S = 0.5
STOCK = 10_000


class Side:
    """Viewers of one sender, and what its turns showed: sums, and `turns_us`, CPU a frame of each turn. Both by who used it, of
    those in `watched` (pids)."""

    def __init__(self, sender: Child, load: Child, watched: dict[str, list[int]]) -> None:
        self._sender = sender
        self._load = load
        self._watched = watched | {"load": [load.pid]}
        self.used_s = dict.fromkeys(self._watched, 0.0)
        self.turns_us: dict[str, list[float]] = {who: [] for who in self._watched}
        self.frames = self.closed = 0
        self.seconds = 0.0
        self.late_ms: list[float] = []
        self.late = self.lost = 0
        self.busy = 0.0

    async def turn(self) -> None:
        """On air for TURN_S, after a moment that is not counted."""
        self._sender.tell("begin")
        await asyncio.sleep(WARM_UP_S)
        self._load.tell("mark")
        before, began_s = self._cpu_s(), time.monotonic()
        await asyncio.sleep(TURN_S)
        report = await self._load.ask("report")
        for who, now_s in self._cpu_s().items():
            self.used_s[who] += now_s - before[who]
            self.turns_us[who].append((now_s - before[who]) * 1e6 / max(1, report["frames"]))
        self.seconds += time.monotonic() - began_s
        self.frames += report["frames"]
        self.closed = report["closed"]
        self.late_ms.append(report["late_p99_ms"])
        self.late += report["late"]
        self.lost += report["lost"]
        self.busy = max(self.busy, report["busy"])
        self._sender.tell("pause")

    def us_per_frame(self, who: str) -> float:
        """CPU of `who` by frame that a viewer has read whole: the middle one of the turns."""
        return median(self.turns_us[who])

    def _cpu_s(self) -> dict[str, float]:
        return {who: cpu_s(pids) for who, pids in self._watched.items()}


async def run(settings: Settings, chosen: dict[str, Any], *, as_json: bool) -> int:
    """The command: prints the summary as its last line. `tls`: own, or the proxy viewers come through."""
    way = chosen.pop("tls", None)
    if way and chosen.get("slow"):
        raise Refusal("unsupported", "--slow and --tls are measured one at a time")
    if way and read_running(settings.data) is not None:
        raise Refusal("conflict", "--tls is measured on a system of its own; give another --data")
    with TemporaryDirectory() as folder:
        chain, key = make_certificate(Path(folder), "bench")
        own = {variable_of("tls.certificate"): str(chain), variable_of("tls.key"): str(key)} if way == "own" else {}
        async with running_system(settings, own) as system, Wiring(system.settings) as wiring:
            with encrypted(way, Path(folder), system, chain, key) as door:
                summary = await measure(system, wiring, door, **chosen)
    tell(summary, as_json=as_json)
    return 0


async def measure(
    system: System, wiring: Wiring, door: Door, viewers: int = 500, frame_bytes: int = 20_000, frames_per_s: int = 20,
    seconds: int = 10, slow: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """The figures of contract section 6; `slow` is the percentage of viewers that come to read too slowly."""
    cast = Cast(system, wiring)
    await cast.shop(STOCK)
    stage = await cast.show("Bench", STOCK)
    await cast.until_listed(stage.show)
    (buyer,) = await cast.people(1)
    form = {"frame_bytes": max(LEAST_BYTES + 1, frame_bytes), "frames_per_s": frames_per_s}
    publisher = {"url": stage.whip_url, "token": stage.whip_token, **form}
    async with Child("livesale.bench.camera", publisher) as camera:
        await camera.answer()
        await first_viewer(cast, stage, camera, door)
        places = await cast.tickets(stage.show, viewers)
        serving, ingest = processes(system, {port for port, _ in places})
        serving += door.pids()
        idle_kib = rss_kib(serving)
        async with (
            Child("livesale.bench.load", door.through(places)) as load,
            floor(form, viewers) as (bare, bare_load),
            again_and_again(talk(cast, stage, buyer), TALK_EVERY_S),
        ):
            await load.answer()
            ours = Side(camera, load, {"server": serving, "ingest": ingest})
            theirs = Side(bare, bare_load, {"server": [bare.pid]})
            for _ in range(max(1, round(seconds / TURN_S))):
                await ours.turn()
                await theirs.turn()
            grown_kib = rss_kib(serving) - idle_kib
            beset = Side(camera, load, {"server": serving})
            bytes_per_s = form["frame_bytes"] * frames_per_s
            too_slow = await among_slow(beset, cast, stage, viewers * slow // 100, bytes_per_s) if slow else 0
    await cast.end(stage)
    about = {"bench": "fanout", "tls": door.way, "viewers": viewers, "frame_bytes": frame_bytes, "frames_per_s": frames_per_s}
    memory = {"rss_kib_per_viewer": round(grown_kib / viewers, 1)}
    told = about | figures(ours, theirs, viewers) | memory | {"slow_closed": too_slow, "fsync_us": system.fsync_us}
    return told | among_slow_figures(ours, beset) if slow else told


async def among_slow(side: Side, cast: Cast, stage: Stage, slow: int, bytes_per_s: int) -> int:
    """Turns while `slow` more viewers read too slowly; how many of those were told so."""
    places = await cast.tickets(stage.show, slow)
    async with Child("livesale.bench.slow", {"viewers": places, "bytes_per_s": bytes_per_s}) as them:
        await them.answer()
        for _ in range(SLOW_TURNS):
            await side.turn()
        return int((await them.ask("end"))["slow_closed"])


def among_slow_figures(alone: Side, beset: Side) -> dict[str, Any]:
    """What the slow ones changed for the others: the middle of the turns' p99, and pictures lost."""
    before, after = median(alone.late_ms), median(beset.late_ms)
    return {
        "late_p99_alone_ms": round(before, 1),
        "late_p99_among_slow_ms": round(after, 1),
        "lost_among_slow": beset.lost,
        "closed_among_slow": beset.closed,
    }


def figures(ours: Side, theirs: Side, viewers: int) -> dict[str, Any]:
    """What the turns say; `closed`: viewers that read and were closed all the same."""
    cpu_us, floor_us = ours.us_per_frame("server"), theirs.us_per_frame("server")
    return {
        "delivered_per_s": round(ours.frames / ours.seconds, 1),
        "server_cpu_us_per_frame": round(cpu_us, 2),
        "floor_cpu_us_per_frame": round(floor_us, 2),
        "ratio": round(cpu_us / floor_us, 3) if floor_us else None,
        "ingest_cpu_us_per_frame": round(ours.us_per_frame("ingest"), 2),
        "viewers_per_core": round(viewers * ours.seconds / ours.used_s["server"]) if ours.used_s["server"] else None,
        "late_p99_ms": round(max(ours.late_ms), 1),
        "floor_late_p99_ms": round(max(theirs.late_ms), 1),
        "late": ours.late,
        "lost": ours.lost,
        "closed": ours.closed,
        "load_cpu": round(ours.used_s["load"] / ours.seconds, 3),
        "load_busy": round(ours.busy, 3),
    }


class Door(NamedTuple):
    """How viewers reach the hubs: straight (`way` is no), encrypted by the hub itself (own), or through a proxy."""

    way: str = "no"
    port: int = 0
    pid: int = 0

    def through(self, places: list[tuple[int, str]]) -> dict[str, Any]:
        """What the load generator is told."""
        ways = [(self.port, f"/hubs/edge{path}") for _, path in places] if self.port else places
        return {"viewers": ways, "tls": self.way != "no"}

    def pids(self) -> list[int]:
        """The proxy's processes, which serve viewers too."""
        if not self.pid:
            return []
        return [self.pid, *(child.pid for child in psutil.Process(self.pid).children())]


@contextmanager
def encrypted(way: str | None, folder: Path, system: System, chain: Path, key: Path) -> Iterator[Door]:
    """The door of this way."""
    if way not in PROXIES:
        yield Door(way or "no")
        return
    claims = Claims(folder, "127.0.0.1")
    claims.chosen("proxy")
    port = claims.ports["proxy"]
    claims.close()
    with proxy(way, folder, port, {8091: system.settings.ports.edge}, chain, key) as pid:
        yield Door(way, port, pid)


async def first_viewer(cast: Cast, stage: Stage, camera: Child, door: Door) -> None:
    """One viewer for a moment: what the system needs for a show at all is there before others are counted."""
    places = await cast.tickets(stage.show, 1)
    async with Child("livesale.bench.load", door.through(places)) as load:
        await load.answer()
        await Side(camera, load, {}).turn()


def processes(system: System, ports: set[int]) -> tuple[list[int], list[int]]:
    """Those that serve viewers (at the ports their tickets name), and the studios that only take the host's video in."""
    running = system.running.processes
    serving = [each.pid for each in running if ports & {urlsplit(url).port for url in each.urls}]
    return serving, [each.pid for each in running if each.name.startswith("studio") and each.pid not in serving]


@asynccontextmanager
async def floor(form: dict[str, int], viewers: int) -> AsyncIterator[tuple[Child, Child]]:
    """The bare write loop and its viewers."""
    async with Child("livesale.bench.floor", {"viewers": viewers, **form}) as bare:
        places = [((await bare.answer())["port"], "/")] * viewers
        async with Child("livesale.bench.load", {"viewers": places}) as load:
            await load.answer()
            yield bare, load


def talk(cast: Cast, stage: Stage, buyer: Person) -> Callable[[], Awaitable[None]]:
    """What there is beside the picture: a line, a heart and a unit sold."""

    async def act() -> None:
        for call, body in (
            ("chat", {"text": "What colours are there?"}),
            ("reactions", {"kind": "heart"}),
            ("orders", {"lines": [{"offer": stage.offer, "quantity": 1}]}),
        ):
            with suppress(Refusal):  # a machine at its limit may say 503
                await cast.call("POST", f"/shows/{stage.show}/{call}", body, buyer)

    return act
