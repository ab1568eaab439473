"""What orders do when payments have moved: claim, finish, give back. Each reaction is one commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from livesale.kernel.events import Event
from livesale.orders import aftersale, asking, late, model
from livesale.orders.asking import Nothing, approval_in, ended_with, ending
from livesale.orders.events import ORDER_CHANGED, TRANSFER_RELEASED, UNITS_RETURNED, WAITLIST_CHANGED
from livesale.orders.model import Order
from livesale.orders.requests import may_capture, quietly
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
        return (Reaction(PAYMENT_CHANGED, self._payment, frozenset(STEPS)),)

    async def _payment(self, shelf: str, event: Event) -> None:
        order_id, step = event["order"], STEPS[event["state"]]
        if step is claim and event.get("approval") and not await self._may_capture(shelf, order_id):
            step = asking.stop
        names = (*aftersale.names(order_id), *((f"approval:{event['approval']}",) if event.get("approval") else ()))
        try:
            await quietly(self.store.act(shelf, names, lambda records, now: step(records, order_id, now)))
        except Short:  # late money found no units
            await quietly(self.store.act(shelf, names, lambda records, now: let_go(records, order_id, now)))

    async def _may_capture(self, shelf: str, order_id: str) -> bool:
        """For an order whose money can be taken now; of any other the claim itself says what becomes of it."""
        records = await self.store.read(shelf, f"order:{order_id}", f"payment:{order_id}")
        order, payment = load(Order, records[f"order:{order_id}"]), load(Payment, records[f"payment:{order_id}"])
        if order is None or payment is None or payment.state != "authorised":
            return True
        return await may_capture(self.store, order.account, order_id)


def _both(records: Records, order_id: str) -> tuple[Order, Payment]:
    order = load(Order, records[f"order:{order_id}"])
    payment = load(Payment, records[f"payment:{order_id}"])
    if order is None or payment is None:
        raise Nothing
    return order, payment


def claim(records: Records, order_id: str, now_ms: int) -> Decision:
    """Authorised: the units are the buyer's in the same commit that lets the money be captured.

    For an order that has ended they are claimed anew, or (Short) the payment is let go. A minor's approval is consumed
    here, and nowhere else; without one that still stands the payment is called off.
    """
    order, payment = _both(records, order_id)
    if payment.state != "authorised":
        raise Nothing
    if order.state != "awaiting_payment" or order.reservation not in ("paying", "claimed"):
        return _something(late.revive(records, order, payment) or late.let_go(records, order, payment))
    approval = approval_in(records)
    if order.approval and (approval is None or approval.state != "approved"):
        return asking.call_off(records, order_id, now_ms)
    after = model.changed(order, reservation="claimed")
    paid = payments.changed(payment, state="capturing")
    if paid is None:
        raise Nothing
    decision = Decision(
        order.shelf,
        counters=model.moves(order, after),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            put(f"payment:{order_id}", records[f"payment:{order_id}"], paid),
        ),
        events=(payments.payment_event(payment, paid),),
    )
    return ended_with(records, decision, approval, "consumed") if approval else decision


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
    approval = approval_in(records)
    if approval and approval.state != "consumed":
        return _unasked(records, order, payment, now_ms)
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
    reason, approval = payment.decline or payment.state, approval_in(records)
    if approval:
        state, reason = asking.WITHHELD.get(approval.state, (state, reason))
    decision = ending(records, order, model.changed(order, state=state, reservation="released", reason=reason))
    decision = replace(decision, marks=(*decision.marks, Mark("due", f"pay:{order_id}", None)))
    unpaid = approval is not None and approval.state == "approved"
    return ended_with(records, decision, approval, "lapsed") if approval and unpaid else decision


def _unasked(records: Records, order: Order, payment: Payment, now_ms: int) -> Decision:
    """Captured although consent had ended (the provider did, while we voided): the order ends, and all goes back."""
    approval = approval_in(records)
    ends, reason = asking.WITHHELD.get(approval.state if approval else "", ("payment_failed", "unasked"))
    after = model.changed(order, state=ends, reservation="released", reason=reason)
    ended, back = ending(records, order, after), _something(late.give_back(records, after, payment, now_ms))
    return replace(
        ended,
        counters=(*ended.counters, *back.counters),
        puts=(*ended.puts, *back.puts),
        marks=(*ended.marks, *back.marks),
        events=(*ended.events, *back.events),
    )


STEPS: dict[str, Callable[[Records, str, int], Decision]] = {
    "requires_action": asking.call_off,
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
