"""Stock between a shop's shelf and a show's: set aside, arrive, confirm; a crash anywhere errs safely.

Crossing two shelves is never one commit. The shop's shelf gives the units up first, keeping `transfer:ID` with a
deadline; the show's shelf takes them once (`transfer:ID` must not exist there); then the shop forgets. Whoever finds a
deadline finishes: arrived → confirm; not arrived → the show's shelf is fenced with a void `transfer:ID`, then release.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from livesale.kernel.clock import SECOND_MS
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, shelf
from livesale.kernel.refusals import Refusal
from livesale.orders import events
from livesale.orders.events import STOCK_ADJUSTED
from livesale.store.decision import Conflict, Counter, Decision, Mark, Put, Short
from livesale.store.record import encode, load, put, version
from livesale.store.valkey import Records, Store

FINISH_AFTER_MS = 10 * SECOND_MS
MOST_UNITS = 1_000_000


class Transfer(msgspec.Struct, frozen=True):
    """Units on their way; on the shop's shelf while set aside, on the show's shelf for good."""

    id: str
    shop_shelf: str
    show_shelf: str
    product: str
    offer: str
    quantity: int
    deadline: int
    void: bool = False


class Level(msgspec.Struct, frozen=True):
    """The quantity a feed last told for a product; None: untracked."""

    quantity: int | None


@dataclass(frozen=True, slots=True)
class Transfers:
    """Moves stock; `arrive` is the Decision that makes the units part of the show (an offer's record with it)."""

    store: Store

    async def to_show(
        self, shop: str, show_shelf: str, product: str, offer: str, quantity: int, arrival: Decision
    ) -> None:
        """Move `quantity` units of a tracked product to an offer; `arrival` is committed with their arrival."""
        shop_shelf = shelf("shop", shop)
        deadline = self.store.now_ms() + FINISH_AFTER_MS
        moved = Transfer(new_id("t", shop_shelf), shop_shelf, show_shelf, product, offer, quantity, deadline)
        await self._set_aside(moved)
        try:
            await self.store.commit(arrived(moved, arrival))
        except Conflict:
            await self._release(moved)
            raise
        await self._confirm(moved)

    async def finish(self, on_shelf: str, transfer_id: str) -> None:
        """What a transfer's deadline does: bring it to one of its two ends."""
        name = f"transfer:{transfer_id}"
        moved = load(Transfer, (await self.store.read(on_shelf, name))[name])
        if moved is None:
            await self.store.commit(Decision(on_shelf, marks=(Mark("due", name, None),)))
            return
        there = load(Transfer, (await self.store.read(moved.show_shelf, name))[name])
        if there is None:
            fence = Put(name, 0, encode(msgspec.structs.replace(moved, void=True)))
            try:
                await self.store.commit(Decision(moved.show_shelf, puts=(fence,)))
                there = msgspec.structs.replace(moved, void=True)
            except Conflict:  # it arrived in this very moment: the next poll confirms it
                return
        await (self._release(moved) if there.void else self._confirm(moved))

    async def adjust(self, shop: str, product: str, quantity: int | None, reason: str) -> None:
        """Set what the shop has of a product to what a feed tells: sold and shown units stay counted."""
        on_shelf, name = shelf("shop", shop), f"level:{product}"

        def decide(records: Records, _now_ms: int) -> Decision:
            was = load(Level, records[name])
            delta = (quantity or 0) - ((was.quantity or 0) if was else 0)
            told: Event = {"type": STOCK_ADJUSTED, "product": product, "delta": delta, "reason": reason}
            counters = (Counter(f"free:{product}", delta, None),) if delta else ()
            return Decision(
                on_shelf, counters=counters, puts=(put(name, records[name], Level(quantity)),), events=(told,)
            )

        await self.store.act(on_shelf, (name,), decide)

    async def _set_aside(self, moved: Transfer) -> None:
        name = f"transfer:{moved.id}"
        told: Event = {
            "type": events.TRANSFER_SET_ASIDE, "transfer": moved.id, "product": moved.product,
            "quantity": moved.quantity, "to": moved.show_shelf,
        }  # fmt: skip
        try:
            await self.store.commit(
                Decision(
                    moved.shop_shelf,
                    counters=(Counter(f"free:{moved.product}", -moved.quantity),),
                    puts=(Put(name, 0, encode(moved)),),
                    marks=(Mark("due", name, moved.deadline),),
                    events=(told,),
                )
            )
        except Short as short:
            left = max(0, short.lacks[0].now)
            raise Refusal(
                "short", f"The shop has only {left} of this product left.",
                [{"field": "quantity", "product": moved.product, "left": left}],
            ) from short  # fmt: skip

    async def _confirm(self, moved: Transfer) -> None:
        await self._end(moved, {"type": events.TRANSFER_CONFIRMED, "transfer": moved.id}, ())

    async def _release(self, moved: Transfer) -> None:
        told: Event = {
            "type": events.TRANSFER_RELEASED, "transfer": moved.id, "product": moved.product,
            "quantity": moved.quantity,
        }  # fmt: skip
        await self._end(moved, told, (Counter(f"free:{moved.product}", moved.quantity),))

    async def _end(self, moved: Transfer, told: Event, counters: tuple[Counter, ...]) -> None:
        name = f"transfer:{moved.id}"

        def decide(records: Records, _now_ms: int) -> Decision:
            gone = Mark("due", name, None)
            if records[name] is None:  # somebody else finished it
                return Decision(moved.shop_shelf, marks=(gone,))
            return Decision(
                moved.shop_shelf, counters=counters, drops=((name, version(records[name])),), marks=(gone,),
                events=(told,),
            )  # fmt: skip

        await self.store.act(moved.shop_shelf, (name,), decide)


def arrived(moved: Transfer, arrival: Decision) -> Decision:
    """`arrival`, with the units and the record that makes their arrival happen once."""
    told: Event = {
        "type": events.TRANSFER_ARRIVED, "transfer": moved.id, "offer": moved.offer, "quantity": moved.quantity,
    }  # fmt: skip
    units = (Counter(f"free:{moved.offer}", moved.quantity), Counter(f"loaded:{moved.offer}", moved.quantity))
    return replace(
        arrival,
        counters=(*arrival.counters, *units),
        puts=(*arrival.puts, Put(f"transfer:{moved.id}", 0, encode(moved))),
        events=(*arrival.events, told),
    )
