"""A family at its pages: the desk that hears by itself, invitations, what is agreed to in advance, and a stop."""

from __future__ import annotations

import secrets

from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE, Person
from tests.journeys.test_account import enter, once_stale, with_device
from tests.journeys.test_people_at_work import ask
from tests.support.system import System, until

PASSWORD = "long enough 1"
PROOF = ("proof-submit", "proof-password")  # where a fresh proof is asked for on the family's page


async def test_two_browsers_at_once(system: System, arrive: Arrive) -> None:
    """The guardian sits at the desk; the minor asks on a phone; it appears by itself, is approved by passkey, and the
    minor's page turns to paid: nobody loads a page again.
    """
    there = system.url.replace("127.0.0.1", "localhost")
    guardian = await arrive()
    await with_device(guardian.context, guardian.page)
    page = guardian.page
    await enter(guardian, there, "guardian@demo.example", system.password)
    await page.locator("form", has=page.get_by_test_id("add-passkey")).locator("input").fill("Desk")
    await page.get_by_test_id("add-passkey").click()
    await guardian.prove("guardian@demo.example", system.password, "step-up")
    await expect(page.get_by_test_id("passkey-row")).to_have_count(1)
    await page.goto(f"{there}/guardian")
    await expect(page.get_by_test_id("ward")).to_be_visible()
    await guardian.stay_on_page()
    minor, show = await ask(system, arrive, "At the desk")
    title = show["offers"][0]["title"]
    card, look = page.locator("[data-testid=request]", has_text=title), page.get_by_role("button", name=title)
    await expect(card.or_(look).first).to_be_visible()
    if not await card.is_visible():  # she is looking at another request, which stays where it is
        await look.click()
    await once_stale(page, "/approvals/*/approve")
    await card.get_by_test_id("approve").click()
    await card.get_by_test_id("step-up-passkey").click()
    await minor.state_is("paid")
    await minor.same_page()
    await expect(card).to_contain_text("Approved")
    await guardian.same_page()
    await page.goto(f"{there}/login")
    await page.get_by_test_id("passkey-row").get_by_role("button").click()
    await expect(page.get_by_test_id("passkey-row")).to_have_count(0)


def registered(system: System, born: str, name: str) -> str:
    """Someone with a password, by their own word; the address."""
    email = f"{secrets.token_hex(5)}@test.example"
    made = system.anyone.post("/accounts", {"email": email, "name": name, "password": PASSWORD, "country": "DE", "born": born})
    assert made.status == 201
    return email


async def at_desk(arrive: Arrive, email: str, locale: str, **options: object) -> Person:
    person = await arrive(locale=locale, **options)
    await person.page.goto("/login?next=/guardian")
    await person.page.locator("input[name=email]").fill(email)
    await person.page.locator("input[name=password]").fill(PASSWORD)
    await person.page.get_by_test_id("submit").click()
    await person.page.wait_for_url(lambda url: "/login" not in url)  # which ends with /guardian, too
    return person


async def test_invited_by_a_code_on_the_phone(system: System, arrive: Arrive) -> None:
    """The minor's phone shows the code; the guardian's browser accepts with a press, and both desks name the other."""
    minor_mail, guardian_mail = registered(system, "2011-05-04", "Mia"), registered(system, "1980-02-03", "Gero")
    minor = await at_desk(arrive, minor_mail, "de-DE", viewport=PHONE)
    await minor.page.locator(".invite summary").click()
    await minor.page.locator(".invite input[name=email]").fill(guardian_mail)
    await minor.page.get_by_test_id("invite-code").click()
    await minor.prove(minor_mail, PASSWORD, *PROOF)
    await expect(minor.page.get_by_test_id("qr")).to_be_visible()
    await minor.shoot("family-code")
    same = system.api(minor_mail, fresh=True)  # what a camera would read off the screen
    sent = same.did("POST", "/guardians/invitations", {"email": guardian_mail, "way": "code"})
    link = same.did("GET", f"/guardians/invitations/{sent['id']}/code")
    guardian = await at_desk(arrive, guardian_mail, "de-DE")
    await guardian.page.goto(f"/guardian#invitation={link['link'].partition('=')[2]}")
    await expect(guardian.page.get_by_test_id("invitation")).to_contain_text("Mia lädt dich")
    assert "invitation" not in guardian.page.url
    await guardian.shoot("family-invitation")
    await guardian.page.get_by_test_id("accept").click()
    await guardian.prove(guardian_mail, PASSWORD, *PROOF)
    await expect(guardian.page.get_by_test_id("ward")).to_contain_text("Mia")
    await expect(minor.page.locator("[data-link]")).to_contain_text("Gero")


