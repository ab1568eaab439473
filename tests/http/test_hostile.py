"""Clients that lie, stall or never end, at the whole web process: a refusal in bounded time and memory, nothing changed."""

from __future__ import annotations

import asyncio
import secrets
import zlib

import msgspec
import pytest
from aiohttp import ClientSession, web

from livesale.apps.presence import HubSeen
from livesale.apps.web import webhook_secret
from livesale.http import bodies, server
from livesale.http.server import Runner
from livesale.payments.provider import Attempt
from livesale.payments.webhooks import SIGNATURE_HEADER, WebhookEvent, sign
from tests.http.conftest import Whole
from tests.http.served import Room, application
from tests.http.test_fuzz import KNOWN, found_shop, state_of, told
from tests.support.media import until

MIB = 1024 * 1024
BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><rss><channel><title>&j;</title></channel></rss>"
)


def head(whole: Whole, method: str, path: str, *headers: bytes, who: str = "host") -> bytes:
    """The head of a request, as bytes."""
    token = b"Authorization: Bearer " + whole.tokens[who].encode()
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: a", token, *headers]
    return b"\r\n".join([*lines, b"", b""])


async def answer(whole: Whole, request: bytes) -> bytes:
    return await told((whole.host, whole.port), request)


def refused(said: bytes, status: int, code: str) -> None:
    """A problem of this status and code."""
    assert said.startswith(b"HTTP/1.1 %d " % status) or said.startswith(b"HTTP/1.0 %d " % status), said[:300]
    assert b"application/problem+json" in said
    assert b'"code":"%s"' % code.encode() in said


async def test_a_body_without_end_is_cut_off(whole: Whole) -> None:
    """Chunk after chunk, no length said: refused when it is more than the address takes, and not read on."""
    reader, writer = await asyncio.open_connection(whole.host, whole.port)
    writer.write(head(whole, "POST", "/api/v1/shows/4k2c/chat", b"Transfer-Encoding: chunked"))
    chunk = b"%x\r\n%s\r\n" % (4096, b"x" * 4096)
    try:
        async with asyncio.timeout(30):
            sending = asyncio.create_task(endless(writer, chunk))
            said = await reader.readuntil(b"}")
            sending.cancel()
    finally:
        writer.close()
    refused(said, 413, "too_large")


