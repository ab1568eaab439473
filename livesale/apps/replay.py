"""Replays at the web's address: what `GET /shows/{show}/replay` tells, and the files it names, with ranges."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict

import msgspec
from aiohttp import web

from livesale.apps.hls import APPLE
from livesale.apps.wiring import Wiring
from livesale.http import problems
from livesale.http.replies import response_of
from livesale.kernel.clock import SECOND_MS, rfc3339
from livesale.kernel.events import Event
from livesale.kernel.ids import is_name, shelf
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal, not_found
from livesale.ledger import reads
from livesale.ledger.projection import decode
from livesale.media.captions import Cue, captions_name, webvtt
from livesale.media.hls import CORS, FOR_EVER, PLAYLIST, VTT
from livesale.media.hls_tokens import check, signed
from livesale.media.recording import Timeline
from livesale.media.replay_aac import NAME as AAC
from livesale.media.replay_aac import PLAYLIST as APPLE_VOD
from livesale.media.replay_aac import aac_file, aac_playlist
from livesale.media.replays import MP4, read_index
from livesale.media.replays import PLAYLIST as VOD
from livesale.media.thumbnails import POSTER
from livesale.shows.events import SHOW_CHANGED
from livesale.shows.model import Show
from livesale.shows.replay import (
    TOLD,
    Captions,
    Place,
    ReplayOffer,
    ReplayView,
    Thumbnail,
    Today,
    chapters,
    last_offers,
    seconds,
    told,
)

ADDRESSES = ("/replay/{show}/{file}", "/replay/{show}/{token:~[^/]+}/{file}")
REMEMBERED = 64
CHAPTERS = "chapters.vtt"
AN_HOUR = "public, max-age=3600"
PLAYLISTS = {"Content-Type": PLAYLIST, "Cache-Control": AN_HOUR, "Vary": "User-Agent"}

_TAKE = re.compile(r"[0-9]{12}-[0-9]{8}\.mp4")
_PICTURE = re.compile(rf"[0-9]{{12}}\.jpg|{re.escape(POSTER)}")
_MARKS = tuple(kind.encode() for kind in (*TOLD, SHOW_CHANGED))  # an entry without any of these bytes tells nothing of a replay


class Replays:
    """Reads recordings and the archive of their shows' logs; remembers the latter, which change no more."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._folder = wiring.settings.recordings_folder
        self._secret = wiring.settings.hls.secret
        self._events: OrderedDict[str, list[tuple[int, Event]]] = OrderedDict()
        self._encoding = asyncio.Lock()

    async def of(self, show: Show) -> ReplayView:
        """The replay of an ended show; Refusal `conflict` while it is on air, `in_progress` while it is being made,
        `not_found` when nothing was recorded or is kept any longer."""
        if show.state != "ended":
            raise Refusal("conflict", "This show has not ended; there is a replay afterwards.")
        index = await asyncio.to_thread(read_index, self._folder / show.id)
        if index is None and (self._folder / show.id).is_dir():
            raise Refusal("in_progress", "The replay is being made. Please try again.", retry_after_s=2)
        if index is None or not index.spans:
            raise Refusal("not_found", "There is no recording of this show.")
        events = await self._told(show)
        timeline = Timeline(index.spans)
        place = _placing(timeline, show)
        base = self._base(show.id)
        return ReplayView(
            show.id, show.title, show.shop, show.currency, _when(show.started_at), _when(show.ended_at),
            seconds(timeline.duration_us), f"{base}/{MP4}", f"{base}/{VOD}",
            f"{base}/{CHAPTERS}", [Captions(lang, f"{base}/{captions_name(lang)}") for lang in index.captions],
            self.poster(show.id), self._thumbnails(show.id, timeline, base),
            chapters(events, place, timeline.duration_us), told(events, place), await self._offers(events, show.shop),
        )  # fmt: skip

    def poster(self, show: str) -> str | None:
        """The newest picture of a show, at an address of its own for each."""
        try:
            drawn = (self._folder / show / POSTER).stat()
        except FileNotFoundError:
            return None
        return f"{self._base(show)}/{POSTER}?v={drawn.st_mtime_ns // 1_000_000:x}"

    def routes(self) -> list[web.RouteDef]:
        """The files of every recording."""
        return [web.get(address, self.file) for address in ADDRESSES]

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of a finished recording, or the range of it that is asked for."""
        show, token, name = (request.match_info.get(part) for part in ("show", "token", "file"))
        try:
            check(self._secret, show or "", token, self._wiring.store.now_ms() // SECOND_MS)
            if name == CHAPTERS:
                return await self._chapters(show or "")
            if name == VOD and request.headers.get("User-Agent", "").startswith(APPLE):
                name = APPLE_VOD
            if name == APPLE_VOD or AAC.fullmatch(name or ""):
                return await self._aac(show or "", name or "")
            return self._file(show or "", name or "")
        except Refusal as refusal:
            answer = response_of(problems.of_refusal(refusal))
            answer.headers.update(CORS)
            return answer

    async def _chapters(self, show: str) -> web.Response:
        """The chapters as WebVTT, for a player's `<track kind="chapters">`."""
        replay = await self.of(await self._wiring.shows.load(show))
        cues = [Cue(round(each.at_s * 1000), round(each.until_s * 1000), "", each.title) for each in replay.chapters]
        return web.Response(text=webvtt(cues), headers={**CORS, "Content-Type": VTT, "Cache-Control": AN_HOUR})

    async def _aac(self, show: str, name: str) -> web.Response:
        """What a player that knows no Opus is given, made now: one at a time, for it is a core's work."""
        folder = self._folder / show
        index = await asyncio.to_thread(read_index, folder) if is_name(show) else None
        if index is None or not index.spans:
            raise not_found("file of a replay")
        async with self._encoding:
            if name == APPLE_VOD:
                text = await asyncio.to_thread(aac_playlist, folder, index.epoch_ms)
                return web.Response(text=text, headers={**CORS, **PLAYLISTS})
            made = await asyncio.to_thread(aac_file, folder, name)
        if made is None:
            raise not_found("file of a replay")
        return web.Response(body=made, headers={**CORS, "Content-Type": "video/mp4", "Cache-Control": FOR_EVER})

    def _file(self, show: str, name: str) -> web.StreamResponse:
        index = read_index(self._folder / show) if is_name(show) else None
        kinds = {MP4: ("video/mp4", FOR_EVER), VOD: (PLAYLIST, AN_HOUR)}
        kind, cache = kinds.get(name) or (("video/mp4", FOR_EVER) if _TAKE.fullmatch(name) else ("", ""))
        if index is not None and name in map(captions_name, index.captions):
            kind, cache = VTT, FOR_EVER
        if _PICTURE.fullmatch(name):
            kind, cache = "image/jpeg", FOR_EVER
        path = self._folder / show / name
        there = index is not None or (kind == "image/jpeg" and is_name(show))
        if not kind or not there or not path.is_file():
            raise not_found("file of a replay")
        about = PLAYLISTS if name == VOD else {"Content-Type": kind, "Cache-Control": cache}
        return web.FileResponse(path, headers={**CORS, **about})

    def _base(self, show: str) -> str:
        hls, now_s = self._wiring.settings.hls, self._wiring.store.now_ms() // SECOND_MS
        token = f"/{signed(hls.secret, show, now_s + hls.valid_min * 60)}" if hls.secret else ""
        return f"/replay/{show}{token}"

    def _thumbnails(self, show: str, timeline: Timeline, base: str) -> list[Thumbnail]:
        names = sorted(path.name for path in (self._folder / show).glob("*.jpg") if path.name != POSTER)
        return [Thumbnail(seconds(timeline.at(int(name[:12]) * 1000)), f"{base}/{name}") for name in names]

    async def _told(self, show: Show) -> list[tuple[int, Event]]:
        """What the show's log tells of offers, pins and deals, with its times."""
        if show.id in self._events:
            self._events.move_to_end(show.id)
            return self._events[show.id]
        found: list[tuple[int, Event]] = []
        whole = False  # the ledger may be behind: then it is read again next time
        after, on_shelf = 0, shelf("show", show.id)
        while entries := await reads.log_entries(self._wiring.database, on_shelf, after, reads.MOST_ITEMS):
            for entry in entries:
                if any(mark in entry["bytes"] for mark in _MARKS):
                    events = decode(entry["bytes"])["events"]
                    found += [(entry["at_ms"], event) for event in events if event["type"] in TOLD]
                    whole |= any(event["type"] == SHOW_CHANGED and event["state"] == "ended" for event in events)
            after = entries[-1]["seq"]
        if whole:
            self._events[show.id] = found
        while len(self._events) > REMEMBERED:
            self._events.popitem(last=False)
        return found

    async def _offers(self, events: list[tuple[int, Event]], shop: str) -> list[ReplayOffer]:
        found = []
        for offer in last_offers(events):
            today = await self._today(offer["product"], shop)
            price = msgspec.convert(offer["price"], Money)
            found.append(ReplayOffer(offer["id"], offer["product"], offer["title"], offer["image"], price, today))
        return found

    async def _today(self, product_id: str, shop: str) -> Today | None:
        product = await self._wiring.product(product_id)
        if product is None or product.removed_at is not None:
            return None
        left = (await self._wiring.in_stock([product]))[product.id] if product.tracked else None
        return Today(shop, product.id, product.sale_price or product.price, left)


def _placing(timeline: Timeline, show: Show) -> Place:
    return lambda at_ms: timeline.at((at_ms - show.epoch) * 1000)


def _when(at_ms: int | None) -> str | None:
    return rfc3339(at_ms) if at_ms is not None else None
