"""Orders that wait for a guardian: the rules, pure. What a request does to its order, its units and its payment.

Law: no money of a minor's order is captured but in the commit that consumes one approval, still `approved`, of exactly
this order (reactions.py, `claim`). Whatever changes what was asked makes a new request in the same commit.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from livesale.accounts.model import Place
from livesale.guardians import model as approvals
from livesale.guardians.model import Approval
from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal
from livesale.orders import model
from livesale.orders.model import Order
from livesale.payments import model as payments
from livesale.payments.model import Payment
from livesale.shows.model import Deal, Offer, price_now
from livesale.store.decision import Counter, Decision, Mark, Put
from livesale.store.record import encode, load, put
from livesale.store.valkey import Records

OPEN = "requests"  # the index of a shelf's open requests
PRICED = ("lines", "country", "shipping", "total")
# What becomes of an order whose consent has ended before it was paid, and why it says so.
WITHHELD = {"revoked": ("cancelled", "revoked"), "lapsed": ("expired", "lapsed"), "void": ("cancelled", "void")}


class Nothing(Exception):
    """There is nothing left to do: a repeated event."""


def new_payment(order: Order, payer: str, token: str, return_url: str, now_ms: int) -> Payment:
    """A payment about to be asked for; its key is fixed before the first call to the provider."""
    return Payment(
        order.id, payer, order.total, order.currency, token, f"pay_{random_name()}", now_ms,
        now_ms + payments.PAY_WITHIN_MS, return_url=return_url,
    )  # fmt: skip


def request_counters(order: Order, sign: int, ceilings: dict[str, int] | None = None) -> tuple[Counter, ...]:
    """What an open request counts against: the minor's own number, one for each offer, the offer's share."""
    rows = [Counter(f"requests_of:{order.account}", sign, 0, approvals.MOST_OPEN_REQUESTS)]
    rows += [Counter(f"request:{order.account}:{offer}", sign, 0, 1) for offer in sorted({x.offer for x in order.lines})]
    for line in order.lines:
        ceiling = (ceilings or {}).get(line.offer) if line.tracked else None
        rows.append(Counter(f"requests:{line.offer}", sign * line.quantity, 0, ceiling))
    return tuple(rows)


def digest_of(order: Order, ship_to: dict[str, Any]) -> str:
    """The digest a guardian of this order consents to."""
    lines = [{"offer": x.offer, "quantity": x.quantity, "price": x.price} for x in order.lines]
    return approvals.digest(lines, order.total, order.currency, order.shop, ship_to)


def ask(
    records: Records, asked: Order, approval_id: str, ship_to: dict[str, Any], sealed: bytes, ceilings: dict[str, int],
    now_ms: int, place: Place,
) -> Decision:  # fmt: skip
    """A request for the order as `asked` (its price may be new). An open one is superseded: its hold goes on, no longer.

    `records` has the order as it is and, when it is being asked for already, that request; `place`: where the minor lives.
    """
    name = f"order:{asked.id}"
    order = load(Order, records[name])
    before = load(Approval, records.get(f"approval:{order.approval}")) if order else None
    if order is None:
        raise Nothing
    again = order.state == "awaiting_guardian"
    until = order.reserved_until if again else now_ms + approvals.HOLD_MS
    fields = {one: getattr(asked, one) for one in PRICED}
    if before:
        fields["asked_before"] = [*order.asked_before, before.id]
    after = model.changed(
        order, state="awaiting_guardian", ship_to=sealed, approval=approval_id, reserved_until=until, **fields
    )
    since = before.since if before else now_ms
    approval = Approval(
        approval_id, order.id, order.account, digest_of(after, ship_to), after.total, after.currency, after.shop, now_ms,
        approvals.open_until(since, now_ms, place), since=since, held_until=until if after.reservation == "held" else 0,
        extended=bool(before and before.extended), terms=approvals.TERMS_VERSION,
    )  # fmt: skip
    decision = Decision(
        order.shelf,
        counters=model.moves(order, after) if again else (*model.moves(order, after), *request_counters(order, 1, ceilings)),
        puts=(put(name, records[name], after), Put(f"approval:{approval_id}", 0, encode(approval))),
        marks=(
            *((Mark("due", f"hold:{order.id}", until),) if after.reservation == "held" else ()),
            Mark("due", f"approval:{approval_id}", approval.expires_at),
            Mark(OPEN, approval_id, approval.expires_at),
        ),
        events=(model.order_event(order, after), approvals.approval_event(None, approval)),
    )
    return _superseding(records, before, decision) if before else decision


def _superseding(records: Records, before: Approval, decision: Decision) -> Decision:
    """The new request, with the end of the one before in front of it."""
    name, marks = f"approval:{before.id}", (*decision.marks, Mark(OPEN, before.id, None))
    if before.state == "superseded":
        return replace(decision, marks=marks)
    after = approvals.moved(before, "superseded")
    return replace(
        decision,
        puts=(*decision.puts, put(name, records[name], after)),
        marks=(*marks, Mark("due", name, None)),
        events=(approvals.approval_event(before, after), *decision.events),
    )


def raised(order: Order, offer: Offer, deal: Deal | None, now_ms: int) -> Order | None:
    """The order at the offer's price now, when that is more than was asked for; a lower one changes nothing."""
    price = price_now(offer, deal, now_ms)
    dearer = [line.offer == offer.id and line.price < price for line in order.lines]
    if not any(dearer):
        return None
    lines = [replace(line, price=price) if rose else line for line, rose in zip(order.lines, dearer, strict=True)]
    return replace(order, lines=lines)


