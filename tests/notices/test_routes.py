"""Dev mails over HTTP: for this machine alone, and harmless to whoever reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from livesale.http.app import HttpOptions, make_app
from livesale.http.peers import Peers
from livesale.notices.box import Box, name_of
from livesale.notices.letters import letter
from livesale.notices.message import address, message
from livesale.notices.model import Mail
from livesale.notices.routes import DevPages, routes
from tests.http.served import Callers, Client, Connect
from tests.http.test_endpoint import problem
from tests.notices.test_letters import AT, ORDER, ORIGIN, facts

ADDRESSES = ("/api/v1/dev/mail", "/dev/mail", "/dev/mail.css", f"/dev/mail/{name_of(AT, '0' * 32)}")


def app(box: Box | None) -> web.Application:
    made = make_app(routes(box), Callers(), None, HttpOptions(trusted_proxies=["127.0.0.1"]), {})
    made.router.add_routes(DevPages(box, Peers(["127.0.0.1"])).routes())
    return made


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A confirmation to ann with a title that would be markup, and one to bob."""
    made = Box(tmp_path)
    for number, (name, title) in enumerate((("ann", "<script>alert(1)</script>"), ("bob", "Pan"))):
        mail = Mail(f"{number:032x}", "paid", name, AT + number, AT)
        written = letter(facts(reader=name, seller=title))
        data = message(written, mail, ORDER.id, address(f"{name}@example.org"), address("shop@example.org"))
        made.put(name_of(mail.created, mail.id), data)
    return made


@pytest.fixture
async def client(box: Box, aiohttp_client: Connect) -> Client:
    return await aiohttp_client(app(box))


async def test_programs_read_mails(client: Client) -> None:
    """Newest first, by address, whole; a page at a time."""
    listed = await (await client.get("/api/v1/dev/mail?to=ann@example.org")).json()
    [mail] = listed["items"]
    assert listed["next"] is None
    assert (mail["to"], mail["subject"]) == ("ann@example.org", "Bestellung 9FK2XA ist bezahlt")
    assert mail["at"].startswith("2026-11-27T17:42:07.456Z")
    assert mail["text"].startswith("Hallo ann,\n\n")
    assert mail["html"].startswith("<!doctype html>")
    assert mail["message_id"] == f"<{'0' * 32}@example.org>"
    assert mail["links"][0] == f"{ORIGIN}/orders/{ORDER.id}"
    first = await (await client.get("/api/v1/dev/mail?limit=1")).json()
    assert [one["to"] for one in first["items"]] == ["bob@example.org"]
    rest = await (await client.get(f"/api/v1/dev/mail?limit=1&after={first['next']}")).json()
    assert ([one["to"] for one in rest["items"]], rest["next"]) == (["ann@example.org"], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=201"])
async def test_a_limit_is_a_number(client: Client, query: str) -> None:
    """Like every list's."""
    await problem(await client.get(f"/api/v1/dev/mail?{query}"), 422, "invalid")


async def test_people_read_mails(client: Client) -> None:
    """Headers, plain text and links on the page; the HTML in a sandboxed frame whose policy lets it do nothing."""
    response = await client.get("/dev/mail")
    text = await response.text()
    assert text.index("bob@example.org") < text.index("ann@example.org")
    assert "<script" not in text
    assert "style=" not in text
    assert "References" in text
    assert f'href="{ORIGIN}/orders/{ORDER.id}"' in text
    assert "<iframe sandbox " in text
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert (await client.get("/dev/mail.css")).headers["Content-Type"].startswith("text/css")
    only = await (await client.get("/dev/mail?to=bob@example.org")).text()
    assert "ann@example.org" not in only
    frame = await client.get(ADDRESSES[-1])
    policy = [part.strip() for part in frame.headers["Content-Security-Policy"].split(";")]
    assert policy == ["default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox"]
    assert "<script" not in await frame.text()
    await problem(await client.get("/dev/mail/nothing"), 404, "not_found")


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
async def test_nobody_else_does(client: Client, path: str, header: str) -> None:
    """Whoever comes through a proxy, one that is trusted and claims to be loopback too, finds nothing there."""
    await problem(await client.get(path, headers={header: "127.0.0.1"}), 404, "not_found")


@pytest.mark.parametrize("path", ADDRESSES)
async def test_without_dev_mail_there_is_nothing(aiohttp_client: Connect, path: str) -> None:
    """Where mails are really sent, this machine cannot read them either."""
    await problem(await (await aiohttp_client(app(None))).get(path), 404, "not_found")