async def test_an_allowance_a_stop_and_a_removal(system: System, arrive: Arrive) -> None:
    """Set on the page, it buys by itself; stopped, nothing can be asked for; removed, the link has a day to be kept."""
    minor_mail, guardian_mail = registered(system, "2011-05-04", "Mia"), registered(system, "1980-02-03", "Gero")
    system.link(minor_mail, guardian_mail)
    guardian = await at_desk(arrive, guardian_mail, "en-GB")
    page = guardian.page
    ward = page.get_by_test_id("ward")
    await ward.get_by_test_id("allowance").locator("summary").first.click()
    await ward.locator("input[name=monthly]").fill("20,00")
    await ward.locator("input[name=per_order]").fill("10,00")
    await ward.locator("input[name=pays]").check()
    await guardian.shoot("family-allowance")
    await ward.get_by_test_id("save-allowance").click()
    await guardian.prove(guardian_mail, PASSWORD, *PROOF)
    await expect(ward.get_by_test_id("allowance")).to_contain_text("20.00")
    show = system.new_show("By itself", {"quantity": 20, "amount": 900})
    minor = system.api(minor_mail)
    held = minor.hold(show["id"], show["offers"][0]["id"]).body
    minor.check_out(held, None)
    until(lambda: minor.did("GET", f"/orders/{held['id']}")["state"] == "paid", "the allowance to pay")
    await expect(page.locator("main")).to_contain_text(show["offers"][0]["title"])  # it heard
    await expect(ward.get_by_test_id("allowance")).to_contain_text("11.00")
    await ward.get_by_test_id("freeze").click()
    await expect(ward.get_by_test_id("freeze")).to_have_attribute("aria-pressed", "true")
    again = minor.hold(show["id"], show["offers"][0]["id"]).body
    assert minor.check_out(again, None).status == 403
    await page.get_by_test_id("remove-link").click()
    await expect(page.get_by_test_id("keep-link")).to_be_visible()
    await guardian.shoot("family-desk")
    await page.get_by_test_id("keep-link").click()
    await expect(page.get_by_test_id("remove-link")).to_be_visible()
    record = system.api(guardian_mail).did("GET", str(await ward.get_by_test_id("consents").get_attribute("href"))[7:])
    assert [one["by_allowance"] for one in record["requests"]] == [True]


async def test_the_bank_asks_at_the_desk(system: System, arrive: Arrive) -> None:
    """An allowance's card needs 3-D Secure: the desk says so by itself, leads to the bank and back, and the order is paid."""
    minor_mail, guardian_mail = registered(system, "2011-05-04", "Mia"), registered(system, "1980-02-03", "Gero")
    system.link(minor_mail, guardian_mail)
    fresh, minor = system.api(guardian_mail, fresh=True), system.api(minor_mail)
    limits = {name: {"amount": 5000, "currency": "EUR"} for name in ("monthly", "per_order")}
    card = {"payment": {"method": "card", "token": "pm_3ds"}}
    fresh.did("PUT", f"/wards/{minor.did('GET', '/me')['id']}/allowance", limits | card)
    guardian = await at_desk(arrive, guardian_mail, "de-DE", viewport=PHONE)
    show = system.new_show("Bank", {"quantity": 20, "amount": 900})
    held = minor.hold(show["id"], show["offers"][0]["id"]).body
    minor.check_out(held, None)
    link = guardian.page.get_by_test_id("confirm-with-bank")
    await expect(link).to_be_visible()
    await guardian.shoot("guardian-bank")
    async with guardian.context.expect_page() as opening:
        await link.click()
    bank = await opening.value
    await bank.get_by_test_id("3ds-approve").click()
    await bank.wait_for_url("**/guardian/*")
    until(lambda: minor.did("GET", f"/orders/{held['id']}")["state"] == "paid", "it to be paid")
    await expect(link).to_have_count(0)