def begin(records: Records, order_id: str, origin: str, now_ms: int) -> Decision:
    """Approved: the guardian's payment begins; units given back meanwhile are held again first (Short). A bank that asks
    (3-D Secure) sends the guardian back to the request's page at `origin`.
    """
    order, approval = asked_in(records, order_id, "approved")
    after = model.changed(order, state="awaiting_payment", reservation="paying")
    begun = new_payment(order, approval.guardian, approval.token, f"{origin}/guardian/{approval.id}", now_ms)
    payment = replace(begun, deadline=approval.pay_until, approval=approval.id)
    name = f"approval:{approval.id}"
    return Decision(
        order.shelf,
        counters=(*model.moves(order, after), *request_counters(order, -1)),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            put(f"payment:{order_id}", records[f"payment:{order_id}"], payment),
            put(name, records[name], replace(approval, token="")),
        ),
        marks=(
            Mark("due", f"hold:{order_id}", None),
            Mark(OPEN, approval.id, None),
            Mark("due", f"pay:{order_id}", payment.deadline),
        ),
        events=(model.order_event(order, after), payments.payment_event(None, payment)),
    )


def void(records: Records, order_id: str, state: str, reason: str) -> Decision:
    """What was asked for (and, as `state` says, approved) cannot be had any more: units back, nothing is charged."""
    order, approval = asked_in(records, order_id, state)
    after = model.changed(order, state="cancelled", reservation="released", reason=reason)
    return ended_with(records, ending(records, order, after), approval, "void")


def end_request(records: Records, order_id: str, state: str, now_ms: int) -> Decision:
    """Declined, expired, or its consent ended before the payment began: the units go back."""
    order, _approval = asked_in(records, order_id, state)
    ends, reason = WITHHELD.get(state, (state, "guardian"))
    return ending(records, order, model.changed(order, state=ends, reservation="released", reason=reason))


def call_off(records: Records, order_id: str, now_ms: int) -> Decision:
    """Consent has ended while it was being paid: what the provider has of it is voided. Of one that the provider has
    not answered about, its answer is waited for. A consent is good for one capture: when that failed and the bank says yes
    after all, it has ended, too.
    """
    order, payment, approval = load(Order, records[f"order:{order_id}"]), payment_in(records, order_id), approval_in(records)
    if order is None or payment is None or approval is None or approval.state not in (*WITHHELD, "consumed"):
        raise Nothing
    return _let_go(records, order, payment)


