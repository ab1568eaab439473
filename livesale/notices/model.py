"""Mails: the rules, pure. Which facts are mailed to whom, what a mail's record keeps, when it is tried again. A push is a
mail to one browser.

Law: everything that names a mail follows from the fact it tells, so a fact read twice is one mail, and one sent twice
(a crash between sending and recording) has one Message-ID. A record holds ids and sums, never a name, an address or text.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

import msgspec

from livesale.guardians.events import APPROVAL_CHANGED, FAMILY_FROZEN, LINK_CHANGED
from livesale.kernel.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from livesale.kernel.events import Event
from livesale.orders.events import LATE_PAYMENT, ORDER_CHANGED, WAITLIST_CHANGED
from livesale.payments.events import PAYMENT_CHANGED
from livesale.store.decision import Counter

# payer: the guardian who approved, when a minor asked; linked: both ends of a link
Role = Literal["buyer", "payer", "guardians", "linked"]
State = Literal["waiting", "sent", "refused", "given_up"]

TRY_AGAIN_MS = (10 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS)
GIVE_UP_MS = 4 * DAY_MS  # RFC 5321 section 4.5.4.1: at least 4–5 days
FORGOTTEN_AFTER_MS = DAY_MS  # a copy of the worker that stood still for longer may tell a fact again
# What tells one fact of a type from another; a refund's version counts its own changes, an order's the order's.
_OF_FAMILY = (LINK_CHANGED, FAMILY_FROZEN)  # told by what changed, and when
PUSHED = frozenset({"request", "confirm"})  # what a guardian also hears at once, in their browsers
_PUSH = "push-"
_NAMED_BY = ("order", "approval", "shipment", "refund", "withdrawal", "offer", "version", "state", "until")


class Notice(NamedTuple):
    """One kind of mail and who gets it."""

    kind: str
    to: Role


def _to(kind: str, *roles: Role) -> list[Notice]:
    return [Notice(kind, role) for role in roles]


def _decided(state: str) -> list[Notice]:
    """Guardians are told, and the minor, whose order does not say it."""
    return [*_to(f"request_{state}", "guardians"), *_to(state, "buyer")]


# By type of event and its state (none: ""), which mails it asks for.
MAILED: dict[str, dict[str, list[Notice]]] = {
    ORDER_CHANGED: {
        "paid": _to("paid", "buyer", "payer"),
        "payment_failed": _to("payment_failed", "buyer", "payer"),
        "expired": _to("payment_failed", "buyer", "payer"),
        "cancelled": _to("cancelled", "buyer"),
    },
    APPROVAL_CHANGED: {
        "requested": _to("request", "guardians"),
        "approved": _decided("approved"),
        "declined": _decided("declined"),
        "expired": _decided("expired"),
        "void": _to("request_void", "guardians"),
        "superseded": _decided("superseded"),
        "revoked": _decided("revoked"),
        "lapsed": _decided("lapsed"),
        "asked": [*_to("ratify", "guardians"), *_to("asked", "buyer")],
        "handed": _to("handed", "buyer"),
        "ratified": _decided("ratified"),
        "refused": _decided("refused"),
        "silent": _decided("silent"),
    },
    LINK_CHANGED: {
        "active": _to("link_active", "linked"),
        "ending": _to("link_ending", "linked"),
        "kept": _to("link_kept", "linked"),
        "ended": _to("link_ended", "linked"),
    },
    FAMILY_FROZEN: {"frozen": _to("frozen", "buyer", "guardians"), "thawed": _to("thawed", "buyer", "guardians")},
    PAYMENT_CHANGED: {"requires_action": _to("confirm", "payer")},  # 3-D Secure of the guardian who agreed, maybe in advance
    WAITLIST_CHANGED: {"offered": _to("waitlist_offered", "buyer")},
    LATE_PAYMENT: {"": _to("late_payment", "buyer", "payer")},
    "shipment_made": {"": _to("shipped", "buyer")},
    "refund_changed": {"done": _to("refunded", "buyer", "payer")},
    "withdrawal_changed": {"confirmed": _to("withdrawal", "buyer", "payer")},
}


class Mail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record `mail:ID`: the mail of one fact to one account, or the push of it to one browser of theirs (`device`, a
    subscription's id). `event` is kept until the mail is done with.

    `next_at` is when it may be tried again (ms); a process that sends it moves that ahead first.
    """

    id: str
    kind: str
    to: str
    created: int
    next_at: int
    event: Event = {}
    device: str = ""
    state: State = "waiting"
    attempts: int = 0  # those that may be repeated
    code: int = 0  # the server's last reply, 0 when it gave none


