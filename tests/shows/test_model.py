"""The rules of shows: moves, deals' ranges, and one price at any moment."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies

from livesale.kernel.refusals import Refusal
from livesale.shows import model
from livesale.shows.model import Deal, Offer, Rundown, Segment, Show

SHOW = Show("s", "T", "demo", "EUR", "h")
OFFER = Offer("of_1", "p", "Pan", "", 1000, "EUR")
LEGAL = {
    "draft": {"start", "cancel"}, "live": {"pause", "end", "cancel"}, "paused": {"resume", "end", "cancel"}, "ended": set(),
}  # fmt: skip
DEAL = Deal("d_1", "of_1", 700, 100, 200)


@pytest.mark.parametrize("state", LEGAL)
@pytest.mark.parametrize("verb", model.MOVES)
def test_moves(state: str, verb: str) -> None:
    """Only the legal verbs move a show; the others say in what state it is."""
    show = msgspec.structs.replace(SHOW, state=state)
    if verb in LEGAL[state]:
        assert model.move(show, verb, 5).state == model.MOVES[verb][1]
        return
    with pytest.raises(Refusal) as refused:
        model.move(show, verb, 5)
    assert refused.value.code == "conflict"
    assert state in refused.value.detail


def test_media_time_begins_with_the_first_start() -> None:
    """Pausing and resuming moves neither beginning nor media time."""
    show = model.move(SHOW, "start", 5)
    for verb in ("pause", "resume"):
        show = model.move(show, verb, 99)
    assert (show.started_at, show.epoch, show.ended_at) == (5, 5, None)
    assert model.move(show, "end", 100).ended_at == 100


@pytest.mark.parametrize(
    ("price", "countdown", "duration", "field"),
    [
        (999, -1, 60, "countdown_s"), (999, 301, 60, "countdown_s"), (999, 0, 29, "duration_s"),
        (999, 0, 1201, "duration_s"), (1000, 0, 60, "price"), (1001, 0, 60, "price"),
    ],
)  # fmt: skip
def test_a_deal_outside_its_ranges_is_refused(price: int, countdown: int, duration: int, field: str) -> None:
    """And the refusal names the field."""
    with pytest.raises(Refusal) as refused:
        model.check_deal(OFFER, price, countdown, duration)
    assert refused.value.errors[0]["field"] == field


@pytest.mark.parametrize(("countdown", "duration"), [(0, 30), (300, 1200), (0, 1200), (300, 30)])
def test_the_ranges_include_their_ends(countdown: int, duration: int) -> None:
    """The contract's numbers themselves are allowed, and the deal lasts exactly as long as said."""
    model.check_deal(OFFER, 999, countdown, duration)
    starts, ends = model.deal_times(countdown, duration, 1_000)
    assert (starts - 1_000, ends - starts) == (countdown * 1000, duration * 1000)


@given(strategies.integers(0, 400))
def test_price_now(now_ms: int) -> None:
    """The deal's price from its start until before its end, for its offer only."""
    other = msgspec.structs.replace(OFFER, id="of_2")
    assert model.price_now(OFFER, DEAL, now_ms) == (700 if 100 <= now_ms < 200 else 1000)
    assert model.price_now(other, DEAL, now_ms) == model.price_now(OFFER, None, now_ms) == 1000


@pytest.mark.parametrize(("state", "sells"), [("draft", False), ("live", True), ("paused", True), ("ended", False)])
def test_on_air(state: str, sells: bool) -> None:
    """A show sells while it is live or paused."""
    show = msgspec.structs.replace(SHOW, state=state)
    if sells:
        assert model.on_air(show) == show
        return
    with pytest.raises(Refusal) as refused:
        model.on_air(show)
    assert refused.value.code == "show_not_live"


PARTS = [Segment("Hello"), Segment("Pans", ["of_1", "of_2", "of_1", "of_3", "of_4"]), Segment("Pots", ["of_2"])]


def test_next_goes_through_the_parts_and_pins_what_they_show() -> None:
    """Each part's first three different offers go on air, a part without any leaves the card; after the last: conflict."""
    rundown, seen = Rundown(PARTS), []
    for at_ms in (10, 20, 30):
        rundown, shown = model.next_part(rundown, at_ms)
        seen.append(shown)
    assert seen == [[], ["of_1", "of_2", "of_3"], ["of_2"]]
    assert rundown.began == [10, 20, 30]
    for nothing_left in (rundown, Rundown([]), None):
        with pytest.raises(Refusal) as refused:
            model.next_part(nothing_left, 40)
        assert refused.value.code == "conflict"


def test_a_running_plan_can_be_changed() -> None:
    """What comes and what runs may change; what has run stays run, and a plan without it begins again."""
    before = Rundown(PARTS, [10, 20])
    for plan in ([*PARTS, Segment("More")], [PARTS[0], Segment("Other pans")], PARTS[:2]):
        assert model.replanned(before, plan).began == [10, 20]
    for plan in ([Segment("Another hello"), *PARTS[1:]], PARTS[:1], []):
        assert model.replanned(before, plan).began == []
    assert model.replanned(None, PARTS) == Rundown(PARTS)


def test_a_rundown_as_viewers_read_it() -> None:
    """Parts with when they began, and which one runs; none before the first."""
    view = model.rundown_view(model.rundown_event(Rundown(PARTS, [0, 1_000])))
    assert view["current"] == 1
    assert [part["started_at"] for part in view["segments"]] == [
        "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.000Z", None
    ]  # fmt: skip
    assert model.rundown_view(model.rundown_event(Rundown(PARTS)))["current"] is None
