"""The confirmation page in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from livesale.kernel.money import Money
from tests.support.sandbox import running

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@asynccontextmanager
async def shop() -> AsyncIterator[str]:
    """A page the buyer comes back to, on another origin than the sandbox."""

    async def order(request: web.Request) -> web.Response:
        return web.Response(text="<h1>your order</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/orders/o1", order)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/orders/o1"
    finally:
        await runner.cleanup()


@pytest.mark.journey
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium")
@pytest.mark.parametrize(("button", "state"), [("3ds-approve", "authorised"), ("3ds-decline", "failed")])
async def test_a_buyer_decides_and_is_led_back(tmp_path: Path, button: str, state: str) -> None:
    """One press on a phone decides, and the page's own policy lets the browser go back to the shop."""
    async with running(tmp_path) as sandbox, shop() as back, async_playwright() as playwright:
        made = await sandbox.provider.authorise("k", Money(123_456, "EUR"), "pm_3ds", "o1", back)
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *QUIET])
        page = await browser.new_page(viewport={"width": 360, "height": 640})
        await page.goto(made.redirect_url)
        assert "1,234.56 EUR" in await page.inner_text("main")
        await page.get_by_test_id(button).click()
        await page.wait_for_url(back)
        await browser.close()
        assert (await sandbox.provider.lookup(made.provider_id)).state == state
