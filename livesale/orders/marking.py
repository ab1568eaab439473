"""Marking an order as a minor's, an operator's command, and what orders do when the question about it has been answered.

Three steps, each harmless when repeated, in the order in which a crash does least harm: the account's age, so that the next
purchase goes the minor's way; the commit that stops the order and puts the question; the invitation of a guardian who is not
linked yet. Whoever presses again finishes what was left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import msgspec

from livesale.accounts.signins import check_fresh
from livesale.guardians.events import APPROVAL_CHANGED
from livesale.guardians.model import AFTER_THE_SALE, Approval
from livesale.kernel.actor import Actor
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import aftersale, floating
from livesale.orders.events import ORDER_CHANGED
from livesale.orders.floating import Found
from livesale.orders.model import Order
from livesale.orders.requests import quietly
from livesale.orders.sold import shelf_of_order
from livesale.store.decision import Decision
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Records, Store

UNKNOWN = Found(False, None, 0)


class Minors(Protocol):
    """What marking needs of accounts and families."""

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def correct_age(self, by: Actor, account: str, born: date) -> Found: ...

    async def has_guardian(self, account: str) -> bool: ...

    async def invite(self, account: str, email: str, approval: str, until: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Marking:
    """The operator's command."""

    store: Store
    minors: Minors

    async def mark(
        self, actor: Actor, order_id: str, born: date, reason: str, guardian_email: str | None
    ) -> tuple[Order, Approval]:
        """The order as it stops, and the question about it; the same again when it was marked before. By who has just proven
        who they are.
        """
        check_fresh(actor, self.store.now_ms())
        on_shelf = shelf_of_order(order_id)
        names = aftersale.names(order_id)
        order, _ = aftersale.order_in(await self.store.read(on_shelf, *names), order_id)
        asks = await self.minors.has_guardian(order.account)
        if not asks and not guardian_email:
            what = [{"field": "guardian_email", "detail": "nobody is linked to this account: say whom to ask"}]
            raise Refusal("invalid", "There is no guardian to ask.", what)
        if not order.contract:
            await self._stop(actor, order, born, reason)
        order, approval = await self._found(on_shelf, order_id)
        if guardian_email and not asks and approval.state in AFTER_THE_SALE:
            await self.minors.invite(order.account, guardian_email, approval.id, approval.expires_at)
        return order, approval

    async def _stop(self, actor: Actor, order: Order, born: date, reason: str) -> None:
        approval_id, names = new_id("ap", order.shelf), aftersale.names(order.id)

        def marked(records: Records, now_ms: int, ship_to: dict[str, Any], found: Found) -> Decision:
            return floating.marked(records, order.id, approval_id, ship_to, found, actor.account, reason, now_ms)

        records = await self.store.read(order.shelf, *names)
        marked(records, self.store.now_ms(), {}, UNKNOWN)  # what cannot be marked is refused before its account is changed
        sealed = await self.minors.unseal(order.account, order.ship_to, f"ship_to:{order.id}")
        ship_to = msgspec.json.decode(sealed)
        found = await self.minors.correct_age(actor, order.account, born)
        await quietly(self.store.act(order.shelf, names, lambda records, now: marked(records, now, ship_to, found)))

    async def _found(self, on_shelf: str, order_id: str) -> tuple[Order, Approval]:
        name = f"order:{order_id}"
        order = load(Order, (await self.store.read(on_shelf, name))[name])
        asked = f"approval:{order.approval}" if order else ""
        approval = load(Approval, (await self.store.read(on_shelf, asked))[asked])
        if order is None or approval is None:
            raise not_found("order")
        return order, approval


@dataclass(frozen=True, slots=True)
class Answers:
    """The reader's side: one commit for each answer; a repetition finds the work done and does nothing."""

    store: Store

    def reactions(self) -> tuple[Reaction, ...]:
        """The end of the question, and the end of the order itself."""
        return (
            Reaction(APPROVAL_CHANGED, self._answered, frozenset(floating.BECOMES)),
            Reaction(ORDER_CHANGED, self._ended, frozenset(floating.ENDED_OTHERWISE)),
        )

    async def _answered(self, shelf: str, event: Event) -> None:
        order_id, names = event["order"], (*aftersale.names(event["order"]), f"approval:{event['approval']}")
        await quietly(self.store.act(shelf, names, lambda records, now: floating.answered(records, order_id, now)))

    async def _ended(self, shelf: str, event: Event) -> None:
        order_id, name = event["order"], f"order:{event['order']}"
        order = load(Order, (await self.store.read(shelf, name))[name])
        if order is not None and order.contract == "floats":
            names = (name, f"approval:{order.approval}")
            await quietly(self.store.act(shelf, names, lambda records, now: floating.ended_otherwise(records, order_id, now)))
