"""The rules of the line, without a store: what each move writes, and what it refuses."""

from __future__ import annotations

import pytest

from livesale.kernel.ids import new_id
from livesale.kernel.refusals import Refusal
from livesale.orders import model, waitlist
from livesale.orders.model import Line, Order
from livesale.orders.placing import Wish, place
from livesale.orders.waitlist import InLine, Wait, record_name
from livesale.shows.model import FIRST_PAID, Offer, Show
from livesale.store.decision import Decision, Lack
from livesale.store.record import encode
from livesale.store.valkey import Versioned
from tests.support.market import TO

SHELF = "show:4k2c000000"
OFFER = new_id("of", SHELF)


def stored(value: object, version: int = 1) -> Versioned:
    return Versioned(version, encode(value))


def shelf(*waits: Wait, limit: int | None = None, tracked: bool = True, **show: str) -> dict[str, Versioned | None]:
    """The records of a show on air with one offer, and these places in its line; anybody else has none."""
    on_air = Show("4k2c000000", "Evening", "demo", "EUR", "host", **{"state": "live", **show})
    offer = Offer(OFFER, "p1", "Pan", "", 1000, "EUR", limit, tracked)
    found: dict[str, Versioned | None] = {record_name(OFFER, name): None for name in ("ann", "bob", "cid")}
    found |= {"show": stored(on_air), "deal": None, f"offer:{OFFER}": stored(offer)}
    return found | {record_name(OFFER, wait.account): stored(wait, 7) for wait in waits}


def moved(decision: Decision) -> dict[str, int]:
    """What the Decision does to each place of the offer's units, guards left out."""
    return {one.name.partition(":")[0]: one.delta for one in decision.counters if one.delta and OFFER in one.name}


def refused(code: str, records: dict[str, Versioned | None], quantity: int = 1) -> None:
    with pytest.raises(Refusal) as refusal:
        waitlist.join(SHELF, records, "ann", OFFER, quantity, behind=False)
    assert refusal.value.code == code


def test_joining_is_refused_where_there_is_no_line() -> None:
    """Not on air, first paid first served, a product that never sells out: each says so."""
    refused("show_not_live", shelf(state="draft"))
    refused("show_not_live", shelf(state="ended"))
    refused("conflict", shelf(waitlist=FIRST_PAID))
    refused("conflict", shelf(tracked=False))
    refused("not_found", shelf() | {f"offer:{OFFER}": None})


def test_one_place_an_account() -> None:
    """Who waits, or has units offered, does not join again."""
    for state in ("waiting", "offered"):
        with pytest.raises(InLine):
            waitlist.join(SHELF, shelf(Wait("ann", OFFER, 1, state)), "ann", OFFER, 1, behind=False)


def test_joining_guards_stock_and_limit() -> None:
    """Nothing may be free, unless others wait; with what one has already, no more than the limit is waited for."""
    first = waitlist.join(SHELF, shelf(limit=3), "ann", OFFER, 2, behind=False)
    behind = waitlist.join(SHELF, shelf(limit=3), "ann", OFFER, 2, behind=True)
    assert {one.name: (one.delta, one.floor, one.ceiling) for one in first.counters} == {
        f"waiting:{OFFER}": (1, 0, None), f"free:{OFFER}": (0, None, 0), f"buyer:ann:{OFFER}": (0, None, 1),
    }  # fmt: skip
    assert {one.name: one.floor for one in behind.counters}[f"waiting:{OFFER}"] == 2
    assert not [one for one in behind.counters if one.name == f"free:{OFFER}"]


def test_the_line_is_served_in_its_order() -> None:
    """Each gets what it wants, the last one what is left of it; nobody further back is reached."""
    records = shelf(Wait("ann", OFFER, 2), Wait("bob", OFFER, 3), Wait("cid", OFFER, 1))
    decision = waitlist.serve(SHELF, records, OFFER, ["ann", "bob", "cid"], 4, 99)
    assert decision
    assert [(told["owner"], told["quantity"], told["until"]) for told in decision.events] == [("ann", 2, 99), ("bob", 2, 99)]
    assert moved(decision) == {"waiting": -2, "free": -4, "offered": 4}
    assert waitlist.serve(SHELF, records, OFFER, ["ann"], 0, 99) is None


def test_serving_stops_at_a_place_that_is_gone() -> None:
    """Who left since the index was read is not skipped: the line is read again."""
    records = shelf(Wait("bob", OFFER, 1))
    assert waitlist.serve(SHELF, records, OFFER, ["ann", "bob"], 4, 99) is None


