"""The table of permissions is what is served: every route, every role, and tokens that may do less than their account."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, CookieJar

from livesale.accounts.permissions import NEVER_IN_SCOPE, TABLE, action_of, may
from livesale.kernel.actor import ROLES, Actor
from livesale.kernel.routing import Route
from tests.http.conftest import Whole
from tests.http.test_endpoint import problem

PASSWORD = "correct horse"


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def test_every_route_is_in_the_table(whole: Whole) -> None:
    """A route that is not anyone's has one row, with the very roles it asks for; no row speaks of what is not there."""
    served = {f"{route.method} {route.path}": route.who for route in whole.routes}
    told = {route: row.roles for row in TABLE.values() for route in row.routes}
    assert sum(len(row.routes) for row in TABLE.values()) == len(told)
    assert told == {route: who for route, who in served.items() if who}


async def refused(whole: Whole, browser: ClientSession, route: Route, token: str) -> bool:
    """Whether the route turns this token away, before it looks at what is sent."""
    path = re.sub(r"{\w+}", "nothing", route.path)
    async with browser.request(
        route.method, whole.url(path), headers={"Authorization": f"Bearer {token}"}, data=b"not json"
    ) as answer:
        said = await answer.json()
        return answer.status == 403 and said["detail"].startswith(("Your account may not", "This token is not made"))


async def test_every_role_at_every_route(whole: Whole, browser: ClientSession) -> None:
    """For each pair the server says what the table says."""
    accounts = whole.wiring.accounts
    for role in ROLES:
        email = f"only-{role}@example.org"
        await accounts.create_account(email=email, name=role, country="DE", born=None, roles=[role])
        for route in whole.routes:
            if not route.who:
                continue
            token = await accounts.issue_token(email, 1)  # a fresh one each: some routes end what calls them
            allowed = may(Actor("", frozenset({role})), action_of(route.method, route.path))
            assert await refused(whole, browser, route, token) is not allowed, (role, route.method, route.path)


async def entered(whole: Whole, browser: ClientSession, roles: list[str]) -> dict[str, str]:
    """Someone signs in with a browser; the header its writes need."""
    await whole.wiring.accounts.create_account(
        email="ada@example.org", name="Ada", country="DE", born=None, roles=roles, password=PASSWORD
    )
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    body = {"email": "ada@example.org", "password": PASSWORD}
    answer = await browser.post(whole.url("/session"), json=body, headers=agent)
    assert answer.status == 200
    return {"X-CSRF-Token": answer.cookies["livesale_csrf"].value}


async def test_every_scope_at_every_route(whole: Whole, browser: ClientSession) -> None:
    """A token with one scope passes at that scope's routes and at no other, whatever its account may do."""
    csrf = await entered(whole, browser, list(ROLES))
    scopes = sorted(set(TABLE) - NEVER_IN_SCOPE)
    tokens = {}
    for scope in scopes:
        body = {"name": scope, "scopes": [scope], "days": 1}
        made = await browser.post(whole.url("/tokens"), json=body, headers=csrf)
        assert made.status == 201, await made.text()
        tokens[scope] = (await made.json())["token"]
    async with ClientSession() as program:
        for route in [one for one in whole.routes if one.who]:
            for scope, token in tokens.items():
                passes = scope == action_of(route.method, route.path)
                assert await refused(whole, program, route, token) is not passes, (scope, route.method, route.path)


async def test_where_anyone_may_come_a_scoped_token_is_nobody(whole: Whole, browser: ClientSession) -> None:
    """A reading token of the show's host gets no key to its camera, which the host's own answer carries."""
    csrf = await entered(whole, browser, ["host"])
    await whole.wiring.accounts.issue_token("ada@example.org", 1)
    feed = b"""<rss version="2.0"><channel><item><id>m</id><title>M</title><price>9 EUR</price>
    <link>https://s.example/m</link><description>A mug</description></item></channel></rss>"""
    assert (await browser.post(whole.url("/shops/mugs/feed"), data=feed, headers=csrf)).status == 200
    show = {"title": "Mugs", "shop": "mugs", "currency": "EUR"}
    made = await (await browser.post(whole.url("/shows"), json=show, headers=csrf)).json()
    token = await (await browser.post(whole.url("/tokens"), json={"name": "r"}, headers=csrf)).json()
    assert (await (await browser.get(whole.url(f"/shows/{made['id']}"))).json())["whip"]
    async with ClientSession(headers={"Authorization": f"Bearer {token['token']}"}) as program:
        told = await (await program.get(whole.url(f"/shows/{made['id']}"))).json()
    assert not told.get("whip")


