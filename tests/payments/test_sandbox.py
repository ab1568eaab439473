"""The payment port over the sandbox: what each method does, and that nothing but a clear answer is
believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from livesale.kernel.money import Money
from livesale.payments.provider import Attempt, PaymentProvider
from livesale.payments.sandbox import SandboxProvider
from tests.support.sandbox import RunningSandbox, running

PRICE = Money(1999, "EUR")
BACK = "http://127.0.0.1:8080/orders"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """A sandbox on a good day."""
    async with running(tmp_path) as made:
        yield made


async def authorised(provider: PaymentProvider, method: str = "pm_ok", key: str = "a") -> Attempt:
    return await provider.authorise(key, PRICE, method, "order-1", BACK)


async def test_an_authorised_payment_is_captured_once(sandbox: RunningSandbox) -> None:
    """Authorise and capture move the money from the customer to the merchant, and say so."""
    attempt = await authorised(sandbox.provider)
    assert (attempt.state, attempt.amount, attempt.reference) == ("authorised", 1999, "order-1")
    assert (await sandbox.balance())["authorised"] == {"EUR": 1999}
    taken = await sandbox.provider.capture("c", attempt.provider_id, PRICE)
    assert (taken.state, taken.captured) == ("captured", 1999)
    again = await sandbox.provider.capture("c2", attempt.provider_id, PRICE)
    assert (again.state, again.captured) == ("captured", 1999)
    assert (await sandbox.balance())["merchant"] == {"EUR": 1999}


async def test_what_a_capture_leaves_goes_back(sandbox: RunningSandbox) -> None:
    """A capture of less lets go of the rest at once."""
    attempt = await authorised(sandbox.provider)
    await sandbox.provider.capture("c", attempt.provider_id, Money(500, "EUR"))
    assert await sandbox.balance() == {
        "authorised": {"EUR": 0},
        "customer": {"EUR": -500},
        "disputed": {},
        "merchant": {"EUR": 500},
    }


async def test_nothing_over_what_is_there_is_moved(sandbox: RunningSandbox) -> None:
    """Over-capture, over-refund and another currency are refused and leave the books alone."""
    provider = sandbox.provider
    intent = (await authorised(provider)).provider_id
    assert (await provider.capture("c1", intent, Money(2000, "EUR"))).decline == "over_capture"
    assert (await provider.capture("c2", intent, Money(1999, "USD"))).decline == "invalid"
    assert (await provider.refund("r0", intent, Money(1, "EUR"))).decline == "over_refund"
    assert (await provider.capture("c3", intent, PRICE)).state == "captured"
    assert (await provider.refund("r1", intent, Money(1500, "EUR"))).state == "refunded"
    assert (await provider.lookup(intent)).state == "captured"
    assert (await provider.refund("r2", intent, Money(500, "EUR"))).decline == "over_refund"
    assert (await provider.refund("r3", intent, Money(499, "EUR"))).refunded == 1999
    assert (await provider.lookup(intent)).state == "refunded"
    assert (await sandbox.balance())["merchant"] == {"EUR": 0}


async def test_a_voided_payment_holds_nothing(sandbox: RunningSandbox) -> None:
    """Void lets go of everything, may be repeated, and ends the payment."""
    provider = sandbox.provider
    intent = (await authorised(provider)).provider_id
    assert (await provider.void("v1", intent)).state == "voided"
    assert (await provider.void("v2", intent)).state == "voided"
    assert (await provider.capture("c", intent, PRICE)).state == "voided"
    assert (await sandbox.balance())["customer"] == {"EUR": 0}


@pytest.mark.parametrize(
    ("method", "state", "account"),
    [("pm_late_3ds", "authorised", "authorised"), ("pm_transfer", "captured", "merchant")],
)
async def test_a_bank_says_yes_after_a_void(sandbox: RunningSandbox, method: str, state: str, account: str) -> None:
    """What the buyer confirmed at the bank comes in although the merchant has voided it, and is told."""
    intent = (await authorised(sandbox.provider, method)).provider_id
    assert (await sandbox.provider.void("v", intent)).state == "voided"
    async with sandbox.http.post(f"/3ds/{intent}", data={"decision": "approve"}, allow_redirects=False) as answer:
        assert answer.status == 303
    assert (await sandbox.provider.lookup(intent)).state == state
    assert (await sandbox.balance())[account] == {"EUR": 1999}
    assert [event.type for event in await sandbox.receiver.wait_for(3)][-1] == f"intent.{state}"


async def test_a_declined_card_moves_nothing(sandbox: RunningSandbox) -> None:
    """`pm_declined` is refused by the bank at authorisation."""
    attempt = await authorised(sandbox.provider, "pm_declined")
    assert (attempt.state, attempt.decline) == ("failed", "card_declined")
    assert await sandbox.entries() == []


async def test_a_late_decline_gives_the_money_back(sandbox: RunningSandbox) -> None:
    """`pm_late_decline` authorises, then fails the capture and lets go."""
    attempt = await authorised(sandbox.provider, "pm_late_decline")
    assert attempt.state == "authorised"
    taken = await sandbox.provider.capture("c", attempt.provider_id, PRICE)
    assert (taken.state, taken.decline) == ("failed", "capture_declined")
    assert (await sandbox.balance())["customer"] == {"EUR": 0}


async def test_a_dispute_pulls_the_money_back(sandbox: RunningSandbox) -> None:
    """`pm_dispute` captures, then the bank takes the sum; the webhook tells, and it cannot also be
    refunded.
    """
    attempt = await authorised(sandbox.provider, "pm_dispute")
    assert (await sandbox.provider.capture("c", attempt.provider_id, PRICE)).state == "captured"
    events = await sandbox.receiver.wait_for(3)
    assert [event.type for event in events] == ["intent.authorised", "intent.captured", "dispute.opened"]
    assert events[-1].data.disputed == 1999
    assert (await sandbox.provider.refund("r", attempt.provider_id, Money(1, "EUR"))).decline == "over_refund"
    assert (await sandbox.balance())["disputed"] == {"EUR": 1999}


@pytest.mark.parametrize(("decision", "state"), [("approve", "authorised"), ("decline", "failed")])
async def test_the_buyer_confirms_on_a_page(sandbox: RunningSandbox, decision: str, state: str) -> None:
    """`pm_3ds` waits for the buyer; loading the page decides nothing, the first answer decides for good."""
    attempt = await authorised(sandbox.provider, "pm_3ds")
    assert attempt.state == "requires_action"
    async with sandbox.http.get(attempt.redirect_url) as page:
        assert page.status == 200
        assert "19.99 EUR" in await page.text()
        assert "http://127.0.0.1:8080" in page.headers["Content-Security-Policy"]
    assert (await sandbox.provider.lookup(attempt.provider_id)).state == "requires_action"
    for answer in (decision, "approve", "decline"):
        form = {"decision": answer}
        async with sandbox.http.post(attempt.redirect_url, data=form, allow_redirects=False) as decided:
            assert (decided.status, decided.headers["Location"]) == (303, BACK)
    assert (await sandbox.provider.lookup(attempt.provider_id)).state == state


async def test_a_page_shows_foreign_text_as_text(sandbox: RunningSandbox) -> None:
    """What the merchant writes into a reference cannot become markup on the buyer's page."""
    attempt = await sandbox.provider.authorise("a", PRICE, "pm_3ds", "<script>alert(1)</script>", BACK)
    async with sandbox.http.get(attempt.redirect_url) as page:
        assert "<script>" not in await page.text()


