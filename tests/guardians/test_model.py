"""The table of approvals as rules: each `only if` alone stands between a request and its approval."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies

from livesale.guardians import model
from livesale.guardians.model import Approval, Guardian
from livesale.kernel.refusals import Refusal

NOW = 1_800_000_000_000
SHIP_TO = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
LINES = [{"offer": "of_1", "quantity": 2, "price": 500}]
AGREED = (LINES, 1000, "EUR", "demo", SHIP_TO)
APPROVAL = Approval("ap_1", "o_1", "mia", model.digest(*AGREED), 1000, "EUR", "demo", NOW, NOW + model.APPROVAL_MS)
PARENT = Guardian("gita", True, True, NOW - 2 * model.LINK_MUST_STAND_MS, False, False, NOW)


def code(
    guardian: Guardian, approval: Approval = APPROVAL, told: str = APPROVAL.digest, now_ms: int = NOW
) -> str | None:
    """Why not, or None."""
    try:
        model.check_may_approve(approval, guardian, told, now_ms)
    except Refusal as refusal:
        return refusal.code
    return None


def but(**fields: object) -> Guardian:
    """The good guardian, with something else about them."""
    return msgspec.structs.replace(PARENT, **fields)


def test_a_verified_adult_guardian_may_approve() -> None:
    """With every condition met nothing stands in the way."""
    assert code(PARENT) is None


@pytest.mark.parametrize(
    ("guardian", "why"),
    [
        (but(link_active_since=None), "not_found"),  # a stranger, a forwarded link, an ended link
        (but(account="mia"), "not_found"),  # the minor's own account
        (but(adult=False), "forbidden"),  # a guardian who is 17
        (but(age_verified=False), "forbidden"),  # merely declared, link merely accepted
        (but(age_verified=False, adult=False, link_verified=True), "forbidden"),
        (but(sells_it=True), "forbidden"),  # §§ 1629(2), 181
        (but(link_active_since=NOW - model.LINK_MUST_STAND_MS + 1), "forbidden"),  # a second account made just now
        (but(stepped_up_at=NOW - model.STEP_UP_MS - 1), "step_up_required"),  # a shared device
        (but(stepped_up_at=0), "step_up_required"),
    ],
)
def test_each_condition_alone_forbids(guardian: Guardian, why: str) -> None:
    """One condition missing is enough, and says which."""
    assert code(guardian) == why


def test_a_verified_link_needs_no_waiting_and_no_other_proof() -> None:
    """An operator who checked the family stands for age and time."""
    assert code(but(link_verified=True, age_verified=False, link_active_since=NOW)) is None


def test_limits_are_inclusive() -> None:
    """A link exactly 24 h old and a step-up exactly ten minutes old count."""
    assert code(but(link_active_since=NOW - model.LINK_MUST_STAND_MS)) is None
    assert code(but(stepped_up_at=NOW - model.STEP_UP_MS)) is None


def test_a_stale_digest_is_superseded() -> None:
    """What was shown is not what is asked now: nothing is agreed."""
    assert code(PARENT, told="0" * 64) == "superseded"


OTHER = {
    "offer": ([{**LINES[0], "offer": "of_2"}], *AGREED[1:]),
    "quantity": ([{**LINES[0], "quantity": 3}], *AGREED[1:]),
    "price": ([{**LINES[0], "price": 501}], *AGREED[1:]),
    "another line": ([*LINES, {"offer": "of_3", "quantity": 1, "price": 0}], *AGREED[1:]),
    "total": (LINES, 1001, *AGREED[2:]),
    "currency": (LINES, 1000, "CHF", *AGREED[3:]),
    "payee": (LINES, 1000, "EUR", "other", SHIP_TO),
    **{f"ship_to.{name}": (*AGREED[:4], {**SHIP_TO, name: "x"}) for name in SHIP_TO},
}


@pytest.mark.parametrize("field", OTHER)
def test_every_field_is_in_the_digest(field: str) -> None:
    """Each field of what is agreed, changed alone, makes another digest."""
    assert model.digest(*OTHER[field]) != APPROVAL.digest  # type: ignore[arg-type]


def test_the_terms_are_in_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """New terms need a new consent."""
    monkeypatch.setattr(model, "TERMS_VERSION", "later")
    assert model.digest(*AGREED) != APPROVAL.digest


def test_the_order_of_keys_is_not() -> None:
    """The same agreement written in another order is the same."""
    turned = dict(reversed(SHIP_TO.items()))
    assert model.digest([dict(reversed(LINES[0].items()))], *AGREED[1:4], turned) == APPROVAL.digest


STATES = (
    "requested",
    "approved",
    "consumed",
    "declined",
    "expired",
    "cancelled",
    "superseded",
    "void",
    "revoked",
    "lapsed",
)
ENDS = set(STATES) - {"requested", "approved"}


@given(strategies.lists(strategies.sampled_from(STATES), max_size=12))
def test_an_end_is_an_end(moves: list[str]) -> None:
    """Whatever is tried, a request reaches at most one end and `consumed` only from `approved`."""
    approval, passed = APPROVAL, [APPROVAL.state]
    for state in moves:
        try:
            approval = model.moved(approval, state)
        except Refusal as refusal:
            assert refusal.code == "conflict"
            assert refusal.errors == [{"state": approval.state}]
        else:
            passed.append(state)
    assert sum(state in ENDS for state in passed) <= 1
    assert len(set(passed)) == len(passed)
    if "consumed" in passed:
        assert passed == ["requested", "approved", "consumed"]


@given(strategies.integers(0, 10**6))
def test_requests_hold_a_tenth_but_one_at_least(loaded: int) -> None:
    """Fake minors cannot hold all stock, and a single unit can still be asked for."""
    ceiling = model.request_ceiling(loaded)
    assert ceiling >= 1
    assert ceiling == 1 or ceiling * 10 <= loaded
