"""The keeper of recordings, in the worker: finishes those of shows that have ended, and deletes the old ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from livesale.kernel.clock import DAY_MS
from livesale.kernel.ids import is_name
from livesale.kernel.refusals import Refusal
from livesale.media.replays import finish, forget, read_index
from livesale.shows.model import Show
from livesale.store.readers import going_on

LOOK_EVERY_S = 2.0
SETTLED_MS = 3_000  # after its end a show's last parts are on their way to the disk

log = structlog.get_logger(__name__)


class Keeper:
    """Looks after `folder`, which has a folder for each show. Copies of the worker may run: one finishes, others pass by."""

    def __init__(
        self, folder: Path, load: Callable[[str], Awaitable[Show]], now_ms: Callable[[], int], keep_d: int
    ) -> None:
        self._folder = folder
        self._load = load
        self._now_ms = now_ms
        self._keep_ms = keep_d * DAY_MS
        self._ends: dict[str, int] = {}  # finished recordings: when their show ended

    async def run(self) -> None:
        """Look after them until cancelled."""
        while True:
            with going_on("looking after recordings"):
                await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """One round."""
        for name in await asyncio.to_thread(self._names):
            if name in self._ends:
                await self._grow_old(name)
            else:
                await self._finish(name)

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir() and is_name(path.name))

    async def _finish(self, name: str) -> None:
        folder = self._folder / name
        index = await asyncio.to_thread(read_index, folder)
        if index is not None:
            self._ends[name] = index.ended_ms
            return
        try:
            show = await self._load(name)
        except Refusal as refusal:
            if refusal.code == "not_found":  # another system's, or older than our memory: left alone
                return
            raise
        if show.state != "ended" or show.ended_at is None or self._now_ms() - show.ended_at < SETTLED_MS:
            return
        try:
            await asyncio.to_thread(finish, folder, show.epoch, show.ended_at)
        except (OSError, ValueError):  # tried again with the next round: the disk may have room then
            log.exception("a replay could not be made", show=name)

    async def _grow_old(self, name: str) -> None:
        if self._now_ms() - self._ends[name] > self._keep_ms:
            await asyncio.to_thread(forget, self._folder / name)
            del self._ends[name]
