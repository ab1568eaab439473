"""Requests that an allowance agrees to by itself, across the minor's shelf and the order's: aside, agreed, used or back.

Crossing two shelves is never one commit (as in `transfers.py`). Whoever finds a deadline reads the request: one that
nobody has decided is first left to the guardians, so that an approval that comes late finds itself refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from livesale.guardians import allowance as rules
from livesale.guardians import model as approvals
from livesale.guardians.allowance import ALLOWANCE, Allowance, Bought, NotCovered, Spend
from livesale.guardians.events import APPROVAL_CHANGED
from livesale.guardians.family import FAMILY
from livesale.guardians.model import Approval, Guardian
from livesale.kernel.events import Event
from livesale.kernel.ids import shelf, shelf_of
from livesale.kernel.refusals import Refusal
from livesale.orders.asking import Nothing
from livesale.orders.model import Order
from livesale.orders.requests import quietly
from livesale.payments.events import PAYMENT_CHANGED, REFUND_CHANGED
from livesale.payments.model import ENDED, Payment
from livesale.payments.refund import Refunds
from livesale.store.decision import Decision, Mark, Short
from livesale.store.readers import Reaction
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

OVER = frozenset({"revoked", "lapsed", "void", "cancelled"})  # ends of a request that had been agreed to


class Wards(Protocol):
    """What spending needs of accounts, families and the catalogue."""

    async def country_of(self, account: str) -> str: ...

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def guardian(self, account: str, approval: Approval) -> Guardian: ...

    async def category_of(self, product: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Spending:
    """The reader's part in allowances; a repetition finds the work done."""

    store: Store
    wards: Wards

    def reactions(self) -> tuple[Reaction, ...]:
        """The events it takes."""
        return (
            Reaction(APPROVAL_CHANGED, self._asked, frozenset({"requested"})),
            Reaction(APPROVAL_CHANGED, self._over, OVER),
            Reaction(PAYMENT_CHANGED, self._paid, frozenset(ENDED)),
            Reaction(REFUND_CHANGED, self._returned, frozenset({"done"})),
        )

    async def finish(self, on_shelf: str, spend_id: str) -> None:
        """What the mark `spend:ID` does: bring it to one of its ends, or look again later."""
        name = f"spend:{spend_id}"
        spend = load(Spend, (await self.store.read(on_shelf, name))[name])
        how: rules.Fate | None = "released"
        if spend is not None and spend.state == "aside":
            await self._leave_to_guardians(spend)
            names = (f"approval:{spend.approval}", f"payment:{spend.order}")
            found = await self.store.read(_shelf(spend.approval), *names)
            payment = load(Payment, found[names[1]])
            how = rules.fate(spend, load(Approval, found[names[0]]), payment.state if payment else "")
        await self.store.act(on_shelf, (name,), lambda records, now: rules.ended(records, spend_id, how, now))

    async def _asked(self, on_shelf: str, event: Event) -> None:
        """A request nobody has decided: the allowance does, if it covers it."""
        if event["before"]:
            return
        approval = await self._approval(event["approval"])
        if approval is None or approval.state != "requested" or approval.by_hand:
            return
        home = shelf("person", approval.minor)
        allowance = load(Allowance, (await self.store.read(home, ALLOWANCE))[ALLOWANCE])
        if allowance is None or not allowance.token:
            return
        try:
            guardian = await self.wards.guardian(allowance.guardian, approval)
            spend = await self._set_aside(home, approval, guardian)
            await self._agree(on_shelf, spend, guardian)
        except (NotCovered, Short, Nothing):
            return

    async def _set_aside(self, home: str, approval: Approval, guardian: Guardian) -> Spend:
        """The sum, kept for this request; the same one when it is told again."""
        bought, country = await self._bought(approval), await self.wards.country_of(approval.minor)
        name = f"spend:{rules.spend_id(approval)}"

        def decide(records: Records, now_ms: int) -> Decision:
            _check(approval, guardian, now_ms)
            if records[name] is not None:
                raise Nothing
            allowance = load(Allowance, records[ALLOWANCE])
            if allowance is None or allowance.guardian != guardian.account:  # another's, a moment later
                raise NotCovered("changed")
            return rules.set_aside(records, approval, bought, country, now_ms)

        await quietly(self.store.act(home, (ALLOWANCE, FAMILY, name), decide))
        spend = load(Spend, (await self.store.read(home, name))[name])
        if spend is None or spend.state != "aside":
            raise Nothing
        return spend

    async def _agree(self, on_shelf: str, spend: Spend, guardian: Guardian) -> None:
        token = (await self.wards.unseal(spend.guardian, spend.token, f"allowance:{spend.minor}")).decode()
        name = f"approval:{spend.approval}"

        def decide(records: Records, now_ms: int) -> Decision:
            now = load(Approval, records[name])
            if now is None or now.state != "requested":
                raise Nothing
            _check(now, guardian, now_ms)
            after = rules.agreed(now, spend, token, now_ms)
            return Decision(
                on_shelf, puts=(put(name, records[name], after),), marks=(Mark("due", name, approvals.due(after)),),
                events=(approvals.approval_event(now, after),),
            )  # fmt: skip

        try:
            await self.store.act(on_shelf, (name,), decide)
        except (NotCovered, Nothing):
            await self.finish(shelf("person", spend.minor), spend.id)

    async def _leave_to_guardians(self, spend: Spend) -> None:
        """From here on the request is not agreed to by this sum, if it has not been."""
        name = f"approval:{spend.approval}"

        def decide(records: Records, _now_ms: int) -> Decision:
            now = load(Approval, records[name])
            if now is None or now.state != "requested" or now.by_hand:
                raise Nothing
            return Decision(_shelf(spend.approval), puts=(put(name, records[name], replace(now, by_hand=True)),))

        await quietly(self.store.act(_shelf(spend.approval), (name,), decide))

    async def _over(self, _shelf: str, event: Event) -> None:
        if event["spend"]:
            await self._finish(event["spend"])

    async def _paid(self, _shelf: str, event: Event) -> None:
        approval = await self._approval(event["approval"]) if event.get("approval") else None
        if approval and approval.spend:
            await self._finish(approval.spend)

    async def _returned(self, on_shelf: str, event: Event) -> None:
        """Money that went back to the guardian can be spent again, in the month it came from."""
        order_id = event["order"]
        found = await self.store.read(on_shelf, f"order:{order_id}", f"refunds:{order_id}")
        order, refunds = load(Order, found[f"order:{order_id}"]), load(Refunds, found[f"refunds:{order_id}"])
        approval = await self._approval(order.approval) if order and order.approval else None
        home = shelf_of(approval.spend, "sp") if approval else None
        if approval is None or home is None or refunds is None:
            return
        await self._finish(approval.spend)
        back, name = refunds.sum("done"), f"spend:{approval.spend}"

        def decide(records: Records, _now_ms: int) -> Decision:
            decision = rules.returned(records, approval.spend, back)
            if decision is None:
                raise Nothing
            return decision

        await quietly(self.store.act(home, (name,), decide))

    async def _finish(self, spend_id: str) -> None:
        home = shelf_of(spend_id, "sp")
        if home:
            await self.finish(home, spend_id)

    async def _approval(self, approval_id: str) -> Approval | None:
        name = f"approval:{approval_id}"
        return load(Approval, (await self.store.read(_shelf(approval_id), name))[name])

    async def _bought(self, approval: Approval) -> Bought:
        name = f"order:{approval.order}"
        order = load(Order, (await self.store.read(_shelf(approval.id), name))[name])
        if order is None:
            raise Nothing
        categories = [await self.wards.category_of(line.product) for line in order.lines]
        return Bought(order.shop, categories, any(line.age_gate is not None for line in order.lines))


def _check(approval: Approval, guardian: Guardian, now_ms: int) -> None:
    """The guardian could approve this now; the proof of who they are was given with the allowance."""
    proven = replace(guardian, stepped_up_at=now_ms)
    try:
        approvals.check_may_approve(approval, proven, approval.digest, now_ms)
    except Refusal as refusal:
        raise NotCovered(refusal.code) from refusal


def _shelf(approval_id: str) -> str:
    return shelf_of(approval_id, "ap") or ""
