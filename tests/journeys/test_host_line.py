"""A host's line at its worst: no UDP, a tab that dies, a network that goes away. The show waits, viewers are told why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PATIENCE_MS
from tests.support.badline import BadLine, bad_line
from tests.support.system import System

# The brightest colour of what the player shows, 0–255.
BRIGHTEST = """(() => {
  const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
  [canvas.width, canvas.height] = [32, 18];
  pen.drawImage(document.querySelector('[data-testid=player]'), 0, 0, 32, 18);
  return Math.max(...pen.getImageData(0, 0, 32, 18).data.filter((_, at) => at % 4 < 3));
})()"""

# The browser asks for the camera, and the host takes a while to say yes: until `allow()`.
ASKED_FOR_CAMERA = """(() => {
  const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => { await new Promise((yes) => { window.allow = yes; }); return ask(wanted); };
})()"""

# From now on `said` is all that has been read over the picture.
LISTEN = """(() => {
  window.said = '';
  const look = () => { said += document.querySelector('.picture')?.textContent ?? ''; };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
})()"""


@pytest.fixture
async def line() -> AsyncIterator[BadLine]:
    async with bad_line() as made:
        yield made


def way_of(page: Page) -> Locator:
    """How the studio page says that its packets travel."""
    return page.get_by_test_id("upload-way")


async def test_a_host_gets_through_and_comes_back(system: System, arrive: Arrive, line: BadLine) -> None:
    """A host may go live before the camera is allowed. Without UDP the page sends by WebSocket by itself; when its tab
    dies viewers read that it is back in a moment; another tab goes on by UDP, and turns camera and microphone off and on;
    and when that network goes away, the page restarts ICE over the next in its session. A second tab has to take over,
    and the first one does not fight it.
    """
    show = system.new_show("Bad line", {"quantity": 3}, start=False)["id"]
    line.broken = True
    host = await arrive("host")
    await line.under(host.page)
    await host.page.add_init_script(ASKED_FOR_CAMERA)
    await host.page.goto(f"/studio/{show}")
    await host.page.get_by_test_id("go-live").click()
    await expect(host.page.get_by_text("Connecting…")).to_be_visible()
    await host.page.evaluate("allow()")
    await expect(way_of(host.page)).to_have_text("WebSocket", timeout=PATIENCE_MS)
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{show}")
    await viewer.moves()
    picture = viewer.page.locator(".picture")

    await host.page.close(run_before_unload=False)
    await expect(picture).to_contain_text("Back in a moment", timeout=PATIENCE_MS)
    line.broken = False
    host.page = await host.context.new_page()
    await line.under(host.page)
    sessions: list[str] = []
    host.page.on("request", lambda asked: sessions.append(asked.method) if "/whip/" in asked.url else None)
    await host.page.goto(f"/studio/{show}")
    await host.page.get_by_test_id("go-live").click()
    await expect(way_of(host.page)).to_contain_text("UDP", timeout=PATIENCE_MS)
    await expect(picture).not_to_contain_text("Back in a moment", timeout=PATIENCE_MS)
    await viewer.moves()

    for kind in ("video", "audio"):
        await host.page.get_by_test_id(f"off-{kind}").click()
    await viewer.holds(f"{BRIGHTEST} < 60")
    for kind in ("video", "audio"):
        await host.page.get_by_test_id(f"off-{kind}").click()
    await viewer.holds(f"{BRIGHTEST} > 60")
    await viewer.moves()

    await viewer.page.evaluate(LISTEN)
    async with bad_line() as other:
        await other.under(host.page)
        line.broken = True
        await viewer.holds("said.includes('Back in a moment')")
        await expect(picture).not_to_contain_text("Back in a moment", timeout=PATIENCE_MS)
        await viewer.moves()
        assert "PATCH" in sessions
        assert [sessions.count(method) for method in ("POST", "DELETE")] == [1, 0], sessions

        second = await host.context.new_page()
        await other.under(second)
        await second.goto(f"/studio/{show}")
        await second.get_by_test_id("go-live").click()
        await second.get_by_role("button", name="Take over here").click()
        await expect(way_of(second)).to_contain_text("UDP", timeout=PATIENCE_MS)
        await expect(host.page.get_by_text("Another studio is sending")).to_be_visible(timeout=PATIENCE_MS)
        await viewer.moves()
