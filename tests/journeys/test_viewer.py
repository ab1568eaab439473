"""A viewer's evening: watching the demo, following the pin and the stock, buying, talking."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE, Person
from tests.support.system import System, until


def roomy_offer(show: dict[str, Any]) -> dict[str, Any]:
    """An offer with plenty of units, so that tests do not take each other's last."""
    return max(show["offers"], key=lambda offer: offer["left"])  # type: ignore[no-any-return]


async def test_a_stranger_finds_the_live_show(system: System, arrive: Arrive) -> None:
    """The first page shows what is on air, and one click leads to moving pictures."""
    show = system.demo_show()
    viewer = await arrive()
    await viewer.page.goto("/")
    tile = viewer.page.locator(f"a[href^='/watch/{show['id']}']").first
    await expect(tile).to_be_visible()
    await viewer.shoot("home")
    await tile.click()
    await viewer.page.wait_for_url(f"**/watch/{show['id']}*")
    await viewer.moves()
    await viewer.shoot("watch")


async def test_the_card_is_what_the_host_holds_up(system: System, arrive: Arrive) -> None:
    """The pinned card names the pinned offer, its title and price, and changes with the pin by itself."""
    show = system.new_show("Pinned", {"quantity": 5, "amount": 1299}, {"quantity": 6, "amount": 2599})
    viewer = await arrive()
    host = system.api("host")
    await viewer.page.goto(f"/watch/{show['id']}")
    card = viewer.page.get_by_test_id("pin-card")
    for offer, price in zip(show["offers"], ("12.99", "25.99"), strict=True):
        host.did("PUT", f"/shows/{show['id']}/pins", {"offers": [offer["id"]]})
        await expect(card).to_have_attribute("data-offer", offer["id"])
        await expect(card.get_by_role("heading")).to_have_text(offer["title"])
        await expect(card).to_contain_text(price)
    await viewer.left_is(6)


async def test_buying_while_watching(system: System, arrive: Arrive) -> None:
    """Reserve, address, pay: the page says paid without being loaded again, and the picture never stopped."""
    show = system.demo_show()
    offer = roomy_offer(show)
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={offer['id']}")
    page = viewer.page
    await expect(page.get_by_test_id("pin-card")).to_have_attribute("data-offer", offer["id"])
    await viewer.moves()
    await viewer.stay_on_page()
    before = system.left(show["id"], offer["id"])
    await page.get_by_test_id("buy").click()
    await viewer.state_is("held")
    await expect(page.get_by_test_id("reserved-until")).to_be_visible()
    assert system.left(show["id"], offer["id"]) <= before - 1
    await viewer.shoot("watch-held")
    await viewer.fill_address()
    await expect(page.get_by_test_id("checkout")).to_have_text("Order with obligation to pay")
    await page.get_by_test_id("checkout").click()
    await viewer.state_is("paid")
    await viewer.moves()
    await viewer.same_page()
    await viewer.shoot("watch-paid")
    await page.goto("/orders")
    await expect(page.get_by_test_id("order").first).to_contain_text(offer["title"])
    await expect(page.get_by_test_id("order-state").first).to_be_visible()
    await viewer.shoot("orders")


async def test_nothing_typed_outlives_the_visit(system: System, arrive: Arrive) -> None:
    """The address is kept for the next order of this visit, and gone from the tab once its owner has signed out."""
    show = system.new_show("Private", {"quantity": 5})
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={show['offers'][0]['id']}")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")
    await viewer.fill_address()
    await viewer.page.get_by_test_id("checkout").click()
    await viewer.state_is("paid")
    kept = "JSON.stringify(Object.values(sessionStorage))"
    assert "Berlin" in await viewer.page.evaluate(kept)
    await viewer.page.get_by_test_id("sign-out").click()
    await viewer.page.wait_for_url("**/")
    assert await viewer.page.evaluate(kept) == "[]"


async def test_the_stock_counts_down_live(system: System, arrive: Arrive) -> None:
    """When someone else holds units the number on the page falls, and rises when they give them back."""
    show = system.new_show("Counted", {"quantity": 9})
    offer, before = show["offers"][0], 9
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{show['id']}?offer={offer['id']}")
    await viewer.left_is(before)
    await viewer.stay_on_page()
    buyer = system.api("adult")
    held = buyer.hold(show["id"], offer["id"], 3).body
    await viewer.left_is(before - 3)
    buyer.did("POST", f"/orders/{held['id']}/cancel")
    await viewer.left_is(before)
    await viewer.same_page()