@pytest.mark.parametrize(("wanted", "free"), [(3, 0), (1, 2)])
def test_a_hold_takes_from_the_units_offered(wanted: int, free: int) -> None:
    """The buyer whose turn it is needs nothing free and no empty line; what it does not take comes free."""
    records = shelf(Wait("ann", OFFER, 3, "offered", 99))
    order, decision = place(SHELF, records, "ann", [Wish(OFFER, wanted)], None, 1, TO)
    units = {place: delta for place, delta in moved(decision).items() if place != "buyer"}
    assert units == {"offered": -3, "held": wanted} | ({"free": free} if free else {})
    assert f"waiting:{OFFER}" not in {one.name for one in decision.counters}
    assert decision.drops == ((record_name(OFFER, "ann"), 7),)
    assert record_name(OFFER, "ann") not in dict(decision.expect)
    assert (decision.events[-1]["state"], order.state) == ("taken", "held")


def test_a_hold_for_more_than_is_offered_is_refused() -> None:
    """Over several lines of the offer too; it is said how many there are."""
    records = shelf(Wait("ann", OFFER, 2, "offered", 99))
    with pytest.raises(Refusal) as refusal:
        place(SHELF, records, "ann", [Wish(OFFER, 2), Wish(OFFER, 1)], None, 1, TO)
    assert refusal.value.code == "sold_out"
    assert refusal.value.errors == [{"line": 0, "offer": OFFER, "requested": 3, "left": 2}]


def test_everyone_else_is_guarded() -> None:
    """A hold, and an approved request whose units had gone back, take free units only while nobody waits."""
    _, hold = place(SHELF, shelf(), "bob", [Wish(OFFER, 1)], None, 1, TO)
    line = Line(OFFER, "p1", "Pan", "", 1, 1000)
    lapsed = Order("o", SHELF, "demo", "bob", [line], 1000, "EUR", 0, 0, "awaiting_guardian", "lapsed")
    paying = model.changed(lapsed, state="awaiting_payment", reservation="paying")
    for counters in (hold.counters, model.moves(lapsed, paying)):
        assert model.nobody_waits(OFFER) in counters
    assert dict(hold.expect)[record_name(OFFER, "bob")] == 0
    refusal = model.lack_refusal([Lack(f"waiting:{OFFER}", 2, 0)], [line])
    assert (refusal.code, refusal.errors[0]["left"]) == ("sold_out", 0)


@pytest.mark.parametrize("state", ["left", "expired", "closed"])
def test_what_was_offered_comes_free(state: str) -> None:
    """Whatever ends a place, its units are free again, its record and marks are gone, and its owner is told."""
    records = shelf(Wait("ann", OFFER, 2, "offered", 99), Wait("bob", OFFER, 3))
    decision = waitlist.end(SHELF, records, OFFER, ["ann", "bob", "cid"], state)
    assert decision
    assert moved(decision) == {"offered": -2, "free": 2, "waiting": -1}
    assert {name for name, _ in decision.drops} == {record_name(OFFER, "ann"), record_name(OFFER, "bob")}
    assert all(mark.score is None for mark in decision.marks)
    assert [(told["owner"], told["state"]) for told in decision.events] == [("ann", state), ("bob", state)]
    assert waitlist.end(SHELF, shelf(), OFFER, ["ann"], state) is None


def test_time_runs_out_for_units_offered_only() -> None:
    """Not before its time; a deadline that finds another state only takes its mark away."""
    ours = waitlist.run_out(SHELF, shelf(Wait("ann", OFFER, 2, "offered", 99)), OFFER, "ann")
    assert (ours.not_before, moved(ours)) == (99, {"offered": -2, "free": 2})
    for records in (shelf(), shelf(Wait("ann", OFFER, 2))):
        late = waitlist.run_out(SHELF, records, OFFER, "ann")
        assert [(mark.index, mark.score) for mark in late.marks] == [("due", None)]
        assert not (late.counters or late.drops or late.events)


def test_a_notice_is_for_its_owner_and_tells_the_time() -> None:
    """`until` only while units are offered, as people's programs read times."""
    offered = waitlist.notice(waitlist.wait_event(Wait("ann", OFFER, 1), Wait("ann", OFFER, 1, "offered", 1_000)))
    assert offered["until"].startswith("1970-01-01T00:00:01")
    assert (offered["owner"], offered["about"]) == ("ann", "waitlist")
    ended = waitlist.notice(waitlist.wait_event(None, Wait("ann", OFFER, 1, "expired", 1_000)))
    assert ended["until"] is None
