"""Coupons: the rules, pure. A coupon's record, its quota and its claims are on the one shelf of its shop.

Each of the quota is in one place: `left → aside → used`, or back to `left`; left + aside + used = quota always. A claim is
one of them on its way to one order. The claim's record on the order's shelf says whether the order has it (`fate`).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from livesale.kernel.clock import MINUTE_MS, SECOND_MS, rfc3339
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, shelf
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.orders import events, model
from livesale.orders.model import Applied, Order
from livesale.orders.pricing import goods
from livesale.store.decision import Counter, Decision, Lack, Mark, Put
from livesale.store.record import encode, load, put, version
from livesale.store.valkey import Records

MOST_COUPONS = 200  # of a shop at a time
MOST_QUOTA = 1_000_000
FINISH_AFTER_MS = 10 * SECOND_MS
LOOK_AGAIN_MS = 10 * MINUTE_MS  # after an order's own deadline, should its end have gone unheard
UNPAID = frozenset({*model.REVIVED, "declined"})  # none of these comes back to life with its coupon: late.py
ENDS = UNPAID | {"paid"}
OPEN = frozenset({"held", "awaiting_guardian", "awaiting_payment"})

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,29}\Z")


class Coupon(msgspec.Struct, frozen=True, omit_defaults=True):
    """`percent` of the goods, or `amount` minor units, off an order whose goods cost at least `minimum`."""

    id: str
    shop: str
    code: str
    quota: int
    per_buyer_limit: int = 1
    percent: int = 0
    amount: int = 0
    minimum: int = 0
    currency: str = ""
    starts_at: int | None = None
    ends_at: int | None = None


class Codes(msgspec.Struct, frozen=True):
    """The codes a shop has now, oldest first."""

    codes: list[str]


class Claim(msgspec.Struct, frozen=True):
    """One of a coupon's quota for one order: on the shop's shelf while set aside, on the order's for good."""

    id: str
    shop: str
    coupon: str
    code: str
    account: str
    order: str
    target: str
    amount: int
    state: str = "applied"  # on the order's shelf: applied, off, or void (came too late)


def code_of(text: str) -> str:
    """A code as it is kept: capitals; invalid when it can be none."""
    code = text.strip().upper()
    if not _CODE.match(code):
        raise invalid("code", "3 to 30 letters, digits and hyphens, such as SUMMER-10")
    return code


def checked(coupon: Coupon) -> Coupon:
    """The coupon, if its terms make sense: it never makes an order free, for nobody could pay nothing."""
    if bool(coupon.percent) == bool(coupon.amount):
        raise invalid("percent", "say either a percentage or an amount")
    if coupon.amount and coupon.minimum <= coupon.amount:
        return checked(msgspec.structs.replace(coupon, minimum=coupon.amount + 1))
    if coupon.starts_at and coupon.ends_at and coupon.ends_at <= coupon.starts_at:
        raise invalid("ends_at", "must be after starts_at")
    return coupon


def discount(coupon: Coupon, order: Order, now_ms: int) -> int:
    """What it takes off (a share is rounded down); coupon_refused, saying why and what helps, when it does not fit."""
    worth = goods(order)
    if coupon.currency and coupon.currency != order.currency:
        raise refused("currency", f"This code is for orders in {coupon.currency}.")
    if coupon.starts_at and now_ms < coupon.starts_at:
        raise refused("not_yet", f"This code works from {rfc3339(coupon.starts_at)}.", at=rfc3339(coupon.starts_at))
    if coupon.ends_at and now_ms >= coupon.ends_at:
        raise refused("ended", "This code has ended. You can order without it.")
    if worth < coupon.minimum:
        lacks = {"amount": coupon.minimum - worth, "currency": order.currency}
        minimum = {"amount": coupon.minimum, "currency": order.currency}
        raise refused("below_minimum", "The goods cost too little for this code.", minimum=minimum, lacks=lacks)
    return coupon.amount or worth * coupon.percent // 100


