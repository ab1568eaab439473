"""What runs on a DATA folder: the lock of `livesale up`, and `DATA/run.json` for whoever looks for it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from livesale.kernel.refusals import Refusal


class RunningProcess(msgspec.Struct, frozen=True):
    """One process; `urls` are where it answers."""

    name: str
    pid: int
    urls: list[str]


class Running(msgspec.Struct, frozen=True):
    """A system that runs: the supervisor's pid, where the pages are, and its processes in starting order."""

    pid: int
    url: str
    processes: list[RunningProcess]


def hold_data(data: Path, url: str) -> int:
    """The descriptor that holds DATA/up.lock while this process lives; a Refusal names who has it instead."""
    lock = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 200, 0).decode(errors="replace").strip() or "just starting"
        os.close(lock)
        raise Refusal(
            "conflict", f"another livesale up runs on {data} ({holder}); stop it or give another --data"
        ) from None
    os.truncate(lock, 0)
    os.pwrite(lock, f"pid {os.getpid()}, {url}\n".encode(), 0)
    return lock


def write_running(data: Path, running: Running) -> None:
    """Replace DATA/run.json in one step, so that nobody reads half of it."""
    draft = data / ".run.json.new"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(running), indent=1) + b"\n")
    draft.rename(data / "run.json")


def read_running(data: Path) -> Running | None:
    """What runs on `data` now; None when nothing does, even if a killed one left its run.json."""
    try:
        lock = os.open(data / "up.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _decoded(data / "run.json")
    finally:
        os.close(lock)
    return None


def _decoded(path: Path) -> Running | None:
    """A system that is still starting has no run.json yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
