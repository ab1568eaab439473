"""Idempotency keys: the same key gives the first answer, whatever happened since, and only to the same caller."""

from __future__ import annotations

import asyncio

import pytest

from livesale.http.idempotency import NOT_KEPT
from livesale.kernel.refusals import Refusal
from livesale.store.valkey import Store
from tests.http.served import OTHER, VIEWER, Client, Connect, Room, application
from tests.http.test_endpoint import WISH, WISHES, problem

KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def client(room: Room, store: Store, aiohttp_client: Connect) -> Client:
    return await aiohttp_client(application(room, store))


async def test_a_repeated_call_gets_the_first_answer(client: Client, room: Room) -> None:
    """Status, body and Location are repeated; the handler ran once."""
    first = await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    again = await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    assert (first.status, await first.read()) == (again.status, await again.read()) == (201, b'{"count":1}')
    assert again.headers["Location"] == "/made/1"
    assert len(room.calls) == 1


async def test_another_process_repeats_the_answer_too(
    client: Client, room: Room, store: Store, aiohttp_client: Connect
) -> None:
    """The answer is in the store, not in the process that gave it."""
    await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    second = await aiohttp_client(application(room, store))
    response = await second.post(WISHES, json=WISH, headers=VIEWER | KEY)
    assert await response.json() == {"count": 1}
    assert len(room.calls) == 1


async def test_a_key_belongs_to_one_caller_and_one_operation(client: Client, room: Room) -> None:
    """Another account, or another route, may use the same key."""
    await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    other = await client.post(WISHES, json=WISH, headers=OTHER | KEY)
    elsewhere = await client.post("/api/v1/shows/4k2c/keyed", json=WISH, headers=VIEWER | KEY)
    assert [await other.json(), await elsewhere.json()] == [{"count": 2}, {"count": 3}]


async def test_another_body_with_the_same_key_is_refused(client: Client, room: Room) -> None:
    """A key stands for one request: another body or path is 422."""
    await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    other = {"lines": [{"offer": "of_2", "quantity": 1}]}
    await problem(await client.post(WISHES, json=other, headers=VIEWER | KEY), 422, "idempotency_key_reused")
    moved = WISHES.replace("4k2c", "9xyz")
    await problem(await client.post(moved, json=WISH, headers=VIEWER | KEY), 422, "idempotency_key_reused")
    assert len(room.calls) == 1


async def test_a_refusal_from_executing_is_repeated(client: Client, room: Room) -> None:
    """What was sold out under a key stays sold out under it."""
    room.refusal = Refusal("sold_out", "Sold out.", [{"line": 0, "left": 1}])
    first = await problem(await client.post(WISHES, json=WISH, headers=VIEWER | KEY), 409, "sold_out")
    room.refusal = None
    assert await problem(await client.post(WISHES, json=WISH, headers=VIEWER | KEY), 409, "sold_out") == first
    assert len(room.calls) == 1


@pytest.mark.parametrize("code", sorted(NOT_KEPT))
async def test_not_now_is_not_kept(client: Client, room: Room, code: str) -> None:
    """A refusal that asks to try again does not stand in the way of trying again."""
    room.refusal = Refusal(code, "Not now.")
    await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    room.refusal = None
    assert (await client.post(WISHES, json=WISH, headers=VIEWER | KEY)).status == 201


async def test_an_accident_is_not_kept(client: Client, room: Room) -> None:
    """After a 500 the same key may try again."""
    room.refusal = RuntimeError("oops")
    await problem(await client.post(WISHES, json=WISH, headers=VIEWER | KEY), 500, "internal")
    room.refusal = None
    assert (await client.post(WISHES, json=WISH, headers=VIEWER | KEY)).status == 201


@pytest.mark.parametrize("path", ["/api/v1/slow", "/api/v1/slow-atomic"])
async def test_while_the_first_runs_a_second_is_in_progress(client: Client, room: Room, path: str) -> None:
    """Two calls with one key at once: the second is told so; afterwards the key is free or answered."""
    first = asyncio.create_task(client.post(path, headers=VIEWER | KEY))
    await room.began.wait()
    await problem(await client.post(path, headers=VIEWER | KEY), 409, "in_progress")
    room.may_end.set()
    assert (await first).status == 200
    assert (await client.post(path, headers=VIEWER | KEY)).status == 200


async def test_an_atomic_routes_answer_is_not_kept_here(client: Client, room: Room) -> None:
    """An atomic route's service repeats by itself: each call reaches it, with its key and fingerprint."""
    for _ in range(2):
        await client.post("/api/v1/shows/4k2c/atomic", json=WISH, headers=VIEWER | KEY)
    assert [call.key for call in room.calls] == ["k-1", "k-1"]
    assert room.calls[0].fingerprint == room.calls[1].fingerprint
    assert len(room.calls[0].fingerprint) == 64


@pytest.mark.parametrize("key", ["x" * 256, "ümlaut", "tab\there", ""])
async def test_a_malformed_key_is_refused(client: Client, key: str) -> None:
    """A key is 1–255 printable ASCII characters."""
    response = await client.post(WISHES, json=WISH, headers={**VIEWER, "Idempotency-Key": key})
    found = await problem(response, 422, "invalid")
    assert found["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["x" * 255, "~ !{}", "{show:x}"])
async def test_every_printable_key_is_taken(client: Client, room: Room, key: str) -> None:
    """Whatever is printable is a key, braces included."""
    for _ in range(2):
        assert (await client.post(WISHES, json=WISH, headers={**VIEWER, "Idempotency-Key": key})).status == 201
    assert len(room.calls) == 1


async def test_a_missing_key_is_refused_where_one_is_needed(client: Client) -> None:
    """A route that needs a key says so."""
    await problem(await client.post("/api/v1/shows/4k2c/keyed", json=WISH, headers=VIEWER), 422, "invalid")


async def test_a_stranger_repeats_too(client: Client, room: Room) -> None:
    """Without an account the address stands for it."""
    for _ in range(2):
        assert (await client.post("/api/v1/open", json=WISH, headers=KEY)).status == 201
    assert len(room.calls) == 1


async def test_a_session_is_never_kept(client: Client, room: Room, store: Store) -> None:
    """Signing in again with the same key signs in again: no session lies in the reply cache."""
    for _ in range(2):
        assert (await client.post("/api/v1/session", headers=KEY)).status == 200
        client.session.cookie_jar.clear()
    assert len(room.calls) == 2
    assert not [key for key in await store.client.keys("*") if b":once:" in key]


async def test_what_is_kept_opens_with_its_key_only(client: Client, store: Store) -> None:
    """Neither the answer, which may name and place people, nor the key it opens with is written down in plain."""
    first = await client.post(WISHES, json=WISH, headers=VIEWER | KEY)
    (name,) = [key for key in await store.client.keys("*") if b":once:" in key]
    kept = name + await store.client.get(name)
    assert await first.read() not in kept and b"/made/1" not in kept
    assert KEY["Idempotency-Key"].encode() not in kept