def refused(reason: str, detail: str, **more: Any) -> Refusal:
    """A coupon that does not work here: `reason` is for programs."""
    return Refusal("coupon_refused", detail, [{"field": "code", "reason": reason, **more}])


def lack_refusal(lacks: list[Lack]) -> Refusal:
    """Why none could be set aside."""
    if any(lack.name.startswith("couponed:") for lack in lacks):
        return refused("used_by_you", "You have used this code already, or it is in another order of yours.")
    return refused("used_up", "This code has been used up. You can order without it.")


def made(records: Records, coupon: Coupon) -> Decision:
    """A new coupon with its whole quota left; conflict when the shop has that code."""
    name, codes = f"coupon:{coupon.code}", load(Codes, records["coupons"]) or Codes([])
    if records[name] is not None:
        raise Refusal("conflict", f"There is a coupon {coupon.code} already. End it first, or take another code.")
    if len(codes.codes) >= MOST_COUPONS:
        raise Refusal("limit_reached", f"A shop has at most {MOST_COUPONS} coupons. Please end one first.")
    told = {name: getattr(coupon, name) for name in ("code", "percent", "amount", "minimum", "currency", "quota")}
    event: Event = {"type": events.COUPON_MADE, "coupon": coupon.id, **told, "limit": coupon.per_buyer_limit}
    return Decision(
        shelf("shop", coupon.shop),
        counters=(Counter(f"coupon_quota:{coupon.id}", coupon.quota), Counter(f"coupon_left:{coupon.id}", coupon.quota)),
        puts=(
            Put(name, 0, encode(coupon)),
            put("coupons", records["coupons"], Codes([*codes.codes, coupon.code])),
        ),
        events=(event,),
    )


def removed(records: Records, shop: str, code: str) -> Decision:
    """Nobody can use it any longer; orders that have it keep it."""
    name = f"coupon:{code}"
    coupon, codes = load(Coupon, records[name]), load(Codes, records["coupons"]) or Codes([])
    if coupon is None:
        raise not_found("coupon in this shop")
    rest = Codes([one for one in codes.codes if one != code])
    event: Event = {"type": events.COUPON_REMOVED, "coupon": coupon.id, "code": code}
    return Decision(
        shelf("shop", shop),
        puts=(put("coupons", records["coupons"], rest),),
        drops=((name, version(records[name])),),
        events=(event,),
    )


def set_aside(records: Records, claim_id: str, code: str, order: Order, now_ms: int) -> Decision:
    """Step 1, on the shop's shelf: one of the quota for this order, kept until `finish` finds out what became of it."""
    name, coupon = f"coupon:{code}", load(Coupon, records[f"coupon:{code}"])
    if coupon is None:
        raise refused("unknown", "There is no such code. Please look at how it is written.")
    amount = discount(coupon, order, now_ms)
    claim = Claim(claim_id, order.shop, coupon.id, code, order.account, order.id, order.shelf, amount)
    return Decision(
        shelf("shop", order.shop),
        expect=((name, version(records[name])),),
        counters=(
            Counter(f"coupon_left:{coupon.id}", -1),
            Counter(f"coupon_aside:{coupon.id}", 1),
            Counter(f"couponed:{order.account}:{coupon.id}", 1, 0, coupon.per_buyer_limit),
        ),
        puts=(Put(f"claim:{claim_id}", 0, encode(claim)),),
        marks=(Mark("due", f"claim:{claim_id}", now_ms + FINISH_AFTER_MS),),
        events=(_told(events.COUPON_SET_ASIDE, claim),),
    )


def applied(records: Records, claim: Claim) -> Decision:
    """Step 2, on the order's shelf: the order has it, once."""
    name, order = f"order:{claim.order}", open_order(records, claim.order)
    check_takes_code(order)
    if records[f"claim:{claim.id}"] is not None:
        raise Refusal("conflict", "This took too long, and the code was set free again. Please try again.")
    coupon = Applied(claim.id, claim.code, claim.amount)
    after = model.changed(order, coupon=coupon, total=order.total - claim.amount)
    return Decision(
        order.shelf,
        puts=(put(name, records[name], after), Put(f"claim:{claim.id}", 0, encode(claim))),
        events=(model.order_event(order, after), _told(events.COUPON_APPLIED, claim)),
    )


