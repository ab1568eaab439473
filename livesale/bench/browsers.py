"""Debian's Chromium as host and as viewers of `bench media` and `bench join`; without it, one line and exit 2."""

from __future__ import annotations

import asyncio
import importlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import click

from livesale.bench.cast import Cast, Stage
from livesale.bench.stamps import HOST, SEEN, VIEWER
from livesale.bench.system import System

BROWSERS = ("chromium", "chromium-browser")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection",
)  # fmt: skip
FIRST_PICTURE_S = 30.0
PICTURE = {"width": 640, "height": 360, "framesPerS": 30}


class Missing(click.ClickException):
    """There is no browser to measure with."""

    exit_code = 2


def chromium() -> str:
    """Where the browser is; Missing when it is not installed, or what drives it is not."""
    for name in BROWSERS:
        if found := shutil.which(name):
            try:
                importlib.import_module("playwright.async_api")
            except ModuleNotFoundError:
                raise Missing("playwright is missing: pip install 'livesale[test]'") from None
            return found
    raise Missing("chromium is missing. On Debian: apt-get install chromium")


@asynccontextmanager
async def browsers(count: int) -> AsyncIterator[list[Any]]:
    """`count` browsers, each a process of its own: a host's work is not a viewer's."""
    path = chromium()
    driver = importlib.import_module("playwright.async_api").async_playwright()
    async with driver as playwright:
        opened = [
            await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS)) for _ in range(count)
        ]
        try:
            yield opened
        finally:
            for each in opened:
                await each.close()


async def on_air(system: System, browser: Any, cast: Cast) -> tuple[Stage, Any]:
    """A live show whose host publishes the stamped canvas by WHIP; and the host's page."""
    await cast.shop(100)
    stage = await cast.show("Bench", 100)
    await cast.until_listed(stage.show)
    context = await browser.new_context(permissions=["microphone"])
    page = await context.new_page()
    await page.goto(f"{system.url}/login")
    await page.evaluate(HOST, {"url": f"/whip/{stage.show}", "token": stage.whip_token, **PICTURE})
    return stage, page


async def watching(page: Any, address: str) -> None:
    """Opens the watch page at `address` and waits for its first picture."""
    await page.add_init_script(VIEWER)
    await page.goto(address, wait_until="commit")
    try:
        async with asyncio.timeout(FIRST_PICTURE_S):
            await page.evaluate("() => benchFirst")
    except TimeoutError:
        raise click.ClickException("the viewer got no picture; is UDP on loopback possible?") from None


async def seen(page: Any) -> dict[str, Any]:
    """What the viewer has seen so far: `socketMs` and `firstMs` since the page was opened, `lateMs` of each picture."""
    found: dict[str, Any] = await page.evaluate(SEEN)
    return found