def notices(event: Event) -> list[Notice]:
    """The mails a fact asks for; none for a fact nobody is mailed about."""
    wanted = MAILED.get(event["type"], {}).get(event.get("state", ""), [])
    return [] if wanted and _is_no_news(event) else wanted


def mail_id(shelf: str, event: Event, kind: str, to: str, device: str = "") -> str:
    """What names the mail of this fact to this account, or the push to that browser, wherever and however often it is made."""
    fact = [event["type"], *(event.get(name) for name in _NAMED_BY)]
    if event["type"] in _OF_FAMILY:
        fact += [event.get("link"), event["at"]]
    if not device:
        return hashlib.blake2b(msgspec.json.encode([shelf, fact, kind, to]), digest_size=16).hexdigest()
    named = hashlib.blake2b(msgspec.json.encode([shelf, fact, kind, to, device]), digest_size=16).hexdigest()
    return (_PUSH + named)[:32]  # RFC 8030 section 5.4: a Topic has at most 32 characters


def is_push(mail: str) -> bool:
    """Whether that is a push's id."""
    return mail.startswith(_PUSH)


def tried(mail: Mail, now_ms: int, code: int, wait_ms: int = 0) -> Mail:
    """After an attempt that may be repeated: later and later (after `wait_ms` at least), until it is given up."""
    pause_ms = max(wait_ms, TRY_AGAIN_MS[min(mail.attempts, len(TRY_AGAIN_MS) - 1)])
    return postponed(msgspec.structs.replace(mail, attempts=mail.attempts + 1), now_ms, pause_ms, code)


def postponed(mail: Mail, now_ms: int, pause_ms: int, code: int) -> Mail:
    """To be sent in `pause_ms`, unless it has waited too long."""
    if now_ms - mail.created > GIVE_UP_MS:
        return done(mail, "given_up", code)
    return msgspec.structs.replace(mail, next_at=now_ms + pause_ms, code=code)


def done(mail: Mail, state: State, code: int = 0) -> Mail:
    """After the last attempt: what it told is forgotten."""
    return msgspec.structs.replace(mail, state=state, code=code, event={})


def moves(before: Mail | None, after: Mail) -> tuple[Counter, ...]:
    """The shelf's numbers of mails (and of pushes): those waiting, and how the others ended, for the operators."""
    counted = "pushes" if after.device else "mails"
    gone = () if before is None else (Counter(f"{counted}:{before.state}", -1),)
    return () if before and before.state == after.state else (Counter(f"{counted}:{after.state}", 1), *gone)


def _is_no_news(event: Event) -> bool:
    """A change that is none of the state, a hold nobody paid, what the buyer did (they know), or what another mail tells."""
    if event["type"] in (APPROVAL_CHANGED, LINK_CHANGED):  # a hold was extended, a link verified
        return bool(event["state"] == event["before"])
    if event["type"] != ORDER_CHANGED:
        return False
    unpaid = event["state"] == "expired" and event["before"] != "awaiting_payment"
    own = event["state"] == "cancelled" and event["reason"] == "buyer"
    told = event["reason"] in ("revoked", "lapsed")  # by the mails about the consent
    return unpaid or own or told or bool(event["state"] == event["before"])
