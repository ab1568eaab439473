"""TLS: by a certificate of our own that is changed while the system runs, and by the proxies whose files we ship."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from livesale.apps import certificate, edge, studio, web
from livesale.apps.certificate import Certificate
from livesale.apps.keys import make_keys
from livesale.apps.ports import Claims
from livesale.apps.wiring import Wiring
from livesale.bench.certificates import make_certificate, trusting
from livesale.bench.proxies import PROXIES, proxy
from livesale.hub.wire import decode
from livesale.kernel.actor import Actor
from livesale.settings import Settings, SettingsError, load_settings
from livesale.store.valkey import Store
from tests.support import sqlite
from tests.support.valkey import ValkeyProcess

HOST = Actor("host000000", frozenset({"host"}))
ADA = {"email": "ada@example.org", "name": "Ada", "password": "correct horse", "born": "1990-01-01", "country": "DE"}
PATIENCE_S = 20
PORTS = ("port", "ports.studio", "ports.studio_control", "ports.edge", "ports.tls")


async def true(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(folder: Path, valkey: ValkeyProcess, **more: Any) -> AsyncIterator[tuple[Settings, str]]:
    """Web, studio and edge as their commands run them, and a live show."""
    make_keys(folder)
    claims = Claims(folder, "127.0.0.1")
    for name in PORTS:
        claims.chosen(name)
    claims.close()
    if "public" in more:
        more |= {"ports.tls": 0, "public_urls": [f"https://localhost:{claims.ports['ports.tls']}"],
                 "hubs.public_url": f"wss://localhost:{claims.ports['ports.tls']}/hubs/{{instance}}",
                 "trusted_proxies": ["127.0.0.1"]}  # fmt: skip
        del more["public"]
    settings = load_settings(folder, {"valkey_url": valkey.url, **claims.ports, **more})
    await asyncio.to_thread(sqlite.migrate, settings.sql_url)
    tasks = [asyncio.create_task(each.run(settings)) for each in (web, studio, edge)]
    try:
        async with Wiring(settings) as wiring:
            show = (await wiring.shows.create(HOST, "Sealed", "shop", "EUR", None)).id
            await wiring.shows.move(HOST, show, "start")

            async def seen() -> bool:
                assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
                hubs = await wiring.presence.hubs()
                return len(hubs) == 2 and any(show in hub.shows for hub in hubs)

            await true(seen)
            await asyncio.sleep(0.6)  # what `web` remembers of an emptier moment
            yield settings, show
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def joined(origin: str, base: str, show: str, trusted: ssl.SSLContext) -> tuple[ClientConnection, str]:
    """A viewer with a ticket asked for at `base`, and the hub it was given."""
    async with aiohttp.ClientSession() as session, session.post(f"{base}/api/v1/shows/{show}/ticket", ssl=trusted) as answer:
        told = await answer.json()
    address = f"{told['hub']}/v1/shows/{show}?ticket={told['ticket']}"
    return await connect(address, ssl=trusted, proxy=None, max_size=None, origin=Origin(origin)), told["hub"]


async def first(socket: ClientConnection) -> str | int:
    """The first event's type, or the close code."""
    try:
        frame: Any = decode(await asyncio.wait_for(socket.recv(decode=False), PATIENCE_S))
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code
    return str(frame.events[0]["type"])


def shown(socket: ClientConnection) -> str:
    """The name of the certificate a connection was made with."""
    certificate: Any = socket.transport.get_extra_info("ssl_object").getpeercert()
    return str(dict(part[0] for part in certificate["subject"])["commonName"])


