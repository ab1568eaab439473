"""Closed orders leave their shelf, are read as before, and come back when something late happens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.orders.past import ARCHIVINGS
from livesale.orders.withdrawal import ends_at
from livesale.payments.model import Payment
from livesale.payments.reactions import provider_said
from livesale.store.valkey import Store
from tests.orders.ends import ENDS, completed, facts, leave, on_shelf, refunded, seen, with_a_coupon
from tests.support import sandbox
from tests.support.market import HOST, Market


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
