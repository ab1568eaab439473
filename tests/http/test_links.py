"""Sign-in links at the whole web process: the same answer for everybody, and one use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, CookieJar

from livesale.apps.mails import link_sender
from livesale.notices.box import Box
from tests.http.conftest import Whole
from tests.http.test_endpoint import problem


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def test_without_a_way_to_mail_it_is_refused(whole: Whole, browser: ClientSession) -> None:
    """A machine that sends no mails says so, whoever asks; and a secret nobody was sent opens nothing."""
    for email in ("viewer@example.org", "nobody@example.org"):
        await problem(await browser.post(whole.url("/session/link"), json={"email": email}), 409, "conflict")
    refused = await browser.post(whole.url("/session/link/enter"), json={"secret": "x" * 32})
    await problem(refused, 409, "expired")
    assert "Set-Cookie" not in refused.headers
    await problem(await browser.get(whole.url("/session/link/enter")), 405, "method_not_allowed")


async def test_the_mail_speaks_the_readers_language(whole: Whole, tmp_path: Path) -> None:
    """German to Germany; the link stands in both forms; names are one harmless line; no order is spoken of."""
    settings = msgspec.structs.replace(whole.wiring.settings, dev_mail=True)
    send = link_sender(settings, whole.wiring.store.now_ms)
    assert send is not None
    account = await whole.wiring.accounts.by_email("viewer@example.org")
    await send(account, "https://live.example.org/login#link=abc")
    (mail,) = Box(settings.data / "mail").newest(2)
    assert (mail.to, str(mail.message["Subject"])) == ("viewer@example.org", "Dein Link zum Anmelden")
    assert mail.links() == ["https://live.example.org/login#link=abc"]
    assert 'href="https://live.example.org/login#link=abc"' in mail.part("html")
    assert mail.message["In-Reply-To"] is None
