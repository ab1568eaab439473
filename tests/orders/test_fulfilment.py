"""The tables after the sale: goods, withdrawal, and the one state people see."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from livesale.kernel.clock import DAY_MS
from livesale.orders import fulfilment, withdrawal
from livesale.orders.aftersale import VISIBLE
from livesale.orders.fulfilment import Fulfilment, Shipment, reached
from livesale.orders.model import MOVES
from livesale.orders.withdrawal import Withdrawal, ends_at, to_the_second

SENT = Shipment("sh", {"of": 1}, 1_000, "host")


@pytest.mark.parametrize(
    ("before", "remaining", "after"),
    [("open", 1, "partly_shipped"), ("open", 0, "shipped"), ("partly_shipped", 0, "shipped"), ("shipped", 1, "shipped"),
     ("completed", 1, "completed"), ("partly_shipped", 1, "partly_shipped")],
)  # fmt: skip
def test_goods_only_go_on(before: str, remaining: int, after: str) -> None:
    """Shipped once nothing waits, and never back from there."""
    assert reached(Fulfilment([SENT], before), remaining).state == after


def test_nothing_sent_is_nothing_shipped() -> None:
    """An order all of whose units were given up before any left is not `shipped`."""
    assert reached(Fulfilment(), 0).state == "open"


@pytest.mark.parametrize(("state", "target"), list(product(("declared", "confirmed", "done"), repeat=2)))
def test_a_withdrawal_moves_by_its_table(state: str, target: str) -> None:
    """declared → confirmed → done, nothing else; only what is confirmed counts."""
    made = Withdrawal("wd", "ann", {"of": 1}, 100, 0, state=state)
    assert (withdrawal.moved(made, target).state == target) == (
        state == target or target in withdrawal.MOVES.get(state, ())
    )
    assert withdrawal.counts(made) == (state != "declared")


def test_every_state_people_see_can_be_reached() -> None:
    """`VISIBLE` knows every state of the goods, and each change of what is seen is one that orders allow."""
    goods = {"open", *fulfilment.MOVES, *(state for targets in fulfilment.MOVES.values() for state in targets)}
    assert set(VISIBLE) == set(product(("kept", "given_back", "withdrawn"), goods))
    for (money, before), (_, after) in product(VISIBLE, VISIBLE):
        if money == "kept" and after in fulfilment.MOVES.get(before, ()):
            for end in ("kept", "given_back", "withdrawn"):
                was, now = VISIBLE["kept", before], VISIBLE[end, after]
                assert was == now or now in MOVES[was], (before, after, end)


def test_the_period_covers_the_laws_in_every_case() -> None:
    """However late the parcel came (two weeks), whatever the last day is: never less than 14 days from its receipt."""
    for day in range(366):
        sent = int(datetime(2028, 1, 1, 23, 59, tzinfo=UTC).timestamp() * 1000) + day * DAY_MS
        received = sent + 14 * DAY_MS
        lawful = received + 14 * DAY_MS  # the day of receipt does not count (§ 187 (1)) …
        end_of_day = lawful - lawful % DAY_MS + DAY_MS + 12 * 3_600_000  # … the last one to its end (§ 188), west of here
        assert ends_at(sent) >= end_of_day + 2 * DAY_MS  # a weekend (§ 193)


def test_a_declaration_has_its_second() -> None:
    """Date and time to the second, in UTC."""
    assert to_the_second(1_764_093_845_999) == "2025-11-25T18:04:05Z"
