"""The only place that calls the provider: a reader that makes the call each payment's state asks for.

Law: the key is on the shelf before the first call and goes with every repetition; an unknown outcome changes nothing
but the time of the next question. A payment that has ended without money is asked about again whenever the provider has
news of it: money that comes late is never silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import msgspec
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
from livesale.store.record import load, put, version
from livesale.store.valkey import Records, Store

log = structlog.get_logger(__name__)

CALLS = frozenset({"created", "capturing", "voiding"})  # states that ask for a call
PAID = model.ENDED - model.UNPAID
NONE_MADE = Attempt("failed", decline="not_made")


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
        asked = (await self.store.read(shelf, name))[name]
        payment = load(Payment, asked)
        if payment is None or payment.state in PAID:
            return
        attempt = await self._ask(payment)
        if not attempt.known:
            log.warning("payment outcome unknown", order=order_id, state=payment.state, why=attempt.decline)

        def decide(records: Records, now_ms: int) -> Decision:
            return _learn(shelf, records, order_id, version(asked), attempt, now_ms)

        await self.store.act(shelf, (name,), decide)

    async def _ask(self, payment: Payment) -> Attempt:
        if act := self._act(payment):
            attempt = await act
            return attempt if attempt.known else await self._standing(payment, attempt)
        return await self._standing(payment, Attempt("unknown"))

    def _act(self, payment: Payment) -> Awaitable[Attempt] | None:
        """The call the payment asks for; None when there is only to ask where it stands."""
        amount, provider = Money(payment.amount, payment.currency), self.provider
        if payment.state == "created":
            key = model.key_of(payment, "authorise")
            return provider.authorise(key, amount, payment.token, payment.order, payment.return_url)
        if payment.state == "capturing":
            return provider.capture(model.key_of(payment, "capture"), payment.provider_id, amount)
        late = payment.state == "requires_action" and self.store.now_ms() >= payment.deadline
        if payment.state == "voiding" or late:
            return provider.void(model.key_of(payment, "void"), payment.provider_id)
        return None

    async def _standing(self, payment: Payment, unclear: Attempt) -> Attempt:
        """Where the payment stands, after an answer that told nothing (`decline` says why) and may never be another."""
        if payment.provider_id:
            standing = await self.provider.lookup(payment.provider_id)
        else:
            made = await self.provider.find(payment.order)
            standing = next((one for one in made if one.state != "failed"), made[-1] if made else NONE_MADE)
            # Providers find a payment a minute late, so "none" counts only when the buyer's time is over as well.
            if standing is NONE_MADE and payment.state == "created" and self.store.now_ms() < payment.deadline:
                return unclear
        if not standing.known:
            return standing
        return msgspec.structs.replace(standing, decline=standing.decline or unclear.decline)


def _learn(
    shelf: str, records: Records, order_id: str, asked: int, attempt: Attempt, now_ms: int
) -> Decision:
    """What the provider's answer, given to a question of the record's version `asked`, does to the payment as it is."""
    name, member = f"payment:{order_id}", f"pay:{order_id}"
    payment = load(Payment, records[name])
    if payment is None or payment.state in PAID:
        return Decision(shelf, marks=(Mark("due", member, None),))
    fresh = version(records[name]) == asked
    after = model.learned(payment, attempt) if fresh else None
    if after is None:
        return Decision(shelf, marks=(Mark("due", member, _next_look(payment, attempt, fresh, now_ms)),))
    done = after.state in model.ENDED
    return Decision(
        shelf,
        puts=(put(name, records[name], after),),
        marks=(Mark("due", member, None if done else max(after.deadline, now_ms + model.RETRY_MS[2])),),
        events=(model.payment_event(payment, after),),
    )


def _next_look(payment: Payment, attempt: Attempt, fresh: bool, now_ms: int) -> int | None:
    """Unknown: soon again. Known but unchanged (the buyer is at 3-D Secure): at the deadline. Ended: not any more."""
    if payment.state in model.UNPAID and attempt.known and (fresh or attempt.state in ("failed", "voided")):
        return None
    if not attempt.known or payment.state in (*CALLS, *model.UNPAID):
        return model.retry_at(payment, now_ms)
    return max(payment.deadline, now_ms + model.RETRY_MS[2])


async def provider_said(store: Store, order_id: str, webhook: str, kind: str) -> None:
    """Note on the shelf that the provider has news (of this `kind`) of an order's payment; it is asked, never believed."""
    shelf = shelf_of(order_id, "o")
    if shelf is None:
        return
    event: Event = {"type": PAYMENT_CHECK, "order": order_id, "state": "disputed" if "dispute" in kind else ""}
    await store.commit(Decision(shelf, events=(event,), id=f"webhook:{webhook}"))
