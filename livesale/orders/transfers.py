"""Stock between a shop's shelf and a show's: set aside, arrive, confirm; a crash anywhere errs safely.

Crossing two shelves is never one commit. The source gives the units up first, keeping `transfer:ID` with a deadline;
the target takes them once (`transfer:ID` must not exist there); then the source forgets, then the target. Whoever finds a
deadline finishes: arrived → confirm; not arrived → the target is fenced with a void `transfer:ID`, then the source
releases. A fence stays for good: whoever stands still before the arrival may wake after years.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from livesale.kernel.clock import SECOND_MS
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, shelf
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import events
from livesale.orders.events import STOCK_ADJUSTED
from livesale.store.decision import Conflict, Counter, Decision, Mark, Put, Short
from livesale.store.record import encode, load, put, version
from livesale.store.valkey import Records, Store

FINISH_AFTER_MS = 10 * SECOND_MS
MOST_UNITS = 1_000_000


class Transfer(msgspec.Struct, frozen=True):
    """Units on their way; on the source's shelf while set aside, on the target's until the source has forgotten them."""

    id: str
    source: str
    target: str
    product: str
    offer: str
    quantity: int
    deadline: int
    void: bool = False
    order: str = ""  # the one order they are for, if they are not for whoever comes


class Level(msgspec.Struct, frozen=True):
    """The quantity a feed last told for a product (None: untracked), and what was corrected by hand since then."""

    quantity: int | None
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Transfers:
    """Moves stock; `arrive` is the Decision that makes the units part of the show (an offer's record with it)."""

    store: Store

    async def to_show(self, shop: str, product: str, offer: str, quantity: int, arrival: Decision) -> None:
        """Move `quantity` units of a tracked product to an offer; `arrival` is committed with their arrival."""
        await self._move(shelf("shop", shop), arrival, product, offer, quantity)

    async def to_order(
        self, shop: str, on_shelf: str, order: str, wanted: dict[tuple[str, str], int], names: tuple[str, ...],
        decide: Callable[[Records, int], Decision],
    ) -> None:  # fmt: skip
        """Fetch units (by product and offer) for one order; they come in the commit that `decide` makes of `names`, so
        that nobody takes them on the way, not even who waits in line. Refused `short` when the shop has fewer.
        """
        source, deadline = shelf("shop", shop), self.store.now_ms() + FINISH_AFTER_MS
        moved = [
            Transfer(new_id("t", source), source, on_shelf, product, offer, quantity, deadline, order=order)
            for (product, offer), quantity in wanted.items()
        ]
        lines = {f"waiting:{one.offer}" for one in moved}

        def arriving(records: Records, now_ms: int) -> Decision:
            decision = decide(records, now_ms)
            decision = replace(decision, counters=tuple(one for one in decision.counters if one.name not in lines))
            for one in moved:
                decision = arrived(one, decision)
            return decision

        try:
            for one in moved:
                await self._set_aside(one)
            await self.store.act(on_shelf, names, arriving)
        finally:
            for one in moved:
                await self.finish(source, one.id)

    async def to_shop(self, show_shelf: str, shop: str, product: str, offer: str, quantity: int) -> None:
        """Move `quantity` free units of an offer back to the shop; refused `short` when fewer are free."""
        await self._move(show_shelf, Decision(shelf("shop", shop)), product, offer, quantity)

    async def _move(self, source: str, arrival: Decision, product: str, offer: str, quantity: int) -> None:
        deadline = self.store.now_ms() + FINISH_AFTER_MS
        moved = Transfer(new_id("t", source, arrival.id), source, arrival.shelf, product, offer, quantity, deadline)
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
        there = load(Transfer, (await self.store.read(moved.target, name))[name])
        if there is None:
            fence = Put(name, 0, encode(msgspec.structs.replace(moved, void=True)))
            try:
                await self.store.commit(Decision(moved.target, puts=(fence,)))
                there = msgspec.structs.replace(moved, void=True)
            except Conflict:  # it arrived in this very moment: the next poll confirms it
                return
        await (self._release(moved) if there.void else self._confirm(moved))

    async def adjust(self, shop: str, product: str, quantity: int | None, reason: str) -> None:
        """Set what the shop has of a product to what a feed tells: sold and shown units stay counted.

        A feed that tells another number than before has counted anew, corrections included; one that repeats its number
        says nothing about them. So a correction is neither undone by the next import nor made twice.
        """
        on_shelf, name = shelf("shop", shop), f"level:{product}"

        def decide(records: Records, _now_ms: int) -> Decision:
            was = load(Level, records[name])
            level, delta = Level(quantity), quantity or 0
            if was is not None:
                level, delta = (was, 0) if was.quantity == quantity else (level, delta - (was.quantity or 0) - was.corrected)
            told: Event = {"type": STOCK_ADJUSTED, "product": product, "delta": delta, "reason": reason}
            counters = (Counter(f"free:{product}", delta, None),) if delta else ()
            return Decision(
                on_shelf, counters=counters, puts=(put(name, records[name], level),), events=(told,)
            )

        await self.store.act(on_shelf, (name,), decide)

    async def correct(self, shop: str, product: str, delta: int, reason: str, by: str, act: str = "") -> int:
        """Units that broke, got lost or turned up; what the shop has left. Never below nothing: `short`."""
        on_shelf, name, free = shelf("shop", shop), f"level:{product}", f"free:{product}"

        def decide(records: Records, _now_ms: int) -> Decision:
            level = load(Level, records[name])
            if level is None:
                raise not_found("product in this shop")
            if level.quantity is None:
                raise Refusal("conflict", "The feed does not count this product, so there is nothing to correct.")
            told: Event = {
                "type": STOCK_ADJUSTED, "product": product, "delta": delta, "reason": reason, "by": by,
            }  # fmt: skip
            after = replace(level, corrected=level.corrected + delta)
            return Decision(
                on_shelf, counters=(Counter(free, delta),), puts=(put(name, records[name], after),), events=(told,)
            )

        try:
            await self.store.act(on_shelf, (name,), decide, act)
        except Short as short:
            raise _short(short, product, "delta") from short
        return (await self.store.counters(on_shelf, free))[free]

    async def _set_aside(self, moved: Transfer) -> None:
        name = f"transfer:{moved.id}"
        told: Event = {
            "type": events.TRANSFER_SET_ASIDE, "transfer": moved.id, "product": moved.product,
            "quantity": moved.quantity, "to": moved.target,
        }  # fmt: skip
        try:
            await self.store.commit(
                Decision(
                    moved.source,
                    counters=units(moved, moved.source, -1),
                    puts=(Put(name, 0, encode(moved)),),
                    marks=(Mark("due", name, moved.deadline),),
                    events=(told,),
                    id=moved.id,
                )
            )
        except Short as short:
            raise _short(short, moved.product, "quantity") from short

    async def _confirm(self, moved: Transfer) -> None:
        await self._end(moved, {"type": events.TRANSFER_CONFIRMED, "transfer": moved.id}, ())
        name = f"transfer:{moved.id}"
        arrived_as = (await self.store.read(moved.target, name))[name]
        if arrived_as is not None:  # nobody asks any more whether it arrived
            with suppress(Conflict):
                await self.store.commit(Decision(moved.target, drops=((name, arrived_as.version),)))

    async def _release(self, moved: Transfer) -> None:
        told: Event = {
            "type": events.TRANSFER_RELEASED, "transfer": moved.id, "offer": moved.offer, "product": moved.product,
            "quantity": moved.quantity,
        }  # fmt: skip
        await self._end(moved, told, units(moved, moved.source, 1))

    async def _end(self, moved: Transfer, told: Event, counters: tuple[Counter, ...]) -> None:
        name = f"transfer:{moved.id}"

        def decide(records: Records, _now_ms: int) -> Decision:
            gone = Mark("due", name, None)
            if records[name] is None:  # somebody else finished it
                return Decision(moved.source, marks=(gone,))
            return Decision(
                moved.source, counters=counters, drops=((name, version(records[name])),), marks=(gone,),
                events=(told,),
            )  # fmt: skip

        await self.store.act(moved.source, (name,), decide)


def _short(short: Short, product: str, field: str) -> Refusal:
    left = max(0, short.lacks[0].now)
    detail = f"Only {left} of this product are left."
    return Refusal("short", detail, [{"field": field, "product": product, "left": left}])


def units(moved: Transfer, on_shelf: str, sign: int) -> tuple[Counter, ...]:
    """The counters a transfer moves on one of its two shelves."""
    count = sign * moved.quantity
    if on_shelf.startswith("shop:"):
        return (Counter(f"free:{moved.product}", count),)
    return (Counter(f"free:{moved.offer}", count), Counter(f"loaded:{moved.offer}", count))


def arrived(moved: Transfer, arrival: Decision) -> Decision:
    """`arrival`, with the units and the record that makes their arrival happen once."""
    told: Event = {
        "type": events.TRANSFER_ARRIVED, "transfer": moved.id, "offer": moved.offer, "product": moved.product,
        "quantity": moved.quantity,
    }  # fmt: skip
    return replace(
        arrival,
        counters=(*arrival.counters, *units(moved, moved.target, 1)),
        puts=(*arrival.puts, Put(f"transfer:{moved.id}", 0, encode(moved))),
        events=(*arrival.events, told),
    )