async def test_sessions_are_listed_and_ended(whole: Whole, browser: ClientSession) -> None:
    """This one is marked, with its device; ended from another browser it is out at once; a stranger's id is unknown."""
    csrf = await entered(whole, browser, ["viewer"])
    listed = await (await browser.get(whole.url("/sessions"))).json()
    (mine,) = listed["items"]
    assert (mine["device"], mine["kind"], mine["current"]) == ("Firefox Linux", "session", True)
    await problem(await browser.delete(whole.url(f"/sessions/{mine['id']}")), 403, "forbidden")  # no CSRF token
    await problem(await browser.delete(whole.url("/sessions/unknown"), headers=csrf), 404, "not_found")
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as other:
        body = {"email": "ada@example.org", "password": PASSWORD}
        entering = await other.post(whole.url("/session"), json=body)
        there = {"X-CSRF-Token": entering.cookies["livesale_csrf"].value}
        left = await (await other.delete(whole.url(f"/sessions/{mine['id']}"), headers=there)).json()
        assert [one["current"] for one in left["items"]] == [True]
        await problem(await browser.get(whole.url("/sessions")), 401, "unauthenticated")
        gone = await other.delete(whole.url("/sessions"), headers=there)
        assert (await gone.json())["signed_in"] is False
        assert gone.cookies["livesale_session"].value == ""
        await problem(await other.get(whole.url("/me")), 401, "unauthenticated")


async def test_a_token_is_told_once_and_repeated_alike(whole: Whole, browser: ClientSession) -> None:
    """The list has no secret; the same Idempotency-Key gives the same token, another body under it is refused."""
    csrf = await entered(whole, browser, ["viewer"])
    keyed = {**csrf, "Idempotency-Key": "k1"}
    body = {"name": "Till", "scopes": ["order.read"], "days": 7}
    first, again = [await (await browser.post(whole.url("/tokens"), json=body, headers=keyed)).json() for _ in "12"]
    assert first == again and first["token"].startswith("ls1.")
    other = await browser.post(whole.url("/tokens"), json={**body, "days": 8}, headers=keyed)
    await problem(other, 422, "idempotency_key_reused")
    (listed,) = (await (await browser.get(whole.url("/tokens"))).json())["items"]
    assert listed == {name: value for name, value in first.items() if name != "token"}
    kept = [await whole.wiring.store.client.dump(key) for key in await whole.wiring.store.client.keys("*")]
    assert not [value for value in kept if value and first["token"].rpartition(".")[2].encode() in value]


async def test_a_token_does_not_open_the_door(whole: Whole, browser: ClientSession) -> None:
    """Without a fresh proof no token makes another, and no token signs its owner out everywhere."""
    bearer = {"Authorization": f"Bearer {whole.tokens['viewer']}"}
    await problem(await browser.post(whole.url("/tokens"), json={"name": "x"}, headers=bearer), 403, "step_up_required")
    await problem(await browser.delete(whole.url("/sessions"), headers=bearer), 403, "forbidden")


async def test_a_step_up_refreshes_this_sign_in(whole: Whole, browser: ClientSession) -> None:
    """The password again makes the same sign-in fresh; a wrong one and a token do not."""
    csrf = await entered(whole, browser, ["viewer"])
    (mine,) = (await (await browser.get(whole.url("/sessions"))).json())["items"]
    wrong = await browser.post(whole.url("/session/step-up"), json={"password": "wrong horse"}, headers=csrf)
    await problem(wrong, 401, "unauthenticated")
    again = await browser.post(whole.url("/session/step-up"), json={"password": PASSWORD}, headers=csrf)
    assert again.status == 200 and again.cookies["livesale_session"].value
    assert [one["id"] for one in (await (await browser.get(whole.url("/sessions"))).json())["items"]] == [mine["id"]]
    bearer = {"Authorization": f"Bearer {whole.tokens['viewer']}"}
    async with ClientSession() as program:
        answer = await program.post(whole.url("/session/step-up"), json={"password": PASSWORD}, headers=bearer)
        await problem(answer, 403, "forbidden")
