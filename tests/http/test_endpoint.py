"""One route from request to answer: who may, what is decoded, what is refused and how it is told."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from livesale.http.bodies import BodyDecoder
from livesale.http.sessions import csrf_of
from livesale.kernel.refusals import Refusal
from tests.http.served import HOSTING, VIEWER, Client, Connect, Made, Room, application

WISH = {"lines": [{"offer": "of_1", "quantity": 2}]}
WISHES = "/api/v1/shows/4k2c/wishes"


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def client(room: Room, aiohttp_client: Connect) -> Client:
    return await aiohttp_client(application(room))


async def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem a response holds, checked for its form."""
    assert response.status == status, await response.text()
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = await response.json(content_type=None)
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"]
    assert body["title"]
    assert body["detail"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return body


async def test_a_call_reaches_its_handler_decoded(client: Client, room: Room) -> None:
    """The handler gets the caller, the path, the typed body and the client's address."""
    response = await client.post(WISHES, json=WISH, headers=VIEWER)
    assert (response.status, await response.json()) == (201, {"count": 1})
    assert response.headers["Location"] == "/made/1"
    (call,) = room.calls
    assert call.account().account == "v000000001"
    assert (call.path, call.body.lines[0].quantity, call.peer) == ({"show": "4k2c"}, 2, "127.0.0.1")
    assert call.headers["content-type"] == "application/json"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic dmlld2Vy"}])
async def test_without_an_account_one_is_asked_to_sign_in(client: Client, headers: dict[str, str]) -> None:
    """A route for accounts answers 401 to strangers, and says how to sign in."""
    response = await client.post(WISHES, json=WISH, headers=headers)
    await problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_another_role_is_refused(client: Client) -> None:
    """A viewer may not do what hosts do."""
    await problem(await client.put("/api/v1/hosting", headers=VIEWER), 403, "forbidden")
    assert (await client.put("/api/v1/hosting", headers=HOSTING)).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"lines": [{"offer": "a", "quantity": 0}]}', "lines[0].quantity"),
        ('{"lines": [{"offer": "a"}]}', "lines[0].quantity"),
        ('{"lines": [{"offer": "a", "quantity": 1, "colour": 1}]}', "lines[0].colour"),
        ("{}", "lines"),
        ("[]", "body"),
        ('{"lines": [{"offer": "a", "quantity": 1e400}]}', "lines[0].quantity"),
    ],
)
async def test_a_wrong_field_is_named(client: Client, body: str, field: str) -> None:
    """JSON that is not of the route's type: 422 with the field that is wrong."""
    found = await problem(await client.post(WISHES, data=body, headers=VIEWER), 422, "invalid")
    assert [error["field"] for error in found["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b'{"lines": [], "note": "\xff\xfe"}', b'{"lines":[],"note":"\\u0000"}',
     b'{"lines":[],"note":"\\ud800"}', b"\x00", b'{"lines":[]} x'],
)  # fmt: skip
async def test_what_is_no_json_is_malformed(client: Client, body: bytes) -> None:
    """Broken JSON, broken UTF-8: 400, never an accident."""
    await problem(await client.post(WISHES, data=body, headers=VIEWER), 400, "malformed")


async def test_a_body_that_may_be_left_out() -> None:
    """A type with None takes an empty body for none; any other finds it malformed."""
    assert BodyDecoder(Made | None)(b"") is None
    assert BodyDecoder(Made | None)(b'{"count": 2}') == Made(2)
    with pytest.raises(Refusal) as refused:
        BodyDecoder(Made)(b"")
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 60_000, b"[" * 60_000 + b"]" * 60_000])
def test_endless_nesting_is_malformed(body: bytes) -> None:
    """However deep a body is nested, decoding it is refused, not a crash."""
    with pytest.raises(Refusal) as refused:
        BodyDecoder(Any)(body)
    assert refused.value.code == "malformed"


async def test_a_body_too_large_is_refused(client: Client) -> None:
    """More bytes than the route takes: 413, said beforehand, in chunks or compressed."""

    async def chunks() -> Any:
        for _ in range(50):
            yield b" " * 4096

    await problem(await client.post(WISHES, data=b" " * 70_000, headers=VIEWER), 413, "too_large")
    await problem(await client.post(WISHES, data=chunks(), headers=VIEWER), 413, "too_large")
    bomb = gzip.compress(b" " * 5_000_000)
    zipped = {**VIEWER, "Content-Encoding": "gzip"}
    await problem(await client.post(WISHES, data=bomb, headers=zipped), 413, "too_large")


