"""The only place that calls the provider: a reader that makes the call each payment's state asks for.

Law: the key is on the shelf before the first call and goes with every repetition; an unknown outcome changes nothing
but the time of the next question.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import structlog

from livesale.kernel.events import Event
from livesale.kernel.ids import shelf_of
from livesale.kernel.money import Money
from livesale.payments import model
from livesale.payments.events import PAYMENT_CHANGED, PAYMENT_CHECK
from livesale.payments.model import Payment
from livesale.payments.provider import Attempt, PaymentProvider
from livesale.store.decision import Decision, Mark
from livesale.store.readers import Reaction
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

log = structlog.get_logger(__name__)

CALLS = frozenset({"created", "capturing", "voiding"})  # states that ask for a call


@dataclass(frozen=True, slots=True)
class PaymentReactions:
    """The payments room's reader and what its deadlines do."""

    store: Store
    provider: PaymentProvider
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def reactions(self) -> tuple[Reaction, ...]:
        """The events that ask for a call; a repetition repeats the key, so the provider acts once."""
        return (Reaction(PAYMENT_CHANGED, self._asked, CALLS), Reaction(PAYMENT_CHECK, self._asked))

    async def _asked(self, _shelf: str, event: Event) -> None:
        """One call for an order at a time: a webhook comes while ours is under way, and finds nothing left to ask."""
        async with self._turns.setdefault(event["order"], asyncio.Lock()):
            await self.go_on(event["order"])

    async def go_on(self, order_id: str) -> None:
        """Take the payment of an order one step further, as far as the provider lets us know."""
        shelf = shelf_of(order_id, "o")
        if shelf is None:
            return
        name = f"payment:{order_id}"
        payment = load(Payment, (await self.store.read(shelf, name))[name])
        if payment is None or payment.state in model.ENDED:
            return
        attempt = await self._ask(payment)
        if not attempt.known:
            log.warning("payment outcome unknown", order=order_id, state=payment.state, why=attempt.decline)

        def decide(records: Records, now_ms: int) -> Decision:
            return _learn(shelf, records, order_id, payment.state, attempt, now_ms)

        await self.store.act(shelf, (name,), decide)

    async def _ask(self, payment: Payment) -> Attempt:
        amount = Money(payment.amount, payment.currency)
        provider = self.provider
        if payment.state == "created":
            return await provider.authorise(
                f"{payment.key}:authorise", amount, payment.token, payment.order, payment.return_url
            )
        if payment.state == "capturing":
            return await provider.capture(f"{payment.key}:capture", payment.provider_id, amount)
        if payment.state == "voiding":
            return await provider.void(f"{payment.key}:void", payment.provider_id)
        if payment.state == "requires_action" and self.store.now_ms() >= payment.deadline:
            return await provider.void(f"{payment.key}:void", payment.provider_id)
        return await provider.lookup(payment.provider_id)


def _learn(shelf: str, records: Records, order_id: str, asked_in: str, attempt: Attempt, now_ms: int) -> Decision:
    """What the provider's answer does to the payment as it stands now."""
    name, member = f"payment:{order_id}", f"pay:{order_id}"
    payment = load(Payment, records[name])
    if payment is None or payment.state in model.ENDED:
        return Decision(shelf, marks=(Mark("due", member, None),))
    after = _after(payment, attempt) if payment.state == asked_in else None
    if after is None:
        return Decision(shelf, marks=(Mark("due", member, _next_look(payment, attempt, now_ms)),))
    done = after.state in model.ENDED
    return Decision(
        shelf,
        puts=(put(name, records[name], after),),
        marks=(Mark("due", member, None if done else max(after.deadline, now_ms + model.RETRY_MS[2])),),
        events=(model.payment_event(payment, after),),
    )


def _next_look(payment: Payment, attempt: Attempt, now_ms: int) -> int:
    """Unknown: soon again. Known but unchanged (the buyer is at 3-D Secure): at the deadline."""
    if not attempt.known or payment.state in CALLS:
        return model.retry_at(payment, now_ms)
    return max(payment.deadline, now_ms + model.RETRY_MS[2])


def _after(payment: Payment, attempt: Attempt) -> Payment | None:
    """The payment after the provider's answer; None when it says nothing new."""
    if not attempt.known or attempt.state == payment.state:
        return None
    fields: dict[str, Any] = {
        "state": attempt.state,
        "provider_id": attempt.provider_id or payment.provider_id,
    }
    if attempt.state == "voided" and payment.state == "requires_action":
        fields["state"] = "expired"
    if attempt.state == "captured":
        fields["captured"] = attempt.captured or payment.amount
    if attempt.state == "failed":
        fields["decline"] = attempt.decline or "declined"
    if attempt.state == "requires_action":
        fields["redirect_url"] = attempt.redirect_url or ""
    if payment.state == "created" and attempt.state == "captured":
        fields["state"] = "authorised"  # a repeated key told us more than we asked: go through the claim first
    return model.changed(payment, **fields)


async def provider_said(store: Store, order_id: str, webhook: str) -> None:
    """Note on the shelf that the provider has news of an order's payment; it is asked, never believed."""
    shelf = shelf_of(order_id, "o")
    if shelf is None:
        return
    event: Event = {"type": PAYMENT_CHECK, "order": order_id}
    await store.commit(Decision(shelf, events=(event,), id=f"webhook:{webhook}"))
