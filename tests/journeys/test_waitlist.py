"""Sold out, and what then: people join the line on the page, have their turn, and buy."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
from tests.support.system import System


async def test_from_sold_out_to_ones_turn(system: System, arrive: Arrive) -> None:
    """By keyboard alone: join, see the place, have the turn with its clock while others see sold out, buy."""
    show = system.new_show("Line", {"quantity": 1})
    offer = show["offers"][0]["id"]
    _, email = system.new_buyer()
    held = system.api(email).hold(show["id"], offer)
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={offer}")
    stranger = await arrive(locale="de-DE")
    await stranger.page.goto(f"/watch/{show['id']}?offer={offer}")
    await expect(stranger.page.get_by_test_id("waitlist-join")).to_have_attribute("href", re.compile(r"^/login\?next="))
    await viewer.stay_on_page()
    await viewer.page.get_by_test_id("waitlist-join").focus()
    await viewer.page.keyboard.press("Enter")
    await expect(viewer.page.get_by_test_id("waitlist-place")).to_have_text("Place 1 in line")
    await viewer.shoot("waitlist-place")
    system.api(email).did("POST", f"/orders/{held['id']}/cancel")
    turn = viewer.page.get_by_test_id("waitlist-turn")
    await expect(turn).to_contain_text("Your turn")
    await expect(turn.get_by_role("timer")).to_have_text(re.compile(r"^[34]:\d\d$"))
    await viewer.shoot("waitlist-turn")
    await expect(stranger.page.get_by_test_id("stock-left")).to_have_text("Ausverkauft")
    await viewer.page.get_by_test_id("buy").focus()
    await viewer.page.keyboard.press("Enter")
    await viewer.state_is("held")
    await viewer.same_page()


async def test_a_minor_is_not_hurried(system: System, arrive: Arrive) -> None:
    """Its turn is said without a clock, on a phone, in German, and its button asks; declining ends it."""
    show = system.new_show("Calm line", {"quantity": 1})
    offer = show["offers"][0]["id"]
    _, email = system.new_buyer()
    held = system.api(email).hold(show["id"], offer)
    minor = await arrive("minor", f"/watch/{show['id']}?offer={offer}", viewport=PHONE, locale="de-DE")
    await minor.page.get_by_test_id("waitlist-join").click()
    await expect(minor.page.get_by_test_id("waitlist-place")).to_have_text("Platz 1 auf der Warteliste")
    system.api(email).did("POST", f"/orders/{held['id']}/cancel")
    await expect(minor.page.get_by_test_id("waitlist-turn")).to_have_text("Du bist dran")
    await expect(minor.page.get_by_test_id("buy")).to_have_text("Anfrage senden")
    await minor.fits()
    await minor.page.get_by_test_id("waitlist-leave").click()
    await expect(minor.page.get_by_test_id("stock-left")).to_have_text("Verfügbar")
