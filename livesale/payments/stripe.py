"""Stripe as a `PaymentProvider`: PaymentIntents with manual capture, by the official SDK.

Tested against recorded shapes of API answers (tests/payments/test_stripe.py), not verified against the live service.
Law: the SDK repeats nothing by itself, and what is no clear answer is `unknown`. Stripe replays even a 500 under its
key for good: of such a key's refund it is asked; payments are asked about by whoever called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import stripe
from stripe import AIOHTTPClient, StripeClient

from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.payments.provider import NOT_MADE, REPLAYED, REPLAYED_HEADER, Attempt, State
from livesale.payments.webhooks import MAX_BODY_BYTES, TOLERANCE_S

TIMEOUT_S = 20.0
SIGNATURE_HEADER = "Stripe-Signature"

# docs.stripe.com/payments/paymentintents/lifecycle
STATES: dict[str, State] = {
    "requires_capture": "authorised",
    "requires_action": "requires_action",
    "requires_payment_method": "failed",
    "requires_confirmation": "failed",
    "processing": "unknown",
    "succeeded": "captured",
    "canceled": "voided",
}
EXPAND = ["latest_charge"]  # what was refunded and disputed stands on the charge


class StripeProvider:
    """A `PaymentProvider`; `base_url` replaces Stripe's own address, for tests. Call `close()` at the end."""

    def __init__(self, secret_key: str, base_url: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        self._http = AIOHTTPClient(timeout=timeout_s)
        self._api = StripeClient(
            secret_key,
            http_client=self._http,
            max_network_retries=0,
            base_addresses={"api": base_url.rstrip("/")} if base_url else None,
        ).v1

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def authorise(self, key: str, amount: Money, method: str, reference: str, return_url: str) -> Attempt:
        """See `PaymentProvider.authorise`."""
        params: Any = {
            "amount": amount.amount,
            "currency": amount.currency.lower(),
            "capture_method": "manual",
            "confirm": True,
            "payment_method": method,
            "payment_method_types": ["card"],
            "metadata": {"reference": reference, "key": key},
            "expand": EXPAND,
        }
        if return_url:
            params["return_url"] = return_url
        return await _told(self._api.payment_intents.create_async(params, {"idempotency_key": key}))

    async def capture(self, key: str, provider_id: str, amount: Money) -> Attempt:
        """See `PaymentProvider.capture`."""
        params: Any = {"amount_to_capture": amount.amount, "expand": EXPAND}
        asked = self._api.payment_intents.capture_async(provider_id, params, {"idempotency_key": key})
        return await self._or_standing(provider_id, await _told(asked))

    async def void(self, key: str, provider_id: str) -> Attempt:
        """See `PaymentProvider.void`."""
        params: Any = {"expand": EXPAND}
        asked = self._api.payment_intents.cancel_async(provider_id, params, {"idempotency_key": key})
        return await self._or_standing(provider_id, await _told(asked))

    async def refund(self, key: str, provider_id: str, amount: Money) -> Attempt:
        """See `PaymentProvider.refund`."""
        params: Any = {"payment_intent": provider_id, "amount": amount.amount, "metadata": {"key": key}}
        attempt = await _told(self._api.refunds.create_async(params, {"idempotency_key": key}), _refunded)
        if attempt.decline == REPLAYED:
            with suppress(stripe.StripeError):
                made = await self._api.refunds.list_async({"payment_intent": provider_id, "limit": 100})
                ours = [_refunded(one) for one in made.data if _metadata(one, "key") == key]
                return ours[0] if ours else Attempt("unknown", decline=NOT_MADE)
        return attempt

    async def lookup(self, provider_id: str) -> Attempt:
        """See `PaymentProvider.lookup`."""
        return await _told(self._api.payment_intents.retrieve_async(provider_id, {"expand": EXPAND}))

    async def find(self, reference: str) -> list[Attempt]:
        """See `PaymentProvider.find`. Stripe's search lags behind by up to a minute: none is no proof of none."""
        try:
            found = await self._intents(reference)
        except stripe.StripeError as error:
            return [_unclear(error)]
        return [_standing(one) for one in reversed(found)]

    async def payments(self, since_ms: int) -> AsyncIterator[list[Attempt]]:
        """See `PaymentProvider.payments`; newest first."""
        params: Any = {"created": {"gte": since_ms // 1000}, "limit": 100, "expand": ["data.latest_charge"]}
        more = True
        while more:
            try:
                page = await self._api.payment_intents.list_async(params)
            except stripe.StripeError as error:
                why = _unclear(error).decline
                raise Refusal("store_unavailable", f"Stripe could not be asked ({why}).", retry_after_s=5) from error
            yield [_standing(one) for one in page.data]
            more = page.has_more
            params = {**params, "starting_after": page.data[-1].id} if more else params

    async def reference_of(self, event: stripe.Event) -> str | None:
        """Our reference of the payment a webhook is about, asked for when the event's object does not carry it."""
        about: Any = event.data.object
        if reference := _metadata(about, "reference"):
            return reference
        intent = getattr(about, "payment_intent", None)
        if not isinstance(intent, str):
            return None
        attempt = await self.lookup(intent)
        if not attempt.known:
            raise Refusal(
                "store_unavailable", "The provider could not be asked. Please deliver again.", retry_after_s=5
            )
        return attempt.reference or None

    async def _intents(self, reference: str) -> list[Any]:
        query: Any = {"query": f"metadata['reference']:'{reference}'", "limit": 100, "expand": ["data.latest_charge"]}
        return list((await self._api.payment_intents.search_async(query)).data)

    async def _or_standing(self, provider_id: str, attempt: Attempt) -> Attempt:
        """A payment that is past the act: where it stands is the answer."""
        if attempt.decline == "payment_intent_unexpected_state":
            return await self.lookup(provider_id)
        return attempt


def verified(secrets: Sequence[str], header: str | None, body: bytes) -> stripe.Event:
    """The event of a webhook whose raw body one of `secrets` signed within 300 s; Refusal otherwise."""
    if len(body) > MAX_BODY_BYTES:
        raise Refusal("too_large", f"A webhook has at most {MAX_BODY_BYTES} bytes.")
    for secret in secrets:
        with suppress(stripe.SignatureVerificationError):
            try:
                event: stripe.Event = stripe.Webhook.construct_event(body, header or "", secret, TOLERANCE_S)
                return event
            except (ValueError, UnicodeDecodeError) as error:
                raise Refusal("malformed", "The webhook is no event.") from error
    raise Refusal("unauthenticated", "The webhook's signature does not match its body.")


async def _told(call: Awaitable[Any], read: Callable[[Any], Attempt] | None = None) -> Attempt:
    """What a call came to; never an exception of the provider's."""
    try:
        return (read or _standing)(await call)
    except stripe.CardError as error:
        intent = getattr(error.error, "payment_intent", None)
        provider_id = intent.id if intent is not None else ""
        return Attempt(
            "failed", provider_id, decline=getattr(error.error, "decline_code", None) or error.code or "declined"
        )
    except stripe.InvalidRequestError as error:
        code = "not_found" if error.http_status == 404 else error.code or "invalid_request"
        return Attempt("failed", decline=code)
    except stripe.StripeError as error:
        return _unclear(error)


def _unclear(error: stripe.StripeError) -> Attempt:
    told = {name.lower(): value for name, value in (error.headers or {}).items()}
    if (error.http_status or 0) >= 500 and told.get(REPLAYED_HEADER.lower()) == "true":
        return Attempt("unknown", decline=REPLAYED)
    return Attempt("unknown", decline=f"http_{error.http_status}" if error.http_status else "unreachable")


def _standing(intent: Any) -> Attempt:
    """Where a PaymentIntent stands."""
    charge = intent.latest_charge if not isinstance(intent.latest_charge, str) else None
    refunded = charge.amount_refunded if charge else 0
    state = STATES.get(intent.status, "unknown")
    if state == "captured" and refunded and refunded >= intent.amount_received:
        state = "refunded"
    action = intent.next_action
    redirect = getattr(action, "redirect_to_url", None) if action else None
    failure = intent.last_payment_error
    return Attempt(
        state, intent.id, redirect.url if redirect else None,
        (getattr(failure, "decline_code", None) or failure.code) if failure else None,
        _metadata(intent, "reference"), intent.currency.upper(), intent.amount, intent.amount_received, refunded,
        charge.amount if charge and charge.disputed else 0,
    )  # fmt: skip


def _refunded(refund: Any) -> Attempt:
    """What a Refund came to."""
    states: dict[str, State] = {"succeeded": "refunded", "failed": "failed", "canceled": "failed"}
    state = states.get(refund.status, "unknown")
    return Attempt(
        state, str(refund.payment_intent), decline=None if state == "refunded" else refund.status,
        currency=refund.currency.upper(), refunded=refund.amount,
    )  # fmt: skip


def _metadata(thing: Any, name: str) -> str:
    found = getattr(thing, "metadata", None)
    return str(found[name]) if found and name in found else ""
