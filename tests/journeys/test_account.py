"""An account in its owner's hands: a passkey instead of the password, tokens for programs, sign-ins that end."""

from __future__ import annotations

import secrets

from playwright.async_api import BrowserContext, Page, Route, expect

from tests.contract.test_guardians import request_of
from tests.journeys.conftest import Arrive
from tests.journeys.people import Person
from tests.support.system import Api, System, until

DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


async def with_device(context: BrowserContext, page: Page) -> None:
    """The browser has an authenticator of its own, whose owner always agrees."""
    cdp = await context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


async def enter(person: Person, there: str, email: str, password: str) -> None:
    """Sign in under the local name passkeys can belong to, and stay on the account page."""
    await person.page.goto(f"{there}/login?next=/login")
    await person.page.locator("input[name=email]").fill(email)
    await person.page.locator("input[name=password]").fill(password)
    await person.page.get_by_test_id("submit").click()
    await expect(person.page.get_by_test_id("account")).to_be_visible()


async def once_stale(page: Page, path: str) -> None:
    """The server's next answer there is that the proof is too old, as ten minutes later."""

    async def stale(route: Route) -> None:
        body = {"code": "step_up_required", "status": 403, "detail": "", "title": "", "type": "about:blank"}
        await route.fulfill(status=403, json=body)

    await page.route(f"**/api/v1{path}", stale, times=1)


async def test_a_passkey_from_adding_to_approving(system: System, arrive: Arrive) -> None:
    """A guardian adds one, signs out, comes in without a password, and proves with it that the approval is theirs."""
    there = system.url.replace("127.0.0.1", "localhost")
    guardian = await arrive()
    await with_device(guardian.context, guardian.page)
    page = guardian.page
    await enter(guardian, there, "guardian@demo.example", system.password)
    await page.locator("form", has=page.get_by_test_id("add-passkey")).locator("input").fill("Laptop")
    await page.get_by_test_id("add-passkey").click()
    await guardian.prove("guardian@demo.example", system.password, "step-up")
    await expect(page.get_by_test_id("passkey-row")).to_contain_text("Laptop")
    await guardian.shoot("account")
    await page.get_by_test_id("sign-out").click()
    await page.wait_for_url(f"{there}/")
    _, _, approval = request_of(system, "By passkey")
    await page.goto(f"{there}/login?next=/guardian/{approval['id']}")
    await page.get_by_test_id("sign-in-passkey").click()
    card = page.locator(f"[data-approval='{approval['id']}']")
    await once_stale(page, "/approvals/*/approve")
    await card.get_by_test_id("approve").click()
    await card.get_by_test_id("step-up-passkey").click()
    await expect(card).to_contain_text("Approved")
    await page.goto(f"{there}/login")
    await page.get_by_test_id("passkey-row").get_by_role("button").click()
    await expect(page.get_by_test_id("passkey-row")).to_have_count(0)


async def test_tokens_and_sign_ins_end(system: System, arrive: Arrive) -> None:
    """A token may read and no more; ended on the page it is void, and so is another browser that is signed out."""
    email, password = f"{secrets.token_hex(5)}@test.example", "long enough 1"
    person = {"email": email, "name": "Noa", "password": password, "country": "DE", "born": "1990-02-03"}
    assert system.anyone.post("/accounts", person).status == 201
    account, other = await arrive(), await arrive()
    for browser in (account, other):
        await enter(browser, system.url, email, password)
    page = account.page
    await page.locator("form", has=page.get_by_test_id("make-token")).locator("input").fill("Till")
    await page.get_by_test_id("make-token").click()
    await account.prove(email, password, "step-up")
    program = Api(system.url, await page.get_by_test_id("token-secret").inner_text())
    assert program.did("GET", "/me")["name"] == "Noa"
    assert program.post("/shows/aaaaaaaaaa/chat", {"text": "hello"}).status == 403
    await page.get_by_test_id("token-row").get_by_test_id("end").click()
    await expect(page.get_by_test_id("token-row")).to_have_count(0)
    until(lambda: program.get("/me").status == 401, "the token to be void")
    await page.reload()
    await expect(page.get_by_test_id("sign-in-row")).to_have_count(2)
    await page.get_by_test_id("sign-in-row").get_by_test_id("end").click()
    await expect(page.get_by_test_id("sign-in-row")).to_have_count(1)
    await other.page.reload()
    await expect(other.page.get_by_test_id("submit")).to_be_visible()
    await expect(other.page.get_by_test_id("account")).to_have_count(0)


async def test_a_mailed_link_signs_in_once(system: System, arrive: Arrive) -> None:
    """The page asks for one press: a scanner that only opens it uses nothing up; the second press gets nobody in."""
    email = f"{secrets.token_hex(5)}@test.example"
    person = {"email": email, "name": "Noa", "password": "long enough 1", "country": "DE", "born": "1990-02-03"}
    assert system.anyone.post("/accounts", person).status == 201
    reader, scanner, thief = await arrive(), await arrive(), await arrive()
    await reader.page.goto("/login")
    await reader.page.locator("input[name=email]").fill(email)
    await reader.page.get_by_test_id("mail-link").click()
    mail = until(lambda: system.anyone.did("GET", f"/dev/mail?to={email}")["items"], "the mail")[0]
    (link,) = [one for one in mail["links"] if "#link=" in one]
    for visitor in (scanner, thief, reader):
        await visitor.page.goto("about:blank")
        await visitor.page.goto(link)
        await expect(visitor.page.get_by_test_id("use-link")).to_be_visible()
    await reader.shoot("mailed-link")
    await reader.page.get_by_test_id("use-link").click()
    await expect(reader.page.get_by_test_id("sign-out")).to_be_visible()
    assert "link=" not in reader.page.url
    await thief.page.get_by_test_id("use-link").click()
    await expect(thief.page.get_by_role("alert")).to_be_visible()
