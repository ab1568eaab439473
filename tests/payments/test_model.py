"""What the provider's word does to a payment: every state, every answer, and nothing that is no news."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livesale.payments.model import ENDED, MOVES, Payment, key_of, learned
from livesale.payments.provider import REPLAYED, Attempt

PAYMENT = Payment("o_s1_1", "ann", 1000, "EUR", "pm_ok", "pay_1", 0, 600_000, provider_id="pi_1")
SAID = ("authorised", "requires_action", "captured", "failed", "voided", "refunded", "unknown")
# (state, what the provider says) → the state after; what is not here changes nothing
NEWS = {
    ("created", "authorised"): "authorised",
    ("created", "requires_action"): "requires_action",
    ("created", "captured"): "authorised",  # through the claim first
    ("created", "refunded"): "authorised",
    ("created", "failed"): "failed",
    ("created", "voided"): "failed",  # not by us
    ("requires_action", "authorised"): "authorised",
    ("requires_action", "captured"): "authorised",
    ("requires_action", "refunded"): "authorised",
    ("requires_action", "failed"): "failed",
    ("requires_action", "voided"): "expired",
    ("capturing", "captured"): "captured",
    ("capturing", "refunded"): "captured",
    ("capturing", "failed"): "failed",
    ("capturing", "voided"): "failed",
    ("voiding", "voided"): "voided",
    ("voiding", "failed"): "failed",
    ("voiding", "captured"): "captured",  # the money was taken all the same
    ("voiding", "refunded"): "captured",
    **{(state, said): "authorised" for state in ("failed", "voided", "expired") for said in ("authorised", "captured", "refunded")},
}  # fmt: skip


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("state", sorted(MOVES.keys() | ENDED))
def test_what_an_answer_changes(state: str, said: Any) -> None:
    """Each pair moves as the table says, along MOVES; all others are no news."""
    before = msgspec.structs.replace(PAYMENT, state=state)
    after = learned(before, Attempt(said, "pi_1", captured=1000))
    assert (after.state if after else None) == NEWS.get((state, said))
    if after:
        assert after.state in MOVES[state]
        assert after.captured == (1000 if after.state == "captured" else 0)


@pytest.mark.parametrize("state", ["capturing", "voiding"])
def test_an_act_that_was_not_done_gets_a_new_key(state: str) -> None:
    """Only after a 500 that its key repeats for good, and only once the provider says that nothing was done."""
    before = msgspec.structs.replace(PAYMENT, state=state)
    assert learned(before, Attempt("authorised", "pi_1", decline="timeout")) is None
    after = learned(before, Attempt("authorised", "pi_1", decline=REPLAYED))
    assert after and after.state == state
    assert (key_of(before, "capture"), key_of(after, "capture")) == ("pay_1:capture", "pay_1:capture:1")


def test_late_money_is_asked_about_under_new_keys() -> None:
    """The old void's stored answer must not stand for the void of money that came after it."""
    late = learned(msgspec.structs.replace(PAYMENT, state="voided"), Attempt("authorised", "pi_1"))
    assert late and key_of(late, "void") != key_of(PAYMENT, "void")
