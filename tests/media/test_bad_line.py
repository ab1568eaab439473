"""Chromium as host over a bad line, against the real receiver: what viewers get is whole, and comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from livesale.media import h264
from livesale.media.frames import AUDIO, VIDEO
from tests.support.badline import BadLine, bad_line
from tests.support.media import CHROMIUM, MediaServer, until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]


@pytest.fixture
async def line() -> AsyncIterator[BadLine]:
    async with bad_line() as made:
        yield made


async def host(browser: Browser, server: MediaServer, line: BadLine) -> Page:
    """A page on air over the line."""
    page = await (await browser.new_context(permissions=["camera", "microphone"])).new_page()
    await page.goto(server.url + "/host")
    await line.under(page)
    assert await page.evaluate("url => publish(url)", server.url + "/whip/s1") == 201
    await until(lambda: len(server.fragments(VIDEO)) > 30)
    return page


def refers_to_what_is_there(server: MediaServer) -> None:
    """H.264 counts its reference pictures (frame_num, 7.4.3): each follows the one before it, or is a key frame."""
    bits_of = {init.generation: frame_num_bits(init.data) for init in server.inits(VIDEO)}
    before: tuple[int, int] | None = None
    for fragment in server.fragments(VIDEO):
        bits = bits_of[fragment.generation]
        number = frame_num(fragment.data, bits)
        assert fragment.key or before == (fragment.generation, (number - 1) % (1 << bits)), fragment.sequence
        before = (fragment.generation, number)


def frame_num_bits(init: bytes) -> int:
    """log2_max_frame_num of the SPS in an init (behind avcC's six bytes and two of length); baseline profiles."""
    sps = init[init.index(b"avcC") + 12 :]
    bits = h264._Bits(sps[4:64])
    bits.unsigned()
    return bits.unsigned() + 4


def frame_num(fragment: bytes, size: int) -> int:
    """That of the first slice in a fragment; its NAL units come with four bytes of length."""
    at = fragment.index(b"mdat") + 4
    while h264.nal_type(fragment[at + 4 :]) not in (1, h264.IDR):
        at += 4 + int.from_bytes(fragment[at : at + 4], "big")
    bits = h264._Bits(fragment[at + 5 : at + 40])
    for _ in range(3):  # first_mb_in_slice, slice_type, pic_parameter_set_id
        bits.unsigned()
    return bits.take(size)


def only_grows(server: MediaServer) -> None:
    """Media time of both tracks."""
    for track in (VIDEO, AUDIO):
        times = [one.time_us for one in server.fragments(track)]
        assert times == sorted(set(times))


async def test_viewers_get_whole_pictures_over_a_bad_line(browser: Browser, server: MediaServer, line: BadLine) -> None:
    """Two and then ten percent of the packets lost, retransmissions too, and delays of up to 200 ms that mix them up;
    then nothing at all for five seconds. What goes on air always has what it refers to, media time only grows, and
    after each of them the picture comes back by itself.
    """
    await host(browser, server, line)
    for loss, jitter_s, broken_s in ((0.02, 0.2, 0), (0.1, 0.05, 0), (0, 0, 5)):
        line.loss, line.jitter_s, line.broken = loss, jitter_s, broken_s > 0
        await asyncio.sleep(broken_s or 3)
        line.loss = line.jitter_s = 0
        line.broken = False
        sent = len(server.fragments(VIDEO))
        await until(lambda sent=sent: len(server.fragments(VIDEO)) > sent + 30)
    assert line.lost > 20
    assert server.hosts[-2:] == ["away", "back"] and "gone" not in server.hosts
    only_grows(server)
    refers_to_what_is_there(server)
