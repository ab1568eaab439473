"""Ages on the pages: an operator notes what they have seen and takes it back; an adult proves it by a credential."""

from __future__ import annotations

import time

from playwright.async_api import expect

from tests.accounts.issuer import TRUSTED, Key, Wallet, token
from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
from tests.journeys.test_family import PROOF, at_desk, registered
from tests.support.system import System


async def test_an_operator_checks_an_age_and_takes_it_back(system: System, arrive: Arrive) -> None:
    """By keyboard on a phone: found by address, a fresh proof, what was seen; the account is a minor's; undone, as before."""
    liar = registered(system, "1990-01-01", "Mia")
    operator = await arrive("operator", "/ops", viewport=PHONE, locale="de-DE")
    page = operator.page
    panel = page.get_by_test_id("ages")
    await panel.locator("input[name=email]").focus()
    await page.keyboard.type(liar)
    await page.keyboard.press("Enter")
    known = panel.get_by_test_id("age-known")
    await expect(known).to_have_attribute("data-method", "declared")
    await expect(known).to_contain_text("Volljährig")
    await panel.locator("input[name=born]").fill("2011-05-04")
    await panel.locator("select[name=seen]").select_option("video_call")
    await panel.get_by_test_id("check-age").press("Enter")
    await operator.prove("operator@demo.example", system.password, *PROOF)
    await expect(known).to_have_attribute("data-method", "verified")
    await expect(panel).to_contain_text("Ein Dokument im Videogespräch")
    await expect(panel.locator("input[name=born]")).to_have_value("")  # it does not stay on the screen
    await operator.shoot("ops-ages")
    me = system.api(liar)
    assert me.did("GET", "/me")["age_band"] in ("14-15", "16-17")
    audit = system.api("operator").did("GET", "/ops/audit?limit=20")["items"]
    line = next(one for one in audit if one["action"] == "account.age")
    assert line["data"]["seen"] == "video_call" and "2011" not in str(line)
    await panel.get_by_test_id("undo-age").press("Enter")
    await expect(known).to_have_attribute("data-method", "declared")
    assert me.did("GET", "/me")["age_band"] == "adult"
    await panel.locator("input[name=email]").fill("nobody@test.example")
    await panel.get_by_test_id("find-age").click()
    await expect(panel).to_contain_text("Das gibt es hier nicht mehr.")


async def test_an_adult_proves_it_by_a_credential(system: System, arrive: Arrive) -> None:
    """What has to be signed is shown; each thing that is wrong with a credential is said; pasted or from a file, it counts."""
    adult = registered(system, "1980-02-03", "Gero")
    person = await at_desk(arrive, adult, "de-DE", viewport=PHONE)
    page = person.page
    await page.goto("/login")
    card = page.get_by_test_id("age")
    await card.get_by_test_id("begin-age").press("Enter")
    nonce = await card.get_by_test_id("age-nonce").inner_text()
    audience = await card.get_by_test_id("age-audience").inner_text()
    assert audience == system.url
    now_s = int(time.time())
    refused = {
        "hello": "können wir nicht als Nachweis lesen",
        token(Key(), nonce, now_s, aud=audience): "Die Signatur ist nicht",
        token(TRUSTED, nonce, now_s, aud=audience, iss="https://else.example"): "gehört nicht zu denen",
        token(TRUSTED, nonce, now_s, aud=audience, age_over_18=False): "sagt nicht, dass du volljährig bist",
        token(TRUSTED, nonce, now_s, aud="https://else.example"): "für einen anderen Shop",
        token(TRUSTED, nonce, now_s, aud=audience, exp=now_s - 1): "abgelaufen",
    }
    for credential, why in refused.items():
        await card.locator("textarea").fill(credential)
        await card.get_by_test_id("prove-age").click()
        await expect(card.get_by_test_id("age-refusal")).to_contain_text(why)
    await person.shoot("account-age")
    shown = Wallet(TRUSTED, now_s).show(nonce, int(time.time()), aud=audience)
    wallet = {"name": "age.jwt", "mimeType": "text/plain", "buffer": f"{shown}\n".encode()}
    await card.locator("input[type=file]").set_input_files(wallet)
    await expect(card.locator("textarea")).to_have_value(shown)
    await card.get_by_test_id("prove-age").click()
    await expect(card).to_contain_text("Nachgewiesen: Du bist volljährig.")
    assert system.api(adult).did("GET", "/me")["age_method"] == "verified"
