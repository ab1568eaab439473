"""Stripe through the official SDK, against recorded shapes of its answers on a server of our own."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.payments.provider import NOT_MADE, REPLAYED
from livesale.payments.stripe import StripeProvider, verified

PRICE = Money(1999, "EUR")
SECRET, OLD = "whsec_new", "whsec_old"


def intent(status: str, **more: Any) -> dict[str, Any]:
    """A PaymentIntent as the API answers it."""
    return {
        "id": "pi_1", "object": "payment_intent", "amount": 1999, "amount_received": 0, "currency": "eur",
        "status": status, "latest_charge": None, "next_action": None, "last_payment_error": None,
        "metadata": {"reference": "o_1", "key": "k1"}, **more,
    }  # fmt: skip


def charge(refunded: int = 0, disputed: bool = False) -> dict[str, Any]:
    return {"id": "ch_1", "object": "charge", "amount": 1999, "amount_refunded": refunded, "disputed": disputed}


def problem(kind: str, code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "no", **more}}


@dataclass
class Stripe:
    """What the server answers next for `METHOD path`, and what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    replays: bool = False  # whether its answers are the stored ones of their keys
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        name = f"{request.method} {request.path}"
        self.asked.append((name, form or dict(request.query), request.headers.get("Idempotency-Key", "")))
        status, body = self.answers.get(name, (404, problem("invalid_request_error", "resource_missing")))
        return web.json_response(body, status=status, headers={"Idempotent-Replayed": "true"} if self.replays else None)


@pytest.fixture
async def stripe() -> AsyncIterator[Stripe]:
    made = Stripe()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def provider(stripe: Stripe) -> AsyncIterator[StripeProvider]:
    made = StripeProvider("sk_test_none", stripe.url, timeout_s=2)
    yield made
    await made.close()


async def authorise(provider: StripeProvider) -> Any:
    return await provider.authorise("k1", PRICE, "pm_card_visa", "o_1", "https://live.example/back")


async def test_what_is_authorised_is_held_for_us(stripe: Stripe, provider: StripeProvider) -> None:
    """One call under our key, confirmed and captured by hand, with our reference and minor units."""
    stripe.answers["POST /v1/payment_intents"] = 200, intent("requires_capture", latest_charge=charge())
    attempt = await authorise(provider)
    assert (attempt.state, attempt.provider_id, attempt.reference, attempt.currency) == (
        "authorised",
        "pi_1",
        "o_1",
        "EUR",
    )
    [(_, form, key)] = stripe.asked
    assert key == "k1"
    assert (form["amount"], form["currency"], form["capture_method"]) == ("1999", "eur", "manual")
    assert (form["confirm"].lower(), form["metadata[reference]"]) == ("true", "o_1")


async def test_3d_secure_sends_the_buyer_away(stripe: Stripe, provider: StripeProvider) -> None:
    """`requires_action` carries where the buyer has to go."""
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.example/3ds", "return_url": "x"}}
    stripe.answers["POST /v1/payment_intents"] = 200, intent("requires_action", next_action=action)
    attempt = await authorise(provider)
    assert (attempt.state, attempt.redirect_url) == ("requires_action", "https://hooks.example/3ds")


async def test_a_declined_card_is_a_clear_no(stripe: Stripe, provider: StripeProvider) -> None:
    """402 with a decline code is `failed`, with the code and the intent it belongs to."""
    body = problem(
        "card_error",
        "card_declined",
        decline_code="insufficient_funds",
        payment_intent=intent("requires_payment_method"),
    )
    stripe.answers["POST /v1/payment_intents"] = 402, body
    attempt = await authorise(provider)
    assert (attempt.state, attempt.decline, attempt.provider_id) == ("failed", "insufficient_funds", "pi_1")


@pytest.mark.parametrize("status", [401, 409, 429, 500, 502, 503])
async def test_no_clear_answer_is_unknown(stripe: Stripe, provider: StripeProvider, status: int) -> None:
    """Busy, limited, locked out or broken says nothing about the payment."""
    stripe.answers["POST /v1/payment_intents/pi_1/capture"] = status, problem("api_error", "lock_timeout")
    stripe.answers["GET /v1/payment_intents/pi_1"] = 503, problem("api_error", "")
    assert (await provider.capture("k2", "pi_1", PRICE)).state == "unknown"


async def test_nobody_there_is_unknown(provider: StripeProvider, stripe: Stripe) -> None:
    """A server that cannot be reached says nothing either."""
    alone = StripeProvider("sk_test_none", "http://127.0.0.1:9", timeout_s=1)
    assert (await alone.lookup("pi_1")).state == "unknown"
    assert [one.state for one in await alone.find("o_1")] == ["unknown"]
    await alone.close()