async def test_a_stranger_signs_in_and_comes_back(system: System, arrive: Arrive) -> None:
    """Buying as a stranger leads through signing in, back to the same offer."""
    show = system.new_show("Stranger", {"quantity": 5})
    offer = show["offers"][0]
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{show['id']}?offer={offer['id']}")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.page.get_by_role("link", name="Sign in or register").click()
    await viewer.page.locator("input[name=email]").fill("adult@demo.example")
    await viewer.page.locator("input[name=password]").fill(system.password)
    await viewer.shoot("login")
    await viewer.page.get_by_test_id("submit").click()
    await viewer.page.wait_for_url(f"**/watch/{show['id']}*")
    await expect(viewer.page.get_by_test_id("pin-card")).to_have_attribute("data-offer", offer["id"])


async def test_a_declined_card_is_said_plainly(system: System, arrive: Arrive) -> None:
    """A card without money: the page says so and offers to try again; the unit is back."""
    show = system.new_show("No money", {"quantity": 5})
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={show['offers'][0]['id']}")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")
    await viewer.fill_address()
    await viewer.page.locator("input[value=pm_declined]").check()
    await viewer.page.get_by_test_id("checkout").click()
    await viewer.state_is("payment_failed")
    await expect(viewer.page.get_by_text("The payment did not go through")).to_be_visible()
    until(lambda: system.left(show["id"], show["offers"][0]["id"]) == 5, "the unit back")


async def test_two_people_talk(system: System, arrive: Arrive) -> None:
    """What one types another reads at once; markup stays text."""
    show = system.new_show("Talking")
    one = await arrive("adult", f"/watch/{show['id']}")
    other = await arrive("guardian", f"/watch/{show['id']}", viewport=PHONE)
    await say(one, "Is it <b>oven</b> proof?")
    await expect(other.page.locator(".chat-lines")).to_contain_text("Is it <b>oven</b> proof?")
    await say(other, "Yes!")
    await expect(one.page.locator(".chat-lines")).to_contain_text("Yes!")


async def say(person: Person, text: str) -> None:
    field = person.page.get_by_test_id("chat-input")
    await field.fill(text)
    await field.press("Enter")
    await expect(field).to_have_value("")


@pytest.mark.parametrize(
    ("locale", "order"), [("de-DE", "zahlungspflichtig bestellen"), ("en-GB", "Order with obligation to pay")]
)
async def test_by_keyboard_alone(system: System, arrive: Arrive, locale: str, order: str) -> None:
    """Tab reaches chat and Buy, the sheet takes the focus, Escape gives it back, in German and English."""
    show = system.new_show("Keys", {"quantity": 9}, {"quantity": 9})
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={show['offers'][0]['id']}", locale=locale)
    page = viewer.page
    await expect(page.get_by_test_id("buy")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == locale[:2]
    await tab_to(viewer, "chat-input")
    await page.keyboard.type(f"hello {locale}")
    await page.keyboard.press("Enter")
    await expect(page.locator(".chat-lines")).to_contain_text(f"hello {locale}")
    await tab_to(viewer, "buy")
    await page.keyboard.press("Enter")
    await viewer.state_is("held")
    for text in ("Alex", "Weg 1", "10115", "Berlin"):
        await tab_to_field(viewer)
        await page.keyboard.press("Control+A")
        await page.keyboard.type(text)
    await expect(page.get_by_test_id("checkout")).to_have_text(order)
    await tab_to(viewer, "checkout")
    await page.keyboard.press("Enter")
    await viewer.state_is("paid")
    await viewer.holds("document.activeElement?.closest('[role=dialog]')")  # the pressed button is gone: the sheet has it
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("buy")).to_be_visible()


async def tab_to(person: Person, testid: str) -> None:
    """Press Tab until the element has the focus, and see that it shows."""
    for _ in range(60):
        await person.page.keyboard.press("Tab")
        if await person.page.evaluate("document.activeElement?.dataset.testid") == testid:
            outline = await person.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{testid} has the focus and does not show it"
            return
    raise AssertionError(f"Tab never reaches {testid}")


async def tab_to_field(person: Person) -> None:
    """Press Tab until the focus is in a text field of the form."""
    for _ in range(20):
        await person.page.keyboard.press("Tab")
        if await person.page.evaluate("document.activeElement?.matches('.checkout-form input:not([type=radio])')"):
            return
    raise AssertionError("Tab never reaches the address")


async def test_the_buyer_s_page_follows_in_another_tab(system: System, arrive: Arrive) -> None:
    """An order paid elsewhere turns to paid on the page that reserved it."""
    show = system.new_show("Elsewhere", {"quantity": 5})
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={show['offers'][0]['id']}")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")
    held = system.order_in("adult", show["id"])
    await asyncio.to_thread(system.api("adult").check_out, held)
    await viewer.state_is("paid")
