"""Unavailable: open requests for what cannot be had any more end by themselves, though their units are still held.

A product that its shop has withdrawn, a show that was cancelled. Each request is one commit: void, its order cancelled, its
units back; a repetition finds it done. Who asks in that very moment is found by a second look, as after a family's stop;
what is approved meanwhile is looked at again before its payment begins (requests.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livesale.guardians.model import Approval
from livesale.kernel.clock import SECOND_MS
from livesale.kernel.events import Event
from livesale.kernel.ids import shelf, shelf_of
from livesale.orders import asking
from livesale.orders.asking import OPEN
from livesale.orders.events import PRODUCT_WITHDRAWN
from livesale.orders.requests import MOST_OPEN, SHOW_CANCELLED, WITHDRAWN, quietly
from livesale.shows.events import SHOW_CHANGED
from livesale.shows.model import Show
from livesale.store.decision import Decision, Mark
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Store

LOOKED_AT_AGAIN_MS = 10 * SECOND_MS  # by then every request that was being made is in the lists

# (product) -> the requests for it that nobody has decided, at most a second old
OpenFor = Callable[[str], Awaitable[list[str]]]


async def tell_withdrawn(store: Store, shop: str, products: list[str]) -> None:
    """A shop's list has these products no more."""
    on_shelf = shelf("shop", shop)
    for product in products:
        told: Event = {"type": PRODUCT_WITHDRAWN, "product": product}
        again = Mark("due", f"withdrawn:{product}", store.now_ms() + LOOKED_AT_AGAIN_MS)
        await store.commit(Decision(on_shelf, marks=(again,), events=(told,)))


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The reader's and the clock's part. `on_sale(product)`: whether its shop has it, perhaps again."""

    store: Store
    open_for: OpenFor
    on_sale: Callable[[str], Awaitable[bool]]

    def reactions(self) -> tuple[Reaction, ...]:
        """The events it takes."""
        return (
            Reaction(PRODUCT_WITHDRAWN, self._withdrawn),
            Reaction(SHOW_CHANGED, self._ended, frozenset({"ended"})),
        )

    async def look_again(self, on_shelf: str, what: str) -> None:
        """What the mark `withdrawn:PRODUCT`, or of a show `withdrawn:cancelled`, does."""
        if what == "cancelled":
            await self._cancelled(on_shelf)
        else:
            await self._of_product(what)
        await self.store.commit(Decision(on_shelf, marks=(Mark("due", f"withdrawn:{what}", None),)))

    async def _withdrawn(self, _shelf: str, event: Event) -> None:
        await self._of_product(event["product"])

    async def _of_product(self, product: str) -> None:
        if not await self.on_sale(product):
            await asyncio.gather(*(self._void(one, WITHDRAWN) for one in await self.open_for(product)))

    async def _ended(self, on_shelf: str, event: Event) -> None:
        if event.get("cancelled"):
            await self._cancelled(on_shelf)
            again = Mark("due", "withdrawn:cancelled", self.store.now_ms() + LOOKED_AT_AGAIN_MS)
            await self.store.commit(Decision(on_shelf, marks=(again,)))

    async def _cancelled(self, on_shelf: str) -> None:
        show = load(Show, (await self.store.read(on_shelf, "show"))["show"])
        if show is not None and show.cancelled:
            asked = await self.store.first(on_shelf, OPEN, MOST_OPEN)
            await asyncio.gather(*(self._void(one, SHOW_CANCELLED) for one in asked))

    async def _void(self, approval_id: str, reason: str) -> None:
        on_shelf, name = shelf_of(approval_id, "ap"), f"approval:{approval_id}"
        approval = load(Approval, (await self.store.read(on_shelf, name))[name]) if on_shelf else None
        if on_shelf is None or approval is None:
            return
        order = approval.order
        await quietly(
            self.store.act(
                on_shelf, (f"order:{order}", name), lambda records, _: asking.void(records, order, "requested", reason)
            )
        )