async def test_a_certificate_of_our_own_is_changed_without_a_restart(
    tmp_path: Path, valkey: ValkeyProcess, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, WHIP and hubs speak TLS, the edge is fed over it; new files count for new connections, viewers stay; broken ones
    change nothing but the log."""
    monkeypatch.setattr(certificate, "LOOK_EVERY_S", 0.02)
    files = tmp_path / "in-use.pem", tmp_path / "in-use.key"
    made = {name: make_certificate(tmp_path, name) for name in ("first", "second")}
    for source, target in zip(made["first"], files, strict=True):
        shutil.copy(source, target)
    trusted = trusting(*(chain for chain, _ in made.values()))
    tls = {"tls.certificate": str(files[0]), "tls.key": str(files[1])}
    async with running(tmp_path, valkey, **tls) as (settings, show):
        base = f"https://localhost:{settings.ports.tls}"
        viewer, hub = await joined(base, base, show, trusted)
        assert hub == f"wss://localhost:{settings.ports.edge}"
        assert (await first(viewer), shown(viewer)) == ("welcome", "first")
        async with aiohttp.ClientSession() as session:
            async with session.options(f"{base}/whip/{show}", ssl=trusted) as answer:
                assert answer.status < 300

        with capture_logs() as logs:
            files[1].write_bytes(made["second"][1].read_bytes())  # the key of another certificate

            async def told() -> bool:
                return len([line for line in logs if line["log_level"] == "error"]) == 3  # web, studio, edge

            await true(told)
        again, _ = await joined(base, base, show, trusted)
        assert (await first(again), shown(again)) == ("welcome", "first")

        files[0].write_bytes(made["second"][0].read_bytes())

        async def new() -> bool:
            later, _ = await joined(base, base, show, trusted)
            assert await first(later) == "welcome"
            return shown(later) == "second"

        await true(new)
        assert viewer.state.name == again.state.name == "OPEN"


def test_files_that_do_not_work_are_refused_at_the_start(tmp_path: Path) -> None:
    """A process does not start without the encryption it was told to have."""
    chain, _ = make_certificate(tmp_path, "one")
    _, key = make_certificate(tmp_path, "other")
    for pair in ((chain, key), (chain, tmp_path / "none"), (key, key)):
        with pytest.raises(SettingsError, match="no certificate and key"):
            Certificate(*pair)
    with pytest.raises(SettingsError, match="set both or none"):
        load_settings(tmp_path, {"tls.certificate": str(chain)})


@pytest.mark.parametrize("name", sorted(PROXIES))
async def test_behind_a_proxy(
    tmp_path: Path, valkey: ValkeyProcess, store: Store, name: str
) -> None:
    """With the file we ship: the hubs' sockets, WHIP, cookies and the visitor's address come through, and probes do not."""
    chain, key = make_certificate(tmp_path, "proxy")
    trusted = trusting(chain)
    async with running(tmp_path, valkey, public=True) as (settings, show):
        base = settings.public_url
        port = int(base.rpartition(":")[2])
        addresses = {8080: settings.port, 8090: settings.ports.studio, 8091: settings.ports.edge}
        with proxy(name, tmp_path, port, addresses, chain, key):
            jar = aiohttp.CookieJar()
            connector = aiohttp.TCPConnector(ssl=trusted)
            async with aiohttp.ClientSession(base, connector=connector, cookie_jar=jar) as browser:
                async with browser.get(f"/api/v1/shows/{show}") as answer:
                    hubs = (await answer.json())["hub"]
                assert hubs == [f"wss://localhost:{port}/hubs/{kind}" for kind in ("edge", "studio")]
                viewer, hub = await joined(base, base, show, trusted)
                assert (await first(viewer), hub) == ("welcome", hubs[0])
                stranger, _ = await joined("https://elsewhere.example", base, show, trusted)
                assert await first(stranger) == 4003

                assert (await browser.post("/api/v1/accounts", json=ADA)).status == 201
                entered = await browser.post("/api/v1/session", json={name: ADA[name] for name in ("email", "password")})
                assert entered.status == 200
                assert entered.cookies["livesale_session"]["secure"]
                async with browser.get("/api/v1/me") as answer:
                    assert (await answer.json())["email"] == ADA["email"]
                token = {"X-CSRF-Token": entered.cookies["livesale_csrf"].value, "Origin": base}
                assert (await browser.delete("/api/v1/session", headers=token)).status == 200

                async with browser.options(f"/whip/{show}") as answer:
                    assert answer.status < 300
                wrong = {"Authorization": "Bearer wrong", "Content-Type": "application/sdp"}
                async with browser.post(f"/whip/{show}", data=b"v=0", headers=wrong) as answer:
                    assert answer.status in (401, 403)  # the studio's word
                forged = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
                async with browser.get("/healthz", headers=forged) as answer:
                    assert answer.status in (401, 403, 404)
