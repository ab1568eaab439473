"""The others at their pages: a host in the studio, a minor and a guardian, an operator."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PATIENCE_MS, PHONE, Person
from tests.support.system import System, until


async def test_a_host_goes_on_air_from_a_tab(system: System, arrive: Arrive) -> None:
    """Create a show, add an offer, go live with the camera; a viewer sees it move and buys; the host sees it and ends."""
    host = await arrive("host", "/studio")
    show = await plan(host, "From a tab")
    offer = await add_offer(host, system, show)
    await host.page.get_by_test_id("go-live").click()
    await expect(host.page.get_by_test_id("upload-quality")).to_be_visible()
    viewer = await arrive("adult", f"/watch/{show}")
    await viewer.moves()
    await expect(viewer.page.get_by_test_id("pin-card")).to_have_attribute("data-offer", offer["id"])
    await host.shoot("studio")
    await viewer.page.get_by_test_id("buy").click()
    await viewer.state_is("held")
    await viewer.fill_address()
    await viewer.page.get_by_test_id("checkout").click()
    await viewer.state_is("paid")
    await expect(host.page.get_by_test_id("studio-orders")).to_contain_text("1", timeout=PATIENCE_MS)
    await expect(host.page.get_by_test_id("studio-revenue")).to_contain_text(digits(offer), timeout=PATIENCE_MS)
    await host.page.get_by_test_id("end-show").click()
    await host.page.get_by_test_id("end-show").click()
    until(lambda: system.anyone.did("GET", f"/shows/{show}")["state"] == "ended", "the show to end")
    await expect(viewer.page.locator(".picture")).to_contain_text("This show is over")
    await host.shoot("studio-ended")


async def plan(host: Person, title: str) -> str:
    """A new show by the form; its id."""
    await host.shoot("studio-list")
    await host.page.locator("input[name=title]").fill(title)
    await host.page.locator("input[name=shop]").fill("demo")
    await host.page.get_by_test_id("create-show").click()
    await host.page.wait_for_url(re.compile(r"/studio/[a-z0-9]{10}$"))
    return host.page.url.rsplit("/", 1)[1]


async def add_offer(host: Person, system: System, show: str) -> dict[str, Any]:
    """An offer by the form, pinned; as the API tells it."""
    products = system.anyone.did("GET", "/products?shop=demo&limit=100")["items"]
    enough = [one for one in products if one["quantity"] is None or one["quantity"] >= 10]
    await host.page.get_by_test_id("open-add").click()
    await host.page.locator("select[name=product]").select_option(enough[-1]["id"])
    await host.page.locator("input[name=quantity]").fill("4")
    await host.page.get_by_test_id("add-offer").click()
    offers = until(lambda: system.anyone.did("GET", f"/shows/{show}")["offers"], "the offer")
    await host.page.get_by_test_id(f"pin-{offers[0]['id']}").click()
    until(lambda: system.anyone.did("GET", f"/shows/{show}")["pins"] == [offers[0]["id"]], "the pin")
    return dict(offers[0])


def digits(offer: dict[str, Any]) -> str:
    """An offer's price as an English page writes it, without its sign."""
    return f"{offer['price']['amount'] / 100:.2f}"


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
    guardian = await arrive("guardian", "/guardian")
    return guardian, guardian.page.locator(f"[data-approval='{approval}']")


async def test_a_guardian_approves(system: System, arrive: Arrive) -> None:
    """The minor's page turns to paid by itself; the guardian read who, what, how much and where to."""
    minor, show = await ask(system, arrive, "May I")
    guardian, card = await request_on_desk(system, arrive, show)
    for part in ("Mika", show["offers"][0]["title"], "14.99", "Berlin"):
        await expect(card).to_contain_text(part)
    await guardian.shoot("guardian")
    await card.get_by_test_id("approve").click()
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
    seen = int(await viewers.get_attribute("data-value") or 0)
    had = int(await orders.get_attribute("data-value") or 0)
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{show['id']}")
    await expect(viewers).to_have_attribute("data-value", str(seen + 1), timeout=PATIENCE_MS)
    system.api("adult").did("POST", f"/shows/{show['id']}/orders", {"lines": [{"offer": show["offers"][0]["id"], "quantity": 1}]})
    await expect(orders).to_have_attribute("data-value", str(had + 1), timeout=PATIENCE_MS)
    await viewer.page.close()
    await expect(viewers).to_have_attribute("data-value", str(seen), timeout=PATIENCE_MS)
    await operator.same_page()
    await operator.shoot("ops")


async def test_pages_that_are_not_mine(arrive: Arrive) -> None:
    """A viewer at the operators', the studio's and the guardian's doors is told so, not shown a broken page."""
    viewer = await arrive("adult", "/ops")
    for path in ("/ops", "/studio", "/guardian"):
        await viewer.page.goto(path)
        await expect(viewer.page.get_by_role("heading").first).to_be_visible()
        await viewer.fits()
    await expect(viewer.page.get_by_test_id("ops-viewers")).to_have_count(0)
