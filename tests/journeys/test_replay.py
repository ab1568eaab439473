"""A show that is over, on its own address: the recording, its chapters, the card of that moment, today's price."""

from __future__ import annotations

import re

from playwright.async_api import expect

from livesale.media.programme import Format, Programme
from tests.journeys.conftest import Arrive
from tests.journeys.people import Person
from tests.support.pictures import moving_bar
from tests.support.system import System

VIDEO = "document.querySelector('[data-testid=player]')"
LOOK = "document.querySelector('[data-testid=seek-look]')"


async def test_a_real_show_is_seen_again_and_its_pan_bought(system: System, arrive: Arrive) -> None:
    """What went on air, with a pin, plays at the show's address after its end; its product is held at today's price."""
    show = system.new_show("Seen again", {"quantity": 3}, {"quantity": 2})
    host, path = system.api("host"), f"/shows/{show['id']}"
    system.anyone.did("POST", f"{path}/ticket")
    sender = Programme(show["whip"]["url"], show["whip"]["token"], moving_bar, form=Format(width=640, height=360))
    viewer = await arrive("adult", f"/watch/{show['id']}", has_touch=True)
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
    await sought(viewer, show["offers"][1]["title"])
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")


async def sought(viewer: Person, last: str) -> None:
    """The bar shows a place before one goes there, names its chapter, and is obeyed by mouse, finger and keys."""
    bar = viewer.page.get_by_test_id("seek")
    await viewer.page.evaluate(f"{VIDEO}.pause()")
    whole = await viewer.page.evaluate(f"{VIDEO}.duration")
    box = await bar.bounding_box()
    assert box
    middle = box["height"] / 2
    await bar.hover(position={"x": box["width"] - 20, "y": middle})
    await viewer.holds(f"{LOOK}?.querySelector('img').naturalWidth > 0")
    await bar.click(position={"x": box["width"] - 20, "y": middle})
    await viewer.holds(f"{VIDEO}.currentTime > {0.8 * whole}")
    await expect(bar).to_have_attribute("aria-valuetext", re.compile(last))
    await bar.tap(position={"x": box["width"] / 2, "y": middle})
    await viewer.holds(f"Math.abs({VIDEO}.currentTime - {whole / 2}) < {0.1 * whole}")
    await viewer.page.keyboard.press("Home")
    await viewer.holds(f"{VIDEO}.currentTime === 0")
    await viewer.page.keyboard.press("End")
    await viewer.page.keyboard.press("PageDown")  # a chapter back: to the beginning of the last
    await expect(bar).to_have_attribute("aria-valuetext", re.compile(last))
    at = await viewer.page.evaluate(f"{VIDEO}.currentTime")
    await viewer.page.keyboard.press("ArrowLeft")
    await viewer.holds(f"{VIDEO}.currentTime <= {max(0.0, at - 4)}")
