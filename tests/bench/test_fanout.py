"""The fan-out's measurement measures what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from livesale.bench.disk import fsync_us
from livesale.bench.fanout import measure
from livesale.cli import cli
from livesale.kernel.refusals import Refusal

KEYS = {
    "viewers", "frame_bytes", "frames_per_s", "delivered_per_s", "server_cpu_us_per_frame", "floor_cpu_us_per_frame",
    "ratio", "rss_kib_per_viewer", "late_p99_ms", "slow_closed",
}  # fmt: skip


def test_the_last_line_is_the_summary(tmp_path: Path) -> None:
    """The command prints one JSON object with the contract's keys, and frames have arrived."""
    arguments = ["bench", "fanout", "--json", "--viewers", "5", "--seconds", "2", "--data", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.output.splitlines()[-1])
    assert summary.keys() >= KEYS | {"load_cpu", "fsync_us"}
    assert summary["delivered_per_s"] > 0
    assert summary["server_cpu_us_per_frame"] > 0


def test_slow_viewers_are_slow() -> None:
    """With `slow`, that part of the viewers reads nothing, and the others still get their frames."""
    summary = measure(viewers=4, frame_bytes=200_000, frames_per_s=10, seconds=2, slow=50)
    assert summary["delivered_per_s"] > 0


def test_a_folder_in_memory_is_refused() -> None:
    """What fsync takes on tmpfs says nothing."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("no /dev/shm here")
    with pytest.raises(Refusal):
        fsync_us(Path("/dev/shm"))
