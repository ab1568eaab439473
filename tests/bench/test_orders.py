"""`bench orders` against a system of its own: small, but the shipped processes, sockets and readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesale.bench.buyers import Round
from livesale.bench.disk import IN_MEMORY, _filesystem
from livesale.bench.orders import run
from livesale.settings import load_settings

KEYS = {
    "buyers", "offers", "stock", "accepted", "refused", "errors", "per_s", "p50_ms", "p99_ms", "oversold", "lost",
    "floor_per_s", "ratio", "durability", "load_cpu", "fsync_us",
}  # fmt: skip


async def test_every_unit_is_sold_once_and_everyone_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With fewer units than buyers, exactly the stock is sold, the others are refused, and nothing is left behind."""
    if _filesystem(tmp_path.resolve()) in IN_MEMORY:
        pytest.skip("needs a disk")

    code = await run(load_settings(tmp_path / "data"), {"buyers": 60, "stock": 40}, as_json=True)

    _, steady, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert code == 0
    assert summary.keys() >= KEYS
    assert (summary["accepted"], summary["refused"], summary["errors"]) == (40, 20, 0)
    assert (summary["oversold"], summary["lost"]) == (0, 0)
    assert summary["durability"] == "appendfsync always"
    assert (steady["bench"], steady["accepted"], steady["errors"]) == ("steady holds", 60, 0)
    assert list((tmp_path / "data").iterdir()) == []


def test_an_answer_that_is_no_order_counts_as_an_error() -> None:
    """Only a 201 with an order's id is accepted, only a 409 that says why is refused."""
    now = Round([])
    now.answered(b"", b'HTTP/1.1 201 Created\r\n\r\n{"id":"o_sab_cd","state":"held"}', 0.1)
    now.answered(b"", b'HTTP/1.1 409 Conflict\r\n\r\n{"code":"sold_out"}', 0.1)
    now.answered(b"", b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}", 0.1)
    now.answered(b"", b"HTTP/1.1 201 Created\r\n\r\n{}", 0.1)

    assert now.ids == ["o_sab_cd"]
    assert (now.report()["refused"], now.errors) == ({"sold_out": 1}, 2)
