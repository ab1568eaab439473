"""Closed orders leave their shelf, are read as before, and come back when something late happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS, HOUR_MS
from livesale.kernel.refusals import Refusal
from livesale.orders import coupons
from livesale.orders import past_records as past_store
from livesale.orders.archiving import Archiving
from livesale.orders.coupons import Coupon
from livesale.orders.model import ARCHIVED_AFTER_MS, Order
from livesale.orders.past import ARCHIVINGS, PastRecord
from livesale.orders.routes import view, whole
from livesale.orders.withdrawal import ends_at
from livesale.payments.model import Payment
from livesale.payments.reactions import provider_said
from livesale.store import database
from livesale.store.database import reading
from livesale.store.decision import Committed, Conflict, Decision
from livesale.store.log import read_log
from livesale.store.valkey import Store, connect
from tests.support import sandbox
from tests.support.family import Family
from tests.support.market import HOST, Market
from tests.support.plans import plan_of
from tests.support.valkey import ValkeyProcess

MINOR = "mia"


@pytest.fixture
async def market(store: Store, engine: AsyncEngine) -> AsyncIterator[Market]:
    made = Market(store)
    made.archives(engine)
    made.people.bands[MINOR] = "14-15"
    made.people.wards.add(MINOR)
    await made.open(10, 5, limit=4)
    yield made
    await made.check_units()


async def cancelled(market: Market) -> Order:
    order = await market.hold("ann", (0, 1))
    return await market.orders.cancel(market.buyer("ann"), order.id)


async def expired(market: Market) -> Order:
    order = await market.hold("ann", (0, 1))
    await market.age(f"order:{order.id}", Order, "reserved_until", order.held_at)
    await market.orders.expire(order.id)
    return order


async def payment_failed(market: Market) -> Order:
    return await market.state(await market.check_out(await market.hold("ann", (0, 1)), "pm_declined"), "payment_failed")


async def declined(market: Market) -> Order:
    order = await market.check_out(await market.hold(MINOR, (0, 1)))
    approval = (await market.approval(order)).id
    await Family(market.store).decline(Actor("gita", frozenset({"guardian"})), approval)
    return await market.state(order, "declined")


async def completed(market: Market) -> Order:
    order = await market.ship(await market.paid("ann", (0, 2), (1, 1)))
    assert order.fulfilment
    sent = [msgspec.structs.replace(one, at=one.at - 40 * DAY_MS) for one in order.fulfilment.shipments]
    goods = msgspec.structs.replace(order.fulfilment, shipments=sent)
    await market.age(f"order:{order.id}", Order, "fulfilment", goods)
    await market.sold.complete(order.id)
    return await market.state(order, "completed")


async def refunded(market: Market) -> Order:
    order = await market.paid("ann", (0, 2), (1, 1))
    await market.refund(order, restock=True)
    return await market.state(order, "refunded")


async def withdrawn(market: Market) -> Order:
    order = await market.paid("ann", (0, 2))
    await market.withdraw(order)
    return await market.state(order, "withdrawn")


async def bought_by_a_minor(market: Market) -> Order:
    order = await market.check_out(await market.hold(MINOR, (0, 1)))
    asked = await market.approval(order)
    gita = Actor("gita", frozenset({"guardian"}), stepped_up_ms=market.store.now_ms())
    await Family(market.store).approve(gita, asked.id, asked.digest, "pm_ok")
    await market.state(order, "paid")
    await market.refund(order)
    return await market.state(order, "refunded")


async def with_a_coupon(market: Market) -> Order:
    await market.coupons.make(coupons.checked(Coupon("cp_wdemo_one", "demo", "TEN", 5, percent=10)))
    order = await market.hold("ann", (0, 1))
    await market.coupons.apply(market.buyer("ann"), order.id, "TEN")
    return await market.orders.cancel(market.buyer("ann"), order.id)


ENDS = [
    cancelled, expired, payment_failed, declined, completed, refunded, withdrawn, bought_by_a_minor, with_a_coupon
]  # fmt: skip


async def leave(market: Market, order: Order, times: int = 1) -> None:
    """The mark fires, in so many workers at once: one of them wins."""
    assert market.archiving
    works = [market.archiving.archive(market.shelf, order.id) for _ in range(times)]
    lost = [one for one in await asyncio.gather(*works, return_exceptions=True) if one is not None]
    if others := [one for one in lost if not isinstance(one, Conflict) or times == 1]:
        raise others[0]


async def seen(market: Market, order: Order) -> list[Any]:
    """What buyer, seller and guardian read of an order."""
    now = await market.orders.load(order.id)
    payment = await market.orders.payment(now)
    approval = await market.approval(order) if now.approval else None
    return [view(now), whole(*await market.sold.order(order.id)), payment, approval]


async def on_shelf(market: Market, order: Order) -> list[str]:
    """Everything on the shelf that knows the order: records, counters, marks."""
    tag = f"{{{market.shelf}}}"
    client = market.store.client
    found = [*await client.hkeys(f"{tag}:r"), *await client.hkeys(f"{tag}:c"), *await client.zrange(f"{tag}:m:due", 0, -1)]
    names = [order.id, *filter(None, (order.approval, order.coupon and order.coupon.claim))]
    return sorted(one.decode() for one in found if any(name in one.decode() for name in names))


async def facts(market: Market, kind: str) -> list[dict[str, Any]]:
    entries = await read_log(market.store, market.shelf)
    return [event for entry in entries for event in entry.fields()["events"] if event["type"] == kind]


@pytest.mark.parametrize("end", ENDS)
async def test_a_closed_order_leaves_nothing_behind(market: Market, end: Any) -> None:
    """Whatever way it ended: nothing on the shelf names it, people read what they read before, verified as one leaving."""
    async with market.running():
        order = await end(market)
        order = await market.orders.load(order.id)
    before, counters = await seen(market, order), await market.store.counters(market.shelf)
    assert f"archive:{order.id}" in await on_shelf(market, order)
    await leave(market, order, times=3)
    assert await on_shelf(market, order) == []
    assert await seen(market, order) == before
    assert {**await market.store.counters(market.shelf), ARCHIVINGS: 1} == {**counters, ARCHIVINGS: 1}
    assert len(await facts(market, "order_archived")) == 1


@pytest.mark.parametrize("end", ENDS)
async def test_coming_back_changes_nothing(market: Market, end: Any) -> None:
    """The same bytes and counters, once, whoever brings it back at the same moment; and it leaves again."""
    async with market.running():
        order = await end(market)
        order = await market.orders.load(order.id)
    assert market.archiving
    records, counters = await market.store.records(market.shelf), await market.store.counters(market.shelf)
    before = await seen(market, order)
    await leave(market, order)
    await asyncio.gather(*(market.archiving.bring_back(market.shelf, order.id) for _ in range(5)))
    again = await market.store.records(market.shelf)
    assert {name: record.data for name, record in again.items()} == {name: record.data for name, record in records.items()}
    assert {**counters, ARCHIVINGS: 1} == await market.store.counters(market.shelf)
    assert len(await facts(market, "order_reopened")) == 1
    assert await seen(market, order) == before
    assert f"archive:{order.id}" in await on_shelf(market, order)
    await leave(market, order)
    assert await on_shelf(market, order) == []
    assert await seen(market, order) == before


async def test_the_clock_lets_it_go(market: Market) -> None:
    """The mark fires an hour after the reservation's end; an order that is still open stays."""
    async with market.running():
        gone, paid = await cancelled(market), await market.paid("bob", (0, 1))
        due = await market.store.due(market.shelf, "due", gone.reserved_until + ARCHIVED_AFTER_MS)
        assert f"archive:{gone.id}" in due
        assert f"archive:{paid.id}" not in due
        market.store._offset_ms += 2 * HOUR_MS
        async with asyncio.timeout(20):
            while await on_shelf(market, gone):
                await asyncio.sleep(0.01)
    assert (await market.orders.load(gone.id)).state == "cancelled"
    assert f"order:{paid.id}" in await on_shelf(market, paid)


