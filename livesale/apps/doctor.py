"""`livesale doctor`: what this machine must be able to do, one line for each check."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from livesale.accounts.countries import of_folder
from livesale.apps import store
from livesale.apps.ports import is_free
from livesale.apps.running import Running, read_running
from livesale.settings import Settings, SettingsError

SLOW_FSYNC_US = 50_000  # then one commit takes longer than a blink
FSYNC_ROUNDS = 20
LEAST_FREE_BYTES = 1 << 30
LEAST_FILES = 22_000  # ten thousand viewers of one hub, two each, and the rest
CLOCK_TOLERANCE_S = 2.0

Check = Callable[[Settings, "Running | None"], str]


class Unfit(Exception):
    """A check that failed; the message says what to do."""


def main(settings: Settings) -> int:
    """Run every check; 1 when one fails."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    running = read_running(settings.data)
    failed = 0
    for name, check in CHECKS.items():
        try:
            verdict, text = "ok", check(settings, running)
        except (Unfit, OSError) as error:
            verdict, text = "FAIL", str(error)
            failed += 1
        print(f"{verdict:4}  {name:14}  {' '.join(text.split())}", flush=True)
    return 1 if failed else 0


def _ports(settings: Settings, running: Running | None) -> str:
    if running is not None:
        return f"{running.url} is ours: livesale up runs (pid {running.pid})"
    if settings.port and not is_free(settings.host, settings.port):
        raise Unfit(f"port {settings.port} on {settings.host} is taken by another program; use --port")
    return f"port {settings.port} on {settings.host} is free"


def _clock(settings: Settings, running: Running | None) -> str:
    """Times in DATA that lie ahead of the clock mean that it was set back: deadlines would come too late."""
    newest = max((path.stat().st_mtime for path in settings.data.iterdir()), default=0.0)
    ahead_s = newest - time.time()
    if ahead_s > CLOCK_TOLERANCE_S:
        raise Unfit(f"the clock is {ahead_s:.0f} s behind what was written to {settings.data}; set it right")
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC, not behind anything in DATA"


def _fsync(settings: Settings, running: Running | None) -> str:
    measured = median(fsync_us(settings.data, FSYNC_ROUNDS))
    if measured > SLOW_FSYNC_US:
        raise Unfit(f"writing through to the disk takes {measured:.0f} µs; DATA needs a faster disk")
    return f"{measured:.0f} µs to write 4 KiB through to the disk"


def fsync_us(folder: Path, rounds: int) -> list[float]:
    """How long each of `rounds` appends of 4 KiB takes to reach the disk under `folder`, in µs."""
    trial = folder / f".fsync-{os.getpid()}"
    taken: list[float] = []
    try:
        with trial.open("wb", buffering=0) as file:
            for _ in range(rounds):
                begun = time.perf_counter_ns()
                file.write(bytes(4096))
                os.fdatasync(file.fileno())
                taken.append((time.perf_counter_ns() - begun) / 1000)
    finally:
        trial.unlink(missing_ok=True)
    return taken


def _disk(settings: Settings, running: Running | None) -> str:
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE_BYTES:
        raise Unfit(f"only {free >> 20} MiB free in {settings.data}; a full disk stops the store")
    return f"{free / (1 << 30):.1f} GiB free in {settings.data}"


def _files(settings: Settings, running: Running | None) -> str:
    """Each viewer is two descriptors of the hub's process (hub/PROTOCOL.md), which takes as many as it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < LEAST_FILES:
        raise Unfit(f"a process may have {most} open files, half as many viewers at most; raise LimitNOFILE (or ulimit -Hn)")
    return f"{most} open files for each process, and each viewer is two"


def _udp(settings: Settings, running: Running | None) -> str:
    """One datagram from one port to another, within the range for video when there is one."""
    low, high = settings.ice.udp_min, settings.ice.udp_max
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(type=socket.SOCK_DGRAM) as here,
    ):
        there.settimeout(1.0)
        for port in range(low, high + 1) if low else [0]:
            try:
                there.bind(("127.0.0.1", port))
                break
            except OSError:
                continue
        else:
            raise Unfit(f"no UDP port from {low} to {high} is free")
        here.sendto(b"livesale", there.getsockname())
        if there.recv(64) != b"livesale":
            raise Unfit("a UDP datagram to this machine itself came back changed")
    return f"ports {low} to {high}" if low else "any port; set ice.udp_min and ice.udp_max behind a firewall"


def _store(settings: Settings, running: Running | None) -> str:
    if settings.valkey_url:
        return _ping(settings.valkey_url)
    if running is not None:
        if not store.answers(settings):
            raise Unfit(f"the store does not answer; see {settings.data / 'log' / 'store.log'}")
        return "answers"
    binary = store.valkey_binary()
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    if version.returncode:
        raise Unfit(f"{binary} does not run on this machine: {version.stderr}")
    hint = "" if store.allocator() else "; a sixth cheaper with jemalloc (Debian: libjemalloc2)"
    return f"not running; {version.stdout.split(' sha')[0]}{hint}"


def _ping(url: str) -> str:
    import redis

    try:
        redis.Redis.from_url(url, socket_connect_timeout=3).ping()
    except redis.RedisError as error:
        raise Unfit(f"the store at LIVESALE_VALKEY_URL does not answer: {error}") from None
    return "answers"


def _database(settings: Settings, running: Running | None) -> str:
    import asyncio

    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from livesale.store.database import engine

    async def ask() -> None:
        database = engine(settings.sql_url)
        try:
            async with database.connect() as connection:
                await connection.execute(text("SELECT 1"))
        finally:
            await database.dispose()

    try:
        asyncio.run(ask())
    except SQLAlchemyError as error:
        raise Unfit(f"the database does not answer: {error}") from None
    return "PostgreSQL answers" if settings.database_url else f"SQLite in {settings.data}"


def _bundle(settings: Settings, running: Running | None) -> str:
    folder = Path(__file__).parents[1] / "web_dist"
    if not any(folder.glob("*/index.html")):
        raise Unfit("the pages are not built; run scripts/demo once, or: npm ci && npm run build in web/")
    return f"{sum(1 for file in folder.rglob('*') if file.is_file())} files"


def _countries(settings: Settings, running: Running | None) -> str:
    """No failure, but whoever sells there should know which rules rest on somebody's memory."""
    try:
        unchecked = of_folder(settings.countries).unchecked()
    except SettingsError as error:
        raise Unfit(str(error)) from None
    if not unchecked:
        return "every rule of every country has been looked up"
    rules = ", ".join(f"{code} {len(names)}" for code, names in unchecked.items())
    return f"rules whose source nobody has looked up (no `checked` in countries/CC.toml; ask a lawyer): {rules}"


CHECKS: dict[str, Check] = {
    "ports": _ports,
    "clock": _clock,
    "fsync": _fsync,
    "disk": _disk,
    "open files": _files,
    "UDP": _udp,
    "store": _store,
    "database": _database,
    "browser bundle": _bundle,
    "countries": _countries,
}
