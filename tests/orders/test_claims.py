"""Coupons over the real store: set aside, applied, used or released; whoever dies in between, the quota stays exact."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.ledger.replay import Replay
from livesale.orders import coupons
from livesale.orders.asking import digest_of
from livesale.orders.claims import Coupons
from livesale.orders.coupons import Claim, Coupon
from livesale.orders.model import Order
from livesale.orders.service import Checkout
from livesale.orders.shipping import Row
from livesale.store.decision import Conflict
from livesale.store.log import read_log
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Store
from tests.support.market import SHIP_TO, Market

SHOP = "shop:demo"


class Deaf(Coupons):
    """Hears nothing, as if its worker were gone."""

    def reactions(self) -> tuple[Reaction, ...]:
        return ()


class Till:
    """A market whose shop has one coupon, and what becomes of its quota."""

    def __init__(self, store: Store) -> None:
        self.market = Market(store)
        self.store = store

    async def open(self, quota: int = 5, **terms: Any) -> None:
        await self.market.open(100, 100)
        made = Coupon("cp_wdemo_one", "demo", "TEN", quota, **({"percent": 10} | terms))
        await self.market.coupons.make(coupons.checked(made))

    async def quota(self) -> tuple[int, int, int]:
        """Where the quota is: left, set aside, used."""
        names = [f"coupon_{place}:cp_wdemo_one" for place in ("left", "aside", "used")]
        found = await self.store.counters(SHOP, *names)
        return (found[names[0]], found[names[1]], found[names[2]])

    async def apply(self, order: Order, code: str = "TEN") -> Order:
        buyer = self.market.buyer(order.account)
        await self.market.coupons.apply(buyer, order.id, code)
        return await self.market.orders.load(order.id)

    async def set_aside(self, order: Order, name: str = "one") -> Claim:
        """Step 1 alone, as if the process had died after it."""
        claim_id = coupons.claim_id("demo", name)
        await self.store.act(
            SHOP, ("coupon:TEN",), lambda records, now: coupons.set_aside(records, claim_id, "TEN", order, now)
        )
        claim = load(Claim, (await self.store.read(SHOP, f"claim:{claim_id}"))[f"claim:{claim_id}"])
        assert claim
        return claim

    async def step_two(self, claim: Claim) -> None:
        """Step 2 alone."""
        names = (f"order:{claim.order}", f"claim:{claim.id}")
        await self.store.act(claim.target, names, lambda records, _: coupons.applied(records, claim))

    async def due(self) -> list[str]:
        return await self.store.first(SHOP, "due", 100)

    async def check(self) -> None:
        """Both shelves' logs re-derive every counter, and the quota's law holds at each entry."""
        for shelf in (SHOP, self.market.shelf):
            replay = Replay(shelf)
            for entry in await read_log(self.store, shelf, 0, 10_000):
                replay.take(entry.seq, entry.raw)
            assert replay.differences == []
        await self.market.check_units()


@pytest.fixture
async def till(store: Store) -> Till:
    made = Till(store)
    await made.open()
    return made


async def reason(work: Any) -> str:
    """Why a coupon was refused, or the code of another refusal."""
    with pytest.raises(Refusal) as told:
        await work
    return str(told.value.errors[0]["reason"]) if told.value.code == "coupon_refused" else told.value.code


async def test_a_coupon_is_paid_less_and_used(till: Till) -> None:
    """The order costs less at once, that is what is captured, and only then the coupon counts as used."""
    async with till.market.running():
        order = await till.apply(await till.market.hold("ann", (0, 2), (1, 1)))
        assert (order.total, order.discount(), order.version) == (2700, 300, 2)
        assert await till.quota() == (4, 1, 0)
        paid = await till.market.state(await till.market.check_out(order), "paid")
        async with asyncio.timeout(20):
            while (await till.quota())[2] != 1:
                await asyncio.sleep(0.01)
    assert till.market.provider.captured[paid.id] == 2700
    assert await till.quota() == (4, 0, 1)
    assert await till.due() == []
    await till.check()


async def test_an_order_that_ends_unpaid_gives_it_back(till: Till) -> None:
    """Cancelled or declined by the bank: somebody else, or the same buyer, can use it."""
    async with till.market.running():
        cancelled = await till.apply(await till.market.hold("ann", (0, 1)))
        await till.market.orders.cancel(till.market.buyer("ann"), cancelled.id)
        async with asyncio.timeout(20):
            while (await till.quota())[0] != 5:
                await asyncio.sleep(0.01)
        failed = await till.apply(await till.market.hold("ann", (0, 1)))
        await till.market.check_out(failed, "pm_declined")
        async with asyncio.timeout(20):
            while (await till.quota())[0] != 5:
                await asyncio.sleep(0.01)
    await till.check()


async def test_it_comes_off_again(till: Till) -> None:
    """The old total, the quota as before, and the code can be put on once more."""
    order = await till.apply(await till.market.hold("ann", (0, 1)))
    await till.market.coupons.take_off(till.market.buyer("ann"), order.id)
    now = await till.market.orders.load(order.id)
    assert (now.total, now.coupon) == (1000, None)
    assert await till.quota() == (5, 0, 0)
    assert (await till.apply(order)).total == 900
    assert (await till.apply(order)).version == 4  # the same again is the same
    await till.check()


async def test_refusals(till: Till) -> None:
    """Unknown, used by this buyer, used up, another one on the order, no longer held, somebody else's order."""
    market = till.market
    orders = [await market.hold(f"b{number}", (0, 1)) for number in range(6)]
    assert await reason(till.apply(orders[0], "NOPE")) == "unknown"
    for order in orders[:5]:
        await till.apply(order)
    assert await reason(till.apply(orders[5])) == "used_up"
    assert await reason(till.apply(await market.hold("b0", (0, 1)))) == "used_by_you"
    assert await reason(market.coupons.apply(market.buyer("b1"), orders[5].id, "TEN")) == "not_found"
    await market.coupons.make(Coupon("cp_wdemo_two", "demo", "TWENTY", 5, percent=20))
    assert await reason(till.apply(orders[0], "TWENTY")) == "conflict"
    await market.orders.cancel(market.buyer("b5"), orders[5].id)
    assert await reason(till.apply(orders[5], "TWENTY")) == "conflict"
    await market.coupons.remove("demo", "TWENTY")
    assert await reason(till.apply(await market.hold("b6", (0, 1)), "TWENTY")) == "unknown"
    assert [one.coupon.code for one in await market.coupons.every("demo")] == ["TEN"]
    await till.check()


