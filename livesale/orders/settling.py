"""What orders do when a refund has ended: the reader's side of `refunds.settle`."""

from __future__ import annotations

from dataclasses import dataclass

from livesale.kernel.events import Event
from livesale.orders import aftersale
from livesale.orders.refunds import Nothing, settle
from livesale.payments.events import REFUND_CHANGED
from livesale.store.readers import Reaction
from livesale.store.valkey import Store


@dataclass(frozen=True, slots=True)
class Settling:
    """One commit for whatever has ended; a repetition finds the work done and does nothing."""

    store: Store

    def reactions(self) -> tuple[Reaction, ...]:
        """A refund's end."""
        return (Reaction(REFUND_CHANGED, self._ended, frozenset({"done", "failed"})),)

    async def _ended(self, shelf: str, event: Event) -> None:
        order_id = event["order"]
        try:
            await self.store.act(shelf, aftersale.names(order_id), lambda records, now: settle(records, order_id, now))
        except Nothing:
            return
