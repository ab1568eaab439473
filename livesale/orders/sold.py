"""Commands on what has been sold: ship, refund, withdraw, complete. Each is one commit on the order's shelf."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livesale.kernel.actor import Actor
from livesale.kernel.ids import shelf_of
from livesale.kernel.refusals import not_found
from livesale.orders import aftersale, refunds, shipments, withdrawing
from livesale.orders.aftersale import Sale, Units
from livesale.orders.model import Order
from livesale.orders.refunds import Wish
from livesale.orders.shipments import Parcel, Repeated
from livesale.orders.withdrawal import Withdrawal
from livesale.store.decision import Decision, Early
from livesale.store.valkey import Records, Store

SETTLED_WITHIN_S = 2.0  # how long an answer waits for the provider, as a checkout's does

Once = tuple[str, str]  # the command's Idempotency-Key (of its account) and fingerprint
MaySell = Callable[[Actor, str], Awaitable[bool]]  # whether the caller sells for a shop


@dataclass(frozen=True, slots=True)
class Sold:
    """What sellers, buyers and guardians can do after the sale."""

    store: Store
    may_sell: MaySell

    async def ship(self, actor: Actor, order_id: str, parcel: Parcel, once: Once) -> Order:
        """Note that units have left; the seller's."""
        await self._check_seller(actor, order_id)
        await self._act(
            order_id, lambda records, now: shipments.ship(records, order_id, actor.account, parcel, once, now)
        )
        return (await self.order(order_id))[0]

    async def refund(self, actor: Actor, order_id: str, wish: Wish, once: Once) -> Order:
        """Give money back; the seller's. The order as it is once the provider has answered, or after two seconds."""
        await self._check_seller(actor, order_id)
        await self._act(order_id, lambda records, now: refunds.ask(records, order_id, actor.account, wish, once, now))
        return await self.settled(order_id)

    async def declare(self, actor: Actor, order_id: str, units: Units | None) -> tuple[Order, Withdrawal | None]:
        """Withdrawal, step 1: the order, and what would be withdrawn."""
        await self._act(
            order_id, lambda records, now: withdrawing.declare(records, order_id, actor.account, units, now)
        )
        order, _ = await self.order(order_id)
        return order, withdrawing.declared_by(order, actor.account)

    async def confirm(self, actor: Actor, order_id: str) -> tuple[Order, Withdrawal | None]:
        """Withdrawal, step 2: the order, and what was withdrawn; the same again when repeated."""
        await self._act(order_id, lambda records, now: withdrawing.confirm(records, order_id, actor.account, now))
        order, _ = await self.order(order_id)
        return order, withdrawing.confirmed_by(order, actor.account)

    async def complete(self, order_id: str) -> None:
        """What the mark `complete:ORDER` does; harmless when the order has gone on."""
        on_shelf = shelf_of_order(order_id)
        try:
            await self.store.act(
                on_shelf,
                aftersale.names(order_id),
                lambda records, now: shipments.complete(records, on_shelf, order_id, now),
            )
        except Early:
            return

    async def order(self, order_id: str) -> tuple[Order, Sale | None]:
        """The order, and its sale once it has been paid; for whoever may see it."""
        return aftersale.order_in(await self.store.read(shelf_of_order(order_id), *aftersale.names(order_id)), order_id)

    async def settled(self, order_id: str) -> Order:
        """The order once no refund is open or unsettled, or as it is after two seconds."""
        wait_s, waited_s = 0.01, 0.0
        while True:
            order, sale = await self.order(order_id)
            moving = sale is not None and any(not one.settled for one in sale.refunds.items)
            if not moving or waited_s >= SETTLED_WITHIN_S:
                return order
            await asyncio.sleep(wait_s)
            waited_s, wait_s = waited_s + wait_s, min(0.1, wait_s * 1.5)

    async def _check_seller(self, actor: Actor, order_id: str) -> None:
        order, _ = await self.order(order_id)
        if not await self.may_sell(actor, order.shop):
            raise not_found("order")

    async def _act(self, order_id: str, decide: Callable[[Records, int], Decision]) -> None:
        try:
            await self.store.act(shelf_of_order(order_id), aftersale.names(order_id), decide)
        except Repeated:
            return


def shelf_of_order(order_id: str) -> str:
    """The shelf of an order by its id; not_found when that is none."""
    on_shelf = shelf_of(order_id, "o")
    if on_shelf is None:
        raise not_found("order")
    return on_shelf
