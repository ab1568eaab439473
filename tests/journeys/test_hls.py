"""The demo's show as HLS, in the players people have: hls.js, and Chromium's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.journeys.people import PATIENCE_MS
from tests.support.system import ROOT, System, until

HLS_JS = ROOT / "web" / "node_modules" / "hls.js" / "dist" / "hls.min.js"
BEGIN = "document.body.innerHTML = '<video muted playsinline></video>'; window.video = document.querySelector('video');"
WITH_HLS_JS = """url => {
  window.seen = {parts: 0, whole: 0, fatal: [], level: null, names: new Set(), twice: 0};
  const hls = window.hls = new Hls({lowLatencyMode: true});
  hls.on(Hls.Events.FRAG_LOADED, (_, {frag, part}) => {
    seen[part ? 'parts' : 'whole']++;
    seen.level = hls.levels[frag.level].audioCodec;
    const name = (part || frag).url;
    if (seen.names.has(name)) seen.twice++;
    seen.names.add(name);
  });
  hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) seen.fatal.push(data.details); });
  hls.loadSource(url);
  hls.attachMedia(video);
  video.play();
}"""


@pytest.fixture
def hls(system: System) -> str:
    """The address of the demo's show, once there is a picture."""
    show = system.demo_show()
    until(lambda: system.anyone.get(f"/{show['hls']}").status == 200, "a picture")
    return str(show["hls"])


@pytest.fixture
async def page(browser: Browser, system: System) -> AsyncIterator[Page]:
    """A page of the system's origin with a bare video element: as if it were a player of someone else's."""
    context = await browser.new_context(bypass_csp=True, base_url=system.url)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto("/api/docs")
    await page.evaluate(BEGIN)
    yield page
    await context.close()


async def plays(page: Page, seconds: float) -> None:
    """Wait until the video has gone on by so much, in pictures that were drawn."""
    await page.wait_for_function("video.currentTime > 0 && video.videoWidth > 0")
    at = await page.evaluate("video.currentTime")
    await page.wait_for_function(f"video.currentTime > {at + seconds}")


async def test_hls_js_plays_the_show_in_parts(page: Page, hls: str) -> None:
    """hls.js plays with Opus, loads parts as they come, each once, and stays within a few parts of live."""
    await page.add_script_tag(path=HLS_JS)
    await page.evaluate(WITH_HLS_JS, hls)
    await plays(page, 6)
    seen = await page.evaluate("({...seen, names: undefined, latency: hls.latency, target: hls.targetLatency})")
    assert seen["fatal"] == []
    assert seen["parts"] >= 8
    assert seen["twice"] == 0
    assert seen["level"] == "opus"
    await page.wait_for_function("hls.latency < 12")  # no better than without parts, else


async def test_chromium_plays_it_by_itself(page: Page, hls: str) -> None:
    """The address is enough for a browser with HLS of its own."""
    await page.evaluate("url => { video.src = url; video.play(); }", hls)
    await plays(page, 3)