def taken_off(records: Records, order_id: str, claim_id: str) -> Decision:
    """The order without it, which sends the claim home."""
    name, order = f"order:{order_id}", open_order(records, order_id)
    claim = load(Claim, records[f"claim:{claim_id}"])
    if claim is None or order.coupon is None or order.coupon.claim != claim_id:
        raise Refusal("conflict", "This order has another code now. Please look at it again.")
    after = model.changed(order, coupon=None, total=order.total + claim.amount)
    off = msgspec.structs.replace(claim, state="off")
    return Decision(
        order.shelf,
        puts=(put(name, records[name], after), put(f"claim:{claim_id}", records[f"claim:{claim_id}"], off)),
        events=(model.order_event(order, after), _told(events.COUPON_TAKEN_OFF, claim)),
    )


def open_order(records: Records, order_id: str) -> Order:
    """The order, if its price may still change: only before it is checked out."""
    order = load(Order, records[f"order:{order_id}"])
    if order is None:
        raise not_found("order")
    check_open(order)
    return order


def check_open(order: Order) -> None:
    """Refuse (conflict) once it is checked out: its price is fixed."""
    if order.state != "held":
        raise Refusal("conflict", f"This order is {order.state}: a code can be used before it is checked out.")


def check_takes_code(order: Order) -> None:
    """Refuse (conflict) when it has a code or its price is fixed."""
    check_open(order)
    if order.coupon:
        raise Refusal("conflict", f"This order has the code {order.coupon.code}. Take it off first.")


def fence(claim: Claim) -> Put:
    """What keeps a claim that comes too late off its order."""
    return Put(f"claim:{claim.id}", 0, encode(msgspec.structs.replace(claim, state="void")))


def fate(there: Claim, order: Order | None) -> str | None:
    """`used` or `released`, by what the order's shelf says; None while the order may still go either way."""
    if there.state != "applied":
        return "released"
    if order is None or order.state in OPEN:
        return None
    return "released" if order.state in UNPAID else "used"


def ended(records: Records, claim: Claim, how: str) -> Decision:
    """Step 3, on the shop's shelf: used for good, or back in the quota; once, whoever finishes it."""
    name, on_shelf = f"claim:{claim.id}", shelf("shop", claim.shop)
    gone = Mark("due", name, None)
    if records[name] is None:
        return Decision(on_shelf, marks=(gone,))
    target = "used" if how == "used" else "left"
    counters = [Counter(f"coupon_aside:{claim.coupon}", -1), Counter(f"coupon_{target}:{claim.coupon}", 1)]
    if how == "released":
        counters.append(Counter(f"couponed:{claim.account}:{claim.coupon}", -1))
    told = _told(events.COUPON_USED if how == "used" else events.COUPON_RELEASED, claim)
    return Decision(
        on_shelf, counters=tuple(counters), drops=((name, version(records[name])),), marks=(gone,), events=(told,)
    )


def postponed(records: Records, claim: Claim, order: Order | None, now_ms: int) -> Decision:
    """The order has it and is still open: its end is told by a reaction; the clock looks only in case that was lost."""
    name = f"claim:{claim.id}"
    until = max(now_ms, order.reserved_until if order else 0) + LOOK_AGAIN_MS
    return Decision(
        shelf("shop", claim.shop),
        expect=((name, version(records[name])),),
        marks=(Mark("due", name, until if records[name] is not None else None),),
    )


def claim_id(shop: str, act: str) -> str:
    """The id of a claim; the same for the same act."""
    return new_id("cl", shelf("shop", shop), act)


def _told(kind: str, claim: Claim) -> Event:
    return {"type": kind, "claim": claim.id, "coupon": claim.coupon, "order": claim.order, "amount": claim.amount}
