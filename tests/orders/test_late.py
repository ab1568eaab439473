"""Money that arrives after its order has ended, over the real sandbox: it claims again or goes back, never silently."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from livesale.ledger.replay import Replay
from livesale.orders.coupons import Coupon
from livesale.orders.model import Order
from livesale.orders.service import Checkout
from livesale.payments.model import Payment
from livesale.payments.reactions import provider_said
from livesale.store.decision import Decision
from livesale.store.log import read_log
from livesale.store.record import load, put
from livesale.store.valkey import Store
from tests.support.market import SHIP_TO, Market
from tests.support.sandbox import RunningSandbox, running

BACK = "https://shop.example/orders"


class Late(Market):
    """A market whose buyers pay at a bank that takes its time."""

    def __init__(self, store: Store, sandbox: RunningSandbox) -> None:
        super().__init__(store, sandbox.provider)
        self.sandbox = sandbox

    async def given_up(self, buyer: str, token: str, code: str = "") -> Order:
        """An order whose buyer went to the bank and did not come back in time: the provider has confirmed the void."""
        held = await self.hold(buyer, (0, 1))
        if code:
            await self.coupons.apply(self.buyer(buyer), held.id, code)
            held = await self.orders.load(held.id)
        await self.orders.checkout(
            self.buyer(buyer), held.id, Checkout(SHIP_TO, token, held.total, held.currency, BACK)
        )
        await self.payment_in(held, "requires_action")
        await self.out_of_time(held.id)
        await self.payments.go_on(held.id)
        return await self.state(held, "expired")

    async def out_of_time(self, order_id: str) -> None:
        """The ten minutes are over."""
        name = f"payment:{order_id}"
        stored = (await self.store.read(self.shelf, name))[name]
        payment = load(Payment, stored)
        assert payment
        aged = msgspec.structs.replace(payment, deadline=self.store.now_ms() - 1)
        await self.store.commit(Decision(self.shelf, puts=(put(name, stored, aged),)))

    async def payment_in(self, order: Order, *states: str) -> Payment:
        """The payment once it is in one of these states."""
        async with asyncio.timeout(20):
            while (now := await self.orders.payment(order)) is None or now.state not in states:
                await asyncio.sleep(0.01)
        return now

    async def bank_says_yes(self, order: Order) -> None:
        """The buyer confirms after all."""
        payment = await self.orders.payment(order)
        assert payment
        url = f"/3ds/{payment.provider_id}"
        async with self.sandbox.http.post(url, data={"decision": "approve"}, allow_redirects=False) as answer:
            assert answer.status == 303

    async def webhooks(self, count: int, seed: int = 0) -> None:
        """Every webhook so far arrives, each twice, in any order."""
        events = (await self.sandbox.receiver.wait_for(count)) * 2
        random.Random(seed).shuffle(events)
        for event in events:
            await provider_said(self.store, event.data.reference, f"{event.id}{random.random()}", event.type)

    async def facts(self, kind: str) -> list[dict[str, object]]:
        """The facts of one type in the show's log."""
        entries = await read_log(self.store, self.shelf)
        return [event for entry in entries for event in entry.fields()["events"] if event["type"] == kind]

    async def check_books(self) -> None:
        """What `livesale show verify` derives from the log is what the counters say."""
        replay = Replay(self.shelf)
        for entry in await read_log(self.store, self.shelf):
            replay.take(entry.seq, entry.raw)
        assert replay.differences == []
        counters = await self.store.counters(self.shelf)
        told = {name: counters.get(name, 0) for name in replay.sums()}
        assert told == replay.sums()
        await self.check_units()


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with running(tmp_path) as made:
        yield made


@pytest.fixture
async def late(store: Store, sandbox: RunningSandbox) -> AsyncIterator[Late]:
    made = Late(store, sandbox)
    await made.open(1)
    async with made.running():
        yield made
    await made.check_books()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("token", ["pm_late_3ds", "pm_transfer"])
