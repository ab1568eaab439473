"""Registering, signing in and products, over the web process as it is shipped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, CookieJar

from livesale.http.openapi import document
from livesale.http.pages import Pages
from tests.http.conftest import Whole
from tests.http.test_endpoint import problem
from tests.http.test_fuzz import FEED
from tests.http.test_openapi import found, references
from tests.support.described import Described

ADA = {"email": "Ada@Example.org", "name": "Ada", "password": "correct horse", "country": "de", "born": "1990-05-01"}
FOR_PEOPLE = {
    *(route.path.replace("{file:.+}", "{file}") for route in Pages(None, None).routes()),
    "/api/docs",
    "/api/docs.css",
}
SIGN_IN = {"email": "ada@example.org", "password": "correct horse"}


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def test_someone_registers_signs_in_and_out(whole: Whole, browser: ClientSession) -> None:
    """The way through the login page; `me` tells a band, never a birth date."""
    made = await browser.post(whole.url("/accounts"), json=ADA)
    assert made.status == 201
    assert "1990" not in await made.text()
    await problem(await browser.get(whole.url("/me")), 401, "unauthenticated")
    entered = await browser.post(whole.url("/session"), json=SIGN_IN)
    assert entered.status == 200
    me = await (await browser.get(whole.url("/me"))).json()
    assert (me["email"], me["country"], me["roles"], me["age_band"]) == ("ada@example.org", "DE", ["viewer"], "adult")
    await problem(await browser.delete(whole.url("/session")), 403, "forbidden")
    stolen = entered.cookies["livesale_session"].value
    token = {"X-CSRF-Token": entered.cookies["livesale_csrf"].value}
    assert (await browser.delete(whole.url("/session"), headers=token)).status == 200
    await problem(await browser.get(whole.url("/me")), 401, "unauthenticated")
    kept = {"Cookie": f"livesale_session={stolen}"}
    await problem(await browser.get(whole.url("/me"), headers=kept), 401, "unauthenticated")


async def test_what_cannot_be_registered(whole: Whole, browser: ClientSession) -> None:
    """A taken address, a short password, an impossible birthday, a role of one's own: each refused by name."""
    await browser.post(whole.url("/accounts"), json=ADA)
    await problem(await browser.post(whole.url("/accounts"), json=ADA), 409, "conflict")
    wrong = {"password": "short", "born": "2010-02-30", "country": "D", "email": "ada", "name": ""}
    for field, value in wrong.items():
        refused = await problem(await browser.post(whole.url("/accounts"), json={**ADA, field: value}), 422, "invalid")
        assert refused["errors"][0]["field"] == field
    await problem(await browser.post(whole.url("/accounts"), json={**ADA, "roles": ["operator"]}), 422, "invalid")


async def test_a_wrong_password_and_a_wrong_address_look_alike(whole: Whole, browser: ClientSession) -> None:
    """Nobody learns from signing in which addresses have accounts."""
    await browser.post(whole.url("/accounts"), json=ADA)
    wrong = await problem(
        await browser.post(whole.url("/session"), json={**SIGN_IN, "password": "wrong horse"}), 401, "unauthenticated"
    )
    nobody = await problem(
        await browser.post(whole.url("/session"), json={**SIGN_IN, "email": "b@example.org"}), 401, "unauthenticated"
    )
    assert wrong == nobody


async def test_the_session_cookie_is_out_of_reach_of_pages(whole: Whole, browser: ClientSession) -> None:
    """HttpOnly and Lax; not Secure over plain HTTP, or a demo on loopback could not sign in."""
    await browser.post(whole.url("/accounts"), json=ADA)
    entered = await browser.post(whole.url("/session"), json=SIGN_IN)
    session = entered.cookies["livesale_session"]
    assert (session["httponly"], session["samesite"], session["secure"]) == (True, "Lax", "")


