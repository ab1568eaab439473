"""HLS of the shows this process holds: windows, who waits for which part, and the AAC rendition while it is asked for.

`answer` gives bytes, type and for how long they may be kept; outputs.py says it in HTTP. Laws and figures: HLS.md.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping

import msgspec

from livesale.kernel.refusals import Refusal
from livesale.media.aac import AacSound
from livesale.media.captions import Cue
from livesale.media.packager import Packager, Part
from livesale.media.playlist import BLOCK_S, TARGET_S, Window, multivariant, number_of
from livesale.media.ring import Item

INDEX = "index.m3u8"
APPLE_INDEX = "apple.m3u8"  # the same with AAC in place of Opus
PLAYLIST = "application/vnd.apple.mpegurl"
MEDIA = "video/mp4"
VTT = "text/vtt; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = f"public, max-age={TARGET_S // 2}"  # RFC 8216, second edition, appendix B: half a target duration
ONCE_SAID = f"public, max-age={6 * TARGET_S}"  # what a blocking reload got stays right for whoever asks the same
AAC_STARTS_US = 6_000_000  # so much of what there is already is made AAC when the first asks for it
AAC_IDLE_S = 20.0
SILENT_S = 1.0

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Range",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, Date",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}

_CAPTIONS = re.compile(r"captions-([a-z0-9-]{2,35})\.m3u8")

log = logging.getLogger(__name__)


class Given(msgspec.Struct, frozen=True):
    """An answer: bytes, their type, and what caches may do with them."""

    body: bytes
    kind: str
    cache: str


class Rendition:
    """A window, and those who wait for what it does not have yet."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.ready = True  # False: what it begins with is still being made
        self._news = asyncio.Event()

    def add(self, part: Part) -> None:
        """Takes the next part and wakes who waits."""
        self.window.add(part)
        self._wake()

    def end(self) -> None:
        """Nothing more comes."""
        self.ready = True
        self.window.end()
        self._wake()

    async def playlist(self, segment: int | None, part: int | None) -> Given:
        """The playlist once it has what is asked for; `malformed` too far ahead, `store_unavailable` if it stays away."""
        await self._until(lambda: self.ready and self.window.has(segment, part))
        return Given(self.window.text().encode(), PLAYLIST, FOR_NOW if segment is None else ONCE_SAID)

    async def media(self, name: str) -> Given:
        """A segment, part or init segment; the part that comes next is waited for."""
        await self._until(lambda: self.window.file(name) is not None)
        body = self.window.file(name)
        assert body is not None
        return Given(body, VTT if name.endswith(".vtt") else MEDIA, FOR_EVER)

    async def _until(self, there: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(BLOCK_S):
                while not there():
                    await self._news.wait()
        except TimeoutError:
            raise Refusal("store_unavailable", "The show has not gone on in time.", retry_after_s=1) from None

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Live:
    """One show's HLS. `prefix` begins every name: the fencing number of the studio's lease."""

    def __init__(self, prefix: str, epoch_ms: int) -> None:
        self.main = Rendition(Window(prefix, epoch_ms))
        self._epoch_ms = epoch_ms
        self._packager = Packager(self._give)
        self._took_s = 0.0
        self._aac: Rendition | None = None
        self._aac_parts: asyncio.Queue[Part | None] = asyncio.Queue()  # None: the last has been
        self._aac_work: asyncio.Task[None] | None = None
        self._aac_asked_s = 0.0
        self._aac_number = 0
        self.followers: list[Callable[[Part], None]] = []

    @property
    def aac_runs(self) -> bool:
        """Whether sound is being made AAC."""
        return self._aac_work is not None

    def take(self, item: Item) -> None:
        """Takes what the ring tells its followers."""
        self._took_s = asyncio.get_running_loop().time()
        self._packager.take(item)

    def say(self, cue: Cue) -> None:
        """Takes a line of captions."""
        self.main.window.say(cue)

    def look_after(self) -> None:
        """Once a second: what waits is given out when the host says no more, AAC ends when nobody asks for it."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._took_s > SILENT_S:
            self._packager.finish()
        if self._aac_work is not None and now_s - self._aac_asked_s > AAC_IDLE_S:
            self._stop_aac()

    def end(self) -> None:
        """The show is over: playlists say so."""
        self._packager.finish()
        self.main.end()
        self._aac_parts.put_nowait(None)

    def close(self) -> None:
        """Lets go of everything."""
        self.end()
        self._stop_aac()

    async def answer(self, name: str, query: Mapping[str, str]) -> Given:
        """What stands at this name; Refusal `not_found`, `malformed`, `store_unavailable`."""
        if self.main.window.stretch is None:
            raise Refusal("not_found", "This show has no picture yet.")
        if name in (INDEX, APPLE_INDEX):
            return Given(self._multivariant(apple=name == APPLE_INDEX).encode(), PLAYLIST, FOR_NOW)
        if name in ("live.m3u8", "aac.m3u8"):
            rendition = self.main if name == "live.m3u8" else self._aac_now()
            segment = number_of(query.get("_HLS_msn"), "_HLS_msn")
            return await rendition.playlist(segment, number_of(query.get("_HLS_part"), "_HLS_part"))
        if (spoken := _CAPTIONS.fullmatch(name)) and spoken[1] in self.main.window.langs:
            return Given(self.main.window.captions(spoken[1]).encode(), PLAYLIST, FOR_NOW)
        if self._aac is not None and name.startswith(f"{self._aac.window.prefix}-"):
            self._aac_asked_s = asyncio.get_running_loop().time()
            return await self._aac.media(name)
        return await self.main.media(name)

    def _give(self, part: Part) -> None:
        self.main.add(part)
        if self._aac_work is not None:
            self._aac_parts.put_nowait(part)
        for follower in self.followers:
            follower(part)

    def _multivariant(self, *, apple: bool) -> str:
        window = self.main.window
        assert window.stretch is not None
        codecs, uri = window.stretch.codecs, "live.m3u8"
        if apple and "opus" in codecs:
            codecs, uri = tuple("mp4a.40.2" if each == "opus" else each for each in codecs), "aac.m3u8"
        return multivariant(uri, codecs, window.stretch.size, window.bits_per_s(), window.langs)

    def _aac_now(self) -> Rendition:
        self._aac_asked_s = asyncio.get_running_loop().time()
        if self._aac is None or self._aac_work is None:
            self._aac_number += 1
            prefix = f"{self.main.window.prefix}a{self._aac_number}"
            self._aac = Rendition(Window(prefix, self._epoch_ms))
            self._aac.ready = False
            self._aac_parts = asyncio.Queue()
            for part in self.main.window.recent(AAC_STARTS_US):
                self._aac_parts.put_nowait(part)
            if self.main.window.ended:
                self._aac_parts.put_nowait(None)
            self._aac_work = asyncio.create_task(self._make_aac(self._aac, self._aac_parts))
        return self._aac

    async def _make_aac(self, rendition: Rendition, parts: asyncio.Queue[Part | None]) -> None:
        sound = AacSound()
        while (part := await parts.get()) is not None:
            try:
                made = await asyncio.to_thread(sound.convert, part)
            except Exception:
                log.exception("a part could not be made AAC; the rendition begins anew")
                self._stop_aac()
                return
            rendition.ready |= parts.empty()
            rendition.add(made)
        rendition.end()

    def _stop_aac(self) -> None:
        if self._aac is not None:
            self._aac.end()
        if self._aac_work is not None and self._aac_work is not asyncio.current_task():
            self._aac_work.cancel()
        self._aac = self._aac_work = None