async def test_a_waiting_payment_can_be_given_up(sandbox: RunningSandbox) -> None:
    """A payment the buyer never confirmed can be voided, and a late Approve then changes nothing."""
    attempt = await authorised(sandbox.provider, "pm_3ds")
    assert (await sandbox.provider.void("v", attempt.provider_id)).state == "voided"
    async with sandbox.http.post(attempt.redirect_url, data={"decision": "approve"}, allow_redirects=False):
        pass
    assert (await sandbox.provider.lookup(attempt.provider_id)).state == "voided"
    assert (await sandbox.balance())["authorised"] == {}


async def test_payments_are_found_by_our_reference(sandbox: RunningSandbox) -> None:
    """After a crash the attempts of an order can be found, oldest first; none is an empty answer."""
    first, second = await authorised(sandbox.provider, key="a"), await authorised(sandbox.provider, key="b")
    found = await sandbox.provider.find("order-1")
    assert [attempt.provider_id for attempt in found] == [first.provider_id, second.provider_id]
    assert await sandbox.provider.find("order-2") == []
    assert (await sandbox.provider.lookup("pi_nothing")).decline == "not_found"


async def test_the_same_key_is_one_payment(sandbox: RunningSandbox) -> None:
    """A repeated call gives the first answer, whatever happened since; a key with another sum is never
    obeyed.
    """
    first = await authorised(sandbox.provider)
    await sandbox.provider.capture("c", first.provider_id, PRICE)
    assert await authorised(sandbox.provider) == first
    other = await sandbox.provider.authorise("a", Money(1, "EUR"), "pm_ok", "order-1", BACK)
    assert (other.state, other.decline) == ("unknown", "idempotency_key_reused")
    assert len(await sandbox.provider.find("order-1")) == 1


