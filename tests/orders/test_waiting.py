"""Lines on the real store: from sold out to one's turn, out of it again, and what a crowd and a crash do to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.orders.waiting import Standing
from livesale.orders.waitlist import Wait, in_order, record_name
from livesale.shows.mirror import load_mirror
from livesale.shows.model import FIRST_PAID
from livesale.store.decision import Conflict, Counter, Decision, Early
from livesale.store.log import read_log
from livesale.store.record import load, put
from livesale.store.valkey import Store
from tests.orders.lines import Lines
from tests.support.family import GUARDIAN, Family
from tests.support.market import HOST, OFFERED_MS, Market

CROWD = 20_000


@pytest.fixture
async def market(store: Store) -> AsyncIterator[Market]:
    """One offer of which there are three."""
    made = Market(store)
    await made.open(3)
    yield made
    await made.check_units()


async def join(market: Market, who: str, quantity: int = 1) -> Standing:
    return await market.waiting.join(market.buyer(who), market.offers[0], quantity)


async def standing(market: Market, who: str) -> Standing:
    return await market.waiting.standing(market.buyer(who), market.offers[0])


async def offered(market: Market, who: str) -> Standing:
    """Where someone stands once units are offered; the test's own timeout is the limit."""
    while (now := await standing(market, who)).state != "offered":
        await asyncio.sleep(0.01)
    return now


async def time_is_over(market: Market, who: str) -> None:
    """The clock of what is offered to someone runs out."""
    name = record_name(market.offers[0], who)
    stored = (await market.store.read(market.shelf, name))[name]
    wait = load(Wait, stored)
    assert wait
    aged = msgspec.structs.replace(wait, until=market.store.now_ms() - 1_000)
    await market.store.commit(Decision(market.shelf, puts=(put(name, stored, aged),)))
    await market.waiting.run_out(market.shelf, f"{market.offers[0]}:{who}")


async def code(refused: object) -> str:
    with pytest.raises(Refusal) as refusal:
        await refused  # type: ignore[misc]
    return refusal.value.code


async def test_from_sold_out_to_ones_turn(market: Market) -> None:
    """Two wait; a cancelled order's unit is offered to the first, for five minutes, and only the first can buy it."""
    async with market.running():
        order = await market.hold("sue", (0, 3))
        assert (await join(market, "ann", 2)).place == 1
        assert (await join(market, "bob", 2)).place == 2
        again = await join(market, "ann", 1)
        assert (again.place, again.quantity, again.waiting) == (1, 2, 2)
        await market.orders.cancel(market.buyer("sue"), order.id)
        now = await offered(market, "ann")
        assert (now.quantity, now.place, now.waiting) == (2, None, 0)
        assert now.until and abs(now.until - market.store.now_ms() - OFFERED_MS) < OFFERED_MS / 2
        assert (await offered(market, "bob")).quantity == 1  # what is left of the three
        assert await code(market.hold("eve", (0, 1))) == "sold_out"
        assert await code(market.hold("ann", (0, 3))) == "sold_out"
        assert (await market.check_out(await market.hold("ann", (0, 2)))).state == "paid"
        assert (await standing(market, "ann")).state == "none"
        assert await market.units_in("offered") == 1


async def test_what_is_not_taken_goes_to_the_next(market: Market) -> None:
    """Part of it, by leaving, by letting the time run out: in the order of joining, and never before its time."""
    order = await market.hold("sue", (0, 3))
    for who in ("ann", "bob", "cid", "dan"):
        await join(market, who, 3)
    async with market.running():
        await market.orders.cancel(market.buyer("sue"), order.id)
        await offered(market, "ann")
        with pytest.raises(Early):
            await market.waiting.run_out(market.shelf, f"{market.offers[0]}:ann")
        await market.hold("ann", (0, 1))
        assert (await offered(market, "bob")).quantity == 2
        assert (await market.waiting.leave(market.buyer("bob"), market.offers[0])).state == "none"
        await offered(market, "cid")
        await time_is_over(market, "cid")
        await offered(market, "dan")
        assert (await standing(market, "cid")).state == "none"
        assert (await market.waiting.leave(market.buyer("cid"), market.offers[0])).state == "none"  # harmless


