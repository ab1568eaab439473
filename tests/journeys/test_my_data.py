"""One's data at one's page: a no until a yes, a no again by one press of the same size, all of it in a file, and gone."""

from __future__ import annotations

import json

from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
from tests.journeys.test_family import PASSWORD, at_desk, registered
from tests.support.system import System


async def test_a_no_is_as_easy_as_a_yes(system: System, arrive: Arrive) -> None:
    """Nothing is agreed to beforehand; one press says yes, one press beside it, as large, says no; a minor below the age of
    data consent reads that their guardian answers, and can still say no to what was agreed.
    """
    person = await at_desk(arrive, registered(system, "1980-02-03", "Gero"), "de-DE", viewport=PHONE)
    page = person.page
    await page.goto("/login")
    rows = page.get_by_test_id("consent")
    await expect(rows).to_have_count(3)
    for row in await rows.all():
        await expect(row.get_by_test_id("consent-no")).to_have_attribute("aria-pressed", "true")
        await expect(row).to_contain_text("Noch nicht gefragt: nein.")
    row = page.locator("[data-purpose=statistics]")
    yes, no = row.get_by_test_id("consent-yes"), row.get_by_test_id("consent-no")
    await yes.press("Enter")
    await expect(yes).to_have_attribute("aria-pressed", "true")
    other = page.locator("[data-purpose=marketing_mail]").get_by_test_id("consent-yes")
    await expect(other).to_have_attribute("aria-pressed", "false")
    sizes = [await one.bounding_box() for one in (yes, no)]
    assert sizes[0] and sizes[1] and sizes[0]["height"] == sizes[1]["height"]
    await no.press("Enter")
    await expect(no).to_have_attribute("aria-pressed", "true")
    minor = await at_desk(arrive, registered(system, "2013-02-03", "Mia"), "de-DE", viewport=PHONE)
    await minor.page.goto("/login")
    await expect(minor.page.locator("[data-purpose=statistics]").get_by_test_id("consent-yes")).to_be_disabled()
    await expect(minor.page.locator("[data-purpose=statistics]")).to_contain_text("Eltern")


async def test_all_of_it_in_a_file_and_then_gone(system: System, arrive: Arrive) -> None:
    """A fresh proof, and the browser saves everything; asked twice, the account is erased and its password opens nothing."""
    email = registered(system, "1980-02-03", "Gero")
    person = await at_desk(arrive, email, "de-DE", viewport=PHONE)
    page = person.page
    await page.goto("/login")
    await page.get_by_test_id("export").click()
    async with page.expect_download() as saving:
        await person.prove(email, PASSWORD, "step-up")
    saved = json.loads((await (await saving.value).path()).read_text("utf-8"))
    assert (saved["account"]["email"], saved["account"]["age_band"]) == (email, "adult")
    await page.get_by_test_id("erase").click()
    await person.shoot("account-erase")
    await page.get_by_test_id("erase-sure").click()
    await page.wait_for_url(lambda url: url.endswith("/"))
    assert system.anyone.post("/session", {"email": email, "password": PASSWORD}).status == 401
