"""HLS at the web's address: checks the token and passes on what the studio that holds the show answers.

Law: however many ask for the same part or playlist at the same moment, the studio is asked once.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from livesale.apps.wiring import Wiring
from livesale.http import problems
from livesale.http.replies import response_of
from livesale.kernel.clock import SECOND_MS
from livesale.kernel.ids import is_name
from livesale.kernel.refusals import STATUS_OF_CODE, Refusal, not_found
from livesale.media.hls import APPLE_INDEX, CORS, INDEX, Given
from livesale.media.hls_tokens import check
from livesale.media.outputs import LINGER_S
from livesale.media.playlist import BLOCK_S

ADDRESSES = ("/hls/{show}/{file}", "/hls/{show}/{token:~[^/]+}/{file}")
APPLE = "AppleCoreMedia"  # the player in Safari, iOS and tvOS, which may not know Opus in MP4
REMEMBER_S = 1.0
BRIEFLY = "public, max-age=1"  # what is not there may be there soon: caches spare us a crowd all the same


class HlsDoor:
    """What `web` serves under /hls."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._secret = wiring.settings.hls.secret
        self._session: aiohttp.ClientSession | None = None
        self.waiting = 0  # requests that wait for a studio's answer
        self._fetching: dict[str, asyncio.Task[Given]] = {}
        self._studios: dict[str, tuple[str, float]] = {}  # and when it was last seen; an ended show's is still asked

    def routes(self) -> list[web.RouteDef]:
        """Every address of HLS, with CORS for players elsewhere."""
        return [
            *(web.get(address, self.give) for address in ADDRESSES),
            *(web.options(address, self.allow) for address in ADDRESSES),
        ]

    async def client(self, _app: web.Application) -> Any:
        """The connections to studios, for as long as the application runs."""
        timeout = aiohttp.ClientTimeout(total=BLOCK_S + 3)
        connector = aiohttp.TCPConnector(limit=0)  # those who wait for a part must not hold up the others
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            self._session = session
            yield
            for task in list(self._fetching.values()):
                task.cancel()

    async def give(self, request: web.Request) -> web.Response:
        """The studio's answer, with the headers players and caches need."""
        try:
            given = await self._given(request)
        except Refusal as refusal:
            answer = response_of(problems.of_refusal(refusal))
            answer.headers.update({**CORS, "Cache-Control": BRIEFLY})
            return answer
        headers = {**CORS, "Content-Type": given.kind, "Cache-Control": given.cache}
        if request.match_info["file"] == INDEX:
            headers["Vary"] = "User-Agent"
        return web.Response(body=given.body, headers=headers)

    async def allow(self, _request: web.Request) -> web.Response:
        """The answer to a browser that asks first."""
        return web.Response(status=204, headers=CORS)

    async def _given(self, request: web.Request) -> Given:
        show = request.match_info["show"]
        if not is_name(show):
            raise not_found("show")
        check(self._secret, show, request.match_info.get("token"), self._now_s())
        asked = {name: request.query[name] for name in ("_HLS_msn", "_HLS_part") if name in request.query}
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        file = request.match_info["file"]
        if file == INDEX and request.headers.get("User-Agent", "").startswith(APPLE):
            file = APPLE_INDEX
        return await self._once(show, f"/hls/{show}/{file}?{query}")

    async def _once(self, show: str, path: str) -> Given:
        task = self._fetching.get(path)
        if task is None:
            task = self._fetching[path] = asyncio.create_task(self._fetch(show, path))
            task.add_done_callback(lambda _done: self._fetching.pop(path, None))
        self.waiting += 1
        try:
            return await asyncio.shield(task)  # one viewer who leaves does not end it for the others
        finally:
            self.waiting -= 1

    async def _fetch(self, show: str, path: str) -> Given:
        studio = await self._studio_of(show)
        assert self._session is not None
        try:
            async with self._session.get(studio + path) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise _refused(body)
                return Given(body, answer.headers["Content-Type"], answer.headers["Cache-Control"])
        except (aiohttp.ClientError, TimeoutError) as error:
            self._studios.pop(show, None)
            raise Refusal("store_unavailable", "No studio has this show right now.", retry_after_s=1) from error

    async def _studio_of(self, show: str) -> str:
        known, at = self._studios.get(show, ("", 0.0))
        now = time.monotonic()
        if known and now - at < REMEMBER_S:
            return known
        holder = await self._wiring.presence.studio_of(show)
        if holder is not None:
            self._studios[show] = holder.control, now
            return holder.control
        if known and now - at < LINGER_S:
            return known
        self._studios.pop(show, None)
        await self._wiring.shows.load(show)
        raise Refusal("not_found", "This show is not on air.")

    def _now_s(self) -> int:
        return self._wiring.store.now_ms() // SECOND_MS


class _Said(msgspec.Struct):
    code: str
    detail: str


def _refused(body: bytes) -> Refusal:
    try:
        said = msgspec.json.decode(body, type=_Said)
    except msgspec.DecodeError:
        said = _Said("store_unavailable", "The studio does not answer right now.")
    code = said.code if said.code in STATUS_OF_CODE else "store_unavailable"
    return Refusal(code, said.detail, retry_after_s=1 if code == "store_unavailable" else None)
