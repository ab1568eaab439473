"""Processes: what `livesale up` runs on this machine and how each is doing, from DATA/run.json and the kernel."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil

MIB = 1024 * 1024


class Processes:
    """Remembers each process between two looks, since a share of CPU needs two."""

    def __init__(self, data: Path) -> None:
        self._file = data / "run.json"
        self._known: dict[int, psutil.Process] = {}

    def look(self) -> list[dict[str, Any]]:
        """`{name, pid, up, cpu_percent, rss_mib, restarts, uptime_s}` of each process; 100 % is one core."""
        rows = [self._row(told) for told in self._listed()]
        pids = {row["pid"] for row in rows if row["up"]}
        self._known = {pid: process for pid, process in self._known.items() if pid in pids}
        return rows

    def _listed(self) -> list[dict[str, Any]]:
        try:
            listed = json.loads(self._file.read_text("utf-8"))["processes"]
            return [told for told in listed if isinstance(told, dict)]
        except (OSError, ValueError, KeyError, TypeError):
            return []  # nothing is supervised here

    def _row(self, told: dict[str, Any]) -> dict[str, Any]:
        pid = told.get("pid")
        row = {"name": str(told.get("name", "")), "pid": pid, "up": False, "cpu_percent": 0.0, "rss_mib": 0.0}
        row |= {"restarts": int(told.get("restarts") or 0), "uptime_s": 0}
        try:
            return row | (self._seen(pid) if isinstance(pid, int) and pid > 0 else {})
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return row

    def _seen(self, pid: int) -> dict[str, Any]:
        process = self._known.get(pid)
        age_s = 0.0
        if process is None or not process.is_running():
            self._known[pid] = process = psutil.Process(pid)
            process.cpu_percent()
            age_s = max(time.time() - process.create_time(), 0.1)
        with process.oneshot():
            spent = process.cpu_times()
            cpu = 100 * (spent.user + spent.system) / age_s if age_s else process.cpu_percent()
            return {
                "up": process.status() != psutil.STATUS_ZOMBIE,
                "cpu_percent": round(cpu, 1),
                "rss_mib": round(process.memory_info().rss / MIB, 1),
                "uptime_s": int(time.time() - process.create_time()),
            }
