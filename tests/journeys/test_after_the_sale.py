"""After the sale at the pages: a host sends, a buyer withdraws in two steps and keeps the receipt."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PATIENCE_MS
from tests.support.system import System, until


def bought(system: System, title: str) -> dict[str, Any]:
    """Two pieces of a new show's offer, bought and paid by the demo's adult."""
    show = system.new_show(title, {"quantity": 9, "amount": 1250})
    buyer = system.api("adult")
    held = buyer.hold(show["id"], show["offers"][0]["id"], 2).body
    buyer.check_out(held)

    def paid() -> dict[str, Any] | None:
        found = buyer.did("GET", f"/orders/{held['id']}")
        return found if found["state"] == "paid" else None

    return until(paid, "the order to be paid")


async def test_a_host_sends_and_a_buyer_withdraws_a_piece(system: System, arrive: Arrive) -> None:
    """Sent by the host with a tracking number; one piece withdrawn: receipt to the second, then the money back."""
    order = bought(system, "Sent")
    host = await arrive("host", "/studio")
    row = host.page.locator(f"[data-order={order['id']}]")
    await expect(row).to_contain_text("Berlin", timeout=PATIENCE_MS)
    await row.get_by_test_id("ship").click()
    await row.locator("input[name=tracking]").fill("1Z999")
    await host.shoot("studio-sold")
    await row.get_by_test_id("ship-now").click()
    await expect(row).to_have_count(0)
    buyer = await arrive("adult", f"/orders/{order['id']}")
    page = buyer.page
    await buyer.state_is("shipped")
    await expect(page.get_by_text("1Z999")).to_be_visible()
    await buyer.stay_on_page()
    await page.get_by_test_id("withdraw").click()
    await page.locator(".withdrawal select").select_option("1")
    await expect(page.locator(".withdrawal")).to_contain_text("12.50")
    await buyer.shoot("orders-withdrawing")
    await page.get_by_test_id("confirm-withdrawal").click()
    receipt = page.get_by_test_id("withdrawal-receipt")
    await expect(receipt).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    await expect(receipt).to_contain_text(order["id"])
    await expect(page.get_by_text("12.50 refunded")).to_be_visible(timeout=PATIENCE_MS)
    await buyer.state_is("shipped")
    await page.get_by_test_id("withdraw").click()
    await page.get_by_test_id("confirm-withdrawal").click()
    await buyer.state_is("withdrawn")
    await expect(receipt).to_have_count(2)
    await expect(page.get_by_test_id("withdraw")).to_have_count(0)
    await buyer.shoot("orders-withdrawn")
    await buyer.same_page()


async def test_a_host_gives_the_money_back(system: System, arrive: Arrive) -> None:
    """One button and a question; the buyer's page says so by itself."""
    order = bought(system, "Refunded")
    buyer = await arrive("adult", f"/orders/{order['id']}", locale="de-DE")
    await buyer.state_is("paid")
    await expect(buyer.page.get_by_test_id("withdraw")).to_have_text("Vertrag widerrufen")
    await buyer.page.get_by_test_id("withdraw").click()
    await expect(buyer.page.get_by_test_id("confirm-withdrawal")).to_have_text("Widerruf bestätigen")
    host = await arrive("host", "/studio")
    row = host.page.locator(f"[data-order={order['id']}]")
    await row.get_by_test_id("refund").click()
    await row.get_by_test_id("refund-now").click()
    await buyer.state_is("refunded")
