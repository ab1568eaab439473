"""The system a measurement runs against: the one on DATA, or one of its own on the same disk, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from livesale.apps.ports import Claims
from livesale.apps.running import Running, read_running
from livesale.bench.disk import fsync_us
from livesale.bench.usage import cpu_s
from livesale.kernel.refusals import Refusal
from livesale.settings import Settings, load_settings

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class System:
    """A running system, where its settings are, and how long its disk takes for an fsync."""

    settings: Settings
    running: Running
    fsync_us: int

    @property
    def url(self) -> str:
        """Where its pages are."""
        return self.running.url

    def cpu_s(self) -> dict[str, float]:
        """User and system time so far of each of its processes, by name."""
        return {process.name: cpu_s([process.pid]) for process in self.running.processes}


@asynccontextmanager
async def running_system(settings: Settings, more: dict[str, str] | None = None) -> AsyncIterator[System]:
    """The system that runs on the DATA of `settings`; when none does, one is started for the measurement, with these variables
    more."""
    disk_us = fsync_us(settings.data)
    running = read_running(settings.data)
    if running is not None:
        yield System(settings, running, disk_us)
        return
    data = Path(tempfile.mkdtemp(prefix="bench-", dir=settings.data))
    process = await _start(data, settings, more or {})
    try:
        await _until_ready(process, data / "up.log")
        found = read_running(data)
        if found is None:
            raise click.ClickException("the system of the measurement ended before its time")
        yield System(load_settings(data), found, disk_us)
    finally:
        await _stop(process)
        shutil.rmtree(data, ignore_errors=True)


async def _start(data: Path, settings: Settings, more: dict[str, str]) -> asyncio.subprocess.Process:
    claims = Claims(data, settings.host)
    claims.chosen("port")  # the usual one may be another system's
    claims.close()
    command = [sys.executable, "-m", "livesale.cli", "up", "--data", str(data), "--port", str(claims.ports["port"])]
    if settings.processes:
        command += ["--processes", settings.processes]
    with (data / "up.log").open("wb") as said:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=said,
            env={**os.environ, "LIVESALE_DATA": str(data), **more},
        )  # fmt: skip


async def _until_ready(process: asyncio.subprocess.Process, said: Path) -> None:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while line := await process.stdout.readline():
                if line.startswith(b"ready "):
                    return
    except TimeoutError:
        pass
    last = (said.read_text(errors="replace").splitlines() or ["it said nothing"])[-1]
    raise Refusal("store_unavailable", f"the system of the measurement did not come up: {last}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
