"""Approvals: the rules, pure. `requested → approved → consumed`; ends declined, expired, cancelled, superseded, void,
revoked, lapsed (shared law: BGB §§ 106–108; a minor's click is a request, not an order).

What was sold before anybody knew that its buyer is under age is asked about afterwards: `asked (→ handed) → ratified`; ends
refused, silent (§ 108 (2) BGB: two weeks without a word are a refusal), moot (the order ended another way first).
`handed`: the buyer has come of age, and the question is theirs (§ 108 (3)). What follows is in orders/floating.py.

Four clocks, never one: the hold (15 min, extendable once by the guardian), the approval (24 h), the payment (30 min),
the legal one (14 days). Racing moves: the first compare-and-set wins, the loser is told the final state.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from livesale.accounts.model import Place
from livesale.guardians.events import APPROVAL_CHANGED, APPROVAL_SEEN
from livesale.kernel.clock import DAY_MS, MINUTE_MS
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal

HOLD_MS = 15 * MINUTE_MS
PAYMENT_MS = 30 * MINUTE_MS
MOST_OPEN_REQUESTS = 5  # of one minor on one shelf
SHARE_OF_STOCK = 10  # requests may hold at most a tenth of an offer's stock, but one unit at least
STEP_UP_MS = 10 * MINUTE_MS
LINK_MUST_STAND_MS = DAY_MS

MOVES = {
    "requested": {"approved", "declined", "expired", "cancelled", "superseded", "void"},
    "approved": {"consumed", "revoked", "void", "lapsed", "cancelled"},
    "asked": {"handed", "ratified", "refused", "silent", "moot"},
    "handed": {"ratified", "refused", "silent", "moot"},
}
TIMED_OUT = {"requested": "expired", "approved": "lapsed", "asked": "silent", "handed": "silent"}
AFTER_THE_SALE = ("asked", "handed")
TERMS_VERSION = "2026-11"


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a guardian is asked, and what became of it. `token` pays, once approved, for the guardian's account.

    `since`: when the order was first asked for; `held_until`: of its units, 0 when they are not held; `pay_until`: once
    approved; `grown_at`: when an `asked` one may be the buyer's own, 0: not before it ends. All in ms.
    """

    id: str
    order: str
    minor: str
    digest: str
    total: int
    currency: str
    payee: str
    requested_at: int
    expires_at: int
    state: str = "requested"
    guardian: str = ""
    token: str = ""
    decided_at: int = 0
    since: int = 0
    held_until: int = 0
    extended: bool = False
    pay_until: int = 0
    terms: str = TERMS_VERSION
    agreed: list[str] = []  # guardians who have agreed while others must as well
    spend: str = ""  # what an allowance set aside for it, when that has agreed
    by_hand: bool = False  # no allowance agrees to it any more: guardians decide
    grown_at: int = 0


class Guardian(msgspec.Struct, frozen=True):
    """What the rules need to know of the account that decides about a minor's request."""

    account: str
    adult: bool
    age_verified: bool
    link_active_since: int | None  # ms; None: no active link to this minor
    link_verified: bool
    sells_it: bool
    stepped_up_at: int
    ward_is_adult: bool = False  # since the request was made (§ 108 (3) BGB)


def digest(lines: list[dict[str, Any]], total: int, currency: str, payee: str, ship_to: dict[str, Any]) -> str:
    """SHA-256 (hex) of everything a guardian consents to; any change of it makes a new request."""
    agreed = [lines, total, currency, payee, ship_to, TERMS_VERSION]
    return hashlib.sha256(msgspec.json.encode(agreed, order="deterministic")).hexdigest()


def moved(approval: Approval, state: str, **fields: Any) -> Approval:
    """The approval in its next state; conflict, naming the state it has, when another move came first."""
    if state not in MOVES.get(approval.state, set()):
        raise Refusal("conflict", f"This request is already {approval.state}.", [{"state": approval.state}])
    return msgspec.structs.replace(approval, state=state, **fields)