async def test_joining_while_there_are_units(market: Market) -> None:
    """Refused with a word to buy; once sold out it works, and free units on their way to the line keep nobody out."""
    assert await code(join(market, "ann")) == "conflict"
    order = await market.hold("sue", (0, 3))
    await join(market, "ann")
    await market.orders.cancel(market.buyer("sue"), order.id)  # no worker yet: free, but not for everyone
    assert (await join(market, "bob")).place == 2
    assert await code(market.hold("eve", (0, 1))) == "sold_out"
    await market.waiting.advance(market.shelf, market.offers[0])
    assert await code(join(market, "eve")) == "conflict"  # both are served and one unit is left
    assert (await market.hold("eve", (0, 1))).state == "held"


async def test_nobody_waits_for_more_than_the_limit(store: Store) -> None:
    """What a buyer has counts; what would pass the limit is refused at once."""
    market = Market(store)
    await market.open(3, limit=2)
    await market.hold("ann", (0, 1))
    await market.hold("sue", (0, 2))
    assert await code(join(market, "ann", 2)) == "limit_reached"
    assert await code(join(market, "bob", 3)) == "limit_reached"
    assert await code(join(market, "sue", 1)) == "limit_reached"
    assert (await join(market, "ann", 1)).place == 1


async def test_more_units_go_to_the_line(market: Market) -> None:
    """Units the host adds are offered before anyone can buy them."""
    await market.hold("sue", (0, 3))
    await join(market, "ann")
    offer, free, loaded = market.offers[0], f"free:{market.offers[0]}", f"loaded:{market.offers[0]}"
    told = {"type": "transfer_arrived", "transfer": "t", "offer": offer, "quantity": 2}
    await market.store.commit(Decision(market.shelf, counters=(Counter(free, 2), Counter(loaded, 2)), events=(told,)))
    async with market.running():
        await offered(market, "ann")
        assert await market.units_in("free") == 1


async def test_a_minor_waits_too(market: Market) -> None:
    """Its turn leads to a request to the guardian; a request that outlived its hold does not pass the line."""
    market.people.bands, market.people.wards = {"mia": "14-15"}, {"mia"}
    family = Family(market.store)
    order = await market.hold("sue", (0, 3))
    await join(market, "mia")
    async with market.running():
        await market.orders.cancel(market.buyer("sue"), order.id)
        await offered(market, "mia")
        asked = await market.check_out(await market.hold("mia", (0, 1)))
        assert asked.state == "awaiting_guardian"
        await market.hold("sue", (0, 2))
        await join(market, "ann")
        name = f"order:{asked.id}"
        stored = (await market.store.read(market.shelf, name))[name]
        aged = msgspec.structs.replace(await market.orders.load(asked.id), reserved_until=market.store.now_ms() - 1_000)
        await market.store.commit(Decision(market.shelf, puts=(put(name, stored, aged),)))
        await market.orders.expire(asked.id)
        await offered(market, "ann")
        await market.waiting.leave(market.buyer("ann"), market.offers[0])
        await market.hold("eve", (0, 1))
        await join(market, "bob")
        approval = await market.approval(asked)
        gita = Actor(GUARDIAN, frozenset({"guardian"}), stepped_up_ms=market.store.now_ms())
        await family.approve(gita, approval.id, approval.digest, "pm_ok")
        assert (await market.state(asked, "cancelled")).reason == "sold_out"


async def test_first_paid_first_served(market: Market) -> None:
    """The host switches: those who wait are told and gone, nobody joins, and what comes free is anybody's."""
    order = await market.hold("sue", (0, 3))
    await join(market, "ann")
    show = market.shelf.removeprefix("show:")
    async with market.running():
        await market.shows.set_waitlist(HOST, show, FIRST_PAID)
        while (await standing(market, "ann")).state != "none":
            await asyncio.sleep(0.01)
        assert await code(join(market, "bob")) == "conflict"
        await market.orders.cancel(market.buyer("sue"), order.id)
        assert (await market.hold("eve", (0, 3))).state == "held"


async def test_the_end_of_a_show_is_the_end_of_its_lines(market: Market) -> None:
    """Whoever waits or is offered units is told `closed`, more than one commit's worth of them; the units go home."""
    order = await market.hold("sue", (0, 3))
    await asyncio.gather(*(join(market, f"b{number:03d}") for number in range(250)))
    await market.orders.cancel(market.buyer("sue"), order.id)
    await market.waiting.advance(market.shelf, market.offers[0])
    assert await market.units_in("offered") == 3
    async with market.running():
        await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
        while any([await market.units_in(place) for place in ("waiting", "offered", "free")]):
            await asyncio.sleep(0.01)
        product = f"free:p_{market.offers[0][-4:]}"
        while (await market.store.counters("shop:demo", product))[product] != 3:
            await asyncio.sleep(0.01)
    lines = await read_lines(market)
    await lines.check_gone(market)
    assert lines.served == 3


