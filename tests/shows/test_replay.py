"""What a replay tells of pins, deals and prices, and where each lies in it."""

from __future__ import annotations

from livesale.kernel.events import Event
from livesale.kernel.money import Money
from livesale.shows.replay import Chapter, chapters, last_offers, told

EPOCH = 1_000_000
END_US = 600_000_000


def place(at_ms: int) -> int:
    """A recording without a break."""
    return max(0, min(END_US, (at_ms - EPOCH) * 1000))


def offer(name: str, cents: int = 1999) -> Event:
    price = {"amount": cents, "currency": "EUR"}
    return {"id": name, "product": f"p_{name}", "title": name.title(), "image": "", "price": price}


def at(second: float, event: Event) -> tuple[int, Event]:
    return EPOCH + int(second * 1000), event


def added(second: float, name: str, cents: int = 1999) -> tuple[int, Event]:
    return at(second, {"type": "offer_set", "offer": offer(name, cents)})


def pinned(second: float, *names: str) -> tuple[int, Event]:
    return at(second, {"type": "pins_set", "offers": list(names), "since": 0})


def deal(second: float, name: str, begins: float, ends: float) -> tuple[int, Event]:
    told_ = {
        "id": "d", "offer": name, "price": {"amount": 999, "currency": "EUR"}, "quantity": None,
        "starts_at": EPOCH + int(begins * 1000), "ends_at": EPOCH + int(ends * 1000),
    }  # fmt: skip
    return at(second, {"type": "deal_set", "deal": told_})


def of(found: list[Chapter]) -> list[tuple[str, str, float, float]]:
    return [(each.kind, each.offer, each.at_s, each.until_s) for each in found]


def test_each_pin_is_a_chapter() -> None:
    """From its pin until it is taken off, or to the end; an offer that stays among the pins is one chapter."""
    log = [added(-60, "pan"), added(-50, "pot"), pinned(10, "pan"), pinned(40, "pan", "pot"), pinned(90, "pot")]
    assert of(chapters(log, place, END_US)) == [("pin", "pan", 10, 90), ("pin", "pot", 40, 600)]


def test_a_chapter_has_the_price_of_its_time() -> None:
    """What the pan cost when it was pinned, whatever became of its price; the list of offers has the last."""
    log = [added(0, "pan", 3000), pinned(10, "pan"), pinned(20), added(30, "pan", 2500), pinned(40, "pan")]
    assert [each.price for each in chapters(log, place, END_US)] == [Money(3000, "EUR"), Money(2500, "EUR")]
    assert last_offers(log) == [offer("pan", 2500)]


def test_a_deal_is_a_chapter_that_has_expired() -> None:
    """From its start to its end, or to when it was ended before; its price is nothing one could have today."""
    over = at(170, {"type": "deal_set", "deal": None})
    log = [added(0, "pan"), deal(100, "pan", 110, 140), at(140, {"type": "deal_set", "deal": None}),
           deal(150, "pan", 160, 900), over]  # fmt: skip
    found = chapters(log, place, END_US)
    assert of(found) == [("deal", "pan", 110, 140), ("deal", "pan", 160, 170)]
    assert all(each.expired for each in found)


def test_pinned_before_the_show_is_from_its_beginning() -> None:
    """What was on air when the broadcast began is a chapter from 0; what was taken off before that is none."""
    log = [added(-60, "pan"), added(-60, "pot"), pinned(-30, "pot"), pinned(-20, "pan")]
    assert of(chapters(log, place, END_US)) == [("pin", "pan", 0, 600)]


def test_cards_have_their_moment() -> None:
    """Everything viewers were told of offers, pins and deals, in its order and at its place; deals say they are over."""
    log = [added(-1, "pan"), pinned(10, "pan"), deal(20, "pan", 30, 60), added(70, "pan", 1500)]
    cards = told(log, place)
    assert [(card.type, card.at_s) for card in cards] == [("offer", 0), ("pins", 10), ("deal", 20), ("offer", 70)]
    assert isinstance(cards[2].deal, dict)
    assert {name: cards[2].deal[name] for name in ("at_s", "until_s", "expired")} == {
        "at_s": 30, "until_s": 60, "expired": True,
    }  # fmt: skip
