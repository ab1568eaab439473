"""`livesale bench join`: from opening the watch page to its first picture, each time in a fresh browser profile."""

from __future__ import annotations

from typing import Any

from livesale.apps.wiring import Wiring
from livesale.bench.browsers import browsers, chromium, on_air, seen, watching
from livesale.bench.cast import Cast
from livesale.bench.media import spread
from livesale.bench.summary import tell
from livesale.bench.system import System, running_system
from livesale.settings import Settings

VIEWERS = 40  # of twenty the worst would be the 95th percentile


async def run(settings: Settings, chosen: dict[str, int], *, as_json: bool) -> int:
    """The command: prints the summary as its last line."""
    chromium()
    async with running_system(settings) as system, Wiring(system.settings) as wiring:
        summary = await measure(system, Cast(system, wiring), chosen.get("viewers", VIEWERS))
    tell(summary, as_json=as_json)
    return 0


async def measure(system: System, cast: Cast, viewers: int) -> dict[str, Any]:
    """The figures of contract section 6; the first viewer only warms the browser and the server up."""
    async with browsers(2) as (at_home, others):
        stage, _ = await on_air(system, at_home, cast)
        address = f"{system.url}/watch/{stage.show}"
        await one(others, address)
        came = [await one(others, address) for _ in range(viewers)]
        await cast.end(stage)
    return {
        "bench": "join",
        "first_frame_ms": spread([each["firstMs"] for each in came]),
        "socket_opened_ms": spread([each["socketMs"] for each in came]),
        "socket_to_frame_ms": spread([each["firstMs"] - each["socketMs"] for each in came]),
        "viewers": viewers,
        "fsync_us": system.fsync_us,
    }


async def one(browser: Any, address: str) -> dict[str, Any]:
    """One viewer: when its socket was asked for and when it saw a picture, in ms since it opened the page."""
    context = await browser.new_context()
    try:
        page = await context.new_page()
        await watching(page, address)
        return await seen(page)
    finally:
        await context.close()
