"""The guard of a coupon's quota, shown by what happens without it: the floor under what is left."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from livesale.kernel.ids import shelf
from livesale.orders import coupons
from livesale.orders.coupons import Coupon
from livesale.store.decision import Decision, Short
from livesale.store.valkey import Store
from tests.support.market import Market

BUYERS = 40
QUOTA = 5
SHOP = shelf("shop", "demo")
LEFT = "coupon_left:cp_wdemo_one"


async def read_by_all(store: Store) -> list[Decision]:
    """What the claims of buyers in two shows would do, decided on the same reading: the moment in which races begin."""
    markets = (Market(store), Market(store))
    for market in markets:
        await market.open(BUYERS)
    await markets[0].coupons.make(Coupon("cp_wdemo_one", "demo", "TEN", QUOTA, percent=10))
    orders = [await markets[number % 2].hold(f"b{number}", (0, 1)) for number in range(BUYERS)]
    records, now_ms = await store.read(SHOP, "coupon:TEN"), store.now_ms()
    return [
        coupons.set_aside(records, coupons.claim_id("demo", order.id), "TEN", order, now_ms) for order in orders
    ]  # fmt: skip


async def carried_out(store: Store, decisions: list[Decision]) -> int:
    """How many of them were accepted, all sent at once."""
    done = await asyncio.gather(*(store.commit(one) for one in decisions), return_exceptions=True)
    assert all(not isinstance(one, Exception) or isinstance(one, Short) for one in done)
    return sum(not isinstance(one, Exception) for one in done)


def unguarded(decision: Decision) -> Decision:
    """The same Decision with no floor under the quota."""
    counters = tuple(replace(one, floor=None) if one.name == LEFT else one for one in decision.counters)
    return replace(decision, counters=counters)


async def test_without_its_floor_a_quota_is_exceeded(store: Store) -> None:
    """Forty buyers of two shows claim one of five: without the floor all forty have it."""
    decided = await read_by_all(store)
    assert await carried_out(store, [unguarded(one) for one in decided]) == BUYERS
    assert (await store.counters(SHOP, LEFT))[LEFT] == QUOTA - BUYERS


async def test_with_its_floor_it_is_not(store: Store) -> None:
    """The same moment, guarded: five have it, nobody has a sixth."""
    decided = await read_by_all(store)
    assert await carried_out(store, decided) == QUOTA
    assert (await store.counters(SHOP, LEFT))[LEFT] == 0
