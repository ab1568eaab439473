"""What it costs, at the pages: a coupon's code refused and taken, shipping and VAT shown, another country asked again."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from tests.contract.test_prices import eur, opened
from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
from tests.support.system import System


async def test_a_coupon_and_another_country(system: System, arrive: Arrive, tmp_path: Path) -> None:
    """On a phone: a wrong code is told in words, a right one takes its share off; for Austria the new total is shown before
    it is ordered; the orders page adds up to the same."""
    show, offers = opened(system, tmp_path, "atlas")
    buyer = await arrive("adult", f"/watch/{show}?offer={offers['Pan']}", viewport=PHONE)
    page = buyer.page
    await page.get_by_role("button", name="More").click()
    await page.get_by_test_id("buy").click()
    sums = page.get_by_test_id("sums")
    await expect(sums.get_by_test_id("sum-shipping")).to_contain_text("4.90")
    await expect(page.locator(".checkout-total strong")).to_have_text("€44.88")
    await page.get_by_test_id("coupon-code").fill("tenn")
    await page.get_by_test_id("coupon-apply").click()
    await expect(page.get_by_test_id("coupon-fault")).to_contain_text("no such code")
    await buyer.shoot("coupon-refused")
    await page.get_by_test_id("coupon-code").fill("ten")
    await page.get_by_test_id("coupon-code").press("Enter")
    await expect(sums.get_by_test_id("sum-discount")).to_contain_text("3.99")
    await expect(sums.get_by_test_id("sum-vat")).to_contain_text("19 % VAT included")
    await expect(page.locator(".checkout-total strong")).to_have_text("€40.89")
    await buyer.stay_on_page()
    await buyer.fill_address()
    await page.locator("select[name=country]").select_option("AT")
    await page.get_by_test_id("checkout").click()
    await expect(page.locator(".checkout-total strong")).to_have_text("€45.89")
    await expect(page.get_by_test_id("new-total")).to_be_visible()
    await expect(page.get_by_text("The price is €45.89 now")).to_be_visible()
    await buyer.shoot("price-of-another-country")
    await page.get_by_test_id("checkout").click()
    await buyer.state_is("paid")
    await page.goto("/orders")
    card = page.locator(f"[data-order*=_s{show}_]")
    await expect(card.get_by_test_id("sum-discount")).to_contain_text("Coupon TEN")
    await expect(card.get_by_test_id("sum-vat")).to_contain_text("20 %")
    await expect(card.locator(".order-sum")).to_have_text("€45.89")
    (standing,) = system.api("host").did("GET", "/shops/atlas/coupons")["items"]
    assert standing["minimum"] == eur(2000)


async def test_a_host_sets_shipping_and_coupons(system: System, arrive: Arrive, tmp_path: Path) -> None:
    """In the studio, without a word of JSON: a row more in the table, a coupon made and ended; what is wrong is said."""
    opened(system, tmp_path, "globe")
    host = await arrive("host", "/studio", locale="de-DE")
    panel = host.page.get_by_test_id("prices-globe")
    await panel.locator("summary").click()
    await expect(panel.get_by_test_id("shipping-row")).to_have_count(2)
    await panel.locator("input[name=countries]").fill("ch, li")
    await panel.locator("input[name=price]").fill("12,50")
    await panel.get_by_test_id("add-shipping").click()
    await expect(panel.get_by_test_id("shipping-row").nth(2)).to_contain_text("CH, LI: 12,50")
    assert system.anyone.did("GET", "/shops/globe/shipping")["rows"][2]["price"] == eur(1250)
    await panel.locator("input[name=code]").fill("ten")
    await panel.locator("input[name=off]").fill("20")
    await panel.get_by_test_id("add-coupon").click()
    await expect(panel).to_contain_text("TEN already")
    await panel.locator("input[name=code]").fill("zwanzig")
    await panel.get_by_test_id("add-coupon").click()
    await expect(panel.get_by_test_id("coupon-row").nth(1)).to_contain_text("100 von 100 übrig")
    await host.shoot("studio-prices")
    await panel.get_by_test_id("coupon-row").nth(0).get_by_role("button").click()
    await expect(panel.get_by_test_id("coupon-row")).to_have_count(1)
    codes = [one["code"] for one in system.api("host").did("GET", "/shops/globe/coupons")["items"]]
    assert codes == ["ZWANZIG"]