def approved(approval: Approval, guardian: str, token: str, now_ms: int) -> Approval:
    """Consented to: the clock of its payment starts."""
    if approval.state == "requested" and now_ms >= approval.expires_at:
        raise Refusal("expired", "This request has expired.")
    fields = {"guardian": guardian, "token": token, "decided_at": now_ms, "pay_until": now_ms + PAYMENT_MS}
    return moved(approval, "approved", **fields)


def agreed(approval: Approval, guardian: str, token: str, everyone: frozenset[str], now_ms: int) -> Approval:
    """One guardian's yes. Where everyone must agree it is kept, and the last of them pays; nothing begins before."""
    said = {*approval.agreed, guardian}
    if not everyone - said:
        return approved(approval, guardian, token, now_ms)
    if approval.state != "requested" or now_ms >= approval.expires_at:
        return approved(approval, guardian, token, now_ms)  # refuses
    if guardian in approval.agreed:
        raise Refusal("conflict", "You have agreed already. The others have still to answer.", [{"state": "requested"}])
    return msgspec.structs.replace(approval, agreed=sorted(said))


def declined(approval: Approval, guardian: str, now_ms: int) -> Approval:
    """No, before the sale or after it."""
    state = "refused" if approval.state in AFTER_THE_SALE else "declined"
    return moved(approval, state, guardian=guardian, decided_at=now_ms)


def ratified(approval: Approval, who: str, everyone: frozenset[str], now_ms: int) -> Approval:
    """Yes, after the sale: by the guardian, the last of them where all must agree, or the buyer who has come of age."""
    if approval.state in MOVES and approval.state not in AFTER_THE_SALE:
        raise Refusal("conflict", "This has not been bought. You can approve it.", [{"state": approval.state}])
    if approval.state in AFTER_THE_SALE and now_ms >= approval.expires_at:
        raise Refusal("expired", "The time to agree is over, and that counts as a refusal.")
    said = {*approval.agreed, who}
    if approval.state == "asked" and everyone - said:
        if who in approval.agreed:
            raise Refusal("conflict", "You have agreed already. The others have still to answer.", [{"state": "asked"}])
        return msgspec.structs.replace(approval, agreed=sorted(said))
    return moved(approval, "ratified", guardian=who, decided_at=now_ms)


def timed_out(approval: Approval, grown: bool) -> Approval:
    """What a clock that has run out makes of it. `grown`: the buyer is of age now, and has as long again to answer."""
    if approval.state != "asked" or not approval.grown_at:
        return moved(approval, TIMED_OUT[approval.state], token="")
    if not grown:
        return msgspec.structs.replace(approval, grown_at=0)
    time_ms = approval.expires_at - approval.requested_at
    return moved(approval, "handed", agreed=[], expires_at=approval.grown_at + time_ms, grown_at=0)


def revoked(approval: Approval, guardian: str, now_ms: int) -> Approval:
    """Taken back, which ends where capture begins: from then on it is a withdrawal."""
    if approval.state == "consumed":
        why = "This has been bought. You can withdraw from the purchase within 14 days, on the page of the order."
        raise Refusal("conflict", why, [{"state": "consumed", "withdraw": approval.order}])
    if approval.state == "requested":
        raise Refusal("conflict", "Nobody has agreed to this request yet. You can decline it.", [{"state": "requested"}])
    return moved(approval, "revoked", guardian=guardian, token="", decided_at=now_ms)


def extended(approval: Approval, now_ms: int) -> Approval:
    """Its units are held for as long again, once; what is no longer held cannot be."""
    if approval.state != "requested":
        raise Refusal("conflict", f"This request is already {approval.state}.", [{"state": approval.state}])
    if approval.extended:
        raise Refusal("conflict", "The units have been held for longer once already.")
    if now_ms >= approval.held_until:
        raise Refusal("conflict", "The units are no longer held. You can still agree, if there are any left then.")
    return msgspec.structs.replace(approval, extended=True, held_until=approval.held_until + HOLD_MS)