async def test_a_feed_founds_a_shop_for_its_host(whole: Whole, browser: ClientSession) -> None:
    """A host's first feed makes the shop; nobody else may then change it, everybody may look."""
    host = {"Authorization": f"Bearer {whole.tokens['host']}"}
    report = await browser.post(whole.url("/shops/mugs/feed"), data=FEED, headers=host)
    assert await report.json() == {"imported": 1, "updated": 0, "removed": 0, "rejected": []}
    viewer = {"Authorization": f"Bearer {whole.tokens['viewer']}"}
    await problem(await browser.post(whole.url("/shops/mugs/feed"), data=FEED, headers=viewer), 403, "forbidden")
    accounts = whole.wiring.accounts
    await accounts.create_account(email="h2@example.org", name="h", country="DE", born=None, roles=["host"])
    rival = {"Authorization": f"Bearer {await accounts.issue_token('h2@example.org', 1)}"}
    await problem(await browser.post(whole.url("/shops/mugs/feed"), data=FEED, headers=rival), 403, "forbidden")
    await problem(await browser.post(whole.url("/shops/new/feed"), data=b"<rss", headers=rival), 400, "malformed")
    page = await (await browser.get(whole.url("/products?shop=mugs&limit=1"))).json()
    (mug,) = page["items"]
    assert (mug["title"], mug["price"], mug["listed"]) == ("Mug", {"amount": 999, "currency": "EUR"}, True)
    rest = await (await browser.get(whole.url(f"/products?shop=mugs&limit=1&after={page['next']}"))).json()
    assert rest == {"items": [], "next": None}
    assert await (await browser.get(whole.url(f"/products/{mug['id']}"))).json() == mug
    await problem(await browser.get(whole.url("/products/p_wmugs_0000000000000000")), 404, "not_found")
    await problem(await browser.get(whole.url("/products?after=nothing")), 422, "invalid")


async def test_the_metrics_tell_of_mails(whole: Whole, browser: ClientSession) -> None:
    """From the first moment, so that an alarm on refused mails has something to look at."""
    text = await (await browser.get(f"http://{whole.host}:{whole.port}/metrics")).text()
    for figure in ('mails_total{result="sent"} 0.0', 'mails_total{result="refused"} 0.0', "mails_waiting 0.0"):
        assert f"livesale_{figure}" in text


async def test_everything_served_is_described(whole: Whole, browser: ClientSession) -> None:
    """The shipped OpenAPI file names all that is served and is no page or file, with an answer type for every call."""
    served = await (await browser.get(whole.url("/openapi.json"))).json()
    described = {(method.upper(), path) for path, one in served["paths"].items() for method in one}
    assert described - {("POST", "/webhooks/stripe")} == {  # the other provider's is served in its place
        (route.method, route.resource.canonical)
        for route in whole.runner.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical not in FOR_PEOPLE
    }
    assert all(found(served, reference) for reference in references(served))
    assert [route.path for route in whole.routes if route.answer is None] == []
    assert served == document(whole.routes)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200), ("POST", "/webhooks/paysim", 401),
        ("POST", "/whip/aaaaaaaaaa", 404), ("POST", "/whip/No.Name", 404), ("DELETE", "/whip/aaaaaaaaaa/s", 404),
        ("GET", "/whip/aaaaaaaaaa", 405), ("GET", "/api/v1/openapi.json", 200),
    ],
)  # fmt: skip
async def test_what_is_beside_the_rooms_answers_as_described(
    whole: Whole, browser: ClientSession, method: str, path: str, status: int
) -> None:
    """Probes, the webhook and the WHIP address keep to the file too; an address has its methods and no others."""
    url = f"http://{whole.host}:{whole.port}{path}"
    async with browser.request(method, url) as answer:
        assert answer.status == status, await answer.text()
        body = await answer.json() if "json" in answer.content_type else await answer.text()
        assert Described(document(whole.routes)).faults(method, path, status, answer.content_type, body) == []