async def test_a_stopped_provider_is_unknown(sandbox: RunningSandbox) -> None:
    """Nobody answering is `unknown` for every act and question."""
    intent = (await authorised(sandbox.provider)).provider_id
    await sandbox.runner.cleanup()
    outcomes = await asyncio.gather(
        authorised(sandbox.provider),
        sandbox.provider.capture("c", intent, PRICE),
        sandbox.provider.void("v", intent),
        sandbox.provider.refund("r", intent, PRICE),
        sandbox.provider.lookup(intent),
    )
    assert {outcome.state for outcome in outcomes} == {"unknown"}
    assert [outcome.state for outcome in await sandbox.provider.find("order-1")] == ["unknown"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"code":"internal"}'),
        (502, b"<html>bad gateway</html>"),
        (200, b"<html>a captive portal</html>"),
        (200, b'{"state":"paid"}'),
        (302, b""),
        (401, b'{"code":"unauthenticated"}'),
        (409, b'{"code":"in_progress"}'),
        (429, b'{"code":"rate_limited"}'),
        (404, b"no such page"),
    ],
)
async def test_an_unclear_answer_is_never_a_no(status: int, body: bytes) -> None:
    """Only the provider's own clear words end a payment: a proxy's page, a wrong key or a 5xx are
    `unknown`.
    """

    async def answer(request: web.Request) -> web.Response:
        return web.Response(
            status=status, body=body, headers={"Location": "/elsewhere"} if status == 302 else {}
        )

    app = web.Application()
    app.router.add_route("*", "/v1/{rest:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with SandboxProvider(url, "sk_test_1") as provider:
        assert (await authorised(provider)).state == "unknown"
        assert (await provider.capture("c", "pi_1", PRICE)).state == "unknown"
        assert [found.state for found in await provider.find("order-1")] == ["unknown"]
    await runner.cleanup()


async def test_an_answer_that_comes_in_pieces_is_read_whole() -> None:
    """A page of payments larger than what arrives at once is not cut off."""
    page = msgspec.json.encode({"items": [Attempt("captured", f"pi_{number}") for number in range(500)]})

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (page[:1000], page[1000:2000], page[2000:]):
            await response.write(piece)
            await asyncio.sleep(0.01)  # so that they are read one by one
        return response

    app = web.Application()
    app.router.add_get("/v1/intents", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with SandboxProvider(f"http://127.0.0.1:{runner.addresses[0][1]}", "sk_test_1") as provider:
        assert len(await provider.find("order-1")) == 500
        assert [len(found) async for found in provider.payments(0)] == [500]
    await runner.cleanup()


def test_the_client_refuses_a_live_key() -> None:
    """A live key never leaves our house towards the sandbox."""
    with pytest.raises(ValueError, match="live"):
        SandboxProvider("http://127.0.0.1:1", "sk_live_1")
