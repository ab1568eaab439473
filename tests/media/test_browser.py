"""A browser's camera to a browser's MediaSource, through the real server on loopback."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiortc.rtp import RtpPacket
from playwright.async_api import Browser, Page

from livesale.media import fmp4
from livesale.media.frames import VIDEO, VIDEO_HZ
from livesale.media.receiver import EncodedReceiver
from tests.support.media import CHROMIUM, MediaServer, until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]


async def host(browser: Browser, server: MediaServer, query: str = "", *, camera: bool = True) -> Page:
    """A page on air."""
    context = await browser.new_context(permissions=["camera", "microphone"])
    page = await context.new_page()
    await page.goto(server.url + "/host")
    assert await page.evaluate("([url, camera]) => publish(url, camera)", [server.url + "/whip/s1" + query, camera]) == 201
    return page


async def viewer(browser: Browser, server: MediaServer) -> Page:
    page = await browser.new_page()
    await page.goto(server.url + "/play/s1")
    return page


async def playing(page: Page, seconds: float) -> dict[str, Any]:
    """What the viewer sees after `seconds` more of playing."""
    await page.wait_for_function("playback().time > 4")  # the broadcast is 5 s old: until then nothing plays
    start = await page.evaluate("playback().time")
    await page.wait_for_function(f"playback().time > {start} + {seconds}", timeout=30_000)
    state: dict[str, Any] = await page.evaluate("playback()")
    return state


def pauses(server: MediaServer) -> list[tuple[float, float]]:
    """Where the host itself sent no picture for longer than was declared, in s: a starved browser does."""
    samples = [fmp4.sample_of(one.data)[:2] for one in server.fragments(VIDEO)]
    spans = [(time / VIDEO_HZ, declared / VIDEO_HZ) for time, declared in samples]
    return [(at, after) for (at, declared), (after, _) in pairwise(spans) if after - at > 2 * declared]


def unbroken(state: dict[str, Any], server: MediaServer) -> bool:
    """All that was played is one buffered range, but for the host's own pauses (what follows a loss is none)."""
    stats = server.broadcasts.stats("s1")
    paused = len(pauses(server)) if stats is not None and stats.packets_lost == 0 else 0
    return len(state["ranges"]) <= 1 + paused


async def test_a_viewer_sees_what_the_camera_sees(browser: Browser, server: MediaServer) -> None:
    """Pictures move, few are dropped even here, and all of it is one buffered range."""
    await host(browser, server)
    await until(lambda: ("s1", "live") in server.states)
    page = await viewer(browser, server)

    await playing(page, 1)
    before = await page.evaluate("picture()")
    state = await playing(page, 3)
    after = await page.evaluate("picture()")

    assert sum(one != other for one, other in zip(before, after, strict=True)) > 500
    assert unbroken(state, server), (state["ranges"], pauses(server))
    assert (state["log"], state["error"]) == ([], None)
    assert state["pictures"] > 40
    assert state["dropped"] * 5 < state["pictures"]
    stats = server.broadcasts.stats("s1")
    assert stats is not None
    assert (stats.state, stats.sound, stats.packets_lost) == ("live", True, 0)
    assert sum(one.key for one in server.fragments(VIDEO)) >= 2


async def test_a_change_of_size_plays_through(browser: Browser, server: MediaServer) -> None:
    """When the host's picture changes size, or another camera stands upright, the viewer goes on in the same range."""
    sender = await host(browser, server)
    await until(lambda: server.fragments(VIDEO))
    page = await viewer(browser, server)
    await playing(page, 1)
    shrink = """async () => {
      const sender = peer.getSenders().find(one => one.track.kind == 'video');
      const settings = sender.getParameters();
      settings.encodings[0].scaleResolutionDownBy = 4;
      await sender.setParameters(settings);
    }"""
    await sender.evaluate(shrink)
    await page.wait_for_function("playback().width == 320", timeout=20_000)
    state = await playing(page, 1)

    assert state["height"] == 180
    await sender.evaluate("turnUpright()")
    await page.wait_for_function("playback().width < playback().height", timeout=20_000)
    state = await playing(page, 1)

    assert unbroken(state, server), (state["ranges"], pauses(server))
    assert (state["log"], state["error"]) == ([], None)


async def test_another_host_page_takes_over_and_the_viewer_stays(browser: Browser, server: MediaServer) -> None:
    """A host without a camera has a still picture; who takes over from it reaches the viewers who stay connected: a
    new generation, and playing goes on.
    """
    await host(browser, server, camera=False)
    await until(lambda: server.fragments(VIDEO))
    page = await viewer(browser, server)
    assert (await playing(page, 1))["width"] == 640

    await host(browser, server, "?takeover=1")
    await until(lambda: len(server.inits(VIDEO)) > 1)
    await page.wait_for_function("playback().width > 640", timeout=20_000)
    state = await playing(page, 2)

    assert (state["log"], state["error"]) == ([], None)
    assert server.states == [("s1", "live"), ("s1", "live")]


async def test_one_packet_in_ten_lost_still_plays(
    browser: Browser, server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 10 % of all packets lost, retransmissions included, the show keeps its pace within 2 s of live."""
    take = EncodedReceiver._handle_rtp_packet
    dice = random.Random(7)

    async def lossy(receiver: EncodedReceiver, packet: RtpPacket, arrival_time_ms: int) -> None:
        if dice.random() > 0.1:
            await take(receiver, packet, arrival_time_ms)

    monkeypatch.setattr(EncodedReceiver, "_handle_rtp_packet", lossy)
    await host(browser, server)
    await until(lambda: server.fragments(VIDEO))
    page = await viewer(browser, server)
    state = await playing(page, 6)

    live_s = server.fragments(VIDEO)[-1].time_us / 1_000_000
    assert live_s - state["time"] < 2
    assert (state["log"], state["error"]) == ([], None)
