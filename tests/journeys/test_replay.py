"""A show that is over, on its own address: the recording, its chapters, the card of that moment, today's price."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import pytest
from playwright.async_api import Route, expect

from livesale.media.programme import Format, Programme
from tests.journeys.conftest import Arrive
from tests.journeys.people import Person
from tests.support.pictures import moving_bar
from tests.support.system import System

SECONDS = 20
VIDEO = "document.querySelector('[data-testid=player]')"


@pytest.fixture(scope="module")
def film() -> bytes:
    """A recording as the server makes it: seekable H.264 in MP4, four pictures a second."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=4, options={"preset": "ultrafast", "g": "4"})
        video.width, video.height, video.pix_fmt, video.time_base = 320, 180, "yuv420p", Fraction(1, 4)
        for number in range(4 * SECONDS):
            picture = av.VideoFrame.from_image(moving_bar(number / 4).resize((320, 180)))
            out.mux(video.encode(picture))
        out.mux(video.encode())
    return file.getvalue()


def told(show: dict[str, Any]) -> dict[str, Any]:
    """The replay of a show of two offers: the first for 8 s with a deal in it, then the second; the first is still sold."""
    first, second = show["offers"]
    chapter = {"kind": "pin", "offer": first["id"], "title": first["title"], "image": first["image"], "price": first["price"]}
    other = {**chapter, "offer": second["id"], "title": second["title"], "image": second["image"], "price": second["price"]}
    deal = {**chapter, "kind": "deal", "price": {"amount": 999, "currency": "EUR"}, "at_s": 3, "until_s": 6, "expired": True}
    sold = [
        {key: offer[key] for key in ("id", "product", "title", "image", "price")} | {"today": None} for offer in (first, second)
    ]
    sold[0]["today"] = {"shop": show["shop"], "offer": first["product"], "price": {"amount": 1777, "currency": "EUR"}, "left": 5}
    return {
        "show": show["id"], "title": show["title"], "shop": show["shop"], "currency": "EUR", "started_at": show["started_at"],
        "ended_at": None, "duration_s": SECONDS, "mp4": "/film.mp4", "hls": "/film.m3u8", "captions": [], "poster": None,
        "thumbnails": [],
        "chapters": [
            {**chapter, "at_s": 1, "until_s": 8, "expired": False}, deal, {**other, "at_s": 8, "until_s": 18, "expired": False},
        ],
        "events": [
            {"type": "pins", "at_s": 1, "pins": [first["id"]]}, {"type": "pins", "at_s": 8, "pins": [second["id"], first["id"]]},
        ],
        "offers": sold,
    }  # fmt: skip


async def recorded(viewer: Person, replay: dict[str, Any], film: bytes) -> None:
    """Let the server have that recording."""

    async def play(route: Route) -> None:
        begin, _, end = (route.request.headers.get("range") or "bytes=0-").removeprefix("bytes=").partition("-")
        last = int(end) if end else len(film) - 1
        headers = {"content-type": "video/mp4", "accept-ranges": "bytes", "content-range": f"bytes {begin}-{last}/{len(film)}"}
        await route.fulfill(status=206, headers=headers, body=film[int(begin) : last + 1])

    await viewer.page.route("**/api/v1/shows/*/replay", lambda route: route.fulfill(json=replay))
    await viewer.page.route("**/film.mp4", play)


async def test_a_show_that_is_over_can_be_jumped_through_and_bought_from(
    system: System, arrive: Arrive, film: bytes
) -> None:
    """A chapter jumps to its product; the card there says what it costs today, a past deal that it is past; Buy asks the shop."""
    show = system.new_show("Over", {"quantity": 5, "amount": 1299}, {"quantity": 5, "amount": 2599})
    system.api("host").did("POST", f"/shows/{show['id']}/end")
    viewer = await arrive("adult", f"/watch/{show['id']}")
    await expect(viewer.page.get_by_role("heading", name="This show is over")).to_be_visible()
    await recorded(viewer, told(show), film)
    chapters = viewer.page.get_by_test_id("chapter")
    await expect(chapters).to_have_count(3)
    await chapters.nth(2).focus()
    await viewer.page.keyboard.press("Enter")
    await viewer.holds(f"{VIDEO}.currentTime >= 8")
    card = viewer.page.get_by_test_id("pin-card")
    await expect(card).to_have_attribute("data-offer", show["offers"][1]["id"])
    await expect(card).to_contain_text("does not sell this now")
    await expect(chapters.nth(2)).to_have_attribute("aria-current", "step")
    await viewer.page.evaluate(f"{VIDEO}.pause()")
    await chapters.nth(1).click()
    await expect(card).to_have_attribute("data-offer", show["offers"][0]["id"])
    await viewer.page.evaluate(f"{VIDEO}.pause()")
    await expect(card).to_contain_text("€17.77")
    await expect(card).to_contain_text("Flash deal then: €9.99. It is over.")
    await viewer.shoot("replay")
    async with viewer.page.expect_request("**/api/v1/shops/*/orders") as asked:
        await viewer.page.get_by_test_id("buy").click()
    line = (await asked.value).post_data_json["lines"][0]
    assert line == {"offer": show["offers"][0]["product"], "quantity": 1, "price": {"amount": 1777, "currency": "EUR"}}


async def test_a_real_show_is_seen_again_and_its_pan_bought(system: System, arrive: Arrive) -> None:
    """What went on air, with a pin, plays at the show's address after its end; its product is held at today's price."""
    show = system.new_show("Seen again", {"quantity": 3}, {"quantity": 2})
    host, path = system.api("host"), f"/shows/{show['id']}"
    system.anyone.did("POST", f"{path}/ticket")
    sender = Programme(show["whip"]["url"], show["whip"]["token"], moving_bar, form=Format(width=640, height=360))
    viewer = await arrive("adult", f"/watch/{show['id']}")
    try:
        await viewer.moves()
        for offer in show["offers"]:
            host.did("PUT", f"{path}/pins", {"offers": [offer["id"]]})
            await expect(viewer.page.get_by_test_id("pin-card")).to_have_attribute("data-offer", offer["id"])
            at = await viewer.page.evaluate(f"{VIDEO}.currentTime")
            await viewer.holds(f"{VIDEO}.currentTime > {at + 3}")
    finally:
        sender.kill()
    host.did("POST", f"{path}/end")
    chapters = viewer.page.get_by_test_id("chapter")
    await expect(chapters).to_have_count(2)
    await chapters.nth(1).click()
    await expect(viewer.page.get_by_test_id("pin-card")).to_have_attribute("data-offer", show["offers"][1]["id"])
    await viewer.moves()
    await viewer.shoot("replay-real")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")
