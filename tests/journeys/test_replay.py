"""A show that is over, on its own address: the recording, its chapters, the card of that moment, today's price."""

from __future__ import annotations

from playwright.async_api import expect

from livesale.media.programme import Format, Programme
from tests.journeys.conftest import Arrive
from tests.support.pictures import moving_bar
from tests.support.system import System

VIDEO = "document.querySelector('[data-testid=player]')"


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
