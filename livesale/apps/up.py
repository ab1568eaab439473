"""`livesale up`: one machine, every process of the Procfile; owns the order in which it comes up and goes.

Order: the lock on DATA, keys, ports, database, store, all others at once, `ready`, the demo. Back in reverse.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import msgspec

from livesale.apps import logs, store
from livesale.apps.child import Spec
from livesale.apps.keys import make_keys
from livesale.apps.plan import claim, copies_of, demo_spec, read_procfile, specs, without_elsewhere
from livesale.apps.running import Running, RunningProcess, hold_data, write_running
from livesale.apps.supervisor import StartFailed, Supervisor
from livesale.settings import Settings, SettingsError

READY_TIMEOUT_S = 90.0
TRIM_EVERY_S = 60.0
LEAST_FREE_BYTES = 128 << 20

Seed = Callable[[Settings], Any]


def up(settings: Settings, asked: frozenset[str], procfile: Path) -> int:
    """Run the system until a signal; returns the exit code. `asked`: keys whose ports are given."""
    names = without_elsewhere(settings, read_procfile(procfile))
    copies = copies_of(settings.processes, names)
    seed: Seed | None = importlib.import_module("livesale.apps.demo").seed if settings.demo else None
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_room(settings.data)
    with ExitStack() as held:
        held.callback(os.close, hold_data(settings.data, settings.base_url))
        if "store" in copies:
            store.wait_until_free(settings.data)
        make_keys(settings.data)
        claims = claim(settings, copies, asked)
        (settings.data / "log").mkdir(exist_ok=True)
        settings = msgspec.structs.replace(settings, port=claims.ports.get("port", settings.port))
        importlib.import_module("livesale.store.database").migrate(settings.sql_url, settings.key("address.key"))
        system = System(settings, specs(settings, copies, claims.ports))
        after = demo_spec(settings, claims.ports) if seed else None
        return asyncio.run(system.run(seed, after))


class System:
    """The running processes and what the outside sees of them."""

    def __init__(self, settings: Settings, planned: list[Spec]) -> None:
        self._settings = settings
        self._planned = planned
        self._asked_to_stop = asyncio.Event()
        self._supervisor = Supervisor(settings.data / "log", say, self._publish)

    async def run(self, seed: Seed | None, after: Spec | None) -> int:
        """Come up, stay up until asked to stop, go down; 1 when it could not come up."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop.set)
        try:
            return await self._until_asked(self._come_up(seed, after))
        finally:
            await self._supervisor.stop()
            (self._settings.data / "run.json").unlink(missing_ok=True)

    async def _until_asked(self, coming_up: Any) -> int:
        coming = asyncio.create_task(coming_up)
        asked = asyncio.create_task(self._asked_to_stop.wait())
        await asyncio.wait({coming, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            return 0
        try:
            coming.result()
        except StartFailed as failure:
            say(str(failure))
            return 1
        while not asked.done():
            await asyncio.wait({asked}, timeout=TRIM_EVERY_S)
            logs.trim(child.log for child in self._supervisor.children)
        return 0

    async def _come_up(self, seed: Seed | None, after: Spec | None) -> None:
        say(f"starting {', '.join(spec.name for spec in self._planned)} on {self._settings.data} (a few seconds)")
        first = [self._supervisor.start(spec) for spec in self._planned if spec.name == "store"]
        await self._supervisor.until_ready(first, READY_TIMEOUT_S)
        others = [self._supervisor.start(spec) for spec in self._planned if spec.name != "store"]
        await self._supervisor.until_ready(first + others, READY_TIMEOUT_S)
        accounts = await _seeded(seed, self._settings) if seed else []
        _write("\n".join([f"ready {self._settings.base_url}", *accounts]), sys.stdout)
        if after:
            self._supervisor.start(after)

    def _publish(self) -> None:
        """DATA/run.json as it is now."""
        processes = [
            RunningProcess(child.spec.name, child.pid, list(child.urls))
            for child in self._supervisor.children
            if child.pid is not None
        ]
        write_running(self._settings.data, Running(os.getpid(), self._settings.base_url, processes))


async def _seeded(seed: Seed, settings: Settings) -> list[str]:
    """The demo's accounts as lines; the shop and its products are made on the way."""
    say("setting up the demo's shop (the first time it draws its pictures: half a minute)")
    lines = await asyncio.to_thread(seed, settings)
    return list(await lines if inspect.isawaitable(lines) else lines)


def _check_room(data: Path) -> None:
    """Refused before anything starts: on a full disk each process would complain in its own way."""
    free = shutil.disk_usage(data).free
    if free < LEAST_FREE_BYTES:
        raise SettingsError(
            f"only {free >> 20} MiB are free for {data}, and a full disk stops the store: "
            f"make room ({LEAST_FREE_BYTES >> 20} MiB at least) or give another --data"
        )


def say(line: str) -> None:
    """One line for whoever started the system; stdout is for `ready`."""
    _write(f"livesale: {line}", sys.stderr)


def _write(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except OSError:  # nobody reads any more (`livesale up | head -1`): the system goes on without a word
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
