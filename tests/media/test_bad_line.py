"""Chromium as host over a bad line, against the real receiver: what viewers get is whole, and comes back by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from livesale.media.frames import AUDIO, VIDEO
from tests.support.badline import BadLine, bad_line
from tests.support.media import CHROMIUM, CHROMIUM_ARGS, MediaServer, media_server, until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]


@pytest.fixture
async def server() -> AsyncIterator[MediaServer]:
    async with media_server() as made:
        made.open("s1")
        yield made


@pytest.fixture
async def line() -> AsyncIterator[BadLine]:
    async with bad_line() as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        await browser.close()


async def host(browser: Browser, server: MediaServer, line: BadLine) -> Page:
    """A page on air over the line."""
    page = await (await browser.new_context(permissions=["camera", "microphone"])).new_page()
    await page.goto(server.url + "/host")
    await line.under(page)
    assert await page.evaluate("url => publish(url)", server.url + "/whip/s1") == 201
    await until(lambda: len(server.fragments(VIDEO)) > 30)
    return page


def only_grows(server: MediaServer) -> None:
    """Media time of both tracks."""
    for track in (VIDEO, AUDIO):
        times = [one.time_us for one in server.fragments(track)]
        assert times == sorted(set(times))


async def test_an_ice_restart_goes_on_over_another_line(browser: Browser, server: MediaServer, line: BadLine) -> None:
    """The line dies for good; Chromium restarts ICE over another one, and the same session goes on: with
    a key frame, and viewers were told that the host was away and is back.
    """
    page = await host(browser, server, line)
    line.broken = True
    await until(lambda: server.hosts == ["away"])
    sent = len(server.fragments(VIDEO))
    async with bad_line() as other:
        await other.under(page)
        await page.evaluate("restart()")
        await until(lambda: server.hosts == ["away", "back"])
        await until(lambda: len(server.fragments(VIDEO)) > sent + 30)
        assert other.passed > 30
    assert server.states == [("s1", "live"), ("s1", "lost"), ("s1", "live")]
    assert server.fragments(VIDEO)[sent].key
    only_grows(server)