def stop(records: Records, order_id: str, now_ms: int) -> Decision:
    """A guardian has stopped all buying before the capture: consent is void, and what the provider has is voided."""
    order, payment, approval = load(Order, records[f"order:{order_id}"]), payment_in(records, order_id), approval_in(records)
    if order is None or approval is None or approval.state not in ("approved", *WITHHELD):
        raise Nothing
    held = payment is not None and payment.state in ("requires_action", "authorised")
    decision = _let_go(records, order, payment) if payment and held else Decision(order.shelf)
    if approval.state == "approved":
        return ended_with(records, decision, approval, "void")
    if not decision.puts:
        raise Nothing
    return decision


def _let_go(records: Records, order: Order, payment: Payment) -> Decision:
    voiding = payments.changed(payment, state="voiding")
    if payment.state not in ("requires_action", "authorised") or voiding is None:
        raise Nothing
    name = f"payment:{order.id}"
    return Decision(
        order.shelf, puts=(put(name, records[name], voiding),), events=(payments.payment_event(payment, voiding),)
    )


def cancel_request(shelf: str, records: Records, name: str) -> Decision:
    """The buyer cancelled: nobody is asked any longer."""
    approval = load(Approval, records[name])
    if approval is None or approval.state not in ("requested", "approved"):
        raise Nothing
    return ended_with(records, Decision(shelf), approval, "cancelled")


def taken_over(records: Records, order: Order, decision: Decision) -> Decision:
    """`decision`, by a buyer who has come of age since asking (§ 108 (3) BGB): nobody else is asked any longer."""
    approval = approval_in(records)
    if approval is None or approval.state != "requested":
        raise Refusal("conflict", "Your guardian has answered this. Please look at your order again.")
    ended = ended_with(records, decision, approval, "cancelled")
    return replace(
        ended,
        counters=(*ended.counters, *request_counters(order, -1)),
        marks=(*ended.marks, Mark(OPEN, approval.id, None)),
    )


def held_longer(records: Records, order_id: str, now_ms: int) -> Decision:
    """The guardian extended the hold; one that lapsed in that very moment is held again (Short: it stays lapsed)."""
    order, approval = asked_in(records, order_id, "requested")
    if order.reserved_until >= approval.held_until:
        raise Nothing
    after = model.changed(order, reservation="held", reserved_until=approval.held_until)
    return Decision(
        order.shelf,
        counters=model.moves(order, after),
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
        marks=(Mark("due", f"hold:{order_id}", after.reserved_until),),
        events=(model.order_event(order, after),),
    )


def ending(records: Records, order: Order, after: Order) -> Decision:
    """The Decision that ends an order before it was paid: units back, request closed by its own reaction."""
    asking = order.state == "awaiting_guardian"
    closed = request_counters(order, -1) if asking else ()
    return Decision(
        order.shelf,
        counters=(*model.moves(order, after), *closed),
        puts=(put(f"order:{order.id}", records[f"order:{order.id}"], after),),
        marks=(
            Mark("due", f"hold:{order.id}", None),
            model.leaves(after),
            *((Mark(OPEN, order.approval or "", None),) if asking else ()),
        ),
        events=(model.order_event(order, after),),
    )


def ended_with(records: Records, decision: Decision, approval: Approval, state: str) -> Decision:
    """`decision`, with the approval in its end."""
    name = f"approval:{approval.id}"
    after = approvals.moved(approval, state, token="")
    return replace(
        decision,
        puts=(*decision.puts, put(name, records[name], after)),
        marks=(*decision.marks, Mark("due", name, None)),
        events=(*decision.events, approvals.approval_event(approval, after)),
    )


def asked_in(records: Records, order_id: str, state: str) -> tuple[Order, Approval]:
    """The order that waits for a guardian and its request, which is in this state; Nothing otherwise."""
    order, approval = load(Order, records[f"order:{order_id}"]), approval_in(records)
    waits = order is not None and order.state == "awaiting_guardian"
    if order is None or approval is None or not waits or order.approval != approval.id or approval.state != state:
        raise Nothing
    return order, approval


def approval_in(records: Records) -> Approval | None:
    """The one approval among the records."""
    return load(Approval, next((record for name, record in records.items() if name.startswith("approval:")), None))


def payment_in(records: Records, order_id: str) -> Payment | None:
    """The order's payment, if one was begun."""
    return load(Payment, records[f"payment:{order_id}"])
