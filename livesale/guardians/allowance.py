"""Allowances: consent given in advance within limits (§ 107 BGB), paid at once by the guardian (§ 110). Pure.

The record `allowance` and what has been spent are on the minor's `person:` shelf; the orders are on others. An order's sum
is first set aside here, under the month's ceiling and the versions of allowance and family, then the request is approved
on its own shelf, then the sum is used or goes back. Each step is guarded by the record `spend:ID`, whose id follows from
the request, so that two shows at once, or one told twice, never spend more than there is.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from livesale.guardians import places
from livesale.guardians.events import ALLOWANCE_SET, ALLOWANCE_SPENT
from livesale.guardians.family import FAMILY, family_in
from livesale.guardians.model import PAYMENT_MS, TERMS_VERSION, Approval, moved
from livesale.kernel.clock import MINUTE_MS, SECOND_MS
from livesale.kernel.events import Event
from livesale.kernel.ids import new_id, shelf
from livesale.kernel.refusals import invalid
from livesale.store.decision import Counter, Decision, Mark, Put
from livesale.store.record import encode, load, put, version
from livesale.store.valkey import Records

ALLOWANCE = "allowance"
FINISH_AFTER_MS = 10 * SECOND_MS
LOOK_AGAIN_MS = 10 * MINUTE_MS
MOST_NAMED = 50  # categories, or shops

Fate = Literal["used", "released"]


class QuietHours(msgspec.Struct, frozen=True):
    """From `begins` until `ends`, `21:00` and `07:00`, at the ward's place nothing is bought by itself."""

    begins: str
    ends: str