async def test_what_is_in_flight_stays(market: Market) -> None:
    """An order whose refund is on its way, or whose request is open, does not leave; it is looked at again."""
    market.provider.script = {("refund", "pm_ok"): ["unknown"] * 100}
    async with market.running():
        order = await completed(market)
        with_minor = await market.check_out(await market.hold(MINOR, (0, 1)))
        await market.refund(order, amount=100)
    for one in (order, with_minor):
        await leave(market, one)
        assert f"order:{one.id}" in await on_shelf(market, one)
    assert f"archive:{order.id}" in await on_shelf(market, order)
    assert f"archive:{with_minor.id}" not in await on_shelf(market, with_minor)


async def test_a_seller_refunds_a_past_order(market: Market) -> None:
    """The refund brings it back, the money goes back once, the units are on sale again; later it leaves again."""
    async with market.running():
        order = await completed(market)
        await leave(market, order)
        await market.refund(order, (0, 1), restock=True)
        assert (await market.sold_as(order)).refunds.sum("done") == 1000
        assert market.provider.refunded == {order.id: 1000}
        assert await market.units_in("free") == 9
        await leave(market, order)
        assert await on_shelf(market, order) == []
        await market.refund(order)
        await market.state(order, "refunded")
        assert market.provider.refunded == {order.id: 3000}


