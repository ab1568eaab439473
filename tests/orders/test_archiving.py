"""The two steps by which an order leaves its shelf, and the one by which it comes back, when something goes wrong between them."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import HOUR_MS
from livesale.kernel.refusals import Refusal
from livesale.orders.archiving import Archiving
from livesale.orders.model import ARCHIVED_AFTER_MS
from livesale.orders.past import PastRecord
from livesale.store.decision import Committed, Conflict, Decision
from livesale.store.valkey import Store, connect
from tests.orders.ends import MINOR, cancelled, completed, facts, leave, on_shelf, seen
from tests.support.market import Market
from tests.support.valkey import ValkeyProcess


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