def due(approval: Approval) -> int | None:
    """When its clock runs out (ms): the request's, then the payment's; None once it has ended."""
    if approval.state in AFTER_THE_SALE:
        return approval.grown_at or approval.expires_at
    return {"requested": approval.expires_at, "approved": approval.pay_until}.get(approval.state)


def open_until(since: int, now_ms: int, place: Place) -> int:
    """When a request made now ends by itself: after a day, and however often it changes after 14 (as the place has it)."""
    return min(now_ms + place.approval_ms, since + place.legal_ms)


def check_may_see(approval: Approval, guardian: Guardian) -> None:
    """Refuse anyone who is not of this minor's family: to them the request does not exist."""
    if guardian.link_active_since is None and guardian.account != approval.minor:
        raise Refusal("not_found", "There is no such request.")


def check_may_decide(approval: Approval, guardian: Guardian) -> None:
    """Refuse anyone whose question it is not: the guardians', or the buyer's own once it was handed to them."""
    check_may_see(approval, guardian)
    own = guardian.account == approval.minor
    if own is not (approval.state == "handed"):
        raise Refusal("not_found", "There is no such request.")
    if approval.state == "asked" and guardian.ward_is_adult:
        raise Refusal("forbidden", "They are of age now and decide for themselves.")


def check_may_approve(approval: Approval, guardian: Guardian, told_digest: str, now_ms: int) -> None:
    """Every condition of an approval but the state itself (the table of approvals, row `→ approved`)."""
    check_may_decide(approval, guardian)
    if guardian.account != approval.minor:
        _check_stands_for_the_minor(guardian, now_ms)
    if now_ms - guardian.stepped_up_at > STEP_UP_MS:
        raise Refusal("step_up_required", "Please show again that it is you.")
    open_one = approval.state in ("requested", *AFTER_THE_SALE)
    if approval.state == "superseded" or (open_one and told_digest != approval.digest):
        raise Refusal("superseded", "The request has changed. Please look at it again.")


def _check_stands_for_the_minor(guardian: Guardian, now_ms: int) -> None:
    if not guardian.adult or not (guardian.age_verified or guardian.link_verified):
        raise Refusal("forbidden", "Only an adult whose age has been verified can approve.")
    if guardian.ward_is_adult:
        raise Refusal("forbidden", "They are of age now and decide for themselves.")
    if guardian.sells_it:
        raise Refusal("forbidden", "Who sells an item cannot approve its purchase.")
    stood = now_ms - (guardian.link_active_since or now_ms)
    if not guardian.link_verified and stood < LINK_MUST_STAND_MS:
        raise Refusal("forbidden", "A new family link can approve after 24 hours.")


def request_ceiling(loaded: int) -> int:
    """How many units of an offer open requests may hold, of `loaded` in all."""
    return max(1, loaded // SHARE_OF_STOCK)


def approval_event(before: Approval | None, after: Approval) -> Event:
    """The fact of a change, for readers on the server only."""
    return {
        "type": APPROVAL_CHANGED,
        "approval": after.id,
        "order": after.order,
        "minor": after.minor,
        "guardian": after.guardian,
        "state": after.state,
        "before": before.state if before else "",
        "digest": after.digest,
        "total": after.total,
        "currency": after.currency,
        "requested_at": after.requested_at,
        "expires_at": after.expires_at,
        "spend": after.spend,
    }


def seen_event(approval: Approval, guardian: str, now_ms: int) -> Event:
    """The fact that a guardian has looked at a request; no state."""
    named = {"approval": approval.id, "order": approval.order, "minor": approval.minor}
    return {"type": APPROVAL_SEEN, **named, "by": guardian, "at": now_ms}
