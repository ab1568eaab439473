"""What the tests of ways in share: a media server with one show, a client of it, a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Browser, async_playwright

from tests.support.media import CHROMIUM, CHROMIUM_ARGS, MediaServer, media_server


@pytest.fixture
async def server() -> AsyncIterator[MediaServer]:
    async with media_server() as made:
        made.open("s1")
        yield made


@pytest.fixture
async def client(server: MediaServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as session:
        yield session


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        await browser.close()