async def test_late_money_claims_again(late: Late, token: str, seed: int) -> None:
    """The unit is still free: the order comes back to life and is paid once, however often and late that is told."""
    order = await late.given_up("ann", token)
    assert await late.units_in("free") == 1
    await late.bank_says_yes(order)
    await late.webhooks(3, seed)
    assert (await late.state(order, "paid")).reservation == "claimed"
    await late.webhooks(3, seed + 1)
    await late.payments.go_on(order.id)
    assert (await late.sandbox.balance())["merchant"] == {"EUR": 1000}
    assert (await late.orders.load(order.id)).state == "paid"
    states = [event["state"] for event in await late.facts("order_changed") if event["order"] == order.id]
    assert states == ["held", "awaiting_payment", "expired", "awaiting_payment", "paid"]
    assert await late.facts("late_payment") == []


@pytest.mark.parametrize("token", ["pm_late_3ds", "pm_transfer"])
async def test_late_money_goes_back_when_the_unit_is_gone(late: Late, token: str) -> None:
    """Another buyer has the unit: nothing is kept, the order stays as it ended, and that is told once."""
    order = await late.given_up("ann", token)
    await late.hold("bob", (0, 1))
    await late.bank_says_yes(order)
    await late.webhooks(3)
    await late.payment_in(order, "voided", "refunded")
    await late.webhooks(3, 1)
    async with asyncio.timeout(20):
        while (balance := await late.sandbox.balance())["customer"] != {"EUR": 0}:
            await asyncio.sleep(0.01)
    assert balance["merchant"].get("EUR", 0) == balance["authorised"].get("EUR", 0) == 0
    assert (await late.orders.load(order.id)).state == "expired"
    told = await late.facts("late_payment")
    assert [(one["owner"], one["order"]) for one in told] == [("ann", order.id)]
    if token == "pm_transfer":
        async with asyncio.timeout(20):
            while not (await late.sold_as(order)).refunds.items[0].settled:
                await asyncio.sleep(0.01)
        assert (await late.orders.load(order.id)).state == "expired"


@pytest.mark.parametrize("token", ["pm_late_3ds", "pm_transfer"])
async def test_late_money_of_a_coupon_goes_back(late: Late, token: str) -> None:
    """The one of its quota went back when the order ended, and is in another order by now: it is not used twice."""
    await late.coupons.make(Coupon("cp_wdemo_one", "demo", "TEN", 1, percent=10))
    order = await late.given_up("ann", token, "TEN")
    name = "coupon_left:cp_wdemo_one"
    async with asyncio.timeout(20):
        while not (await late.store.counters("shop:demo", name))[name]:
            await asyncio.sleep(0.01)
    await late.bank_says_yes(order)
    await late.webhooks(3)
    await late.payment_in(order, "voided", "refunded")
    assert (await late.orders.load(order.id)).state == "expired"
    assert [one["amount"] for one in await late.facts("late_payment")] == [900]
    other = await late.hold("bob", (0, 1))
    await late.coupons.apply(late.buyer("bob"), other.id, "TEN")
    assert (await late.store.counters("shop:demo", name))[name] == 0


async def test_late_money_passes_nobody_in_line(late: Late) -> None:
    """The unit that came free is the waiting buyer's turn: money that comes late does not take it."""
    held = await late.hold("ann", (0, 1))
    await late.waiting.join(late.buyer("eve"), late.offers[0], 1)
    await late.orders.checkout(
        late.buyer("ann"), held.id, Checkout(SHIP_TO, "pm_late_3ds", held.total, held.currency, BACK)
    )
    await late.payment_in(held, "requires_action")
    await late.out_of_time(held.id)
    await late.payments.go_on(held.id)
    order = await late.state(held, "expired")
    await late.bank_says_yes(order)
    await late.webhooks(3)
    await late.payment_in(order, "voided")
    assert (await late.waiting.standing(late.buyer("eve"), late.offers[0])).state == "offered"
    assert [one["order"] for one in await late.facts("late_payment")] == [order.id]


async def test_two_late_payments_for_one_unit(late: Late) -> None:
    """Both arrive at once: one order lives again, the other's money goes back."""
    orders = [await late.given_up(buyer, "pm_late_3ds") for buyer in ("ann", "bob")]
    await asyncio.gather(*(late.bank_says_yes(order) for order in orders))
    await late.webhooks(6)
    payments = await asyncio.gather(*(late.payment_in(order, "captured", "voided") for order in orders))
    assert sorted(payment.state for payment in payments) == ["captured", "voided"]
    assert (await late.sandbox.balance())["merchant"] == {"EUR": 1000}
    assert len(await late.facts("late_payment")) == 1