class Allowance(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a guardian agrees to in advance. `categories`: the only ones, by how they begin (none: all); `blocked`: shops.

    `token` pays, sealed with the guardian's key; empty: nothing is agreed to until there is one.
    """

    guardian: str
    monthly: int
    per_order: int
    currency: str
    granted_at: int
    categories: list[str] = []
    quiet_hours: QuietHours | None = None
    blocked: list[str] = []
    token: bytes = b""


class Spend(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sum for one request: aside until its order is paid (used) or is not (released); `returned` came back later."""

    id: str
    minor: str
    guardian: str
    order: str
    approval: str
    amount: int
    currency: str
    month: str
    state: str = "aside"
    returned: int = 0
    token: bytes = b""  # the allowance's at that moment, while it is aside


class Bought(msgspec.Struct, frozen=True):
    """What an allowance has to know of an order: who sells it, each line's category, and whether one is age-gated."""

    shop: str
    categories: list[str]
    gated: bool


class NotCovered(Exception):
    """The allowance does not agree to this; why, in one word. A guardian is asked as always."""


def granted(records: Records, minor: str, wish: Allowance) -> Decision:
    """The allowance from now on; of the same guardian's earlier one the way to pay stays when none is given."""
    if wish.per_order > wish.monthly:
        raise invalid("per_order", "is not more than monthly")
    if len(wish.categories) > MOST_NAMED or len(wish.blocked) > MOST_NAMED:
        raise invalid("categories", f"names at most {MOST_NAMED}, as does blocked")
    before = load(Allowance, records[ALLOWANCE])
    after = wish
    if not wish.monthly:
        after = replace(wish, token=b"")
    elif not wish.token and before and before.guardian == wish.guardian:
        after = replace(wish, token=before.token)
    told: Event = {
        "type": ALLOWANCE_SET, "minor": minor, "guardian": wish.guardian, "by": wish.guardian, "at": wish.granted_at,
        "state": "granted" if wish.monthly else "ended", "monthly": wish.monthly, "per_order": wish.per_order,
        "currency": wish.currency,
    }  # fmt: skip
    return Decision(
        shelf("person", minor),
        expect=((FAMILY, version(records[FAMILY])),),
        puts=(put(ALLOWANCE, records[ALLOWANCE], after),),
        events=(told,),
    )


def spend_id(approval: Approval) -> str:
    """The id of what an allowance sets aside for a request: there is only one."""
    return new_id("sp", shelf("person", approval.minor), approval.id)


def set_aside(records: Records, approval: Approval, bought: Bought, country: str, now_ms: int) -> Decision:
    """Step 1, on the minor's shelf: NotCovered when the allowance says no, Short beyond the month's sum."""
    allowance = load(Allowance, records[ALLOWANCE])
    _check_covers(allowance, records, approval, bought, country, now_ms)
    assert allowance
    month, name = places.month(now_ms, country), f"spend:{spend_id(approval)}"
    spend = Spend(
        spend_id(approval), approval.minor, allowance.guardian, approval.order, approval.id, approval.total,
        approval.currency, month, token=allowance.token,
    )  # fmt: skip
    return Decision(
        shelf("person", approval.minor),
        expect=((FAMILY, version(records[FAMILY])), (ALLOWANCE, version(records[ALLOWANCE]))),
        counters=(Counter(spent(month, approval.currency), approval.total, 0, allowance.monthly),),
        puts=(Put(name, 0, encode(spend)),),
        marks=(Mark("due", name, now_ms + FINISH_AFTER_MS),),
        events=(_told(None, spend),),
    )


def agreed(approval: Approval, spend: Spend, token: str, now_ms: int) -> Approval:
    """Step 2, on the order's shelf: consent by what was agreed to in advance, while nobody has decided otherwise."""
    if approval.by_hand or now_ms >= approval.expires_at or approval.terms != TERMS_VERSION:
        raise NotCovered("late")
    return moved(
        approval, "approved", guardian=spend.guardian, token=token, decided_at=now_ms, pay_until=now_ms + PAYMENT_MS,
        spend=spend.id,
    )  # fmt: skip


def fate(spend: Spend, approval: Approval | None, payment: str) -> Fate | None:
    """What became of it, by the request and the payment's state; None while it may still go either way.

    A request that is still open must first be left to the guardians (`by_hand`), so that step 2 never comes after this.
    """
    if approval is None or approval.spend != spend.id:
        return "released"
    if approval.state == "approved":
        return None
    if approval.state != "consumed":
        return "released"
    if payment in ("captured", "refunded"):
        return "used"
    return "released" if payment in ("failed", "voided", "expired") else None


def ended(records: Records, spend_id: str, how: Fate | None, now_ms: int) -> Decision:
    """Step 3, on the minor's shelf: used for good or back in the month it came from; once, whoever finishes it."""
    name = f"spend:{spend_id}"
    spend = load(Spend, records[name])
    if spend is None or spend.state != "aside":
        return Decision(_home(spend_id), marks=(Mark("due", name, None),))
    if how is None:
        mark = Mark("due", name, now_ms + LOOK_AGAIN_MS)
        return Decision(_home(spend_id), expect=((name, version(records[name])),), marks=(mark,))
    after = replace(spend, state=how, token=b"")
    back = (Counter(spent(spend.month, spend.currency), -spend.amount),) if how == "released" else ()
    return Decision(
        _home(spend_id), counters=back, puts=(put(name, records[name], after),), marks=(Mark("due", name, None),),
        events=(_told(spend, after),),
    )  # fmt: skip


def returned(records: Records, spend_id: str, refunded: int) -> Decision | None:
    """Of a used sum `refunded` has come back so far: the month it came from has that much more; None: nothing new."""
    name = f"spend:{spend_id}"
    spend = load(Spend, records[name])
    back = min(refunded, spend.amount) - spend.returned if spend and spend.state == "used" else 0
    if spend is None or back <= 0:
        return None
    after = replace(spend, returned=spend.returned + back)
    return Decision(
        _home(spend_id),
        counters=(Counter(spent(spend.month, spend.currency), -back),),
        puts=(put(name, records[name], after),),
        events=(_told(spend, after),),
    )


def spent(month: str, currency: str) -> str:
    """The counter of what is spent in a month of the ward's calendar."""
    return f"spent:{month}:{currency}"


def _check_covers(
    allowance: Allowance | None, records: Records, approval: Approval, bought: Bought, country: str, now_ms: int
) -> None:
    """Every condition but the month's sum and the guardian's own (the same as for any approval)."""
    family = family_in(records[FAMILY])
    quiet = allowance.quiet_hours if allowance else None
    refused = {
        "none": allowance is None or not allowance.token,
        "stopped": bool(family.frozen_by),
        "together": bool(family.asks(approval.total, now_ms)),
        "currency": allowance is not None and allowance.currency != approval.currency,
        "per_order": allowance is not None and approval.total > allowance.per_order,
        "gated": bought.gated,
        "blocked": allowance is not None and bought.shop in allowance.blocked,
        "category": allowance is not None and not _in_categories(allowance.categories, bought.categories),
        "quiet": quiet is not None and places.within(now_ms, country, quiet.begins, quiet.ends),
        "place": not places.month(now_ms, country),
    }
    for why, applies in refused.items():
        if applies:
            raise NotCovered(why)


def _in_categories(allowed: list[str], asked: list[str]) -> bool:
    """Whether each is one of the allowed or lies below one (`Toys` has `Toys > Puzzles`); none named: all are."""
    wanted = [one.casefold() for one in allowed]
    told = [one.casefold() for one in asked]
    return not wanted or all(any(one == own or one.startswith(f"{own} >") for own in wanted) for one in told)


def _home(spend_id: str) -> str:
    return shelf("person", spend_id.split("_")[1][1:])


def _told(before: Spend | None, after: Spend) -> Event:
    told: dict[str, Any] = {name: getattr(after, name) for name in ("minor", "guardian", "order", "amount", "month", "returned")}
    state = "returned" if before and before.returned != after.returned else after.state
    return {"type": ALLOWANCE_SPENT, "spend": after.id, "state": state, "before": before.state if before else "", **told}
