"""Whatever is sent to any declared route, nothing answers 500 and every error is a problem."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from msgspec import inspect

from livesale.http import openapi
from livesale.http.server import Runner
from livesale.kernel.routing import Route
from tests.http.conftest import Whole
from tests.http.served import Room, application
from tests.support.described import Described

ROUNDS = 40  # a route
PARTS = [
    b"4k2c", b"%00", b"%ff%fe", b"%", b"%2", b"%zz", b"..", b"%2e%2e%2f", b"\xff\xfe", b"\xc3\xa4", b"a" * 3000,
    b"%0d%0aX:1", b"show:4k2c", b"{show}", b"%7Bshow%7D", b"-", b"%ED%A0%80", b"a;b", b"a,b", b"'--", b"@", b"~",
]  # fmt: skip
QUERIES = [
    b"", b"?", b"?limit=5", b"?limit=%ff", b"?limit=1&limit=2", b"?after=%00", b"?&&==", b"?limit", b"?\xff=1",
    b"?after=" + b"x" * 3000,
]  # fmt: skip
HEADERS = [
    b"Authorization: Bearer \xff\xfe", b"Authorization: Bearer", b"Authorization: Bearer viewer",
    b"Authorization: Bearer host", b"Cookie: livesale_session=viewer",
    b"Cookie: \xff; ;=;livesale_session=", b"X-CSRF-Token: \xff", b"Host: \xff\xfe",
    b"Idempotency-Key: \xc3\xa4", b"Idempotency-Key: a b", b"X-Forwarded-For: 1.2.3.4, nonsense, ::1", b"Origin: \xff://",
    b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Type: \x01", b"Expect: 100-continue", b"Expect: tea",
    b"Transfer-Encoding: chunked", b"Upgrade: websocket", b"X-Forwarded-Host: a/b", b"Range: bytes=9-1",
    b"Accept: text/html", b"If-None-Match: \xff", b"Origin: http://[", b"Forwarded: for=\"[", b"X-A: a\x00b",
    b"X-A: a\x7fb",
]  # fmt: skip
KNOWN = {"shop": "demo"}  # what is there, by the name of its path parameter
FEED = b"""<rss version="2.0"><channel><title>Demo</title><item><id>mug</id><title>Mug</title><price>9.99 EUR</price>
<link>https://shop.example/mug</link><description>A mug</description><quantity>900</quantity></item></channel></rss>"""
TEXTS = ["EUR", "EUR", "DE", "pm_ok", "a@b.example", "2026-11-23T18:00:00Z", "2010-02-28", "heart", "password1"]
VALUES = [None, True, 0, -1, 2**63, 2**70, 1e308, "", "x", "ä", "\U0001f600", [], {}, [[]], {"a": {}}]


def some_json(rng: random.Random, depth: int = 0) -> object:
    """JSON that looks a little like a wish."""
    kind = rng.random()
    if kind < 0.4 and depth < 4:
        names = ["lines", "offer", "quantity", "note", "x", ""]
        return {rng.choice(names): some_json(rng, depth + 1) for _ in range(rng.randrange(4))}
    if kind < 0.6 and depth < 4:
        return [some_json(rng, depth + 1) for _ in range(rng.randrange(3))]
    return rng.choice(VALUES)


def near(kind: inspect.Type, rng: random.Random) -> object:
    """A value of a type, nearly always."""
    if rng.random() < 0.03:
        return some_json(rng)
    match kind:
        case inspect.StructType():
            return {one.encode_name: near(one.type, rng) for one in kind.fields if one.required or rng.random() < 0.5}
        case inspect.ListType():
            return [near(kind.item_type, rng) for _ in range(rng.randrange(3))]
        case inspect.UnionType():
            return near(rng.choice(kind.types), rng)
        case inspect.IntType():
            return (kind.ge or 0) + rng.randrange(3)
        case inspect.LiteralType():
            return rng.choice(kind.values)
        case inspect.BoolType():
            return True
        case inspect.NoneType():
            return None
        case _:
            return rng.choice([*TEXTS, *KNOWN.values()])


def some_body(rng: random.Random, kind: object) -> bytes:
    """JSON of the route's type or any, JSON with a byte gone wrong, or any bytes."""
    typed = kind not in (None, bytes) and rng.random() < 0.9
    value = near(inspect.type_info(kind), rng) if typed else some_json(rng)
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode()
    if typed and rng.random() < 0.9:
        return text
    kind = rng.random()
    if kind < 0.5:
        return text
    if kind < 0.8 and text:
        place = rng.randrange(len(text))
        return text[:place] + rng.randbytes(rng.randrange(3)) + text[place + 1 :]
    return rng.randbytes(rng.randrange(200))


def some_request(rng: random.Random, route: Route, tokens: Sequence[str]) -> bytes:
    """A request, more or less, that ends its connection."""
    method, target = route.method, b"/api/v1"
    for part in route.path.split("/")[1:]:
        known = KNOWN.get(part.strip("{}"), "4k2c").encode() if rng.random() < 0.8 else rng.choice(PARTS)
        target += b"/" + (known if part.startswith("{") else part.encode())
    keyed = [b"Idempotency-Key: %d" % rng.randrange(50)]
    headers = rng.sample(HEADERS, rng.randrange(5)) if rng.random() < 0.3 else keyed
    if rng.random() < 0.9:
        headers.append(b"Authorization: Bearer " + rng.choice(tokens).encode())
    body = some_body(rng, route.body) if method != "GET" or rng.random() < 0.2 else b""
    lines = [b"%s %s%s HTTP/1.1" % (method.encode(), target, rng.choice(QUERIES)), b"Host: a", *headers]
    if b"Transfer-Encoding: chunked" not in headers:
        lines.append(b"Content-Length: %d" % len(body))
    elif body and rng.random() < 0.7:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    else:
        body = b"zz\r\n"
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    room = Room()
    room.may_end.set()
    routes = application(room)
    runner = Runner(routes)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield host, port
    await runner.cleanup()


