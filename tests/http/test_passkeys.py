"""Passkeys at the whole web process: added, used to sign in and to step up, from our own pages only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from tests.http.conftest import Whole
from tests.http.test_endpoint import problem
from tests.support.authenticator import Authenticator

ADA = {"email": "ada@example.org", "name": "Ada", "password": "correct horse", "country": "DE", "born": "1990-05-01"}


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


def at(whole: Whole, path: str) -> str:
    """An address under the one local name passkeys can belong to."""
    return f"http://localhost:{whole.port}/api/v1{path}"


async def options(whole: Whole, browser: ClientSession, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """What the browser is told for its authenticator."""
    answer = await browser.post(at(whole, path), headers=headers)
    assert answer.status == 200, await answer.text()
    told: dict[str, Any] = (await answer.json())["publicKey"]
    return told


async def with_passkey(whole: Whole, browser: ClientSession) -> tuple[Authenticator, dict[str, str], dict[str, Any]]:
    """Someone who has signed in and added a passkey: the device, the header of writes, the passkey."""
    await browser.post(at(whole, "/accounts"), json=ADA)
    entered = await browser.post(at(whole, "/session"), json={"email": ADA["email"], "password": ADA["password"]})
    csrf = {"X-CSRF-Token": entered.cookies["livesale_csrf"].value}
    device = Authenticator(origin=f"http://localhost:{whole.port}")
    made = device.make(await options(whole, browser, "/passkeys/options", csrf))
    keyed = {**csrf, "Idempotency-Key": "k1"}
    body = {"name": "Laptop", "credential": made}
    added, again = [await browser.post(at(whole, "/passkeys"), json=body, headers=keyed) for _ in "12"]
    assert (added.status, again.status) == (201, 201) and await added.json() == await again.json()
    return device, csrf, await added.json()


async def test_from_adding_to_removing(whole: Whole, browser: ClientSession) -> None:
    """Added once however often the call is repeated; then another browser signs in with it, steps up, renames, removes."""
    device, _, passkey = await with_passkey(whole, browser)
    assert (passkey["name"], passkey["used_at"]) == ("Laptop", None)
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as other:
        answer = device.sign(await options(whole, other, "/session/passkey/options", {}))
        entered = await other.post(at(whole, "/session/passkey"), json={"credential": answer})
        assert (await entered.json())["email"] == "ada@example.org"
        csrf = {"X-CSRF-Token": entered.cookies["livesale_csrf"].value}
        proof = device.sign(await options(whole, other, "/session/step-up/options", csrf))
        stepped = await other.post(at(whole, "/session/step-up/passkey"), json={"credential": proof}, headers=csrf)
        assert stepped.status == 200
        csrf = {"X-CSRF-Token": stepped.cookies["livesale_csrf"].value}
        path = at(whole, f"/passkeys/{passkey['id']}")
        assert (await (await other.patch(path, json={"name": "Mine"}, headers=csrf)).json())["name"] == "Mine"
        assert [one["name"] for one in (await (await other.get(at(whole, "/passkeys"))).json())["items"]] == ["Mine"]
        assert (await (await other.delete(path, headers=csrf)).json())["items"] == []
    async with ClientSession() as third:
        answer = device.sign(await options(whole, third, "/session/passkey/options", {}))
        gone = await third.post(at(whole, "/session/passkey"), json={"credential": answer})
        await problem(gone, 401, "unauthenticated")


async def test_another_sites_page_gets_nowhere(whole: Whole, browser: ClientSession) -> None:
    """Its Origin is refused; an answer signed for it is refused; and no cookie is set."""
    device, csrf, _ = await with_passkey(whole, browser)
    evil = {"Origin": "https://evil.example"}
    for path in ("/session/passkey/options", "/session/passkey", "/passkeys/options", "/passkeys"):
        await problem(await browser.post(at(whole, path), json={}, headers={**csrf, **evil}), 403, "forbidden")
    device.origin = "https://evil.example"
    answer = device.sign(await options(whole, browser, "/session/passkey/options", csrf))
    refused = await browser.post(at(whole, "/session/passkey"), json={"credential": answer})
    await problem(refused, 401, "unauthenticated")
    assert "Set-Cookie" not in refused.headers


async def test_under_an_address_they_do_not_work(whole: Whole, browser: ClientSession) -> None:
    """127.0.0.1 is no name: the refusal says which address to open."""
    refused = await browser.post(whole.url("/session/passkey/options"))
    assert f"http://localhost:{whole.port}" in (await problem(refused, 409, "conflict"))["detail"]


async def test_a_token_adds_no_passkey(whole: Whole, browser: ClientSession) -> None:
    """Not without a fresh proof, and it cannot step up."""
    bearer = {"Authorization": f"Bearer {whole.tokens['viewer']}"}
    await problem(await browser.post(at(whole, "/passkeys/options"), headers=bearer), 403, "step_up_required")
    body = {"credential": {}}
    refused = await browser.post(at(whole, "/session/step-up/passkey"), json=body, headers=bearer)
    await problem(refused, 403, "forbidden")
