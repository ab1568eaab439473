"""The table of approvals as rules: each `only if` alone stands between a request and its approval."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies

from livesale.accounts.countries import shipped
from livesale.guardians import model
from livesale.guardians.model import Approval, Guardian
from livesale.kernel.refusals import Refusal

NOW = 1_800_000_000_000
GERMANY = shipped().place("DE")
SHIP_TO = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
LINES = [{"offer": "of_1", "quantity": 2, "price": 500}]
AGREED = (LINES, 1000, "EUR", "demo", SHIP_TO)
APPROVAL = Approval("ap_1", "o_1", "mia", model.digest(*AGREED), 1000, "EUR", "demo", NOW, NOW + GERMANY.approval_ms)
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
def test_every_field_of_the_digest_changed_in_turn(field: str) -> None:
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


AFTER = ("asked", "handed", "ratified", "refused", "silent", "moot")


@given(strategies.lists(strategies.sampled_from((*AFTER, *STATES)), max_size=12))
def test_a_question_after_the_sale_has_one_end(moves: list[str]) -> None:
    """Handed over once at most, then one end; nothing of it can be requested, approved or consumed."""
    approval, passed = msgspec.structs.replace(APPROVAL, state="asked"), ["asked"]
    for state in moves:
        try:
            approval = model.moved(approval, state)
        except Refusal as refusal:
            assert refusal.code == "conflict"
        else:
            passed.append(state)
    assert set(passed) <= set(AFTER)
    assert len(set(passed)) == len(passed)
    assert sum(state in AFTER[2:] for state in passed) <= 1


def test_the_clock_of_a_question() -> None:
    """It wakes at the birthday first, if that comes before its end: then the buyer has as long again as the guardians had."""
    weeks = GERMANY.legal_ms
    asked = msgspec.structs.replace(APPROVAL, state="asked", expires_at=NOW + weeks, grown_at=NOW + 5)
    assert model.due(asked) == NOW + 5
    handed = model.timed_out(asked, grown=True)
    assert (handed.state, model.due(handed)) == ("handed", NOW + 5 + weeks)
    still = model.timed_out(asked, grown=False)
    assert (still.state, model.due(still)) == ("asked", NOW + weeks)
    assert [model.timed_out(one, grown=True).state for one in (still, handed)] == ["silent", "silent"]


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


def refused(work: object, *given: object) -> Refusal:
    """How it is refused."""
    with pytest.raises(Refusal) as refusal:
        work(*given)  # type: ignore[operator]
    return refusal.value


HELD = msgspec.structs.replace(APPROVAL, held_until=NOW + model.HOLD_MS)
CONSENTED = model.approved(HELD, "gita", "pm_ok", NOW)


def test_consent_starts_the_clock_of_the_payment() -> None:
    """Half an hour from the guardian's word, whatever was left of the request's day; after that day there is no word."""
    assert (CONSENTED.state, CONSENTED.guardian, CONSENTED.pay_until) == ("approved", "gita", NOW + 30 * 60_000)
    assert refused(model.approved, APPROVAL, "gita", "pm_ok", APPROVAL.expires_at).code == "expired"


def test_one_clock_runs_at_a_time() -> None:
    """A request's day, then the payment's half hour; what has ended waits for nothing."""
    assert model.due(APPROVAL) == APPROVAL.expires_at
    assert model.due(CONSENTED) == CONSENTED.pay_until
    assert model.TIMED_OUT == {"requested": "expired", "approved": "lapsed", "asked": "silent", "handed": "silent"}
    for state in ENDS:
        assert model.due(msgspec.structs.replace(APPROVAL, state=state)) is None


def test_consent_is_taken_back_before_capture_only() -> None:
    """Before: revoked, and its means to pay are forgotten. After: a withdrawal, and it says of which order."""
    gone = model.revoked(CONSENTED, "gero", NOW + 1)
    assert (gone.state, gone.guardian, gone.token) == ("revoked", "gero", "")
    consumed = refused(model.revoked, model.moved(CONSENTED, "consumed"), "gita", NOW + 1)
    assert consumed.errors == [{"state": "consumed", "withdraw": APPROVAL.order}]
    for state in sorted({"requested", *ENDS} - {"consumed"}):
        other = refused(model.revoked, msgspec.structs.replace(APPROVAL, state=state), "gita", NOW + 1)
        assert (other.code, other.errors) == ("conflict", [{"state": state}])


def test_a_hold_is_extended_once() -> None:
    """By as much again, while it lasts; the request's own day stays what it was."""
    longer = model.extended(HELD, NOW + 1)
    assert (longer.held_until, longer.expires_at) == (HELD.held_until + model.HOLD_MS, HELD.expires_at)
    assert refused(model.extended, longer, NOW + 2).code == "conflict"
    assert refused(model.extended, HELD, HELD.held_until).code == "conflict"
    assert refused(model.extended, APPROVAL, NOW).code == "conflict"  # lapsed when it was asked anew
    assert refused(model.extended, CONSENTED, NOW).errors == [{"state": "approved"}]


def test_asking_anew_goes_on_for_14_days_at_most() -> None:
    """However often what is asked for changes, the question ends with the legal clock."""
    assert model.open_until(NOW, NOW, GERMANY) == NOW + GERMANY.approval_ms
    late = NOW + GERMANY.legal_ms - 1
    assert model.open_until(NOW, late, GERMANY) == NOW + GERMANY.legal_ms


def test_a_superseded_request_says_so() -> None:
    """Even to whoever has its own digest: a newer request has taken its place."""
    assert code(PARENT, msgspec.structs.replace(APPROVAL, state="superseded")) == "superseded"
