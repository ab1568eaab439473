"""WHIP as HTTP (RFC 9725): statuses, headers and problems, with a real offer."""

from __future__ import annotations

import aiohttp
import pytest

from livesale.http.openapi import document
from livesale.media.network import Network
from tests.media.test_offer import OFFERS
from tests.support.described import Described
from tests.support.media import TOKEN, MediaServer, media_server, until

SDP = {"Content-Type": "application/sdp", "Authorization": f"Bearer {TOKEN}"}
ICE = {"Content-Type": "application/trickle-ice-sdpfrag", "Authorization": f"Bearer {TOKEN}"}
FRAGMENT = "a=ice-ufrag:{}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2122 127.0.0.1 9000 typ host\r\n"
PASSWORD = "a=ice-pwd:aNewPasswordOfTheHost00\r\n"


async def code(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    """Status and problem code of a refusal, which must be a proper problem."""
    assert answer.content_type == "application/problem+json"
    problem = await answer.json()
    assert problem["status"] == answer.status
    assert problem["detail"]
    return answer.status, problem["code"]


async def test_a_session_from_its_offer_to_its_end(client: aiohttp.ClientSession) -> None:
    """POST makes a session with Location and ETag, PATCH adds candidates, DELETE ends it for good."""
    posted = await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)
    assert (posted.status, posted.content_type) == (201, "application/sdp")
    assert (await posted.text()).startswith("v=0")
    location, etag = posted.headers["Location"], posted.headers["ETag"]
    assert location.startswith("/whip/s1/")

    patched = await client.patch(location, data=FRAGMENT.format("lS4V"), headers={**ICE, "If-Match": etag})
    assert patched.status == 204

    assert (await client.delete(location, headers=SDP)).status == 200
    assert await code(await client.delete(location, headers=SDP)) == (404, "not_found")
    patched = await client.patch(location, data=FRAGMENT.format("lS4V"), headers={**ICE, "If-Match": etag})
    assert await code(patched) == (404, "not_found")


async def test_answers_are_as_described(client: aiohttp.ClientSession) -> None:
    """Statuses, content types and codes are those of openapi.json."""
    described = Described(document([]))

    async def ask(method: str, path: str, body: str = "", **headers: str) -> aiohttp.ClientResponse:
        kind = ICE if method == "PATCH" else SDP
        answer = await client.request(method, path, data=body, headers={**kind, **headers})
        said = await answer.json() if "json" in answer.content_type else await answer.text()
        content_type = answer.content_type if said else ""
        assert described.faults(method, path.partition("?")[0], answer.status, content_type, said) == []
        return answer

    posted = await ask("POST", "/whip/s1", OFFERS["obs"])
    location, etag = posted.headers["Location"], posted.headers["ETag"]
    statuses = [
        (await ask("POST", "/whip/s1", OFFERS["obs"])).status,
        (await ask("POST", "/whip/s1?takeover=1", OFFERS["obs"].replace("H264", "VP8"))).status,
        (await ask("POST", "/whip/s2", OFFERS["obs"])).status,
        (await ask("POST", "/whip/s1?takeover=1", "hello")).status,
        (await ask("POST", "/whip/s1", "v=0", Authorization="")).status,
        (await ask("PATCH", location, FRAGMENT)).status,
        (await ask("PATCH", location, FRAGMENT, **{"If-Match": '"x"'})).status,
        (await ask("PATCH", location, FRAGMENT.format("newu"), **{"If-Match": etag})).status,
        (await ask("PATCH", location, FRAGMENT.format("newu") + PASSWORD, **{"If-Match": "*"})).status,
        (await ask("PATCH", location, FRAGMENT.format("newu"), **{"If-Match": etag})).status,
        (await ask("OPTIONS", location)).status,
        (await ask("OPTIONS", location, Authorization="")).status,
        (await ask("DELETE", location)).status,
        (await ask("DELETE", location)).status,
    ]
    assert statuses == [409, 406, 409, 400, 401, 428, 412, 400, 200, 412, 204, 401, 200, 404]


