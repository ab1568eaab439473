"""`bench crowd` small, against a system of its own: an edge is killed, and its viewers come back with nothing missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesale.bench.crowd import run
from livesale.settings import load_settings


async def test_a_killed_edges_viewers_miss_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every viewer of the killed edge is back, and everyone has read every line of chat, proven by positions without a gap."""
    assert await run(load_settings(tmp_path / "data"), {"viewers": 60, "joins_per_s": 60}, as_json=True) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["back"] == summary["cut_off"] > 0
    assert (summary["connected"], summary["incomplete"], summary["gaps"], summary["resyncs"]) == (60, 0, 0, 0)
    assert summary["said"] > 0
