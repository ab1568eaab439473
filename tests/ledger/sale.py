"""A show with its sale, committed to the real store the way the rooms do it: the ledger's tests drive this."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack

from livesale.kernel.ids import new_id, random_name
from livesale.store.decision import Committed, Counter, Decision, Put
from livesale.store.valkey import Store

PRICE = 1999


class Sale:
    """One live show with one offer; every method is one commit (or the few the rooms would make)."""

    def __init__(self, store: Store, show: str = "4k2c000000") -> None:
        self.store = store
        self.show = show
        self.shelf = f"show:{show}"
        self.offer = f"of_s{show}_0000000000000001"
        self.orders: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self.paid: dict[str, tuple[int, int]] = {}

    async def open(self, stock: int = 100, owner: str = "host000000") -> None:
        """The show is created, gets its offer and stock, and goes live."""
        created = {"title": "Evening", "shop": "demo", "currency": "EUR", "owner": owner, "starts_at": None}
        await self._commit([{"type": "show_created", "show": self.show, **created}], {"show": b"draft"})
        offer = {"id": self.offer, "product": "p1", "title": "Teapot", "image": "", "price": PRICE, "currency": "EUR"}
        await self._commit(
            [{"type": "offer_set", "offer": offer}],
            {f"offer:{self.offer}": b"teapot"},
            {f"free:{self.offer}": stock, f"loaded:{self.offer}": stock},
        )
        live = {"id": self.show, "title": "Evening", "state": "live", "started_at": 5, "ended_at": None}
        await self._commit([{"type": "show_changed", **live}], {"show": b"live"})

    async def hold(self, account: str = "buyer00000", quantity: int = 1) -> str:
        """An order of `quantity` units; its id."""
        order = new_id("o", self.shelf)
        line = {"offer": self.offer, "product": "p1", "quantity": quantity, "price": PRICE}
        self.orders[order] = {
            "owner": account,
            "order": order,
            "version": 1,
            "state": "held",
            "before": "",
            "lines": [line],
            "total": quantity * PRICE,
            "currency": "EUR",
            "shop": "demo",
            "held_at": 1_000,
            "reserved_until": 601_000,
            "reason": "",
        }
        moved = {f"free:{self.offer}": -quantity, f"held:{self.offer}": quantity, "n:held": 1}
        moved[f"buyer:{account}:{self.offer}"] = quantity
        await self._told(order, [], moved)
        return order

    async def ask(self, order: str, minor: str = "minor00000") -> str:
        """The order waits for a guardian; the approval's id."""
        self._moves(order, "awaiting_guardian")
        approval = new_id("ap", self.shelf)
        asked = self._approval(approval, order, minor, "requested", "", "")
        await self._told(order, [asked], {"n:held": -1, "n:awaiting_guardian": 1})
        return approval

    async def approve(self, approval: str, order: str, minor: str = "minor00000", guardian: str = "guard00000") -> None:
        """A guardian says yes; the order goes on to payment."""
        approved = self._approval(approval, order, minor, "approved", "requested", guardian)
        await self._to_payment(order, "awaiting_guardian", [approved])

    async def check_out(self, order: str) -> None:
        """An adult's order goes to payment."""
        await self._to_payment(order, "held", [])

    async def pay(self, order: str) -> None:
        """The provider has captured: the order is paid."""
        quantity, total = self._quantity(order), self.orders[order]["total"]
        before = self.orders[order]["state"]
        self._moves(order, "paid")
        moved = {f"paying:{self.offer}": -quantity, f"claimed:{self.offer}": quantity, "revenue": total}
        payment = self._payment(order, total, 0)
        await self._told(order, [payment], {**moved, f"n:{before}": -1, "n:paid": 1})

    async def refund(self, order: str, amount: int) -> None:
        """A part is given back."""
        captured, refunded = self.paid[order]
        told = [self._refund(order, amount), self._payment(order, captured, refunded + amount)]
        await self._commit(told, {}, {"refunded": amount})

    async def expire(self, order: str) -> None:
        """A hold nobody paid gives its units back."""
        quantity = self._quantity(order)
        self._moves(order, "expired", reason="nobody paid")
        moved = {f"free:{self.offer}": quantity, f"held:{self.offer}": -quantity, "n:held": -1, "n:expired": 1}
        await self._told(order, [], moved)

    async def say(self, sealed: str = "c2VhbGVk") -> None:
        """A line of chat."""
        said = {"type": "chat_said", "id": random_name(), "name": "Ann", "sealed": sealed, "author": "buyer00000"}
        await self._commit([said])

    async def whole_story(self) -> None:
        """Some of everything: sold, asked for, refunded, expired."""
        await self.open()
        adult, minor, late = [await self.hold(f"buyer0000{n}", n + 1) for n in range(3)]
        await self.check_out(adult)
        await self.pay(adult)
        await self.approve(await self.ask(minor), minor)
        await self.pay(minor)
        await self.refund(minor, 500)
        await self.refund(minor, 300)
        await self.expire(late)
        await self.hold("buyer00007")
        await self.say()

    async def rush(self, orders: int) -> None:
        """Many holds at once."""
        for start in range(0, orders, 256):
            names = range(start, min(orders, start + 256))
            await asyncio.gather(*(self.hold(f"b{name:09d}") for name in names))

    async def _to_payment(self, order: str, before: str, events: list[dict[str, Any]]) -> None:
        quantity = self._quantity(order)
        self._moves(order, "awaiting_payment")
        moved = {f"held:{self.offer}": -quantity, f"paying:{self.offer}": quantity}
        await self._told(order, events, {**moved, f"n:{before}": -1, "n:awaiting_payment": 1})

    def _quantity(self, order: str) -> int:
        return sum(line["quantity"] for line in self.orders[order]["lines"])

    def _moves(self, order: str, state: str, reason: str = "") -> None:
        known = self.orders[order]
        moved = {"before": known["state"], "state": state, "version": known["version"] + 1, "reason": reason}
        self.orders[order] = {**known, **moved}

    def _payment(self, order: str, captured: int, refunded: int) -> dict[str, Any]:
        self.paid[order] = (captured, refunded)
        known = self.orders[order]
        return {
            "type": "payment_changed",
            "payment": f"pay:{order}",
            "order": order,
            "state": "captured",
            "before": "authorised",
            "amount": known["total"],
            "currency": "EUR",
            "payer": known["owner"],
            "captured": captured,
            "refunded": refunded,
        }

    def _refund(self, order: str, amount: int) -> dict[str, Any]:
        known = self.orders[order]
        lines = {"lines": [], "cause": "seller", "by": "host000000", "at": 2_000, "version": 3}
        names = {"owner": known["owner"], "order": order, "refund": new_id("rf", self.shelf)}
        return {"type": "refund_changed", **names, **lines, "state": "done", "before": "refunding", "amount": amount,
                "currency": "EUR"}  # fmt: skip

    def _approval(self, *named: str) -> dict[str, Any]:
        names = ("approval", "order", "minor", "state", "before", "guardian")
        fixed = {"digest": "d" * 64, "total": PRICE, "currency": "EUR", "expires_at": 86_400_000}
        return {"type": "approval_changed", **dict(zip(names, named, strict=True)), **fixed}

    async def _told(self, order: str, events: list[dict[str, Any]], moved: dict[str, int]) -> Committed:
        changed = {"type": "order_changed", **self.orders[order]}
        return await self._commit([changed, *events], {f"order:{order}": msgpack.packb(changed)}, moved)

    async def _commit(
        self, events: list[dict[str, Any]], puts: dict[str, bytes] | None = None, moved: dict[str, int] | None = None
    ) -> Committed:
        rows = tuple(Put(name, self.versions.get(name, 0), data) for name, data in (puts or {}).items())
        deltas = tuple(Counter(name, delta) for name, delta in (moved or {}).items())
        done = await self.store.commit(Decision(self.shelf, puts=rows, counters=deltas, events=tuple(events)))
        self.versions.update(dict.fromkeys(puts or {}, done.seq))
        return done
