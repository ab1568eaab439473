"""`bench fanout` against a system of its own: small, but the shipped processes, WHIP, tickets, events and sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesale.bench.disk import IN_MEMORY, _filesystem, fsync_us
from livesale.bench.fanout import run
from livesale.kernel.refusals import Refusal
from livesale.settings import load_settings

KEYS = {
    "viewers", "frame_bytes", "frames_per_s", "delivered_per_s", "server_cpu_us_per_frame", "floor_cpu_us_per_frame",
    "ratio", "rss_kib_per_viewer", "late_p99_ms", "slow_closed", "ingest_cpu_us_per_frame", "load_cpu", "fsync_us",
    "load_busy", "late", "lost", "viewers_per_core", "late_p99_alone_ms", "late_p99_among_slow_ms",
}  # fmt: skip


async def test_a_real_show_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half as many more stop, crawl or read in every other second: each is told so, the others get every picture and stay."""
    if _filesystem(tmp_path.resolve()) in IN_MEMORY:
        pytest.skip("needs a disk")
    chosen = {"viewers": 6, "frame_bytes": 100_000, "frames_per_s": 10, "seconds": 2, "slow": 50}

    assert await run(load_settings(tmp_path / "data"), chosen, as_json=True) == 0

    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary.keys() >= KEYS
    assert summary["delivered_per_s"] > 0
    assert summary["server_cpu_us_per_frame"] > 0
    assert summary["ingest_cpu_us_per_frame"] > 0
    assert summary["slow_closed"] == 3
    assert (summary["closed"], summary["lost"]) == (0, 0)
    assert (summary["closed_among_slow"], summary["lost_among_slow"]) == (0, 0)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_folder_in_memory_is_refused() -> None:
    """What fsync takes on tmpfs says nothing."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("no /dev/shm here")
    with pytest.raises(Refusal):
        fsync_us(Path("/dev/shm"))