async def test_a_crash_before_the_order_has_it(till: Till) -> None:
    """Set aside and then dead: the deadline puts it back, and what was still on its way comes too late."""
    order = await till.market.hold("ann", (0, 1))
    claim = await till.set_aside(order)
    assert await till.due() == [f"claim:{claim.id}"]
    await till.market.coupons.finish(SHOP, claim.id)
    assert await till.quota() == (5, 0, 0)
    assert await reason(till.step_two(claim)) == "conflict"
    assert (await till.market.orders.load(order.id)).total == 1000
    assert await till.due() == []
    await till.check()


@pytest.mark.parametrize("end", ["cancelled", "paid"])
async def test_a_crash_after_the_order_has_it(till: Till, end: str) -> None:
    """Nobody reads the log: while the order is open its claim stays, then the clock alone brings it to the right end."""
    market = till.market
    order = await market.hold("ann", (0, 1))
    claim = await till.set_aside(order)
    await till.step_two(claim)
    await market.coupons.finish(SHOP, claim.id)
    assert await till.quota() == (4, 1, 0)
    assert await till.due() == [f"claim:{claim.id}"]
    if end == "paid":
        market.coupons = Deaf(till.store)
        async with market.running():
            await market.state(await market.check_out(await market.orders.load(order.id)), "paid")
    else:
        await market.orders.cancel(market.buyer("ann"), order.id)
    assert (await till.quota())[1] == 1
    for _ in range(2):  # two workers, or one that died before it could say so
        await market.coupons.finish(SHOP, claim.id)
    assert await till.quota() == ((4, 0, 1) if end == "paid" else (5, 0, 0))
    assert await till.due() == []
    await till.check()


async def test_a_crash_after_it_was_taken_off(till: Till) -> None:
    """The order is without it, the shop does not know yet: the deadline releases it."""
    order = await till.market.hold("ann", (0, 1))
    claim = await till.set_aside(order)
    await till.step_two(claim)
    names = (f"order:{order.id}", f"claim:{claim.id}")
    await till.store.act(order.shelf, names, lambda records, _: coupons.taken_off(records, order.id, claim.id))
    await till.market.coupons.finish(SHOP, claim.id)
    assert await till.quota() == (5, 0, 0)
    await till.check()