async def test_a_raw_body_arrives_as_it_is(client: Client) -> None:
    """A route for files gets the bytes, up to its own limit."""
    feed = "/api/v1/shops/demo/feed"
    response = await client.post(feed, data=b"\xff" * 90_000, headers=HOSTING)
    assert await response.json() == {"bytes": 90_000}
    await problem(await client.post(feed, data=b"\xff" * 100_001, headers=HOSTING), 413, "too_large")


async def test_nothing_there_and_wrong_methods_are_problems(client: Client) -> None:
    """404 and 405 have the same form as every error, and 405 says what would do."""
    await problem(await client.get("/api/v1/nothing"), 404, "not_found")
    await problem(await client.get("/no/such/page"), 404, "not_found")
    response = await client.get(WISHES, headers=VIEWER)
    await problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST"
    await problem(await client.options(WISHES), 405, "method_not_allowed")
    await problem(await client.get("/api/v1/missing"), 404, "not_found")


async def test_errors_of_a_refusal_are_handed_on(client: Client) -> None:
    """Every short line stands in `errors`."""
    found = await problem(await client.post("/api/v1/full"), 409, "sold_out")
    assert found["errors"] == [{"line": 0, "left": 0}]


async def test_an_accident_tells_nothing_but_a_reference(client: Client) -> None:
    """An unknown exception answers 500 with a reference and no word of what happened."""
    response = await client.get("/api/v1/broken")
    found = await problem(response, 500, "internal")
    assert "secret" not in str(found)
    assert "ZeroDivision" not in str(found)
    assert response.headers["X-Request-Id"] in found["detail"]


async def test_query_parameters_are_the_declared_ones(client: Client) -> None:
    """Declared names are decoded, others ignored; `limit` is a number from 1 to 200."""
    response = await client.get("/api/v1/echo/a%20b?limit=5&after=%C3%A4+b&x=1")
    found = await response.json()
    assert found["path"] == {"name": "a b"}
    assert found["query"] == {"limit": "5", "after": "ä b"}


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "1e3", "%D9%A3", "99999999999999999999", ""])
async def test_a_wrong_limit_is_named(client: Client, limit: str) -> None:
    """A list's limit outside 1–200: 422 naming it."""
    found = await problem(await client.get(f"/api/v1/echo/a?limit={limit}"), 422, "invalid")
    assert found["errors"][0]["field"] == "limit"


async def test_a_signed_in_browser_needs_the_csrf_header(client: Client) -> None:
    """With the session cookie, a write without the token its answer gave is refused; a read is not."""
    signed_in = await client.post("/api/v1/session")
    cookies = {name: signed_in.cookies[name] for name in ("livesale_session", "livesale_csrf")}
    assert cookies["livesale_session"]["httponly"]
    assert not cookies["livesale_csrf"]["httponly"]
    assert cookies["livesale_csrf"]["max-age"] == "60"
    token = cookies["livesale_csrf"].value
    assert token == csrf_of("viewer")
    assert (await client.get("/api/v1/mine")).status == 200
    await problem(await client.post(WISHES, json=WISH), 403, "forbidden")
    await problem(await client.post(WISHES, json=WISH, headers={"X-CSRF-Token": "ü"}), 403, "forbidden")
    await problem(await client.post(WISHES, json=WISH, headers={"X-CSRF-Token": csrf_of("other")}), 403, "forbidden")
    assert (await client.post(WISHES, json=WISH, headers={"X-CSRF-Token": token})).status == 201
    assert (await client.post(WISHES, json=WISH, headers=VIEWER)).status == 201


async def test_signing_out_ends_both_cookies(client: Client) -> None:
    """The CSRF cookie goes with the session."""
    response = await client.delete("/api/v1/session")
    assert response.status == 204
    assert await response.read() == b""
    for name in ("livesale_session", "livesale_csrf"):
        assert response.cookies[name].value == ""
        assert response.cookies[name]["max-age"] == "0"


async def test_another_sites_page_may_not_write(client: Client) -> None:
    """A write a browser sends for a foreign page is refused before anything is looked at."""
    session = "/api/v1/session"
    await problem(await client.post(session, headers={"Origin": "https://evil.example"}), 403, "forbidden")
    await problem(await client.post(session, headers={"Origin": "null"}), 403, "forbidden")
    own = f"http://{client.host}:{client.port}"
    assert (await client.post(session, headers={"Origin": own})).status == 200


async def test_a_stale_cookie_does_not_lock_out(client: Client) -> None:
    """A browser with an ended session can still read what is public, and sign in."""
    stale = {"Cookie": "a=b; livesale_session=ended; c=d"}
    assert (await client.get("/api/v1/echo/a", headers=stale)).status == 200
    assert (await client.post("/api/v1/session", headers=stale)).status == 200
