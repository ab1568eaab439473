"""HLS at the web's address, with a studio that counts what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, web

from livesale.apps.hls import HlsDoor
from livesale.media.hls_tokens import signed
from tests.support.media import until

NOW_MS = 1_000_000


class Studio:
    """Answers when it is let; `asked` are the addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        await self.let.wait()
        if request.match_info["file"] == "gone.m4s":
            return web.json_response({"code": "not_found", "detail": "gone"}, status=404)
        return web.Response(body=b"part", headers={"Content-Type": "video/mp4", "Cache-Control": "immutable"})


async def serve(routes: list[web.RouteDef], *contexts: Any) -> tuple[web.AppRunner, str]:
    application = web.Application()
    application.add_routes(routes)
    application.cleanup_ctx.extend(contexts)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


class House:
    """A web, its studio, and a way to ask."""

    def __init__(self, studio: Studio, door: HlsDoor, url: str, session: ClientSession) -> None:
        self.studio, self.door, self.url, self.session = studio, door, url, session

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.read(), dict(answer.headers)


@pytest.fixture
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """The parameter is `hls.secret`."""
    studio = Studio()
    studios, studio.url = await serve([web.get("/hls/{show}/{file}", studio.answer)])

    async def studio_of(show: str) -> Any:
        return SimpleNamespace(control=studio.url) if show == "show1" else None

    async def load(show: str) -> None:
        assert show == "show2"

    wiring: Any = SimpleNamespace(
        settings=SimpleNamespace(hls=SimpleNamespace(secret=getattr(request, "param", ""), valid_min=1)),
        presence=SimpleNamespace(studio_of=studio_of),
        shows=SimpleNamespace(load=load),
        store=SimpleNamespace(now_ms=lambda: NOW_MS),
    )
    door = HlsDoor(wiring)
    webs, url = await serve(door.routes(), door.client)
    async with ClientSession() as session:
        yield House(studio, door, url, session)
    await webs.cleanup()
    await studios.cleanup()


async def test_the_studio_is_asked_once(house: House) -> None:
    """Twenty viewers who wait for one part are one request to the studio, and one of them who leaves ends nothing."""
    waiting = [asyncio.create_task(house.get("/hls/show1/17-6.1.m4s")) for _ in range(20)]
    await until(lambda: house.studio.asked and house.door.waiting >= 20)
    waiting[0].cancel()
    house.studio.let.set()
    answers = await asyncio.gather(*waiting[1:])
    assert {(status, body) for status, body, _ in answers} == {(200, b"part")}
    assert house.studio.asked == ["/hls/show1/17-6.1.m4s"]


async def test_what_players_and_caches_are_told(house: House) -> None:
    """The studio's word on caching, every origin, and for errors a second; nothing of the query but the directives."""
    house.studio.let.set()
    status, _, headers = await house.get("/hls/show1/live.m3u8?_HLS_msn=6&_HLS_part=1&utm=x")
    assert (status, headers["Cache-Control"], headers["Access-Control-Allow-Origin"]) == (200, "immutable", "*")
    assert house.studio.asked == ["/hls/show1/live.m3u8?_HLS_msn=6&_HLS_part=1"]
    status, _, headers = await house.get("/hls/show1/gone.m4s")
    assert (status, headers["Cache-Control"], headers["Access-Control-Allow-Origin"]) == (404, "public, max-age=1", "*")
    assert (await house.get("/hls/show2/index.m3u8"))[0] == 404


async def test_apples_player_is_given_aac(house: House) -> None:
    """By what it calls itself; caches are told that this playlist depends on it."""
    house.studio.let.set()
    _, _, headers = await house.get("/hls/show1/index.m3u8", **{"User-Agent": "AppleCoreMedia/1.0"})
    await house.get("/hls/show1/index.m3u8", **{"User-Agent": "Mozilla/5.0"})
    assert house.studio.asked == ["/hls/show1/apple.m3u8", "/hls/show1/index.m3u8"]
    assert headers["Vary"] == "User-Agent"


@pytest.mark.parametrize("house", ["s3cret"], indirect=True)
async def test_a_secret_asks_for_tokens(house: House) -> None:
    """With `hls.secret` set nothing is given without a good token; the studio never sees it."""
    house.studio.let.set()
    good, old = (signed("s3cret", "show1", NOW_MS // 1000 + seconds) for seconds in (1, 0))
    assert (await house.get("/hls/show1/17-6.m4s"))[0] == 403
    assert (await house.get(f"/hls/show1/{old}/17-6.m4s"))[0] == 403
    assert (await house.get(f"/hls/show1/{good}/17-6.m4s"))[0] == 200
    assert house.studio.asked == ["/hls/show1/17-6.m4s"]
