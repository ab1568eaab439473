"""The rules of refunds: the table, and the law that no more goes back than was captured."""

from __future__ import annotations

import msgspec
import pytest

from livesale.kernel.refusals import Refusal
from livesale.payments.model import Payment
from livesale.payments.refund import MOVES, OPEN, Refund, Refunds, added, left, moved, next_look

PAYMENT = Payment("o", "ann", 1000, "EUR", "pm_ok", "pay_1", 0, 0, state="captured", captured=1000)
STATES = (*MOVES, "done", "failed")


def refund(amount: int, state: str = "requested", name: str = "r") -> Refund:
    return Refund(name, "o", "ann", amount, "EUR", f"key-{name}", "host", 0, state=state)


@pytest.mark.parametrize("state", STATES)
def test_the_table(state: str) -> None:
    """Only the moves of the table are made, each counted; an end has none."""
    for target in STATES:
        after = moved(refund(1, state), target, 5)
        assert (after is not None) == (target in MOVES.get(state, ()))
        assert after is None or (after.state, after.version, after.changed_at) == (target, 2, 5)
    assert (state in OPEN) == bool(MOVES.get(state))


@pytest.mark.parametrize("state", STATES)
def test_what_has_not_failed_counts(state: str) -> None:
    """In flight, unknown or done: it is no longer there to be given back; failed, it is."""
    refunds = Refunds([refund(400, state)])
    rest = left(PAYMENT, refunds)
    assert rest == (1000 if state == "failed" else 600)
    assert len(added(PAYMENT, refunds, refund(rest, name="s")).items) == 2
    for amount in (rest + 1, 0, -1):
        with pytest.raises(Refusal) as refused:
            added(PAYMENT, refunds, refund(amount, name="s"))
        assert refused.value.code == "limit_reached"


def test_questions_come_more_slowly_and_end() -> None:
    """The next look follows the youngest open refund; with none open there is none."""
    assert next_look(Refunds([refund(1, "done")]), 0) is None
    looks = [next_look(Refunds([msgspec.structs.replace(refund(1, "unknown"), attempts=n)]), 0) for n in range(9)]
    assert looks == sorted(looks)
    assert looks[0] == 1000 and looks[-1] == 60_000
