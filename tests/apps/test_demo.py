"""The demo's host at its work, against the rundown's own rules."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from livesale.apps import demo
from livesale.settings import load_settings
from livesale.shows import model
from livesale.shows.model import Rundown, Segment

OFFERS = [{"id": f"offer{number}", "title": f"Pan {number}"} for number in range(5)]


class Host(demo.DemoHost):
    """It, with a show that is nothing but its rundown; `pins` is what is on air."""

    def __init__(self, data: Path) -> None:
        super().__init__(load_settings(data), None)
        self.rundown: Rundown | None = None
        self.pins: list[str] = []

    async def _call(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        if method == "PUT":
            self.rundown = model.replanned(self.rundown, msgspec.convert(body["segments"], list[Segment]))
        else:
            self.rundown, self.pins = model.next_part(self.rundown, 0)


async def test_every_product_is_pinned_in_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Round after round, also when a turn was missed: what the programme shows is what is pinned."""
    clock = SimpleNamespace(time=lambda: 0.0)
    monkeypatch.setattr(demo, "time", clock)
    host, shown = Host(tmp_path), -1
    for turn in [*range(100, 117), *range(119, 131)]:
        clock.time = lambda turn=turn: turn * demo.SHOWN_S + 1.0
        shown = await host._pin({"id": "s1", "offers": OFFERS}, shown)
        assert shown == turn
        assert host.pins == [OFFERS[turn % len(OFFERS)]["id"]]
        shown = await host._pin({"id": "s1", "offers": OFFERS}, shown)
