"""The provider's side of refunds: a reader that makes the call each open refund asks for.

Law: as for payments, the key is on the shelf before the first call and goes with every repetition; an unknown outcome
changes nothing but the time of the next question. Money is counted in the commit that learns it has gone back.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import structlog

from livesale.kernel.events import Event
from livesale.kernel.ids import shelf_of
from livesale.kernel.money import Money
from livesale.payments import model, refund
from livesale.payments.events import PAYMENT_CHECK, REFUND_CHANGED
from livesale.payments.model import Payment
from livesale.payments.provider import NOT_MADE, Attempt, PaymentProvider
from livesale.payments.refund import Refund, Refunds
from livesale.store.decision import Counter, Decision, Mark, Put
from livesale.store.readers import Reaction
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

log = structlog.get_logger(__name__)

OUTCOMES = {"refunded": "done", "failed": "failed"}  # any other answer is none


@dataclass(frozen=True, slots=True)
class RefundReactions:
    """Asks the provider, as often as it takes; `go_on` is also what the mark `refund:ORDER` does."""

    store: Store
    provider: PaymentProvider

    def reactions(self) -> tuple[Reaction, ...]:
        """The events that ask for a call; a repetition repeats the key, so money goes back once."""
        return (Reaction(REFUND_CHANGED, self._asked, frozenset({"requested"})), Reaction(PAYMENT_CHECK, self._asked))

    async def _asked(self, _shelf: str, event: Event) -> None:
        await self.go_on(event["order"])

    async def go_on(self, order_id: str) -> None:
        """Take every open refund of an order one step further."""
        shelf = shelf_of(order_id, "o")
        if shelf is None:
            return
        payment, refunds = _both(await self.store.read(shelf, *_names(order_id)), order_id)
        if payment is None or not refunds.open():
            return
        if any(one.state == "requested" for one in refunds.open()):
            await self.store.act(shelf, _names(order_id), lambda records, now: _begin(shelf, records, order_id, now))
        for one in refunds.open():
            await self._ask_for(shelf, payment, one)

    async def _ask_for(self, shelf: str, payment: Payment, asked: Refund) -> None:
        amount = Money(asked.amount, asked.currency)
        key = f"{asked.key}:refund" + (f":{asked.turn}" if asked.turn else "")
        attempt = await self.provider.refund(key, payment.provider_id, amount)
        if not attempt.known:
            log.warning("refund outcome unknown", order=asked.order, refund=asked.id, why=attempt.decline)
        names = _names(asked.order)
        await self.store.act(shelf, names, lambda records, now: _learn(shelf, records, asked, attempt, now))


def _names(order_id: str) -> tuple[str, str]:
    return (f"payment:{order_id}", f"refunds:{order_id}")


def _both(records: Records, order_id: str) -> tuple[Payment | None, Refunds]:
    payment, refunds = _names(order_id)
    return load(Payment, records[payment]), load(Refunds, records[refunds]) or Refunds([])


def _begin(shelf: str, records: Records, order_id: str, now_ms: int) -> Decision:
    """A call is about to be made for everything requested."""
    _, refunds = _both(records, order_id)
    changed = [(one, after) for one in refunds.open() if (after := refund.moved(one, "refunding", now_ms))]
    return Decision(
        shelf,
        puts=_put(records, order_id, refunds.replaced(*(after for _, after in changed))) if changed else (),
        marks=(_mark(order_id, refunds, now_ms),),
        events=tuple(refund.refund_event(before, after, now_ms) for before, after in changed),
    )


def _learn(shelf: str, records: Records, asked: Refund, attempt: Attempt, now_ms: int) -> Decision:
    """What the provider's answer does to the refund as it stands now."""
    payment, refunds = _both(records, asked.order)
    before = next((one for one in refunds.open() if one.id == asked.id), None)
    if before is None or payment is None:
        return Decision(shelf, marks=(_mark(asked.order, refunds, now_ms),))
    after = refund.moved(before, OUTCOMES.get(attempt.state, "unknown"), now_ms, decline=attempt.decline or "")
    if after is None or after.state == "unknown":
        turn = before.turn + (attempt.decline == NOT_MADE and before.turn == asked.turn)
        tried = msgspec.structs.replace(after or before, attempts=before.attempts + 1, turn=turn)
        return _told(shelf, records, before, tried, now_ms)
    told = _told(shelf, records, before, after, now_ms)
    return _paid_back(told, records, payment, after) if after.state == "done" else told


def _told(shelf: str, records: Records, before: Refund, after: Refund, now_ms: int) -> Decision:
    _, refunds = _both(records, before.order)
    now = refunds.replaced(after)
    return Decision(
        shelf,
        puts=_put(records, before.order, now),
        marks=(_mark(before.order, now, now_ms),),
        events=(refund.refund_event(before, after, now_ms),) if after.state != before.state else (),
    )


def _paid_back(told: Decision, records: Records, payment: Payment, done: Refund) -> Decision:
    """The same, with the money: the payment's sum, and the shelf's."""
    refunded = payment.refunded + done.amount
    state = "refunded" if refunded == payment.captured else "captured"
    after = msgspec.structs.replace(payment, state=state, refunded=refunded)
    name = f"payment:{payment.order}"
    return msgspec.structs.replace(
        told,
        counters=(Counter("refunded", done.amount),),
        puts=(*told.puts, put(name, records[name], after)),
        events=(*told.events, model.payment_event(payment, after)),
    )


def _put(records: Records, order_id: str, refunds: Refunds) -> tuple[Put, ...]:
    name = f"refunds:{order_id}"
    return (put(name, records[name], refunds),)


def _mark(order_id: str, refunds: Refunds, now_ms: int) -> Mark:
    return Mark("due", f"refund:{order_id}", refund.next_look(refunds, now_ms))