async def test_limits_are_forgotten_once_nobody_can_buy(market: Market) -> None:
    """While the show is on a past order counts against its buyer's limit; after its end nothing is kept of buyers."""
    counter = f"buyer:ann:{market.offers[0]}"
    async with market.running():
        first, second = await completed(market), await completed(market)
        await leave(market, first)
        assert (await market.store.counters(market.shelf, counter))[counter] == 4
        with pytest.raises(Refusal) as refused:
            await market.hold("ann", (0, 1))
        assert refused.value.code == "limit_reached"
        await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
        await leave(market, second)
        assert (await market.store.counters(market.shelf, counter))[counter] == 2
        await market.refund(first, restock=True)
        await market.refund(second, restock=True)
        for order in (first, second):
            await market.state(order, "refunded")
        assert (await market.store.counters(market.shelf, counter))[counter] == 0


async def test_a_kill_between_the_two_steps_is_harmless(
    market: Market, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed with the archive written and the shelf untouched: the order lives on, and leaves as it is then."""
    async with market.running():
        order = await completed(market)
        carry_out = store.commit

        async def killed(decision: Decision) -> Committed:
            if decision.drops:
                raise asyncio.CancelledError
            return await carry_out(decision)

        monkeypatch.setattr(store, "commit", killed)
        with pytest.raises(asyncio.CancelledError):
            await leave(market, order)
        monkeypatch.setattr(store, "commit", carry_out)
        assert f"order:{order.id}" in await on_shelf(market, order)
        await market.refund(order, amount=700)
        assert (await market.sold_as(order)).refunds.sum("done") == 700
        await leave(market, order)
    assert await on_shelf(market, order) == []
    assert (await market.sold_as(order)).refunds.sum("done") == 700


async def test_a_kill_while_it_comes_back_is_harmless(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before the commit that brings it back: it is in the archive, whole, for whoever comes next."""
    async with market.running():
        order = await completed(market)
        await leave(market, order)
        before, carry_out = await seen(market, order), market.store.commit

        async def killed(decision: Decision) -> Committed:
            raise asyncio.CancelledError

        monkeypatch.setattr(market.store, "commit", killed)
        with pytest.raises(asyncio.CancelledError):
            await market.refund(order, amount=700)
        monkeypatch.setattr(market.store, "commit", carry_out)
        assert await seen(market, order) == before
        await market.refund(order, amount=700)
        assert (await market.sold_as(order)).refunds.sum("done") == 700


async def test_what_changed_since_it_was_archived_is_not_dropped(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refund between the two steps: the leaving is a conflict, and nothing of the refund is lost."""
    assert market.archiving
    async with market.running():
        order = await completed(market)
        keep = market.archiving._kept.ask

        async def kept_late(kept: list[PastRecord]) -> bool:
            done = await keep(kept)
            await market.refund(order, amount=700)
            return done

        monkeypatch.setattr(market.archiving._kept, "ask", kept_late)
        with pytest.raises(Conflict):
            await leave(market, order)
        assert f"refunds:{order.id}" in await on_shelf(market, order)
        assert (await market.sold_as(order)).refunds.sum("done") == 700


async def test_an_old_copy_of_the_archive_never_comes_back(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read the archive before the order came back, changed and left again does not undo that change."""
    assert market.archiving
    async with market.running():
        order = await completed(market)
        await leave(market, order)
        commit, stale = market.store.commit, asyncio.Event()

        async def slowly(decision: Decision) -> Committed:
            monkeypatch.setattr(market.store, "commit", commit)
            await stale.wait()
            return await commit(decision)

        monkeypatch.setattr(market.store, "commit", slowly)
        late = asyncio.create_task(market.archiving.bring_back(market.shelf, order.id))
        while market.store.commit is slowly:
            await asyncio.sleep(0.01)
        await market.refund(order, amount=700)
        await leave(market, order)
        assert await on_shelf(market, order) == []
        stale.set()
        await late
        assert await on_shelf(market, order) == []
        assert (await market.sold_as(order)).refunds.sum("done") == 700


async def test_of_a_record_the_newest_version_is_kept(engine: AsyncEngine) -> None:
    """Two workers, the slower one with what was: the archive says so, and keeps what is."""
    old = PastRecord("show:a", "order:o", "o", 3, b"old", False)
    new = PastRecord("show:a", "order:o", "o", 5, b"new", False)
    over = msgspec.structs.replace(new, released=True)
    for given, standing in ((old, {old}), (new, {new}), (old, set()), (over, {over}), (new, set()), (over, {over})):
        async with engine.begin() as connection:
            assert await past_store.keep(connection, [given]) == standing
    async with reading(engine) as connection:
        assert await past_store.of_order(connection, "o") == [over]


async def test_past_records_are_found_by_an_index(tmp_path: Path) -> None:
    """However many there are: asked for by a crowd, from several shelves, and by their order."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'livesale.db'}"
    await asyncio.to_thread(database.migrate, url)
    engine = database.engine(url)

    async def asked() -> None:
        async with reading(engine) as connection:
            await past_store.named(connection, [("a", "order:1"), ("a", "payment:1"), ("b", "order:2"), ("c", "approval:3")])

    async def of_order() -> None:
        async with reading(engine) as connection:
            await past_store.of_order(connection, "o")

    for read in (asked, of_order):
        plan = await plan_of(engine, read)
        assert any("SEARCH past_records USING INDEX" in line for line in plan), plan
        assert not any("SCAN past_records" in line for line in plan), plan
    await engine.dispose()


async def test_many_leave_at_once(market: Market) -> None:
    """A crowd of expired holds leaves in few transactions, each order once."""
    assert market.archiving
    orders = [await cancelled(market) for _ in range(40)]
    await asyncio.gather(*(leave(market, order, times=2) for order in orders))
    left = [event["order"] for event in await facts(market, "order_archived")]
    assert sorted(left) == sorted(order.id for order in orders)
    assert [await on_shelf(market, order) for order in orders] == [[]] * 40
    assert {(await market.orders.load(order.id)).state for order in orders} == {"cancelled"}


async def test_an_archive_that_is_away_loses_nothing(market: Market, engine: AsyncEngine) -> None:
    """Without SQL nothing leaves, and what has left is a 503, not a 404."""
    order, stays = await cancelled(market), await cancelled(market)
    await leave(market, order)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE past_records RENAME TO elsewhere"))
    for work in (market.orders.load(order.id), leave(market, stays)):
        with pytest.raises(Refusal) as refused:
            await work
        assert refused.value.code == "store_unavailable"
    assert f"order:{stays.id}" in await on_shelf(market, stays)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO past_records"))
    assert (await market.orders.load(order.id)).state == "cancelled"


async def test_a_dispute_comes_after_months(store: Store, engine: AsyncEngine, tmp_path: Path) -> None:
    """The sandbox's own webhook, delivered when the order is long past: asked about, noted, told; then it leaves again."""
    async with sandbox.running(tmp_path) as paysim:
        market = Market(store, paysim.provider)
        market.archives(engine)
        await market.open(10, 5)
        async with market.running():
            order = await market.state(await market.check_out(await market.hold("ann", (0, 2)), "pm_dispute"), "paid")
            news = [event for event in await paysim.receiver.wait_for(3) if "dispute" in event.type]
            await market.ship(order)
            goods = (await market.orders.load(order.id)).fulfilment
            assert goods
            sent = [msgspec.structs.replace(one, at=one.at - 40 * DAY_MS) for one in goods.shipments]
            await market.age(f"order:{order.id}", Order, "fulfilment", msgspec.structs.replace(goods, shipments=sent))
            assert ends_at(sent[0].at) < store.now_ms()
            await market.sold.complete(order.id)
            await leave(market, order)
            assert await on_shelf(market, order) == []
            for event in [*news, *news]:  # senders repeat
                await provider_said(store, event.data.reference, event.id, event.type)
            async with asyncio.timeout(20):
                while not (told := await facts(market, "payment_disputed")):
                    await asyncio.sleep(0.01)
            assert [(one["order"], one["disputed"]) for one in told] == [(order.id, 2000)]
            assert f"payment:{order.id}" in await on_shelf(market, order)
            await leave(market, order)
            assert await on_shelf(market, order) == []
            payment = await market.orders.payment(order)
            assert payment
            assert payment.disputed == 2000


async def test_money_that_comes_late_brings_its_order_back(market: Market) -> None:
    """Nobody paid in time, the order is past; then the bank says yes: it claims its units again, and is paid."""
    async with market.running():
        order = await market.check_out(await market.hold("ann", (0, 2)), "pm_3ds")
        payment = await market.orders.payment(order)
        assert payment
        await market.age(f"payment:{order.id}", Payment, "deadline", order.held_at)
        await market.payments.go_on(order.id)
        await market.state(order, "expired")
        await leave(market, order)
        assert await on_shelf(market, order) == []
        market.provider.passed_3ds(payment.provider_id)
        await provider_said(market.store, order.id, "evt_1", "intent.authorised")
        await market.state(order, "paid")
        assert market.provider.captured == {order.id: 2000}
        assert await market.units_in("claimed") == 2
        await leave(market, order)  # the mark of its coming back: it lives on
        assert f"order:{order.id}" in await on_shelf(market, order)
        assert f"archive:{order.id}" not in await on_shelf(market, order)


async def test_a_coupon_goes_home_from_a_past_order(market: Market) -> None:
    """The shop's clock finds the claim of an order that has left, and sets its code free, once."""
    order = await with_a_coupon(market)  # nobody hears of its end
    await leave(market, order)
    assert order.coupon
    for _ in range(2):
        await market.coupons.finish("shop:demo", order.coupon.claim)
    [standing] = await market.coupons.every("demo")
    assert (standing.left, standing.aside, standing.used) == (5, 0, 0)
    assert await facts(market, "order_reopened") == []
    assert await on_shelf(market, order) == []


async def test_a_word_that_changes_nothing_brings_nothing_back(market: Market) -> None:
    """A repeated webhook about a past order, its payment or its refunds leaves it where it is."""
    async with market.running():
        order = await refunded(market)
        await leave(market, order)
        heard = await store_seq(market)
        await provider_said(market.store, order.id, "evt_1", "intent.refunded")
        await market.payments.go_on(order.id)
        await market.refunds.go_on(order.id)
        await market.sold.complete(order.id)
        async with asyncio.timeout(20):
            while await store_seq(market) == heard:
                await asyncio.sleep(0.01)
    assert await facts(market, "order_reopened") == []
    assert await on_shelf(market, order) == []


async def store_seq(market: Market) -> int:
    return await market.store.seq(market.shelf)


async def test_two_processes_see_the_same_past(market: Market, valkey: ValkeyProcess, engine: AsyncEngine) -> None:
    """Another process reads and changes what this one archived."""
    async with market.running():
        order = await completed(market)
        await leave(market, order)
        other = await connect(valkey.url)
        other.past = Archiving(other, engine)
        elsewhere = Market(other, market.provider)
        assert (await elsewhere.orders.load(order.id)).state == "completed"
        await asyncio.gather(*(elsewhere.refund(order, amount=100) for _ in range(3)), market.refund(order, amount=50))
        assert (await market.sold_as(order)).refunds.sum("done") == 350
        assert len(await facts(market, "order_reopened")) == 1
        await other.close()
