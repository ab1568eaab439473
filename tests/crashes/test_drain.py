"""SIGTERM of a studio in the middle of a show: an update, not an accident."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from livesale.media.recording import takes_in
from tests.contract.frames import Events, Fragment, parse
from tests.crashes.system import HEALS_WITHIN_S, System, until
from tests.crashes.viewer import Viewer

pytestmark = pytest.mark.timeout(200)

VIDEO = 1


@dataclass
class Watcher(Viewer):
    """A viewer that remembers its pictures and what it was told about the host."""

    pictures: list[Fragment] = field(default_factory=list)
    host: list[str] = field(default_factory=list)

    def _take(self, frame: bytes) -> None:
        super()._take(frame)
        told = parse(frame)
        if isinstance(told, list):
            self.pictures += [one for one in told if one.track == VIDEO]
        elif isinstance(told, Events):
            self.host += [one["host"] for one in told.events if one["type"] == "notice" and one["about"] == "host"]


def test_a_studio_that_is_asked_to_stop_drains(system: System, shows: dict[str, Any]) -> None:
    """Its host comes back by itself to the next one, in the same timeline; the viewer stays connected or is told to move
    (4011), misses no event, and reads "back in a moment" at most; the recording goes on in a file that plays on behind."""
    asyncio.run(_drained(system, shows["demo"]))


async def _drained(system: System, show: str) -> None:
    viewer = Watcher(system, show)
    async with aiohttp.ClientSession() as session:
        watching = asyncio.create_task(viewer.run(session))
        try:
            # Two seconds: the host may have come back just now, after another test.
            await until(lambda: len(viewer.pictures) > 30, HEALS_WITHIN_S, "the viewer has pictures")
            viewer.host.clear()
            viewer.closes.clear()
            before, stopped, resyncs = viewer.pictures[-1], system.pids()["studio"], viewer.resyncs
            os.kill(stopped, signal.SIGTERM)
            await until(lambda: system.pids().get("studio", stopped) != stopped, HEALS_WITHIN_S, "a studio is there again")

            def goes_on() -> bool:
                return viewer.pictures[-1].generation > before.generation and viewer.host[-1:] != ["away"]

            try:
                await until(goes_on, 2 * HEALS_WITHIN_S, "the picture goes on")
            except AssertionError as error:
                seen = (before.generation, viewer.pictures[-1].generation, viewer.host, viewer.closes)
                raise AssertionError(f"{error}; {seen}\n{system.log_of('studio')}") from error
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    pictures = list({(one.generation, one.sequence): one for one in viewer.pictures}.values())
    assert all(one.time_us < after.time_us for one, after in pairwise(pictures)), "one timeline"
    first = next(one for one in pictures if one.generation > before.generation)
    assert (first.key, first.sequence) == (True, 0)
    told = list(dict.fromkeys(viewer.host))  # by the one that goes, and by the one that comes
    assert told in ([], ["away"], ["away", "back"]), viewer.host
    assert not viewer.holes
    assert viewer.resyncs == resyncs
    assert all("4011" in why for why in viewer.closes), viewer.closes
    folder = system.data / "recordings" / show
    await until(lambda: len({take.studio for take in takes_in(folder)}) > 1, HEALS_WITHIN_S, "the next studio records")
    assert all(one.end_us <= after.start_us for one, after in pairwise(takes_in(folder)))
