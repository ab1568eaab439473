"""The others at their pages: a host in the studio, a minor and a guardian, an operator."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PATIENCE_MS, PHONE, Person
from tests.support.system import System, until


async def test_a_host_goes_on_air_from_a_tab(system: System, arrive: Arrive) -> None:
    """The whole control room: offers, running order, camera; Next by key, a deal, a sale seen; the end asked and told."""
    host = await arrive("host", "/studio")
    page = host.page
    show = await plan(host, "From a tab")
    checklist = page.get_by_test_id("checklist").locator("li[data-done]")
    await expect(checklist).to_have_count(3)  # camera, microphone, upload: nothing is on sale yet
    first, second = [await add_offer(host, system, show, place) for place in (1, 2)]
    await page.get_by_test_id(f"pin-{first}").click()
    await expect(checklist).to_have_count(5)
    await write_rundown(host, [("Hello", []), ("First", [first]), ("Both", [second, first])])
    await host.shoot("studio-draft")
    await page.get_by_test_id("go-live").click()
    await expect(page.get_by_test_id("upload-quality")).to_be_visible()
    viewer = await arrive("adult", f"/watch/{show}")
    await viewer.moves()
    for shown in (first, first, second):  # a part without offers leaves the card
        await page.keyboard.press("n")
        await expect(page.get_by_test_id("air-card")).to_have_attribute("data-offer", shown)
        card = viewer.page.get_by_test_id("pin-card")
        await expect(card).to_have_attribute("data-offer", shown, timeout=PATIENCE_MS)  # it waits for its picture
    await expect(page.get_by_test_id("next")).to_be_disabled()
    await announce_deal(host, second, "9,50")
    await expect(viewer.page.get_by_test_id("pin-card")).to_contain_text("9.50")
    await host.shoot("studio")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")
    await viewer.fill_address()
    await viewer.page.get_by_test_id("checkout").click()
    await viewer.state_is("paid")
    await expect(page.get_by_test_id("studio-orders")).to_contain_text("1", timeout=PATIENCE_MS)
    await expect(page.get_by_test_id("studio-revenue")).to_contain_text("9.50", timeout=PATIENCE_MS)
    await end_show(host, system, show)
    await expect(viewer.page.locator(".picture")).to_contain_text("This show is over")
    await host.shoot("studio-ended")


async def test_the_shop_s_limits_are_said_in_the_studio(system: System, arrive: Arrive) -> None:
    """More than the shop has is refused in words beside the form, which stays; price and pieces change where they stand."""
    show = system.new_show("Limits", {"quantity": 3, "amount": 1200}, start=False)
    offer = show["offers"][0]["id"]
    host = await arrive("host", f"/studio/{show['id']}", locale="de-DE")
    page = host.page
    await page.get_by_test_id(f"change-{offer}").click()
    await page.locator("input[name=price]").fill("x")
    await page.get_by_test_id("save-offer").click()
    await expect(page.locator(".offers .field-fault")).to_contain_text("19,90")
    await page.locator("input[name=price]").fill("13,50")
    await page.locator("input[name=pieces]").fill("900000")
    await page.get_by_test_id("save-offer").click()
    await expect(page.locator(".refusal")).to_contain_text("So viele Stück hat der Shop nicht")
    await host.shoot("studio-refusal")
    await page.locator("input[name=pieces]").fill("1")
    await page.get_by_test_id("save-offer").click()
    await expect(page.locator(".offer-list")).to_contain_text("13,50")
    await expect(page.locator(".offer-list")).to_contain_text("noch 4")


async def plan(host: Person, title: str) -> str:
    """A new show by the form; its id."""
    await host.shoot("studio-list")
    await host.page.locator("input[name=title]").fill(title)
    await host.page.locator("input[name=shop]").fill("demo")
    await host.page.get_by_test_id("create-show").click()
    await host.page.wait_for_url(re.compile(r"/studio/[a-z0-9]{10}$"))
    return host.page.url.rsplit("/", 1)[1]


async def add_offer(host: Person, system: System, show: str, place: int) -> str:
    """The show's offer number `place`, by the form; its id."""
    products = system.anyone.did("GET", "/products?shop=demo&limit=100")["items"]
    enough = [one for one in products if one["age_gate"] is None and (one["quantity"] or 0) >= 10]
    await host.page.get_by_test_id("open-add").click()
    await host.page.locator("select[name=product]").select_option(enough[-place]["id"])
    await host.page.locator("input[name=quantity]").fill("4")
    await host.page.get_by_test_id("add-offer").click()
    row = host.page.locator(".offer-list li").nth(place - 1).locator("[data-testid^=pin-]")
    return str(await row.get_attribute("data-testid")).removeprefix("pin-")


async def write_rundown(host: Person, parts: list[tuple[str, list[str]]]) -> None:
    """A running order by the editor, and that it stands there afterwards."""
    page = host.page
    await page.get_by_test_id("open-rundown").click()
    for place, (title, offers) in enumerate(parts):
        if place:
            await page.get_by_test_id("add-part").click()
        row = page.get_by_test_id("rundown-editor").locator("li").nth(place)
        await row.get_by_label("What happens").fill(title)
        await row.locator("summary").click()
        for offer in offers:
            await row.locator(f"input[value='{offer}']").check()
    await page.get_by_test_id("save-rundown").click()
    await expect(page.locator(".rundown li[data-when]")).to_have_count(len(parts))


async def announce_deal(host: Person, offer: str, price: str) -> None:
    """A flash deal by the form, at once."""
    form = host.page.locator(".offers .inline-form")
    await host.page.get_by_test_id("open-deal").click()
    await form.locator("select[name=offer]").select_option(offer)
    await form.locator("input[name=price]").fill(price)
    await form.locator("select[name=countdown]").select_option("0")
    await host.page.get_by_test_id("announce").click()
    await expect(host.page.get_by_test_id("deal-clock")).to_be_visible()