async def told(address: tuple[str, int], request: bytes) -> bytes:
    """All the server says to `request` until it closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("seed", range(3))
async def test_no_request_breaks_a_route(address: tuple[str, int], seed: int) -> None:
    """Random paths, headers and bodies to every route: an answer below 500, errors always as problems."""
    rng = random.Random(seed)
    for route in Room().routes():
        if route.path != "/broken":
            for _ in range(ROUNDS):
                await tried(address, some_request(rng, route, ["viewer", "host"]))


@pytest.mark.parametrize("seed", range(2))
async def test_no_request_breaks_a_real_route(whole: Whole, seed: int) -> None:
    """The same to every route `livesale web` serves, with bodies near what each one takes: besides, each answer is one
    that openapi.json describes, and a refusal has changed neither a shelf nor a table.
    """
    rng = random.Random(seed)
    await found_shop(whole)
    described = Described(openapi.document(whole.routes))
    before = await state_of(whole)
    for route in whole.routes:
        for _ in range(ROUNDS // 4):  # each is followed by a look at everything that is stored
            request = some_request(rng, route, [*whole.tokens.values()])
            answer = await tried((whole.host, whole.port), request)
            body = json.loads(answer.body) if answer.body else None
            assert not described.faults(route.method, f"/api/v1{route.path}", answer.status, answer.kind, body), request
            after = await state_of(whole)
            assert after == before or answer.status < 400, (request, answer)
            before = after


@dataclass(frozen=True)
class Told:
    """An answer taken apart."""

    status: int
    kind: str
    body: bytes


async def state_of(whole: Whole) -> tuple[object, ...]:
    """Every shelf's records, counters, marks and logs, and every row: all but answers kept under idempotency keys and
    what counts failed sign-ins.
    """
    client = whole.wiring.store.client
    names = sorted([name async for name in client.scan_iter(match="{*", count=1000) if b"}:once:" not in name])
    pipeline = client.pipeline(transaction=False)
    for name in names:
        pipeline.dump(name)
    dumps = await pipeline.execute() if names else []
    with closing(sqlite3.connect(whole.wiring.settings.data / "livesale.db")) as db:  # by SQLAlchemy it took most of the test
        tables = db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name <> 'answers' ORDER BY name").fetchall()
        rows = [tuple(db.execute(f'SELECT * FROM "{table}"').fetchall()) for (table,) in tables]
    return (tuple(zip(names, dumps, strict=True)), tuple(rows))


async def found_shop(whole: Whole) -> None:
    """A shop `demo`, a product and a live show of it, whose ids requests will name."""
    headers = {"Authorization": f"Bearer {whole.tokens['host']}"}
    async with ClientSession(headers=headers, raise_for_status=True) as session:
        await session.post(whole.url("/shops/demo/feed"), data=FEED)
        product = (await (await session.get(whole.url("/products?shop=demo"))).json())["items"][0]["id"]
        show = {"title": "On air", "shop": "demo", "currency": "EUR"}
        made = await (await session.post(whole.url("/shows"), json=show)).json()
        price = {"amount": 100, "currency": "EUR"}
        offer = {"product": product, "price": price, "quantity": 500}
        sold = await (await session.post(whole.url(f"/shows/{made['id']}/offers"), json=offer)).json()
        await session.post(whole.url(f"/shows/{made['id']}/start"))
        line = {"lines": [{"offer": sold["id"], "quantity": 1}]}
        held = await session.post(whole.url(f"/shows/{made['id']}/orders"), json=line, headers={"Idempotency-Key": "1"})
        KNOWN.update(id=product, show=made["id"], offer=sold["id"], order=(await held.json())["id"])


async def tried(address: tuple[str, int], request: bytes) -> Told:
    """The answer to `request`: whatever it was, a success or a problem below 500."""
    answer = await told(address, request)
    if answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    status = int(answer.split(b" ", 2)[1])
    assert 200 <= status < 500 or b'"store_unavailable"' in answer, (request, answer)
    if status >= 400:
        assert b"application/problem+json" in answer, (request, answer)
    head, _, body = answer.partition(b"\r\n\r\n")
    kind = re.search(rb"(?i)^content-type: ([^;\r]+)", head, re.MULTILINE)
    return Told(status, kind[1].decode() if kind else "", body)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GE\x00T / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /api/v1/open HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/open HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-Admin: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem(address: tuple[str, int], request_bytes: bytes) -> None:
    """Bytes that cannot be parsed answer 400 as a problem, end the connection, and leak nothing of the server."""
    answer = await told(address, request_bytes)
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400")), answer
    assert b"application/problem+json" in answer
    assert b"aiohttp" not in answer
    assert b"Traceback" not in answer


async def test_the_next_request_on_the_connection_is_served(address: tuple[str, int]) -> None:
    """A refused request leaves its connection usable: its body is not taken for the next request."""
    hidden = b"GET /evil HTTP/1.1\r\n\r\n\r\n"
    refused = b"POST /api/v1/shows/a/wishes HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    answer = await told(address, refused + b"GET /api/v1/echo/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 2, answer
    assert b'"name":"next"' in answer
