"""Idempotency and refusals of the sandbox, over raw HTTP as a foreign client would send it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livesale.payments.paysim.app import BOOK, make_app
from tests.support.sandbox import RunningSandbox, running

INTENT = {"amount": 500, "currency": "EUR", "method_token": "pm_ok", "reference": "o", "return_url": ""}


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """A sandbox on a good day."""
    async with running(tmp_path) as made:
        yield made


async def post(
    sandbox: RunningSandbox, path: str, body: object, key: str | None = "k", **headers: str
) -> tuple[int, dict]:
    if key is not None:
        headers["Idempotency-Key"] = key
    async with sandbox.http.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_replay_repeats_the_first_answer(sandbox: RunningSandbox) -> None:
    """Status and body of the first answer come again, refusals included, and nothing happens twice."""
    first = await post(sandbox, "/v1/intents", INTENT)
    assert await post(sandbox, "/v1/intents", dict(reversed(INTENT.items()))) == first
    path = f"/v1/intents/{first[1]['id']}"
    refused = await post(sandbox, f"{path}/capture", {"amount": 501})
    assert (refused[0], refused[1]["code"]) == (409, "over_capture")
    await post(sandbox, f"{path}/capture", {"amount": 500}, key="other")
    assert await post(sandbox, f"{path}/capture", {"amount": 501}) == refused
    assert [entry["act"] for entry in await sandbox.entries()] == ["authorise", "capture"]


async def test_a_key_with_another_body_is_refused(sandbox: RunningSandbox) -> None:
    """The same key under the same operation with another body is 422; another operation is another scope."""
    _, intent = await post(sandbox, "/v1/intents", INTENT)
    status, problem = await post(sandbox, "/v1/intents", {**INTENT, "amount": 501})
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    status, taken = await post(sandbox, f"/v1/intents/{intent['id']}/capture", {"amount": 500})
    assert (status, taken["state"]) == (200, "captured")


async def test_a_running_key_is_in_progress(sandbox: RunningSandbox) -> None:
    """While the first call runs, a second with its key gets 409 and no second effect."""
    gate, reached = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    book = sandbox.runner.app[BOOK]

    def hold(connection: object) -> None:
        loop.call_soon_threadsafe(reached.set)
        gate.wait(20)

    holding = asyncio.create_task(book.act(hold))
    await reached.wait()
    calls = [asyncio.create_task(post(sandbox, "/v1/intents", INTENT)) for _ in range(5)]
    done, running_still = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 4:
        more, running_still = await asyncio.wait(running_still, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    gate.set()
    await holding
    assert {call.result()[1]["code"] for call in done} == {"in_progress"}
    assert (await running_still.pop())[0] == 200
    assert len(await sandbox.entries()) == 1


async def test_a_malformed_request_burns_no_key(sandbox: RunningSandbox) -> None:
    """A body that was refused before anything was tried can be corrected under the same key."""
    assert (await post(sandbox, "/v1/intents", {**INTENT, "amount": "5"}))[0] == 422
    assert (await post(sandbox, "/v1/intents", INTENT))[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 1.5},
        {"amount": True},
        {"amount": 10**13},
        {"currency": "eur"},
        {"currency": "EURO"},
        {"method_token": "pm_unknown"},
        {"reference": ""},
        {"reference": "x" * 201},
        {"return_url": "javascript:alert(1)"},
        {"return_url": "http://a b"},
        {"return_url": "http://[::1"},
        {"return_url": "http://"},
        {"return_url": "http://a:99999999/"},
        {"return_url": "https://x/\r\nX: y"},
        {"method_token": "pm_3ds"},
        {"capture": "automatic"},
        {"surplus": 1},
    ],
)
async def test_a_wrong_field_is_named(sandbox: RunningSandbox, change: dict) -> None:
    """Every wrong field is a 422 with a reason, and moves nothing."""
    status, problem = await post(sandbox, "/v1/intents", {**INTENT, **change})
    assert (status, problem["code"]) == (422, "invalid")
    assert await sandbox.entries() == []


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 60_000, b'{"amount": 1e400}', b'"\\ud800"', b"null"]
)
async def test_a_body_that_is_no_request_is_refused(sandbox: RunningSandbox, body: bytes) -> None:
    """No body makes the sandbox fail in another way than a refusal."""
    headers = {"Idempotency-Key": "k"}
    async with sandbox.http.post("/v1/intents", data=body, headers=headers) as answer:
        assert answer.status in (400, 422)


async def test_a_lone_surrogate_is_no_server_error(sandbox: RunningSandbox) -> None:
    """Text that no database can hold is refused, not a 500."""
    body = b'{"amount":5,"currency":"EUR","method_token":"pm_ok","reference":"\\ud800"}'
    async with sandbox.http.post("/v1/intents", data=body, headers={"Idempotency-Key": "k"}) as answer:
        assert answer.status in (400, 422)


@pytest.mark.parametrize("key", [None, "", "x" * 256, "ü"])
async def test_money_moves_only_under_a_key(sandbox: RunningSandbox, key: str | None) -> None:
    """Without a proper Idempotency-Key nothing is done."""
    assert (await post(sandbox, "/v1/intents", INTENT, key=key))[0] == 422
    assert await sandbox.entries() == []


@pytest.mark.parametrize(
    ("header", "status"),
    [("", 401), ("Bearer wrong", 401), ("Basic sk_test_of_the_tests", 401), ("Bearer sk_live_1", 403)],
)
async def test_only_the_key_of_the_sandbox_opens_it(
    sandbox: RunningSandbox, header: str, status: int
) -> None:
    """Every route under /v1 needs the secret key, and a live one is told off."""
    for path in ("/v1/balance", "/v1/ledger", "/v1/intents?reference=o", "/v1/intents/pi_1", "/v1/nothing"):
        async with sandbox.http.get(path, headers={"Authorization": header}) as answer:
            assert answer.status == status


async def test_unknown_addresses_and_methods_are_problems(sandbox: RunningSandbox) -> None:
    """404, 405 and 413 come as problems too."""
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/intents", 405),
        ("GET", "/v1/intents", 422),
        ("GET", "/v1/ledger?after=x", 422),
        ("GET", "/3ds/pi_nothing", 404),
        ("GET", "/v1/intents/pi_nothing", 404),
    ):
        async with sandbox.http.request(method, path) as answer:
            assert answer.status == status
            assert answer.content_type == "application/problem+json"
    async with sandbox.http.post(
        "/v1/intents", data=b"x" * 70_000, headers={"Idempotency-Key": "k"}
    ) as answer:
        assert answer.status == 413


def test_the_sandbox_never_starts_with_a_live_key(tmp_path: Path) -> None:
    """A live key, no key and unsigned webhooks are refused before anything is served."""
    for wrong in (
        {"secret": "sk_live_1"},
        {"secret": ""},
        {"secret": "sk_test_1", "webhook_url": "http://x"},
    ):
        with pytest.raises(ValueError):
            make_app(tmp_path / "paysim.db", **wrong)
