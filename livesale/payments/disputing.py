"""What a buyer's bank takes back: a dispute comes months after the sale, and is noted beside the payment.

Law: a webhook is no proof; what is noted is what the provider says when asked, and an unknown outcome changes nothing but
the time of the next question.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from livesale.kernel.events import Event
from livesale.kernel.ids import shelf_of
from livesale.payments import model
from livesale.payments.events import PAYMENT_CHECK, PAYMENT_DISPUTED
from livesale.payments.model import Payment
from livesale.payments.provider import Attempt, PaymentProvider
from livesale.store.decision import Decision, Mark
from livesale.store.readers import Reaction
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store


@dataclass(frozen=True, slots=True)
class DisputeReactions:
    """Asks how much of a payment is disputed; `go_on` is also what the mark `dispute:ORDER` does."""

    store: Store
    provider: PaymentProvider

    def reactions(self) -> tuple[Reaction, ...]:
        """The provider's word that there is a dispute, or an end to one."""
        return (Reaction(PAYMENT_CHECK, self._asked, frozenset({"disputed"})),)

    async def _asked(self, _shelf: str, event: Event) -> None:
        await self.go_on(event["order"])

    async def go_on(self, order_id: str) -> None:
        """Note what the provider says now."""
        shelf, name = shelf_of(order_id, "o") or "", f"payment:{order_id}"
        payment = load(Payment, (await self.store.read(shelf, name))[name])
        if payment is None or not payment.provider_id:
            return
        attempt = await self.provider.lookup(payment.provider_id)
        await self.store.act(shelf, (name,), lambda records, now: _noted(shelf, records, order_id, attempt, now))


def _noted(shelf: str, records: Records, order_id: str, attempt: Attempt, now_ms: int) -> Decision:
    name = f"payment:{order_id}"
    payment = load(Payment, records[name])
    again = None if attempt.known else now_ms + model.RETRY_MS[-1]
    mark = Mark("due", f"dispute:{order_id}", again)
    if payment is None or not attempt.known or attempt.disputed == payment.disputed:
        return Decision(shelf, marks=(mark,))
    after = msgspec.structs.replace(payment, disputed=attempt.disputed)
    told: Event = {
        "type": PAYMENT_DISPUTED,
        "payment": after.key,
        "order": order_id,
        "payer": after.payer,
        "disputed": after.disputed,
        "currency": after.currency,
    }
    return Decision(shelf, puts=(put(name, records[name], after),), marks=(mark,), events=(told,))
