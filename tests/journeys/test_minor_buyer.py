"""An order that turns out to be a minor's, at the pages: the operator stops it, the guardian is mailed, answers, and it goes on."""

from __future__ import annotations

from playwright.async_api import expect

from tests.contract.test_orders import order_state
from tests.journeys.conftest import Arrive
from tests.journeys.test_family import PASSWORD, PROOF, at_desk, registered
from tests.support.system import System, until


async def test_stopped_asked_and_ratified(system: System, arrive: Arrive) -> None:
    """Marked on /ops behind the number of paid orders, in German; accepted and ratified on the guardian's page."""
    buyer, guardian_mail = registered(system, "1990-01-01", "Mia"), registered(system, "1980-02-03", "Gero")
    show = system.new_show("Grown up, they said", {"quantity": 20, "amount": 900})
    order = system.api(buyer).hold(show["id"], show["offers"][0]["id"]).body
    system.api(buyer).check_out(order)
    order_state(system, buyer, order["id"], "paid")
    operator = await arrive("operator", "/ops", locale="de-DE")
    page = operator.page
    await page.get_by_test_id("ops-orders").click()
    line = page.locator("[data-testid=trail] li", has_text="order.paid").filter(has_text=order["id"])
    await line.get_by_test_id("mark-minor").click()
    await line.locator("input[name=born]").fill("2011-05-04")
    await line.locator("input[name=guardian_email]").fill(guardian_mail)
    await operator.shoot("ops-minor")
    await line.get_by_test_id("mark-now").click()
    await operator.prove("operator@demo.example", system.password, *PROOF)
    await expect(line.get_by_test_id("marked")).to_contain_text("Angehalten")
    mails = until(lambda: system.anyone.did("GET", f"/dev/mail?to={guardian_mail}")["items"], "the question by mail")
    link = next(link for link in mails[0]["links"] if "#invitation=" in link)
    guardian = await at_desk(arrive, guardian_mail, "en-GB")
    page = guardian.page
    await page.goto(f"/guardian{link[link.index('#'):]}")
    await page.get_by_test_id("accept").click()
    await guardian.prove(guardian_mail, PASSWORD, *PROOF)
    question = page.get_by_test_id("request")
    await expect(question).to_contain_text("Mia has bought")
    await guardian.shoot("guardian-question")
    system.link(buyer, guardian_mail)
    await question.get_by_test_id("ratify").click()
    await expect(question).to_contain_text("Agreed to")
    host = system.api("host")
    until(lambda: host.post(f"/orders/{order['id']}/shipments").status == 200, "it may be sent")
