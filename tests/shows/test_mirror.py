"""A mirror told every log entry is the mirror loaded afresh, after any commands in any order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from livesale.kernel.refusals import Refusal
from livesale.shows.mirror import Mirror, load_mirror
from livesale.shows.model import Segment
from livesale.store.decision import NotCommitted
from livesale.store.log import read_log
from livesale.store.valkey import Store, connect
from tests.support.market import HOST, Market
from tests.support.valkey import ValkeyProcess

numbers = strategies.integers(0, 2)
commands = strategies.lists(
    strategies.one_of(
        strategies.tuples(strategies.just("pin"), strategies.lists(numbers, max_size=4)),
        strategies.tuples(strategies.just("deal"), numbers, strategies.integers(1, 1500), strategies.integers(0, 301)),
        strategies.tuples(strategies.just("hold"), numbers, strategies.integers(1, 4)),
        strategies.tuples(strategies.just("cancel")),
        strategies.tuples(strategies.just("join"), numbers),
        strategies.tuples(strategies.just("serve"), numbers),
        strategies.tuples(strategies.just("waitlist"), strategies.sampled_from(("line", "first_paid"))),
        strategies.tuples(strategies.just("reprice"), numbers, strategies.integers(1, 3000)),
        strategies.tuples(strategies.just("rundown"), strategies.lists(numbers, max_size=3)),
        strategies.tuples(strategies.just("next")),
        strategies.tuples(strategies.just("move"), strategies.sampled_from(("pause", "resume", "end"))),
        strategies.tuples(strategies.just("say")),
    ),
    max_size=14,
)


async def carry_out(market: Market, command: tuple[Any, ...], orders: list[Any]) -> None:
    """One command of the host or a buyer; refusals are part of life."""
    show, shows = market.shelf.removeprefix("show:"), market.shows
    match command:
        case ("pin", places):
            await shows.pin(HOST, show, [market.offers[place] for place in places])
        case ("deal", place, price, countdown):
            await shows.deal(HOST, show, market.offers[place], price, countdown, 30)
        case ("hold", place, quantity):
            orders.append(await market.hold("ann", (place, quantity)))
        case ("cancel",) if orders:
            await market.orders.cancel(market.buyer("ann"), orders.pop().id)
        case ("join", place):
            await market.waiting.join(market.buyer("bob"), market.offers[place], 1)
        case ("serve", place):
            await market.waiting.advance(market.shelf, market.offers[place])
        case ("waitlist", mode):
            await shows.set_waitlist(HOST, show, mode)
        case ("reprice", place, price):
            await market.reprice(market.offers[place], price)
        case ("rundown", places):
            await shows.set_rundown(HOST, show, [Segment(f"part {x}", [market.offers[x]]) for x in places])
        case ("next",):
            await shows.next_segment(HOST, show)
        case ("move", verb):
            await shows.move(HOST, show, verb)
        case ("say",):
            await shows.say(HOST, show, "hello")


async def compare(url: str, done: list[tuple[Any, ...]]) -> None:
    store = await connect(url)
    try:
        market = Market(store)
        await market.open(10, 3, 0)
        told = await loaded(store, market)
        half: Mirror | None = None
        orders: list[Any] = []
        for number, command in enumerate(done):
            if number == len(done) // 2:
                half = await loaded(store, market)
            try:
                await carry_out(market, command, orders)
            except (Refusal, NotCommitted):
                continue
        fresh = await loaded(store, market)
        for mirror in filter(None, (told, half)):
            await catch_up(store, market, mirror, mirror.seq)
            assert mirror.snapshot() == fresh.snapshot()
            await catch_up(store, market, mirror, max(0, fresh.seq - 5))  # seen twice is harmless
            assert mirror.snapshot() == fresh.snapshot()
            assert (mirror.seq, mirror.epoch) == (fresh.seq, fresh.epoch)
    finally:
        await store.close()


async def loaded(store: Store, market: Market) -> Mirror:
    mirror = await load_mirror(store, market.shelf)
    assert mirror
    return mirror


async def catch_up(store: Store, market: Market, mirror: Mirror, after: int) -> None:
    """Tell the mirror every entry after a position; no event to viewers says who."""
    for entry in await read_log(store, market.shelf, after):
        fields = entry.fields()
        for kind, event in mirror.apply(entry.seq, fields["at"], fields["counters"], fields["events"]):
            assert kind.wire
            assert not {"author", "owner", "account"} & event.keys()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(done=commands)
@example(done=[("rundown", [0, 1]), ("next",)])
def test_told_is_loaded(valkey: ValkeyProcess, done: list[tuple[Any, ...]]) -> None:
    """From the beginning or from the middle on, told once or told again."""
    asyncio.run(compare(valkey.url, done))


async def test_three_pins_at_most(store: Store) -> None:
    """A fourth, a repeated or a foreign one is refused and changes nothing."""
    market = Market(store)
    await market.open(1, 1, 1, 1)
    show = market.shelf.removeprefix("show:")
    assert await market.shows.pin(HOST, show, market.offers[:3]) == market.offers[:3]
    for wrong in (market.offers, [market.offers[0]] * 2, ["of_sother_1"]):
        with pytest.raises(Refusal) as refused:
            await market.shows.pin(HOST, show, wrong)
        assert refused.value.code == "invalid"
    assert (await loaded(store, market)).pins == market.offers[:3]


async def test_nothing_is_left_while_somebody_waits(store: Store) -> None:
    """A unit on its way to the line is never shown as left: not for a moment, to nobody."""
    market = Market(store)
    await market.open(1)
    order = await market.hold("ann", (0, 1))
    mirror = await loaded(store, market)
    await market.waiting.join(market.buyer("bob"), market.offers[0], 1)
    await market.orders.cancel(market.buyer("ann"), order.id)
    assert (await loaded(store, market)).snapshot()["offers"][0]["left"] == 0
    await market.waiting.advance(market.shelf, market.offers[0])
    for entry in await read_log(store, market.shelf, mirror.seq):
        fields = entry.fields()
        told = mirror.apply(entry.seq, fields["at"], fields["counters"], fields["events"])
        assert not [event for _, event in told if event["type"] == "stock_changed"]
    await market.waiting.leave(market.buyer("bob"), market.offers[0])
    assert (await loaded(store, market)).snapshot()["offers"][0]["left"] == 1
