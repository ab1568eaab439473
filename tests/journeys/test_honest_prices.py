"""What an adult reads beside a price, and what a minor does not: on the pages as they are served."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.contract.test_prices import eur, opened
from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
from tests.support.system import System, until

REQUEST = {"en-GB": "Send request", "de-DE": "Anfrage senden"}
ORDER = {"en-GB": "Order with obligation to pay", "de-DE": "zahlungspflichtig bestellen"}
# What urges: a clock, how few there are, what it cost or will cost, how much one saves (UWG annex no. 28).
URGING = [
    "left", "übrig", "afterwards", "danach", "Lowest price", "Niedrigster Preis", "%", "Flash", "Blitz", "on air for", "seit ",
]  # fmt: skip


def logged(system: System, offer: str, *prices: int) -> None:
    """Wait until the price log has these prices of an offer, in this order."""

    def there() -> bool:
        with sqlite3.connect(f"file:{system.data / 'livesale.db'}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT price FROM prices WHERE offer = ? ORDER BY id", (offer,)).fetchall()
        return [row[0] for row in rows] == list(prices)

    until(there, f"the price log to have {prices}")


async def test_a_reduction_is_measured_by_the_lowest_price_of_30_days(
    system: System, arrive: Arrive, tmp_path: Path
) -> None:
    """Lowered from 19.99 to 15.99 the page says −20 % of 19.99; raised again it says nothing; a flash price of 17.99 is then
    no reduction at all, for 15.99 was asked within 30 days, and the page says so; one of 12.79 is −20 % of that 15.99."""
    show, offers = opened(system, tmp_path, "honest")
    pan, host = offers["Pan"], system.api("host")
    viewer = await arrive("adult", f"/watch/{show}?offer={pan}")
    card = viewer.page.get_by_test_id("pin-card")
    reference, percent = card.get_by_test_id("reference-price"), card.get_by_test_id("reduced-percent")
    await expect(card).to_contain_text("€19.99")
    await expect(card.get_by_test_id("vat-note")).to_have_text("incl. VAT")
    await expect(reference).to_have_count(0)
    host.did("PATCH", f"/shows/{show}/offers/{pan}", {"price": eur(1599)})
    await expect(reference).to_contain_text("Lowest price of the last 30 days: €19.99")
    await expect(percent).to_have_text("−20 %")
    host.did("PATCH", f"/shows/{show}/offers/{pan}", {"price": eur(1999)})
    await expect(reference).to_have_count(0)
    logged(system, pan, 1999, 1599, 1999)
    deal = host.did("POST", f"/shows/{show}/deals", {"offer": pan, "price": eur(1799), "duration_s": 600})
    assert deal["reference_price"] == eur(1599)
    await expect(card).to_contain_text("€17.99")
    await expect(reference).to_contain_text("€15.99")
    await expect(percent).to_have_count(0)
    await viewer.shoot("reduction")
    other, offers = opened_again(system, "honest")
    host.did("PATCH", f"/shows/{other}/offers/{offers['Pan']}", {"price": eur(1279)})
    shown = host.did("GET", f"/shows/{other}")["offers"]
    assert next(one["reference_price"] for one in shown if one["id"] == offers["Pan"]) == eur(1599)


def opened_again(system: System, shop: str) -> tuple[str, dict[str, str]]:
    """Another show of the same products: the price log is the products', not a show's."""
    host = system.api("host")
    show = host.did("POST", "/shows", {"title": "Again", "shop": shop, "currency": "EUR"})["id"]
    offers = {}
    for product in host.did("GET", f"/products?shop={shop}")["items"]:
        body: dict[str, Any] = {"product": product["id"], "price": product["price"], "quantity": 5}
        offers[product["title"]] = host.did("POST", f"/shows/{show}/offers", body)["id"]
    host.did("POST", f"/shows/{show}/start")
    return show, offers


@pytest.mark.parametrize("locale", ORDER)
async def test_the_order_button_says_exactly_what_the_law_says(system: System, arrive: Arrive, locale: str) -> None:
    """§ 312j (3) BGB, letter by letter, in both languages, with the total and its VAT above it."""
    show = system.new_show("Button", {"quantity": 9, "amount": 1990})
    buyer = await arrive("adult", f"/watch/{show['id']}?offer={show['offers'][0]['id']}", locale=locale)
    await buyer.page.get_by_test_id("buy").click()
    await buyer.state_is("held")
    assert await buyer.page.get_by_test_id("checkout").inner_text() == ORDER[locale]
    await expect(buyer.page.get_by_test_id("sum-vat")).to_contain_text("19")
    await expect(buyer.page.locator(".checkout-total")).to_contain_text("19")


@pytest.mark.parametrize("locale", REQUEST)
async def test_what_a_minor_sees(system: System, arrive: Arrive, locale: str) -> None:
    """On a phone, while a flash deal runs on the last three pieces: the price, that there is one, and a request. No clock, no
    figure of what is left, no other price to compare with, no order button; and an adult does see them."""
    show = system.new_show("Calm", {"quantity": 3, "amount": 1990})
    offer = show["offers"][0]["id"]
    system.api("host").did("PUT", f"/shows/{show['id']}/pins", {"offers": [offer]})
    system.api("host").did("POST", f"/shows/{show['id']}/deals", {"offer": offer, "price": eur(990), "duration_s": 600})
    adult = await arrive("adult", f"/watch/{show['id']}?offer={offer}", viewport=PHONE, locale=locale)
    await expect(adult.page.locator(".pin-deal")).to_be_visible()
    await expect(adult.page.get_by_test_id("reference-price")).to_be_visible()
    await adult.left_is(3)
    minor = await arrive("minor", f"/watch/{show['id']}?offer={offer}", viewport=PHONE, locale=locale)
    page = minor.page
    card = page.get_by_test_id("pin-card")
    await expect(page.get_by_test_id("buy")).to_have_text(REQUEST[locale])
    await expect(card).to_contain_text("9")
    shown = await card.inner_text()
    assert [word for word in URGING if word in shown] == []
    assert not any(line.strip().strip("()") == "3" for line in shown.splitlines())
    await expect(page.get_by_role("timer")).to_have_count(0)
    await page.get_by_test_id("buy").click()
    await minor.state_is("held")
    assert await page.get_by_test_id("checkout").inner_text() == REQUEST[locale]
    sheet = await page.get_by_role("dialog").inner_text()
    assert [word for word in (*URGING[:4], *URGING[7:9], *ORDER.values()) if word in sheet] == []
    await expect(page.get_by_role("timer")).to_have_count(0)
    await minor.is_accessible()