async def test_an_ice_restart_is_answered_with_our_side(client: aiohttp.ClientSession) -> None:
    """New ICE words: 200, ours in return, and another tag; the old tag is then refused and candidates go on."""
    posted = await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)
    location, etag = posted.headers["Location"], posted.headers["ETag"]
    fragment = FRAGMENT.format("newu") + PASSWORD
    restart = await client.patch(location, data=fragment, headers={**ICE, "If-Match": "*"})
    assert (restart.status, restart.content_type) == (200, "application/trickle-ice-sdpfrag")
    lines = (await restart.text()).split("\r\n")
    ours = [line for line in (await posted.text()).split("\r\n") if line.startswith(("a=ice-", "a=candidate:"))]
    assert [line for line in lines if line.startswith("a=candidate:")] == [
        line for line in dict.fromkeys(ours) if line.startswith("a=candidate:")
    ]
    assert not {line for line in lines if line.startswith("a=ice-")} & set(ours)
    assert restart.headers["ETag"] != etag
    stale = await client.patch(location, data=FRAGMENT.format("newu"), headers={**ICE, "If-Match": etag})
    assert await code(stale) == (412, "superseded")
    fresh = {**ICE, "If-Match": restart.headers["ETag"]}
    for _ in range(2):
        assert (await client.patch(location, data=FRAGMENT.format("newu"), headers=fresh)).status == 204
    assert (await client.patch(location, data="a=end-of-candidates", headers=fresh)).status == 204
    assert (await client.delete(location, headers=SDP)).status == 200


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, FRAGMENT.format("newu"), (400, "malformed")),
        ({}, "hello", (400, "malformed")),
        ({"Content-Type": "application/sdp"}, FRAGMENT.format("lS4V"), (415, "unsupported")),
        ({"Authorization": ""}, FRAGMENT.format("lS4V"), (401, "unauthenticated")),
        ({}, "a=x\r\n" * 20_000, (413, "too_large")),
    ],
)
async def test_patches_that_are_refused(
    client: aiohttp.ClientSession, headers: dict[str, str], body: str, expected: tuple[int, str]
) -> None:
    """A restart without a password, no fragment at all, the wrong type, no token, too much; the session lives on."""
    location = (await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)).headers["Location"]
    answer = await client.patch(location, data=body, headers={**ICE, "If-Match": "*", **headers})
    assert await code(answer) == expected
    assert (await client.delete(location, headers=SDP)).status == 200


async def test_ice_servers_are_named_to_who_may_publish() -> None:
    """STUN and TURN of the settings come as Link headers, the password to bearers of the token only."""
    servers = ("stun:stun.example.org:3478", "turn:turn.example.org:3478?transport=udp")
    network = Network(ice_servers=servers, turn_username="u", turn_password="p")
    link = (
        '<stun:stun.example.org:3478>; rel="ice-server", <turn:turn.example.org:3478?transport=udp>; rel="ice-server"; '
        'username="u"; credential="p"; credential-type="password"'
    )
    async with media_server(network=network) as server, aiohttp.ClientSession(server.url) as client:
        server.open("s1")
        assert "Link" not in (await client.options("/whip/s1")).headers
        assert (await client.options("/whip/s1", headers=SDP)).headers["Link"] == link
        wrong = await client.options("/whip/s1", headers={"Authorization": "Bearer other"})
        assert await code(wrong) == (403, "forbidden")


async def test_patch_needs_the_right_etag(client: aiohttp.ClientSession) -> None:
    """Without If-Match 428, with another session's tag 412."""
    location = (await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)).headers["Location"]
    assert (await client.patch(location, data=FRAGMENT, headers=ICE)).status == 428
    assert (await client.patch(location, data=FRAGMENT, headers={**ICE, "If-Match": '"x"'})).status == 412


