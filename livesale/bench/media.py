"""`livesale bench media`: from the stamp a host's canvas shows to the stamp a viewer's player shows, by one clock.

Host and viewer are browsers, the show is a real one, the viewer's page is the shipped one. A bare hub client beside it
counts the fragments and what they weigh. `--mode webcodecs` measures the viewer who chose the lowest delay,
`--mode sound` the one who turned the sound on.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import click
from websockets.asyncio.client import connect

from livesale.apps.wiring import Wiring
from livesale.bench.browsers import browsers, chromium, on_air, seen, watching
from livesale.bench.cast import Cast
from livesale.bench.stamps import LOWEST_DELAY, SENT
from livesale.bench.summary import tell
from livesale.bench.system import System, running_system
from livesale.settings import Settings

SECONDS = 15
SETTLE_S = 4.0  # the player's first target and the encoder's first seconds are not the steady state
MEDIA = 0x03
HEADER_BYTES = 20  # contract section 3: track, flags, generation, sequence, time, length


async def run(settings: Settings, chosen: dict[str, Any], *, as_json: bool) -> int:
    """The command: prints the summary as its last line."""
    chromium()
    async with running_system(settings) as system, Wiring(system.settings) as wiring:
        summary = await measure(system, Cast(system, wiring), chosen.get("seconds", SECONDS), chosen.get("mode", "mse"))
    tell(summary, as_json=as_json)
    return 0


async def measure(system: System, cast: Cast, seconds: int, mode: str) -> dict[str, Any]:
    """The figures of contract section 6."""
    async with browsers(2) as (at_home, elsewhere):
        stage, host = await on_air(system, at_home, cast)
        page = await elsewhere.new_page()
        if mode == "webcodecs":
            await page.add_init_script(LOWEST_DELAY)
        await watching(page, f"{system.url}/watch/{stage.show}")
        if mode == "sound":
            await page.get_by_test_id("sound").click()
        await asyncio.sleep(SETTLE_S)
        await page.evaluate("benchSeen.counting = true")
        sent, before = await host.evaluate(SENT), system.cpu_s()
        fragments, size = await count(await ticket(system, stage.show), stage.show, seconds)
        after, gone, saw = system.cpu_s(), await host.evaluate(SENT), await seen(page)
        await cast.end(stage)
    used = {name: round(100 * (spent - before[name]) / seconds, 1) for name, spent in after.items()}
    mbit = (gone["bytes"] - sent["bytes"]) * 8 / seconds / 1e6
    return {
        "bench": "media",
        "mode": mode if mode == "sound" else saw["mode"],
        "glass_to_glass_ms": spread(saw["lateMs"]),
        "cpu_percent_per_mbit": round((used["studio"] + used.get("edge", 0.0)) / mbit, 1) if mbit else None,
        "fragments_per_s": round(fragments / seconds, 1),
        "pictures": len(saw["lateMs"]),
        "unread": saw["unread"],
        "sent_mbit_per_s": round(mbit, 2),
        "delivered_mbit_per_s": round(size * 8 / seconds / 1e6, 2),
        "sent_pictures_per_s": round((gone["frames"] - sent["frames"]) / seconds, 1),
        "server_cpu_percent": used,
        "buffer_ms": saw["bufferMs"],
        "dropped": saw["dropped"],
        "fsync_us": system.fsync_us,
    }


async def ticket(system: System, show: str) -> dict[str, Any]:
    """A stranger's ticket."""
    async with aiohttp.ClientSession(system.url) as session:
        async with session.post(f"/api/v1/shows/{show}/ticket") as answer:
            answer.raise_for_status()
            told: dict[str, Any] = await answer.json()
            return told


async def count(given: dict[str, Any], show: str, seconds: float) -> tuple[int, int]:
    """Fragments and media bytes that a viewer gets in `seconds`, after the first ones it joined with."""
    url = f"{given['hub']}/v1/shows/{show}?ticket={given['ticket']}"
    fragments = size = 0
    async with connect(url, subprotocols=["livesale.v1"], max_size=None) as hub:  # type: ignore[list-item]
        first = True
        try:
            async with asyncio.timeout(seconds):
                async for frame in hub:
                    if not isinstance(frame, bytes) or frame[0] != MEDIA:
                        continue
                    if not first:
                        fragments += parts(frame)
                        size += len(frame)
                    first = False
        except TimeoutError:
            pass
    return fragments, size


def parts(frame: bytes) -> int:
    """How many fragments a media frame has."""
    found, at = 0, 1
    while at < len(frame):
        at += HEADER_BYTES + int.from_bytes(frame[at + HEADER_BYTES - 4 : at + HEADER_BYTES], "big")
        found += 1
    return found


def spread(values: list[float]) -> dict[str, float]:
    """The middle one and the one that 95 of 100 do not exceed."""
    if not values:
        raise click.ClickException("the viewer read no stamp: nothing was shown, or nothing legible")
    ordered = sorted(values)
    return {"p50": round(ordered[len(ordered) // 2]), "p95": round(ordered[int(len(ordered) * 0.95)])}
