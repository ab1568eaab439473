"""What Chromium makes of its line, minute by minute: `scripts/line`. Exit 1 when its estimate did not follow.

Wide, 600 kbit/s, wide again, one packet in ten lost, wide again: its own estimate must fall with each fault and return.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.support.badline import BadLine, bad_line
from tests.support.media import CHROMIUM, CHROMIUM_ARGS, media_server

LOOK_S = 3
FALLEN_KBPS, RISEN_KBPS = 1_000, 2_000
PHASES: tuple[tuple[str, int, dict[str, Any], bool], ...] = (
    ("wide", 9, {}, True),
    ("600 kbit/s", 12, {"bits_per_s": 600_000}, False),
    ("wide", 24, {"bits_per_s": 0}, True),
    ("10 % lost", 12, {"loss": 0.1}, False),
    ("wide", 24, {"loss": 0.0}, True),
)

SEEN = """async () => {
  const seen = {};
  for (const one of (await peer.getStats()).values()) {
    if (one.type === 'candidate-pair' && one.nominated) seen.estimate = Math.round(one.availableOutgoingBitrate / 1000);
    if (one.type === 'outbound-rtp' && one.kind === 'video') [seen.fps, seen.height] = [one.framesPerSecond, one.frameHeight];
  }
  return seen;
}"""


async def follow(page: Page, line: BadLine) -> bool:
    """Goes through the phases; whether the best estimate of each wide one, and the worst of each bad one, were right."""
    right = True
    for name, seconds, setting, wide in PHASES:
        for key, value in setting.items():
            setattr(line, key, value)
        estimates = []
        for _ in range(seconds // LOOK_S):
            await asyncio.sleep(LOOK_S)
            seen = await page.evaluate(SEEN)
            estimates.append(seen["estimate"])
            print(f"{name:12} {seen['estimate']:6} kbit/s  {seen['height']}p {seen['fps']}/s  lost {line.lost}", flush=True)
        right &= max(estimates) > RISEN_KBPS if wide else min(estimates) < FALLEN_KBPS
    return right


async def main() -> int:
    """0 when the estimate followed the line."""
    async with media_server() as server, bad_line() as line, async_playwright() as playwright:
        server.open("s1")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        page = await (await browser.new_context(permissions=["camera", "microphone"])).new_page()
        await page.goto(server.url + "/host")
        await line.under(page)
        await page.evaluate("url => publish(url)", server.url + "/whip/s1")
        right = await follow(page, line)
        await browser.close()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