async def test_killed_between_freeing_and_offering(market: Market) -> None:
    """A worker that dies with the unit free and not yet offered: the next one offers it, to the first, once."""
    order = await market.hold("sue", (0, 3))
    await join(market, "ann")
    await join(market, "bob")
    reached = asyncio.Event()
    real = market.waiting

    class Dying(type(real)):  # type: ignore[misc]
        async def advance(self, on_shelf: str, offer: str) -> None:
            reached.set()
            await asyncio.Event().wait()

    market.waiting = Dying(market.store, OFFERED_MS)
    async with market.running():
        await market.orders.cancel(market.buyer("sue"), order.id)
        await reached.wait()
        assert await market.units_in("free") == 3
        assert await code(market.hold("eve", (0, 1))) == "sold_out"
    market.waiting = real
    async with market.running():
        await offered(market, "bob")
    assert (await read_lines(market)).served == 2


async def test_twenty_thousand_join(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """No join meets another: not one conflict, not one commit tried twice; places are 1 to 20,000, each given once."""
    await market.hold("sue", (0, 3))
    commits, conflicts = 0, 0
    commit = market.store.commit

    async def counted(decision: Decision) -> object:
        nonlocal commits, conflicts
        commits += 1
        try:
            return await commit(decision)
        except Conflict:
            conflicts += 1
            raise

    monkeypatch.setattr(market.store, "commit", counted)
    for start in range(0, CROWD, 500):
        await asyncio.gather(*(join(market, f"b{number}") for number in range(start, start + 500)))
    assert (commits, conflicts) == (CROWD, 0)
    assert await market.units_in("waiting") == CROWD
    line = await market.store.first(market.shelf, in_order(market.offers[0]), CROWD)
    assert sorted(line) == sorted(f"b{number}" for number in range(CROWD))
    assert (await standing(market, line[777])).place == 778
    lines = await read_lines(market)
    assert lines.waiting[market.offers[0]] == line


async def test_a_join_costs_the_same_however_long_the_line_is(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Joins 1 to 100 and 1,901 to 2,000 send the store the same commands, and read nothing that grows with the line."""
    await market.hold("sue", (0, 3))
    sizes: list[list[int]] = []
    call = market.store._call

    async def counted(*command: Any) -> Any:
        reply = await call(*command)
        sizes[-1].append(len(repr(reply)) // 1000)  # a reply is a few hundred bytes; a line would be kilobytes
        return reply

    monkeypatch.setattr(market.store, "_call", counted)
    for start in range(0, 2_000, 100):
        sizes.append([])
        await asyncio.gather(*(join(market, f"b{number}") for number in range(start, start + 100)))
    assert sizes[0] == sizes[-1]
    assert len(sizes[0]) <= 100 * 6


async def test_joins_tell_viewers_nothing(market: Market) -> None:
    """What everybody sees (sold out) does not change by it: 2,000 joins are 2,000 private notices, no public event."""
    await market.hold("sue", (0, 3))
    mirror = await load_mirror(market.store, market.shelf)
    assert mirror
    after = mirror.seq
    for start in range(0, 2_000, 500):
        await asyncio.gather(*(join(market, f"b{number}") for number in range(start, start + 500)))
    told, owners = [], []
    while entries := await read_log(market.store, market.shelf, after):
        for entry in entries:
            fields = entry.fields()
            told += mirror.apply(entry.seq, fields["at"], fields["counters"], fields["events"])
            owners += [event["owner"] for event in fields["events"]]
        after = entries[-1].seq
    assert told == []
    assert len(set(owners)) == len(owners) == 2_000


async def read_lines(market: Market) -> Lines:
    """The lines as the log tells them from its beginning, judged at every entry."""
    lines, after = Lines(), 0
    while entries := await read_log(market.store, market.shelf, after):
        for entry in entries:
            lines.take(entry.fields())
        after = entries[-1].seq
    return lines
