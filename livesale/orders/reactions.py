"""What orders do when payments or approvals have moved: claim, finish, give back. Each reaction is one commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from livesale.guardians import model as approvals
from livesale.guardians.events import APPROVAL_CHANGED
from livesale.guardians.model import Approval
from livesale.kernel.events import Event
from livesale.orders import aftersale, late, model
from livesale.orders.events import ORDER_CHANGED, TRANSFER_RELEASED, UNITS_RETURNED, WAITLIST_CHANGED
from livesale.orders.model import Order
from livesale.orders.service import ending, new_payment, request_counters
from livesale.orders.transfers import Transfers
from livesale.payments import model as payments
from livesale.payments.events import PAYMENT_CHANGED
from livesale.payments.model import Payment
from livesale.shows.events import SHOW_CHANGED
from livesale.shows.model import Offer, OfferList, Show
from livesale.store.decision import Counter, Decision, Mark, Short
from livesale.store.readers import Reaction
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

FAILED = {"failed", "voided", "expired"}


@dataclass(frozen=True, slots=True)
class OrderReactions:
    """What the orders room does about others' events; a repetition finds the work done and does nothing."""

    store: Store

    def reactions(self) -> tuple[Reaction, ...]:
        """The events it takes."""
        return (
            Reaction(PAYMENT_CHANGED, self._payment, frozenset(STEPS)),
            Reaction(APPROVAL_CHANGED, self._approval, frozenset({"approved", "declined", "expired"})),
            Reaction(ORDER_CHANGED, self._close_request, frozenset({"cancelled"})),
        )

    async def _payment(self, shelf: str, event: Event) -> None:
        order_id, step = event["order"], STEPS[event["state"]]
        names = aftersale.names(order_id)
        try:
            await _quietly(self.store.act(shelf, names, lambda records, now: step(records, order_id, now)))
        except Short:  # late money found no units
            await _quietly(self.store.act(shelf, names, lambda records, now: let_go(records, order_id, now)))

    async def _approval(self, shelf: str, event: Event) -> None:
        order_id, state = event["order"], event["state"]
        names = (f"order:{order_id}", f"payment:{order_id}", f"approval:{event['approval']}")
        if state == "approved":
            try:
                await _quietly(self.store.act(shelf, names, lambda records, now: consume(records, order_id, now)))
            except Short:
                await _quietly(self.store.act(shelf, names, lambda records, now: void(records, order_id, now)))
        else:
            await _quietly(
                self.store.act(shelf, names, lambda records, now: end_request(records, order_id, state, now))
            )

    async def _close_request(self, shelf: str, event: Event) -> None:
        """An order that left `awaiting_guardian` another way takes its request with it."""
        if event["before"] != "awaiting_guardian":
            return
        found = await self.store.read(shelf, f"order:{event['order']}")
        order = load(Order, found[f"order:{event['order']}"])
        if order is None or order.approval is None:
            return
        name = f"approval:{order.approval}"
        await _quietly(self.store.act(shelf, (name,), lambda records, now: cancel_request(shelf, records, name)))


class Nothing(Exception):
    """There is nothing left to do: a repeated event."""


async def _quietly(work: object) -> None:
    try:
        await work  # type: ignore[misc]
    except Nothing:
        return


def _both(records: Records, order_id: str) -> tuple[Order, Payment]:
    order = load(Order, records[f"order:{order_id}"])
    payment = load(Payment, records[f"payment:{order_id}"])
    if order is None or payment is None:
        raise Nothing
    return order, payment


def claim(records: Records, order_id: str, now_ms: int) -> Decision:
    """Authorised: the units are the buyer's in the same commit that lets the money be captured.

    For an order that has ended they are claimed anew, or (Short) the payment is let go.
    """
    order, payment = _both(records, order_id)
    if payment.state != "authorised":
        raise Nothing
    if order.state != "awaiting_payment" or order.reservation not in ("paying", "claimed"):
        return _something(late.revive(records, order, payment) or late.let_go(records, order, payment))
    after = model.changed(order, reservation="claimed")
    paid = payments.changed(payment, state="capturing")
    if paid is None:
        raise Nothing
    return Decision(
        order.shelf,
        counters=model.moves(order, after),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            put(f"payment:{order_id}", records[f"payment:{order_id}"], paid),
        ),
        events=(payments.payment_event(payment, paid),),
    )


def let_go(records: Records, order_id: str, now_ms: int) -> Decision:
    """Authorised too late, and nothing is left: the money goes back."""
    order, payment = _both(records, order_id)
    if payment.state != "authorised":
        raise Nothing
    return _something(late.let_go(records, order, payment))


def _something(decision: Decision | None) -> Decision:
    if decision is None:
        raise Nothing
    return decision


def settle(records: Records, order_id: str, now_ms: int) -> Decision:
    """Captured: the order is paid, and counted as revenue once; of one that has ended all goes back."""
    order, payment = _both(records, order_id)
    if payment.state != "captured":
        raise Nothing
    if order.state != "awaiting_payment":
        return _something(late.give_back(records, order, payment, now_ms))
    after = model.changed(order, state="paid")
    return Decision(
        order.shelf,
        counters=(*model.moves(order, after), Counter("revenue", payment.captured)),
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
        marks=(Mark("due", f"pay:{order_id}", None),),
        events=(model.order_event(order, after),),
    )


