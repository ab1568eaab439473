"""The keeper: replays are made once a show has ended, and go when their time is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from livesale.apps.recordings import SETTLED_MS, Keeper
from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import not_found
from livesale.media.replays import INDEX, MP4, finish, read_index
from livesale.shows.model import Show
from tests.media.test_recording import record, show

ENDED_MS = 1_000_000_000


class House:
    """Shows as the store knows them, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = ENDED_MS
        self.shows: dict[str, Show] = {}
        self.keeper = Keeper(folder, self.load, lambda: self.now_ms, keep_d=90)

    async def load(self, name: str) -> Show:
        if name not in self.shows:
            raise not_found("show")
        return self.shows[name]

    def has(self, name: str, state: str) -> None:
        ended = ENDED_MS if state == "ended" else None
        self.shows[name] = Show(name, "T", "shop", "EUR", "host", state, ended_at=ended, epoch=5)


async def test_a_replay_is_made_after_the_end(tmp_path: Path) -> None:
    """Not while the show is on air, not before its last parts have settled; then MP4, playlist and index are there."""
    house = House(tmp_path)
    record(tmp_path / "show1", show().parts)
    for state, later_ms, made in (("live", SETTLED_MS, False), ("ended", 0, False), ("ended", SETTLED_MS, True)):
        house.has("show1", state)
        house.now_ms = ENDED_MS + later_ms
        await house.keeper.look()
        assert ((tmp_path / "show1" / INDEX).exists(), (tmp_path / "show1" / MP4).exists()) == (made, made)
    index = read_index(tmp_path / "show1")
    assert index is not None
    assert (index.epoch_ms, index.ended_ms, len(index.spans)) == (5, ENDED_MS, 2)


async def test_old_replays_go(tmp_path: Path) -> None:
    """After the days that are set, and not before; a folder of a show nobody knows is left alone."""
    house = House(tmp_path)
    house.has("show1", "ended")
    record(tmp_path / "show1", show().parts)
    record(tmp_path / "stranger", show().parts)
    house.now_ms = ENDED_MS + SETTLED_MS
    await house.keeper.look()
    house.now_ms = ENDED_MS + 90 * DAY_MS
    await house.keeper.look()
    assert (tmp_path / "show1").is_dir()
    house.now_ms += 1
    await house.keeper.look()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stranger"]


def test_only_one_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one worker finishes a recording another passes by; and what is finished is not made again."""
    record(tmp_path, show().parts)
    inner: list[bool] = []

    def meanwhile(*_arguments: object) -> None:
        inner.append(finish(tmp_path, 0, 0))

    monkeypatch.setattr("livesale.media.replays.remux", meanwhile)
    assert finish(tmp_path, 0, 0)
    assert inner == [False]
    assert finish(tmp_path, 0, 0)
    assert inner == [False]
