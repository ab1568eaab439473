"""Which facts are mailed to whom, and when a mail is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from livesale.kernel.clock import DAY_MS
from livesale.notices.model import GIVE_UP_MS, TRY_AGAIN_MS, Mail, mail_id, moves, notices, postponed, tried

SHELF = "show:4k2c"


def order(state: str, before: str, reason: str = "") -> dict[str, Any]:
    return {"type": "order_changed", "owner": "ann", "order": "o_s4k2c_1", "version": 3, "state": state,
            "before": before, "reason": reason}  # fmt: skip


def approval(state: str, before: str = "") -> dict[str, Any]:
    return {"type": "approval_changed", "approval": "ap_s4k2c_1", "order": "o_s4k2c_1", "minor": "mia", "state": state,
            "before": before}  # fmt: skip


def after(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "owner": "ann", "order": "o_s4k2c_1", "version": 4, **fields}


@pytest.mark.parametrize(
    ("event", "mails"),
    [
        (order("paid", "awaiting_payment"), [("paid", "buyer"), ("paid", "payer")]),
        (order("payment_failed", "awaiting_payment"), [("payment_failed", "buyer"), ("payment_failed", "payer")]),
        (order("expired", "awaiting_payment"), [("payment_failed", "buyer"), ("payment_failed", "payer")]),
        (order("cancelled", "awaiting_guardian", "sold_out"), [("cancelled", "buyer")]),
        (approval("requested"), [("request", "guardians")]),
        (approval("approved"), [("request_approved", "guardians"), ("approved", "buyer")]),
        (approval("declined"), [("request_declined", "guardians"), ("declined", "buyer")]),
        (approval("expired"), [("request_expired", "guardians"), ("expired", "buyer")]),
        (approval("void"), [("request_void", "guardians")]),
        (approval("superseded"), [("request_superseded", "guardians"), ("superseded", "buyer")]),
        (approval("revoked"), [("request_revoked", "guardians"), ("revoked", "buyer")]),
        (approval("lapsed"), [("request_lapsed", "guardians"), ("lapsed", "buyer")]),
        (after("waitlist_changed", state="offered"), [("waitlist_offered", "buyer")]),
        (after("late_payment"), [("late_payment", "buyer"), ("late_payment", "payer")]),
        (after("shipment_made"), [("shipped", "buyer")]),
        (after("refund_changed", state="done"), [("refunded", "buyer"), ("refunded", "payer")]),
        (after("withdrawal_changed", state="confirmed"), [("withdrawal", "buyer"), ("withdrawal", "payer")]),
    ],
)
def test_what_is_mailed(event: dict[str, Any], mails: list[tuple[str, str]]) -> None:
    """Each fact people must hear of goes to those it concerns."""
    assert [tuple(notice) for notice in notices(event)] == mails


@pytest.mark.parametrize(
    "event",
    [
        order("held", ""),
        order("awaiting_payment", "held"),
        order("expired", "held"),
        order("expired", "awaiting_payment", "lapsed"),
        order("cancelled", "awaiting_payment", "revoked"),
        approval("requested", "requested"),
        order("cancelled", "held", "buyer"),
        order("paid", "paid"),
        order("declined", "awaiting_guardian"),
        approval("consumed"),
        approval("cancelled"),
        after("refund_changed", state="asked"),
        after("waitlist_changed", state="waiting"),
        after("waitlist_changed", state="taken"),
        after("withdrawal_changed", state="declared"),
        {"type": "pins_set", "offers": []},
        {"type": "something_new"},
    ],
)
def test_what_is_not(event: dict[str, Any]) -> None:
    """What someone did a moment ago, or what nobody waits for, is no mail; nor is a fact from the future."""
    assert notices(event) == []


def test_a_mail_is_named_by_its_fact() -> None:
    """The same fact gives the same id; another state, version, shelf, kind or reader another one."""
    event = order("paid", "awaiting_payment")
    first = mail_id(SHELF, event, "paid", "ann")
    assert mail_id(SHELF, dict(event), "paid", "ann") == first
    others = {
        mail_id("show:other", event, "paid", "ann"),
        mail_id(SHELF, event | {"version": 4}, "paid", "ann"),
        mail_id(SHELF, event | {"order": "o_s4k2c_2"}, "paid", "ann"),
        mail_id(SHELF, event, "shipped", "ann"),
        mail_id(SHELF, event, "paid", "bob"),
        mail_id(SHELF, approval("declined"), "declined", "mia"),
        mail_id(SHELF, approval("expired"), "declined", "mia"),
        mail_id(SHELF, after("refund_changed", state="done", refund="re_1"), "refunded", "ann"),
        mail_id(SHELF, after("refund_changed", state="done", refund="re_2"), "refunded", "ann"),
    }
    assert len(others | {first}) == 10


def test_tries_come_later_and_later_and_end() -> None:
    """Each attempt waits longer than the one before, the last pause stays, and after days it is given up."""
    mail = Mail("m", "paid", "ann", created=0, next_at=0, event=order("paid", "awaiting_payment"))
    pauses = []
    for _ in range(len(TRY_AGAIN_MS) + 2):
        mail = tried(mail, 1000, 451)
        pauses.append(mail.next_at - 1000)
    assert pauses == [*TRY_AGAIN_MS, TRY_AGAIN_MS[-1], TRY_AGAIN_MS[-1]]
    assert (mail.state, mail.code) == ("waiting", 451)
    ended = tried(mail, GIVE_UP_MS + 1, 451)
    assert (ended.state, ended.event) == ("given_up", {})
    assert postponed(mail, 5 * DAY_MS, 1000, 0).state == "given_up"


def test_mails_are_counted_where_they_are() -> None:
    """Waiting goes up and down, an end goes up once; trying again moves nothing."""
    waiting = Mail("m", "paid", "ann", 0, 0)
    sent = Mail("m", "paid", "ann", 0, 0, state="sent")
    assert [(row.name, row.delta) for row in moves(None, waiting)] == [("mails:waiting", 1)]
    assert [(row.name, row.delta) for row in moves(waiting, sent)] == [("mails:sent", 1), ("mails:waiting", -1)]
    assert moves(waiting, tried(waiting, 0, 451)) == ()
