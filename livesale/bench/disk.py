"""The disk a measurement stands on: a folder in memory is refused, and the time of an fsync is told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

from livesale.kernel.refusals import Refusal

IN_MEMORY = ("tmpfs", "ramfs")
ROUNDS = 20


def fsync_us(folder: Path) -> int:
    """Median time of an fsync of 4 KiB in `folder` (made when missing), in µs; Refusal when it is in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = _filesystem(folder.resolve())
    if kind in IN_MEMORY:
        raise Refusal("invalid", f"{folder} is on {kind}; measure on a disk: livesale bench … --data DIR.")
    path = folder / f".fsync-{os.getpid()}"
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        return _median_us(number)
    finally:
        os.close(number)
        path.unlink()


def _median_us(number: int) -> int:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        os.pwrite(number, bytes(4096), 0)
        os.fsync(number)
        taken.append(time.perf_counter() - began)
    return round(sorted(taken)[ROUNDS // 2] * 1e6)


def _filesystem(folder: Path) -> str:
    """The kind of the mount `folder` is on: the one with the longest path above it."""
    mounts = [each for each in psutil.disk_partitions(all=True) if folder.is_relative_to(each.mountpoint)]
    return max(mounts, key=lambda each: len(each.mountpoint)).fstype if mounts else ""