async def test_only_one_publisher_at_a_time(client: aiohttp.ClientSession) -> None:
    """A second offer is 409 unless it takes over; the first session is then told so whatever it asks."""
    first = await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)
    assert await code(await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)) == (409, "conflict")
    second = await client.post("/whip/s1?takeover=1", data=OFFERS["obs"], headers=SDP)
    assert second.status == 201
    assert await code(await client.delete(first.headers["Location"], headers=SDP)) == (409, "superseded")
    restart = FRAGMENT.format("newu") + PASSWORD
    patched = await client.patch(first.headers["Location"], data=restart, headers={**ICE, "If-Match": "*"})
    assert await code(patched) == (409, "superseded")
    assert (await client.delete(second.headers["Location"], headers=SDP)).status == 200


async def test_a_refused_offer_leaves_the_publisher_on_air(client: aiohttp.ClientSession) -> None:
    """A takeover whose offer cannot work changes nothing."""
    first = await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)
    bad = await client.post("/whip/s1?takeover=1", data=OFFERS["obs"].replace("H264", "VP8"), headers=SDP)
    assert await code(bad) == (406, "not_acceptable")
    assert (await client.delete(first.headers["Location"], headers=SDP)).status == 200


@pytest.mark.parametrize(
    ("path", "headers", "body", "expected"),
    [
        ("/whip/s1", {**SDP, "Authorization": ""}, "v=0", (401, "unauthenticated")),
        ("/whip/s1", {**SDP, "Authorization": "Basic eDp5"}, "v=0", (401, "unauthenticated")),
        ("/whip/s1", {**SDP, "Authorization": "Bearer other"}, "v=0", (403, "forbidden")),
        ("/whip/s1", {**SDP, "Content-Type": "text/plain"}, "v=0", (415, "unsupported")),
        ("/whip/s1", SDP, "hello", (400, "malformed")),
        ("/whip/s1", SDP, "v=0\r\n" + "a=x\r\n" * 20_000, (413, "too_large")),
        ("/whip/s2", SDP, OFFERS["obs"], (409, "show_not_live")),
    ],
)
async def test_refusals(
    client: aiohttp.ClientSession, path: str, headers: dict[str, str], body: str, expected: tuple[int, str]
) -> None:
    """Each refusal has its status and code."""
    answer = await client.post(path, data=body, headers=headers)
    assert await code(answer) == expected
    assert ("WWW-Authenticate" in answer.headers) == (expected[0] == 401)


async def test_bytes_that_are_no_text_are_refused(client: aiohttp.ClientSession) -> None:
    """A body that is not UTF-8 is malformed."""
    assert await code(await client.post("/whip/s1", data=b"v=0\xff\xfe", headers=SDP)) == (400, "malformed")


@pytest.mark.parametrize("path", ["/whip/s1", "/whip/s1/abc"])
async def test_options_says_what_is_taken(client: aiohttp.ClientSession, path: str) -> None:
    """OPTIONS needs no token and names the media types; GET and PUT are not for WHIP."""
    answer = await client.options(path)
    assert answer.status == 204
    assert answer.headers["Accept-Post"] == "application/sdp"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert (await client.get(path)).status == 405
    assert (await client.put(path)).status == 405


async def test_closing_a_show_ends_its_session(server: MediaServer, client: aiohttp.ClientSession) -> None:
    """When the show ends its publisher is gone, and no other is let in; one never live is not told of."""
    await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)
    await server.broadcasts.close("s1")
    assert server.states == []
    assert server.broadcasts.stats("s1") is None
    assert (await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)).status == 409


async def test_a_host_whose_connection_never_comes_up_makes_room(
    server: MediaServer, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offer never followed by media is dropped in time, and the next host needs no takeover."""
    monkeypatch.setattr("livesale.media.publisher.CONNECT_WITHIN_S", 0.1)
    assert (await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)).status == 201
    await until(lambda: (stats := server.broadcasts.stats("s1")) is not None and stats.state == "ended")
    assert (await client.post("/whip/s1", data=OFFERS["obs"], headers=SDP)).status == 201
