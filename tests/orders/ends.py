"""The ways in which an order ends, and what may be read of it afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS
from livesale.orders import coupons
from livesale.orders.coupons import Coupon
from livesale.orders.model import Order
from livesale.orders.routes import view, whole
from livesale.store.decision import Conflict
from livesale.store.log import read_log
from tests.support.family import Family
from tests.support.market import Market

MINOR = "mia"


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