def give_back(records: Records, order_id: str, now_ms: int) -> Decision:
    """No money moves: the provider said so, and the units go back."""
    order, payment = _both(records, order_id)
    if order.state != "awaiting_payment" or payment.state not in FAILED:
        raise Nothing
    state = "expired" if payment.state == "expired" else "payment_failed"
    after = model.changed(order, state=state, reservation="released", reason=payment.decline or payment.state)
    decision = ending(records, order, after)
    return replace(decision, marks=(*decision.marks, Mark("due", f"pay:{order_id}", None)))


def consume(records: Records, order_id: str, now_ms: int) -> Decision:
    """Approved: the guardian's payment begins; units given back meanwhile are held again first (Short: void)."""
    order, approval = _asked(records, order_id, "approved")
    after = model.changed(order, state="awaiting_payment", reservation="paying")
    begun = new_payment(order, approval.guardian, approval.token, "", now_ms)
    payment = msgspec.structs.replace(begun, deadline=now_ms + approvals.PAYMENT_MS)
    used = approvals.moved(approval, "consumed", token="")
    return Decision(
        order.shelf,
        counters=(*model.moves(order, after), *request_counters(order, -1)),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            put(f"payment:{order_id}", records[f"payment:{order_id}"], payment),
            put(f"approval:{approval.id}", records[f"approval:{approval.id}"], used),
        ),
        marks=(
            Mark("due", f"hold:{order_id}", None),
            Mark("due", f"approval:{approval.id}", None),
            Mark("due", f"pay:{order_id}", payment.deadline),
        ),
        events=(
            model.order_event(order, after),
            approvals.approval_event(approval, used),
            payments.payment_event(None, payment),
        ),
    )


def void(records: Records, order_id: str, now_ms: int) -> Decision:
    """Approved too late: the units are gone. Nothing is charged."""
    order, approval = _asked(records, order_id, "approved")
    after = model.changed(order, state="cancelled", reservation="released", reason="sold_out")
    return _with_approval(records, order, after, approval, "void")


def end_request(records: Records, order_id: str, state: str, now_ms: int) -> Decision:
    """Declined or expired: the units go back."""
    order, _approval = _asked(records, order_id, state)
    return ending(records, order, model.changed(order, state=state, reservation="released", reason="guardian"))


def cancel_request(shelf: str, records: Records, name: str) -> Decision:
    """The buyer cancelled: nobody is asked any longer."""
    approval = load(Approval, records[name])
    if approval is None or approval.state != "requested":
        raise Nothing
    after = approvals.moved(approval, "cancelled")
    return Decision(
        shelf,
        puts=(put(name, records[name], after),),
        marks=(Mark("due", f"approval:{approval.id}", None),),
        events=(approvals.approval_event(approval, after),),
    )


def _asked(records: Records, order_id: str, state: str) -> tuple[Order, Approval]:
    order = load(Order, records[f"order:{order_id}"])
    stored = next((record for name, record in records.items() if name.startswith("approval:")), None)
    approval = load(Approval, stored)
    if order is None or approval is None or order.state != "awaiting_guardian" or approval.state != state:
        raise Nothing
    return order, approval


def _with_approval(records: Records, order: Order, after: Order, approval: Approval, state: str) -> Decision:
    name = f"approval:{approval.id}"
    moved = approvals.moved(approval, state, token="")
    decision = ending(records, order, after)
    return replace(
        decision,
        puts=(*decision.puts, put(name, records[name], moved)),
        marks=(*decision.marks, Mark("due", name, None)),
        events=(*decision.events, approvals.approval_event(approval, moved)),
    )


STEPS: dict[str, Callable[[Records, str, int], Decision]] = {
    "authorised": claim,
    "captured": settle,
    "failed": give_back,
    "voided": give_back,
    "expired": give_back,
}


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Brings free units back to the shop once their show has ended, and those that come free later."""

    store: Store
    transfers: Transfers

    def reactions(self) -> tuple[Reaction, ...]:
        """A show's end, and every order or place in a line that gives units back after it."""
        return (
            Reaction(SHOW_CHANGED, self._all, frozenset({"ended"})),
            Reaction(TRANSFER_RELEASED, self._all),  # a crash came between: free again, and nobody else would come
            Reaction(WAITLIST_CHANGED, self._of_place),
            Reaction(ORDER_CHANGED, self._of_order, frozenset(model.ENDED)),
            Reaction(UNITS_RETURNED, self._of_order),
        )

    async def _all(self, shelf: str, _event: Event) -> None:
        if shelf.startswith("show:"):
            await self._return(shelf, None)

    async def _of_place(self, shelf: str, event: Event) -> None:
        if event["before"] == "offered":
            await self._return(shelf, [event["offer"]])

    async def _of_order(self, shelf: str, event: Event) -> None:
        if shelf.startswith("show:"):
            await self._return(shelf, [line["offer"] for line in event["lines"]])

    async def _return(self, shelf: str, offers: list[str] | None) -> None:
        records = await self.store.read(shelf, "show", "offers")
        show = load(Show, records["show"])
        listed = load(OfferList, records["offers"])
        if show is None or show.state != "ended" or listed is None:
            return
        for offer_id in offers or listed.offers:
            name = f"offer:{offer_id}"
            offer = load(Offer, (await self.store.read(shelf, name))[name])
            free = (await self.store.counters(shelf, f"free:{offer_id}"))[f"free:{offer_id}"]
            if offer and offer.tracked and free > 0:
                await self.transfers.to_shop(shelf, show.shop, offer.product, offer.id, free)
