"""`livesale bench fanout`: what one frame to one viewer costs the hub, beside a bare write(2) to the same readers.

Hub and floor run side by side and take turns of two seconds, so that whatever else this machine does meets both.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import click
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from livesale.bench.disk import fsync_us
from livesale.hub.tickets import Claims, anonymous_tag, issue, new_jti
from livesale.settings import Settings

SHOW = "bench"
TURN_S = 2.0
WARM_UP_S = 0.5
TICKET_LIFE_MS = 600_000
REQUEST = (
    "GET /v1/shows/{show}?ticket={ticket} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: bGl2ZXNhbGUgYmVuY2ghIQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: livesale.v1\r\n\r\n"
)


class Child:
    """One process of the measurement: orders in, answers out, and what it costs."""

    def __init__(self, module: str, options: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._watch = psutil.Process(self._process.pid)
        self.tell(json.dumps(options))

    def tell(self, order: str) -> None:
        """Sends one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Waits for one line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException("a process of the measurement ended before its time")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def cpu_s(self) -> float:
        """User and system time so far."""
        times = self._watch.cpu_times()
        return float(times.user + times.system)

    def rss_kib(self) -> float:
        """Resident memory now."""
        return float(self._watch.memory_info().rss) / 1024

    def stop(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


class Side:
    """A server with its own viewers, and the sums of its turns."""

    def __init__(self, module: str, options: dict[str, Any], requests: list[str], slow: int) -> None:
        self.server = Child(module, options)
        self.idle_kib = 0.0
        self.load: Child | None = None
        try:
            port = self.server.answer()["port"]
            self.idle_kib = self.server.rss_kib()
            self.load = Child("livesale.bench.load", {"port": port, "requests": requests, "slow": slow})
            self.load.answer()
        except BaseException:
            self.stop()
            raise
        self.frames = 0
        self.seconds = 0.0
        self.server_s = 0.0
        self.load_s = 0.0
        self.late_ms: list[float] = []

    def turn(self, seconds: float) -> None:
        """On air for `seconds`, after a moment that is not counted."""
        assert self.load is not None
        self.server.tell("begin")
        time.sleep(WARM_UP_S)
        self.load.tell("mark")
        server_s, load_s, began_s = self.server.cpu_s(), self.load.cpu_s(), time.monotonic()
        time.sleep(seconds)
        self.load.tell("report")
        self.server_s += self.server.cpu_s() - server_s
        self.load_s += self.load.cpu_s() - load_s
        self.seconds += time.monotonic() - began_s
        report = self.load.answer()
        self.frames += report["frames"]
        self.late_ms.append(report["late_p99_ms"])
        self.server.tell("pause")

    def cpu_us_per_frame(self) -> float:
        """Server CPU by frame that a viewer has read whole."""
        return self.server_s * 1e6 / max(1, self.frames)

    def stop(self) -> None:
        """Ends both processes."""
        self.server.stop()
        if self.load is not None:
            self.load.stop()


def measure(
    viewers: int = 500, frame_bytes: int = 20_000, frames_per_s: int = 20, seconds: int = 10, slow: int = 0
) -> dict[str, Any]:
    """The figures of contract section 6; `slow` is the percentage of viewers that never read."""
    key = Ed25519PrivateKey.generate()
    stalled = viewers * slow // 100
    options = {"viewers": viewers, "frame_bytes": max(64, frame_bytes), "frames_per_s": frames_per_s, "show": SHOW}
    hub_options = options | {"public_key": key.public_key().public_bytes_raw().hex()}
    floor_options = options | {"viewers": viewers - stalled}
    hub = Side("livesale.bench.source", hub_options, _requests(key, viewers), stalled)
    try:
        floor = Side("livesale.bench.floor", floor_options, _requests(key, viewers - stalled), 0)
        try:
            for _ in range(max(1, round(seconds / TURN_S))):
                hub.turn(TURN_S)
                floor.turn(TURN_S)
            return _summary(hub, floor, viewers, frame_bytes, frames_per_s)
        finally:
            floor.stop()
    finally:
        hub.stop()


def run(settings: Settings, chosen: dict[str, int], *, as_json: bool) -> int:
    """The command: prints the summary as its last line."""
    disk_us = fsync_us(settings.data)
    summary = measure(**chosen) | {"fsync_us": disk_us}
    if as_json:
        click.echo(json.dumps(summary))
    else:
        for name, value in summary.items():
            click.echo(f"{name:24} {value}")
    return 0


def _summary(hub: Side, floor: Side, viewers: int, frame_bytes: int, frames_per_s: int) -> dict[str, Any]:
    hub.server.tell("stats")
    stats = hub.server.answer()
    ours, bare = hub.cpu_us_per_frame(), floor.cpu_us_per_frame()
    assert hub.load is not None
    return {
        "bench": "fanout",
        "viewers": viewers,
        "frame_bytes": frame_bytes,
        "frames_per_s": frames_per_s,
        "delivered_per_s": round(hub.frames / hub.seconds, 1),
        "server_cpu_us_per_frame": round(ours, 2),
        "floor_cpu_us_per_frame": round(bare, 2),
        "ratio": round(ours / bare, 3) if bare else None,
        "rss_kib_per_viewer": round((hub.server.rss_kib() - hub.idle_kib) / viewers, 1),
        "late_p99_ms": round(max(hub.late_ms), 1),
        "slow_closed": stats["slow_closed"],
        "load_cpu": round(hub.load_s / hub.seconds, 3),
    }


def _requests(key: Ed25519PrivateKey, count: int) -> list[str]:
    expires_ms = time.time_ns() // 1_000_000 + TICKET_LIFE_MS
    tickets = (issue(key, Claims(SHOW, anonymous_tag(), new_jti(), "bench", 0, expires_ms, True)) for _ in range(count))
    return [REQUEST.format(show=SHOW, ticket=ticket) for ticket in tickets]
