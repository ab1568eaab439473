"""What becomes of the shows this process holds beside the hub: HLS and the recording. The one owner of that map."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
from aiohttp import web

from livesale.kernel.refusals import Refusal, not_found
from livesale.media.captions import Cue
from livesale.media.hls import Given, Live
from livesale.media.packager import Part
from livesale.media.recorder import Recorder
from livesale.media.recording import recorded_until_us
from livesale.media.ring import Item
from livesale.media.thumbnails import Thumbnails

log = logging.getLogger(__name__)

LINGER_S = 30.0  # an ended show's playlist is there for so long, to say that it has ended
LOST_US = 1_000_000  # what a crash may have lost: a studio that goes on begins behind it


class Output:
    """One show's HLS and recording."""

    def __init__(self, number: int, epoch_ms: int, folder: Path) -> None:
        self.live = Live(str(number), epoch_ms)
        self.recorder = Recorder(folder, number)
        self._thumbnails = Thumbnails(folder)
        self.live.followers += (self.recorder.take, self._picture)

    def take(self, item: Item) -> None:
        """Takes what the ring tells its followers."""
        self.live.take(item)

    def say(self, cue: Cue) -> None:
        """Takes a line of captions."""
        self.live.say(cue)
        self.recorder.say(cue)

    def _picture(self, part: Part) -> None:
        if not self.recorder.trouble:  # a disk without room for the show has none for its pictures
            self._thumbnails.take(part)

    def end(self) -> None:
        """The show has ended; its playlist still says so."""
        self.live.end()
        self.recorder.finish()

    def close(self) -> None:
        """The show is elsewhere, or over for good."""
        self.live.close()
        self.recorder.finish()


class Outputs:
    """Every show's, by its id; `recordings` has a folder for each show."""

    def __init__(self, recordings: Path, linger_s: float = LINGER_S) -> None:
        self._recordings = recordings
        self._linger_s = linger_s
        self._shows: dict[str, Output] = {}

    def resume_us(self, show: str) -> int:
        """Where a broadcast goes on at the earliest: behind what was recorded of it and what a crash may have lost."""
        try:
            until_us = recorded_until_us(self._recordings / show)
        except OSError as error:  # a broken disk is no reason not to go on air
            log.error("the recording of %s cannot be read: %s", show, error)
            return 0
        return until_us + LOST_US if until_us else 0

    def open(self, show: str, number: int, epoch_ms: int) -> Output:
        """A show is on air under this fencing number."""
        self.drop(show)
        output = self._shows[show] = Output(number, epoch_ms, self._recordings / show)
        return output

    def end(self, show: str) -> None:
        """A show has ended."""
        output = self._shows.get(show)
        if output is not None:
            output.end()
            asyncio.get_running_loop().call_later(self._linger_s, self._gone, show, output)

    def drop(self, show: str) -> None:
        """The show is elsewhere."""
        output = self._shows.pop(show, None)
        if output is not None:
            output.close()

    def close(self) -> None:
        """Lets go of every show, when its recording is on disk."""
        recorders = [output.recorder for output in self._shows.values()]
        for show in list(self._shows):
            self.drop(show)
        for recorder in recorders:
            recorder.join()

    def look_after(self) -> None:
        """Once a second."""
        for output in self._shows.values():
            output.live.look_after()

    def say(self, show: str, cue: Cue) -> None:
        """A line of captions for a show."""
        if show in self._shows:
            self._shows[show].say(cue)

    def trouble(self, show: str) -> str:
        """Why a show is not recorded; empty while it is."""
        output = self._shows.get(show)
        return output.recorder.trouble if output else ""

    async def answer(self, show: str, name: str, query: Mapping[str, str]) -> Given:
        """What stands at this name of a show's HLS."""
        output = self._shows.get(show)
        if output is None:
            raise not_found("show on air here")
        return await output.live.answer(name, query)

    def _gone(self, show: str, output: Output) -> None:
        if self._shows.get(show) is output:
            self.drop(show)


def hls_routes(outputs: Outputs) -> list[web.RouteDef]:
    """`/hls/{show}/{file}` for `web` to fetch from."""

    async def give(request: web.Request) -> web.Response:
        try:
            given = await outputs.answer(request.match_info["show"], request.match_info["file"], request.query)
        except Refusal as refusal:
            body = msgspec.json.encode({"code": refusal.code, "detail": refusal.detail})
            return web.Response(status=refusal.status, body=body, content_type="application/json")
        return web.Response(body=given.body, headers={"Content-Type": given.kind, "Cache-Control": given.cache})

    return [web.get("/hls/{show}/{file}", give)]
