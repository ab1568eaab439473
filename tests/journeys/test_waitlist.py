"""Sold out, and what then: people join the line on the page, have their turn, and buy."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
from tests.support.system import System


async def test_from_sold_out_to_ones_turn(system: System, arrive: Arrive) -> None:
    """By keyboard alone: join for two, see the place, have the turn with its clock while others see sold out, buy both."""
    show = system.new_show("Line", {"quantity": 2})
    offer = show["offers"][0]["id"]
    _, email = system.new_buyer()
    held = system.api(email).hold(show["id"], offer, 2)
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={offer}")
    stranger = await arrive(locale="de-DE")
    await stranger.page.goto(f"/watch/{show['id']}?offer={offer}")
    await expect(stranger.page.get_by_test_id("waitlist-join")).to_have_attribute("href", re.compile(r"^/login\?next="))
    await viewer.stay_on_page()
    await viewer.page.get_by_role("button", name="One more").press("Enter")
    await viewer.page.get_by_test_id("waitlist-join").focus()
    await viewer.page.keyboard.press("Enter")
    await expect(viewer.page.get_by_test_id("waitlist-place")).to_have_text("Place 1 in line")
    await viewer.shoot("waitlist-place")
    system.api(email).did("POST", f"/orders/{held['id']}/cancel")
    turn = viewer.page.get_by_test_id("waitlist-turn")
    await expect(turn).to_contain_text("Your turn")
    await expect(turn.get_by_role("timer")).to_have_text(re.compile(r"^[34]:\d\d$"))
    await expect(viewer.page.get_by_test_id("stock-left")).to_have_text("Set aside for you")
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


async def test_a_host_says_who_gets_what_comes_free(system: System, arrive: Arrive) -> None:
    """In the studio: first paid, first served instead of a line, and back; the viewer's page follows."""
    show = system.new_show("Rule", {"quantity": 1})
    offer = show["offers"][0]["id"]
    _, email = system.new_buyer()
    system.api(email).hold(show["id"], offer)
    host = await arrive("host", f"/studio/{show['id']}")
    first_paid = host.page.get_by_test_id("first-paid")
    await expect(first_paid).not_to_be_checked()
    await first_paid.press("Space")
    await expect(first_paid).to_be_checked()
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={offer}")
    await expect(viewer.page.get_by_test_id("buy")).to_have_text("Sold out")
    await first_paid.press("Space")
    await expect(viewer.page.get_by_test_id("waitlist-join")).to_be_visible()
    await host.shoot("studio-first-paid")


async def test_a_host_corrects_the_shop_s_stock(system: System, arrive: Arrive) -> None:
    """In the studio: two pieces broke; the shop has two fewer."""
    show = system.new_show("Stock", {"quantity": 1})
    product = show["offers"][0]["product"]
    before = system.api("host").did("GET", f"/products/{product}")["quantity"]
    host = await arrive("host", f"/studio/{show['id']}", locale="de-DE")
    await host.page.get_by_test_id("open-stock").click()
    form = host.page.locator("form.inline-form")
    await form.get_by_label("Produkt").select_option(product)
    await form.get_by_label("Mehr oder weniger").fill("-2")
    await form.get_by_label("Grund").fill("zerbrochen")
    await host.shoot("studio-stock")
    await form.get_by_test_id("correct-stock").click()
    await expect(form).to_have_count(0)
    assert system.api("host").did("GET", f"/products/{product}")["quantity"] == before - 2