async def test_the_fence_and_the_order_race(till: Till) -> None:
    """The deadline fires in the very moment the order takes it: one of the two wins, and both shelves agree on which."""
    for number in range(20):
        order = await till.market.hold(f"b{number}", (0, 1))
        claim = await till.set_aside(order, f"act{number}")
        done = await asyncio.gather(
            till.step_two(claim), till.market.coupons.finish(SHOP, claim.id), return_exceptions=True
        )
        assert all(one is None or isinstance(one, Refusal | Conflict) for one in done)
        await till.market.coupons.finish(SHOP, claim.id)
        has_it = (await till.market.orders.load(order.id)).coupon is not None
        assert (await till.quota())[1] == int(has_it)
        await till.market.orders.cancel(till.market.buyer(order.account), order.id)
        await till.market.coupons.finish(SHOP, claim.id)
    assert await till.quota() == (5, 0, 0)
    await till.check()


async def test_fifty_claims_from_two_shows_for_a_quota_of_five(till: Till) -> None:
    """Exactly five orders have it, whichever show they are in; the others are told that it has been used up."""
    other = Market(till.store)
    await other.open(100)
    orders = [await (till.market, other)[number % 2].hold(f"b{number}", (0, 1)) for number in range(50)]
    done = await asyncio.gather(*(till.apply(order) for order in orders), return_exceptions=True)
    assert sum(isinstance(one, Order) for one in done) == 5
    refused = [one for one in done if isinstance(one, Refusal)]
    assert len(refused) == 45 and {one.errors[0]["reason"] for one in refused} == {"used_up"}
    now = [await till.market.orders.load(order.id) for order in orders]
    assert sum(one.coupon is not None for one in now) == 5
    assert await till.quota() == (0, 5, 0)
    await till.check()


async def test_another_country_is_another_price(till: Till) -> None:
    """Checked out to where it was not priced for: nothing is paid, the refusal names the new total, and with that total
    the same checkout passes; the discount stays."""
    market = till.market
    market.prices.table = [Row(["DE"], Money(490, "EUR")), Row(["AT"], Money(990, "EUR"), Money(5000, "EUR"))]
    order = await till.apply(await market.hold("ann", (0, 2)))
    assert (order.country, order.total) == ("DE", 2000 - 200 + 490)
    there = SHIP_TO | {"country": "AT"}
    with pytest.raises(Refusal) as told:
        await market.orders.checkout(market.buyer("ann"), order.id, Checkout(there, "pm_ok", order.total, "EUR"))
    assert told.value.code == "price_changed"
    assert told.value.errors == [{"field": "price_total", "amount": 2790, "currency": "EUR"}]
    now = await market.orders.load(order.id)
    assert (now.state, now.country, now.total, now.lines[0].vat, await market.orders.payment(now)) == (
        "held", "AT", 2790, 2000, None
    )  # fmt: skip
    async with market.running():
        await market.orders.checkout(market.buyer("ann"), order.id, Checkout(there, "pm_ok", 2790, "EUR"))
        await market.state(order, "paid")
    assert market.provider.captured[order.id] == 2790
    held = await market.hold("bob", (0, 1))
    wanted = Checkout(SHIP_TO | {"country": "FR"}, "pm_ok", held.total, "EUR")
    assert await reason(market.orders.checkout(market.buyer("bob"), held.id, wanted)) == "no_delivery"
    market.prices.table = [Row(["CH"], Money(1, "EUR"))]
    assert await reason(market.hold("eve", (0, 1))) == "no_delivery"
    await till.check()


async def test_the_same_total_elsewhere_is_paid_at_once(till: Till) -> None:
    """Prices include VAT: where only its share differs the buyer is not asked again, and the share is that country's."""
    market = till.market
    order = await market.hold("ann", (0, 1))
    wanted = Checkout(SHIP_TO | {"country": "CH"}, "pm_ok", order.total, "EUR")
    async with market.running():
        await market.orders.checkout(market.buyer("ann"), order.id, wanted)
        paid = await market.state(order, "paid")
    assert (paid.country, paid.lines[0].vat) == ("CH", 810)


async def test_a_guardian_is_asked_for_the_reduced_total(till: Till) -> None:
    """Digest and total of the request are those of the order with its coupon; a coupon that changes under the checkout's
    hands refuses it."""
    market = till.market
    market.people.bands["kid"], market.people.wards = "14-15", {"kid"}
    held = await market.hold("kid", (0, 1))
    stale = Checkout(SHIP_TO, None, held.total, "EUR")
    order = await till.apply(held)
    with pytest.raises(Refusal, match="not the one the page showed"):
        await market.orders.checkout(market.buyer("kid"), order.id, stale)
    asked = await market.orders.checkout(market.buyer("kid"), order.id, Checkout(SHIP_TO, None, 900, "EUR"))
    approval = await market.approval(asked)
    assert (approval.total, approval.digest) == (900, digest_of(asked, SHIP_TO))
    assert approval.digest != digest_of(held, SHIP_TO)
