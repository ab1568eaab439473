"""What processes use: CPU and memory."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def cpu_s(pids: Iterable[int]) -> float:
    """User and system time of processes so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(each.user + each.system for each in times))


def rss_kib(pids: Iterable[int]) -> float:
    """Resident memory of processes now."""
    return sum(float(psutil.Process(pid).memory_info().rss) for pid in pids) / 1024