async def test_a_replayed_500_is_told_from_other_silence(stripe: Stripe, provider: StripeProvider) -> None:
    """Stripe repeats a 500 under its key for good, and says so: the payment can be found by our reference."""
    stripe.answers["POST /v1/payment_intents"] = 500, problem("api_error", "")
    found = {"object": "search_result", "url": "/v1/payment_intents/search", "has_more": False}
    stripe.answers["GET /v1/payment_intents/search"] = 200, found | {"data": [intent("requires_capture")]}
    for stripe.replays, decline in ((False, "http_500"), (True, REPLAYED)):
        made = await authorise(provider)
        assert (made.state, made.decline) == ("unknown", decline)
    assert [(one.state, one.provider_id) for one in await provider.find("o_1")] == [("authorised", "pi_1")]


async def test_an_act_that_is_done_already_tells_where_it_stands(stripe: Stripe, provider: StripeProvider) -> None:
    """`payment_intent_unexpected_state` is resolved by asking, for a capture and for a void."""
    for act in ("capture", "cancel"):
        stripe.answers[f"POST /v1/payment_intents/pi_1/{act}"] = (
            400,
            problem("invalid_request_error", "payment_intent_unexpected_state"),
        )
    stripe.answers["GET /v1/payment_intents/pi_1"] = 200, intent("canceled")
    assert (await provider.void("k3", "pi_1")).state == "voided"
    assert (await provider.capture("k2", "pi_1", PRICE)).state == "voided"


async def test_refunds(stripe: Stripe, provider: StripeProvider) -> None:
    """Done, pending and refused are told apart; a whole refund shows in where the payment stands."""
    refund = {
        "id": "re_1",
        "object": "refund",
        "amount": 1999,
        "currency": "eur",
        "payment_intent": "pi_1",
        "metadata": {"key": "k4"},
    }
    for status, state in (("succeeded", "refunded"), ("pending", "unknown"), ("failed", "failed")):
        stripe.answers["POST /v1/refunds"] = 200, refund | {"status": status}
        assert (await provider.refund("k4", "pi_1", PRICE)).state == state
    stripe.answers["POST /v1/refunds"] = 400, problem("invalid_request_error", "charge_already_refunded")
    assert (await provider.refund("k5", "pi_1", PRICE)).decline == "charge_already_refunded"
    stripe.answers["POST /v1/refunds"] = 500, problem("api_error", "")
    assert (await provider.refund("k4", "pi_1", PRICE)).decline == "http_500"
    stripe.replays = True
    stripe.answers["GET /v1/refunds"] = (
        200,
        {"object": "list", "url": "/v1/refunds", "has_more": False, "data": [refund | {"status": "succeeded"}]},
    )
    assert (await provider.refund("k4", "pi_1", PRICE)).state == "refunded"
    assert (await provider.refund("k6", "pi_1", PRICE)).decline == NOT_MADE
    stripe.answers["GET /v1/payment_intents/pi_1"] = (
        200,
        intent("succeeded", amount_received=1999, latest_charge=charge(1999, True)),
    )
    attempt = await provider.lookup("pi_1")
    assert (attempt.state, attempt.refunded, attempt.disputed) == ("refunded", 1999, 1999)


async def test_what_is_not_there_failed(provider: StripeProvider) -> None:
    """404 is a clear answer: no such payment."""
    attempt = await provider.lookup("pi_none")
    assert (attempt.state, attempt.decline) == ("failed", "not_found")


def signed(body: bytes, secret: str = SECRET, at_s: int | None = None) -> str:
    at_s = int(time.time()) if at_s is None else at_s
    return f"t={at_s},v1={hmac.new(secret.encode(), b'%d.' % at_s + body, hashlib.sha256).hexdigest()}"


def event(**about: Any) -> bytes:
    return json.dumps({"id": "evt_1", "object": "event", "type": "x", "data": {"object": about}}).encode()


async def test_a_webhook_names_our_order(stripe: Stripe, provider: StripeProvider) -> None:
    """By its metadata, or for a dispute by asking for its payment; about others it says nothing."""
    body = event(object="payment_intent", id="pi_1", metadata={"reference": "o_1"})
    assert await provider.reference_of(verified([OLD, SECRET], signed(body), body)) == "o_1"
    stripe.answers["GET /v1/payment_intents/pi_1"] = 200, intent("succeeded", amount_received=1999)
    body = event(object="dispute", id="dp_1", payment_intent="pi_1")
    assert await provider.reference_of(verified([SECRET], signed(body), body)) == "o_1"
    body = event(object="customer", id="cus_1")
    assert await provider.reference_of(verified([SECRET], signed(body), body)) is None


@pytest.mark.parametrize("header", [None, "", "t=1,v1=00", "v1=00", "t=x"])
def test_an_unsigned_webhook_is_refused(header: str | None) -> None:
    """No, another, or no readable signature: unauthenticated."""
    with pytest.raises(Refusal) as refusal:
        verified([SECRET], header, event())
    assert refusal.value.code == "unauthenticated"


def test_an_old_or_changed_webhook_is_refused() -> None:
    """Signed more than 300 s ago, or with one byte changed."""
    body = event()
    for header, sent in ((signed(body, at_s=int(time.time()) - 301), body), (signed(body), body + b" ")):
        with pytest.raises(Refusal):
            verified([SECRET], header, sent)