async def end_show(host: Person, system: System, show: str) -> None:
    """Escape at the question ends nothing; its answer does."""
    await host.page.get_by_test_id("end-show").click()
    await expect(host.page.get_by_test_id("confirm-end")).to_be_visible()
    await host.page.keyboard.press("Escape")
    await expect(host.page.get_by_test_id("confirm-end")).to_have_count(0)
    assert system.anyone.did("GET", f"/shows/{show}")["state"] == "live"
    await host.page.get_by_test_id("end-show").click()
    await host.page.get_by_test_id("confirm-end").click()
    until(lambda: system.anyone.did("GET", f"/shows/{show}")["state"] == "ended", "the show to end")


async def ask(system: System, arrive: Arrive, title: str) -> tuple[Person, dict[str, Any]]:
    """A minor on a phone has sent a request."""
    show = system.new_show(title, {"quantity": 20, "amount": 1499})
    minor = await arrive("minor", f"/watch/{show['id']}?offer={show['offers'][0]['id']}", viewport=PHONE)
    await expect(minor.page.get_by_test_id("buy")).to_have_text("Send request")
    await expect(minor.page.get_by_test_id("stock-left")).not_to_contain_text("20")
    await minor.fits()
    await minor.page.get_by_test_id("buy").click()
    await minor.state_is("held")
    await minor.fill_address()
    await expect(minor.page.get_by_test_id("checkout")).to_have_text("Send request")
    await minor.shoot("minor-held")
    await minor.page.get_by_test_id("checkout").click()
    await minor.state_is("awaiting_guardian")
    await minor.stay_on_page()
    return minor, show


async def request_on_desk(system: System, arrive: Arrive, show: dict[str, Any]) -> tuple[Person, Locator]:
    """A guardian, signed in freshly, with the request of that show in front."""

    def look() -> str | None:
        items = system.api("guardian").did("GET", "/approvals")["items"]
        return next((one["id"] for one in items if show["id"] in one["order"]), None)

    approval = until(look, "the request")
    guardian = await arrive("guardian", f"/guardian/{approval}")
    return guardian, guardian.page.locator(f"[data-approval='{approval}']")


async def test_a_guardian_approves(system: System, arrive: Arrive) -> None:
    """The minor's page turns to paid by itself; the guardian read who, what, how much and where to."""
    minor, show = await ask(system, arrive, "May I")
    guardian, card = await request_on_desk(system, arrive, show)
    for part in ("Mika", show["offers"][0]["title"], "14.99", "Berlin"):
        await expect(card).to_contain_text(part)
    sizes = [await card.get_by_test_id(answer).bounding_box() for answer in ("approve", "decline")]
    assert len({(size["width"], size["height"]) for size in sizes if size}) == 1, f"one answer is larger: {sizes}"
    await guardian.shoot("guardian")
    await card.get_by_test_id("approve").click()
    await guardian.prove("guardian@demo.example", system.password, "approve")
    await expect(card).to_contain_text("Approved")
    await minor.state_is("paid")
    await minor.same_page()
    await minor.shoot("minor-paid")


async def test_a_guardian_declines(system: System, arrive: Arrive) -> None:
    """The minor's page says it neutrally, and the unit is back on sale."""
    minor, show = await ask(system, arrive, "May I not")
    offer = show["offers"][0]["id"]
    assert system.left(show["id"], offer) == 19
    _, card = await request_on_desk(system, arrive, show)
    await card.get_by_test_id("decline").click()
    await expect(card).to_contain_text("Declined")
    await minor.state_is("declined")
    await minor.same_page()
    until(lambda: system.left(show["id"], offer) == 20, "the unit back")


async def test_an_operator_sees_it_live(system: System, arrive: Arrive) -> None:
    """Viewers and orders on the operators' page follow what happens, without a reload."""
    show = system.new_show("Observed", {"quantity": 9})
    operator = await arrive("operator", "/ops")
    viewers, orders = (operator.page.get_by_test_id(f"ops-{name}") for name in ("viewers", "orders"))
    await expect(orders).to_be_visible()
    await operator.stay_on_page()
    await expect(viewers).to_have_attribute("data-value", "0")  # who watched before has gone
    had = int(await orders.get_attribute("data-value") or 0)
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{show['id']}")
    await expect(viewers).to_have_attribute("data-value", "1")
    system.api("adult").did("POST", f"/shows/{show['id']}/orders", {"lines": [{"offer": show["offers"][0]["id"], "quantity": 1}]})
    await operator.holds(f"document.querySelector('[data-testid=ops-orders]').dataset.value > {had}")
    await viewer.page.close()
    await expect(viewers).to_have_attribute("data-value", "0")
    await operator.same_page()
    await operator.shoot("ops")
    await orders.click()
    await expect(operator.page.get_by_test_id("trail")).to_contain_text("order.held", timeout=PATIENCE_MS)
    await operator.shoot("ops-trail")
    await operator.page.keyboard.press("Escape")
    await expect(operator.page.get_by_test_id("trail")).to_have_count(0)


async def test_pages_that_are_not_mine(arrive: Arrive) -> None:
    """A viewer at the operators', the studio's and the guardian's doors is told so, not shown a broken page."""
    viewer = await arrive("adult", "/ops")
    for path in ("/ops", "/studio", "/guardian"):
        await viewer.page.goto(path)
        await expect(viewer.page.get_by_role("heading").first).to_be_visible()
        await viewer.fits()
        await viewer.is_accessible()
    await expect(viewer.page.get_by_test_id("ops-viewers")).to_have_count(0)