async def endless(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """Send for ever."""
    while True:
        writer.write(chunk)
        await writer.drain()


@pytest.mark.parametrize("path", ["/api/v1/shops/demo/feed", "/webhooks/paysim", "/whip/SHOW"])
async def test_a_stalled_body_is_not_waited_for(whole: Whole, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Half a body and then nothing: refused once it has had its time, wherever bodies are taken."""
    await found_shop(whole)
    await whole.wiring.presence.tell([HubSeen("studio", "studio", "ws://127.0.0.1:9", "http://127.0.0.1:9", [KNOWN["show"]], 0)])
    monkeypatch.setattr(bodies, "READ_S", 0.2)
    request = head(whole, "POST", path.replace("SHOW", KNOWN["show"]), b"Content-Length: 100", b"Connection: close")
    refused(await answer(whole, request + b"half"), 400, "malformed")


async def test_a_head_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never ends its headers is closed when the time of an idle one is over."""
    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.2)
    runner = Runner(application(Room()))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /api/v1/echo/x HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        async with asyncio.timeout(20):
            assert await reader.read() == b""
    finally:
        writer.close()
        await runner.cleanup()


@pytest.mark.parametrize("stated", [3, 40])
async def test_a_length_that_lies(whole: Whole, capsys: pytest.CaptureFixture[str], stated: int) -> None:
    """Less than stated, or more: never a 500 nor an accident in the log, and the surplus is no request of anyone's."""
    request = head(whole, "POST", "/api/v1/shows", b"Content-Length: %d" % stated) + b'{"title": "x", "shop"'
    reader, writer = await asyncio.open_connection(whole.host, whole.port)
    writer.write(request)
    writer.write_eof()
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    assert b"HTTP/1.1 500" not in said
    assert b"HTTP/1.1 2" not in said
    assert "request_failed" not in capsys.readouterr().out


async def test_a_feed_of_64_mib_is_refused_unread(whole: Whole) -> None:
    """By its stated length before a byte of it is read, and in chunks once it is too much."""
    await found_shop(whole)
    before = await state_of(whole)
    large = head(whole, "POST", "/api/v1/shops/demo/feed", b"Content-Length: %d" % (64 * MIB), b"Connection: close")
    refused(await answer(whole, large), 413, "too_large")
    async with ClientSession(headers={"Authorization": f"Bearer {whole.tokens['host']}"}) as session:

        async def parts():
            for _ in range(64):
                yield b" " * MIB

        try:
            async with session.post(whole.url("/shops/demo/feed"), data=parts()) as said:
                assert said.status == 413
        except OSError:
            pass  # the server closed before all of it was sent
    assert await state_of(whole) == before


async def test_a_billion_laughs(whole: Whole) -> None:
    """A feed whose entities would grow to gigabytes is refused, and the shop stays as it was."""
    await found_shop(whole)
    before = await state_of(whole)
    length = b"Content-Length: %d" % len(BILLION_LAUGHS)
    request = head(whole, "POST", "/api/v1/shops/demo/feed", length, b"Connection: close")
    refused(await answer(whole, request + BILLION_LAUGHS), 400, "malformed")
    assert await state_of(whole) == before


async def test_a_webhook_that_arrives_in_pieces_is_one_webhook(whole: Whole) -> None:
    """What was signed is the whole body, however TCP cut it."""
    await found_shop(whole)
    data = Attempt("captured", "pi_1", reference=KNOWN["order"])
    body = msgspec.json.encode(WebhookEvent("evt_1", "intent.captured", 1, data))
    signed = sign(webhook_secret(whole.wiring.settings), body, whole.wiring.store.now_ms() // 1000)
    reader, writer = await asyncio.open_connection(whole.host, whole.port)
    headers = (b"Content-Length: %d" % len(body), f"{SIGNATURE_HEADER}: {signed}".encode(), b"Connection: close")
    writer.write(head(whole, "POST", "/webhooks/paysim", *headers) + body[:10])
    await until(lambda: arrived(whole) == 10)
    writer.write(body[10:])
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    assert said.startswith(b"HTTP/1.1 204"), said


def arrived(whole: Whole) -> int:
    """How many bytes of the one running request's body the server has."""
    server = whole.runner.server
    assert server is not None
    running = [one._current_request for one in server.connections if one._current_request is not None]
    return running[0].content.total_bytes if running else -1


@pytest.mark.parametrize("tricky", ["%0d%0aX-Evil:%201", "%0aSet-Cookie:a=b", "%e2%80%a8", "..%2f..%2fadmin"])
async def test_nothing_sent_becomes_a_header(whole: Whole, tricky: str) -> None:
    """Line ends in an address, a query, a key or a host name do not reach an answer's headers."""
    await found_shop(whole)
    await whole.wiring.presence.tell([HubSeen("studio", "studio", "ws://127.0.0.1:9", "http://127.0.0.1:9", [KNOWN["show"]], 0)])
    for method, path in (
        ("GET", f"/api/v1/shows/{tricky}"), ("GET", f"/watch/{tricky}"), ("GET", f"/pictures/demo/{tricky}"),
        ("DELETE", f"/whip/{KNOWN['show']}/{tricky}"), ("POST", f"/whip/{tricky}"), ("GET", f"/api/v1/orders?after={tricky}"),
    ):  # fmt: skip
        said = await answer(whole, head(whole, method, path, b"Content-Length: 0", b"Connection: close"))
        headers = said.partition(b"\r\n\r\n")[0].lower()
        assert b"x-evil" not in headers and b"set-cookie" not in headers, said
        assert b" 500 " not in headers.partition(b"\r\n")[0], said


async def test_a_compressed_bomb_is_counted_as_it_unpacks(whole: Whole) -> None:
    """64 MiB of zeros in 64 KiB of gzip: refused by what they are, not by what was sent."""
    packed = zlib.compressobj(wbits=31)
    bomb = packed.compress(bytes(64 * MIB)) + packed.flush()
    headers = (b"Content-Encoding: gzip", b"Content-Length: %d" % len(bomb), b"Connection: close")
    said = await answer(whole, head(whole, "POST", "/api/v1/shows/4k2c/chat", *headers) + bomb)
    assert said.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")), said[:200]


async def test_the_process_serves_on(whole: Whole) -> None:
    """After a thousand connections that say nothing sensible, the next caller is answered."""
    for _ in range(20):
        await asyncio.gather(*(answer(whole, secrets.token_bytes(50) + b"\r\n\r\n") for _ in range(50)))
    async with ClientSession() as session:
        assert (await session.get(whole.url("/shows"))).status == 200
