"""The server that remembers what an address leads to: nothing shows of it, and it forgets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from livesale.http import server
from livesale.http.server import Runner
from tests.http.served import VIEWER, Room, application

API = "/api/v1"
ASKED = (
    ("GET", "/echo/one"), ("GET", "/echo/two"), ("GET", "/echo/one?limit=3"), ("GET", "/echo/%6Fne"), ("GET", "/echo/a%2Fb"),
    ("HEAD", "/echo/one"), ("POST", "/echo/one"), ("DELETE", "/shows/4k2c/wishes"), ("GET", "/nothing/here"), ("GET", "/mine"),
    ("GET", "/missing"), ("POST", "/full"), ("OPTIONS", "/mine"),
)  # fmt: skip


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    runner = Runner(application(Room()))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner
    await runner.cleanup()


@pytest.fixture
async def session(runner: Runner) -> AsyncIterator[ClientSession]:
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}", headers=VIEWER) as session:
        yield session


async def answers(session: ClientSession, **headers: str) -> list[tuple[int, str, str | None]]:
    """Status, body and `Allow` of all that is asked, in order."""
    found = []
    for method, path in ASKED:
        async with session.request(method, API + path, headers=headers) as answer:
            found.append((answer.status, await answer.text(), answer.headers.get("Allow")))
    return found


async def test_an_address_answers_alike_again(session: ClientSession) -> None:
    """Parameters, encodings, other methods and what is not there: the third round is as the first; so is one that expects
    to be told to go on."""
    first = await answers(session)
    assert [status for status, _, _ in first] == [200] * 6 + [405, 405, 404, 200, 404, 409, 405]
    assert await answers(session) == first
    assert await answers(session) == first
    assert await answers(session, Expect="100-continue") == first


async def test_it_forgets(runner: Runner, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many addresses strangers think of, so many are kept at most, and none with a query or that is not there."""
    monkeypatch.setattr(server, "MOST_ADDRESSES", 4)
    for number in range(10):
        for path in (f"/echo/{number}", f"/nothing/{number}", f"/echo/x?limit={number + 1}"):
            async with session.get(API + path) as answer:
                assert answer.status in (200, 404)
    assert runner.server is not None
    remembering = runner.server.request_handler
    assert isinstance(remembering, server._Remembering)
    kept = remembering._found
    assert 0 < len(kept) <= 4
    assert all(path.startswith(f"{API}/echo/") and "?" not in path for _, path in kept)
