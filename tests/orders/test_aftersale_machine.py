"""Any interleaving of shipments, refunds, withdrawals, lost answers and repeated events keeps the laws of money and units."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import strategies
from hypothesis.stateful import initialize, invariant, precondition, rule

from livesale.kernel.clock import DAY_MS
from livesale.kernel.money import Money
from livesale.orders.aftersale import Sale
from livesale.orders.coupons import Coupon, checked
from livesale.orders.events import UNITS_RETURNED
from livesale.orders.model import Order
from livesale.orders.shipping import Row
from livesale.orders.withdrawal import counts
from livesale.payments.events import PAYMENT_CHECK, REFUND_CHANGED
from livesale.payments.model import Payment
from livesale.payments.refund import WITHDRAWAL, Refunds
from livesale.store.log import read_log
from livesale.store.readers import Reactions
from livesale.store.record import load
from livesale.store.valkey import Store
from tests.orders.laws import SOLD
from tests.orders.test_machine import BUYERS, STEPS, Orders, offers, quantities, some
from tests.support.market import Hurried, Market
from tests.support.valkey import ValkeyProcess

keys = strategies.integers(0, 4)
amounts = strategies.integers(1, 2500)
faults = strategies.sampled_from(("unknown", "lost", "failed"))
times = strategies.integers(1, 2)


class AfterSale(Orders):
    """The machine of orders, going on after the sale; what comes before it is rarer here, or it would fill the time."""

    hold = hold_and_check_out = buyer_does = guardian_does = guardian_reads_another_request = reprice = None  # type: ignore[assignment]
    time_is_over = answer_gets_lost = provider_tells = buyer_confirms_at_the_bank = None  # type: ignore[assignment]

    @initialize()
    def open(self) -> None:
        """Delivery costs something, and a coupon takes off what no number of pieces divides; the first order has it."""
        super().open()
        self.market.prices.table = [Row(["DE"], Money(490, "EUR"), Money(5000, "EUR"))]
        coupon = Coupon("cp_wdemo_one", "demo", "ODD", 1000, 1000, amount=331, currency="EUR")
        self.allowed(self.market.coupons.make(checked(coupon)))
        self.buy(BUYERS[0], 2, 1, True)
        assert self.some_order(0).coupon

    @rule(buyer=strategies.sampled_from(BUYERS[:2]), first=quantities, second=quantities, coupon=strategies.booleans())
    def buy(self, buyer: str, first: int, second: int, coupon: bool) -> None:
        [order] = self.allowed(self.market.hold(buyer, (0, first), (1, min(second, 2))))
        if isinstance(order, Order):
            self.orders.append(order.id)
            if coupon:
                self.allowed(self.market.coupons.apply(self.market.buyer(buyer), order.id, "ODD"))
            self.allowed(self._check_out(self.some_order(0), "pm_ok"))
            self.hear_everything()

    def some_order(self, pick: int) -> Order:
        """One of the last two: machines of one order are what can get in each other's way."""
        order: Order = self.do(self.market.orders.load(self.orders[-1 - pick % min(len(self.orders), 2)]))
        return order

    # What sellers do

    @precondition(lambda self: self.orders)
    @rule(pick=some, offer=offers, quantity=quantities, key=keys, whole=strategies.booleans(), repeated=times)
    def seller_ships(self, pick: int, offer: int, quantity: int, key: int, whole: bool, repeated: int) -> None:
        order, lines = self.some_order(pick), () if whole else ((offer, quantity),)
        once = (f"ship{key}", f"{lines}")
        self.allowed(*(self.market.ship(order, *lines, once=once) for _ in range(repeated)))

    @precondition(lambda self: self.orders)
    @rule(pick=some, offer=offers, quantity=quantities, key=keys, restock=strategies.booleans(), repeated=times)
    def seller_refunds_lines(
        self, pick: int, offer: int, quantity: int, key: int, restock: bool, repeated: int
    ) -> None:  # fmt: skip
        order, once = self.some_order(pick), (f"line{key}", f"{offer} {quantity} {restock}")
        works = [self.market.refund(order, (offer, quantity), restock=restock, once=once) for _ in range(repeated)]
        self.allowed(*works)

    @precondition(lambda self: self.orders)
    @rule(pick=some, amount=amounts, key=keys, repeated=times)
    def seller_refunds_an_amount(self, pick: int, amount: int, key: int, repeated: int) -> None:
        order, once = self.some_order(pick), (f"amount{key}", f"{amount}")
        self.allowed(*(self.market.refund(order, amount=amount, once=once) for _ in range(repeated)))

    @precondition(lambda self: self.orders)
    @rule(pick=some, restock=strategies.booleans())
    def two_sellers_refund_everything(self, pick: int, restock: bool) -> None:
        order = self.some_order(pick)
        self.allowed(*(self.market.refund(order, restock=restock) for _ in range(2)))

    # What buyers do

    @precondition(lambda self: self.orders)
    @rule(pick=some, offer=offers, quantity=quantities, whole=strategies.booleans(), by=strategies.sampled_from(("", "gita")))
    def buyer_declares(self, pick: int, offer: int, quantity: int, whole: bool, by: str) -> None:
        order = self.some_order(pick)
        units = None if whole else self.market.by_offer(((offer, quantity),))
        self.allowed(self.market.sold.declare(self.market.buyer(by or order.account), order.id, units))

    @precondition(lambda self: self.orders)
    @rule(pick=some, repeated=times, refunding=strategies.booleans(), offer=offers)
    def buyer_withdraws(self, pick: int, repeated: int, refunding: bool, offer: int) -> None:
        order = self.some_order(pick)
        if repeated == 1:
            units = self.market.by_offer(((offer, 1),))
            self.allowed(self.market.sold.declare(self.market.buyer(order.account), order.id, units))
        people = [self.market.buyer(name) for name in (order.account, "gita")] * repeated
        works = [self.market.sold.confirm(actor, order.id) for actor in people]
        self.allowed(*works, *([self.market.refund(order, restock=True)] if refunding else []))

    # What the provider and the clock do

    @rule(fault=faults)
    def refund_goes_wrong(self, fault: str) -> None:
        self.market.provider.script.setdefault(("refund", "pm_ok"), []).append(fault)

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def provider_is_asked(self, pick: int) -> None:
        order = self.some_order(pick)
        self.allowed(self.market.refunds.go_on(order.id), self.market.refunds.go_on(order.id))

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def period_ends(self, pick: int) -> None:
        order = self.some_order(pick)
        if order.fulfilment and order.state == "shipped":
            self.do(_sent_long_ago(self.market, order))
            self.allowed(*(self.market.sold.complete(order.id) for _ in range(2)))

    @rule()
    def hear_everything(self) -> None:
        """Every event waiting, and those it leads to, until nothing is left."""
        while self.waiting:
            self.deliver_all()

    # The laws

    def _money(self, order: Order, payment: Payment | None) -> None:
        provider = self.market.provider
        captured = provider.captured.get(order.id, 0)
        assert captured in (0, order.total)
        assert provider.refunded.get(order.id, 0) <= captured
        if captured:
            assert payment
            assert order.reservation == "claimed"
            assert payment.provider_id not in provider.voided
        if order.state in SOLD:
            assert captured == order.total

    @invariant()
    def laws_after_the_sale(self) -> None:
        if hasattr(self, "market"):
            self.do(self._after())

    async def _after(self) -> None:
        records = await self.market.records()
        counters = await self.market.store.counters(self.market.shelf)
        claimed: Counter[str] = Counter()
        refunded = 0
        for order_id in self.orders:
            order = load(Order, records[f"order:{order_id}"])
            payment = load(Payment, records.get(f"payment:{order_id}"))
            refunds = load(Refunds, records.get(f"refunds:{order_id}")) or Refunds([])
            assert order
            if order.reservation == "claimed":
                assert payment
                claimed += _claimed(order, refunds)
                refunded += payment.refunded
                self._sale(Sale(order, payment, refunds))
        for offer in self.market.offers:
            assert counters.get(f"claimed:{offer}", 0) == claimed[offer]
        assert counters.get("refunded", 0) == refunded

    def _sale(self, sale: Sale) -> None:
        """Money, units and state of one order agree, told without the code that makes them so."""
        order, refunds = sale.order, sale.refunds.items
        gone = self.market.provider.refunded.get(order.id, 0)
        done = sum(one.amount for one in refunds if one.state == "done")
        assert done == sale.payment.refunded <= gone
        assert gone <= sum(one.amount for one in refunds if one.state != "failed") <= order.total
        ordered = Counter({line.offer: line.quantity for line in order.lines})
        given_up = sum((Counter(one.units) for one in refunds if one.state != "failed"), Counter())
        assert given_up <= ordered
        assert sum((Counter(one.returned) for one in refunds if one.state == "done"), Counter()) <= ordered
        shipments = order.fulfilment.shipments if order.fulfilment else []
        sent: Counter[str] = sum((Counter(one.units) for one in shipments), Counter())
        never_sent = sum((Counter(one.returned) for one in refunds if one.cause == WITHDRAWAL and one.state != "failed"), sent)
        assert sent <= never_sent <= ordered
        commands = [one.once for one in (*refunds, *shipments) if one.once[0]]
        assert len({key for key, _ in commands}) == len(commands)
        by_id = {one.id: one for one in refunds}
        withdrawn = [one for one in order.withdrawals if counts(one)]
        assert all(by_id[one.refund].units == one.units for one in withdrawn)
        assert all(one.by in (order.account, sale.payment.payer) for one in withdrawn)
        settled = sum(one.amount for one in refunds if one.state == "done" and one.settled)
        assert (order.state in ("refunded", "withdrawn")) == (settled == order.total)
        if order.state in ("refunded", "withdrawn"):
            assert (order.state == "withdrawn") == bool(withdrawn)
        if order.state in ("shipped", "completed"):
            assert sent

    def settle(self) -> None:
        self.market.provider.script.clear()
        super().settle()
        for _ in self.rounds(12):
            self.hear_everything()
            for order_id in self.orders:
                self.allowed(self.market.refunds.go_on(order_id))
        ends = self.do(self._ends())
        self.allowed(*(self._react(event) for event in self.delivered))
        assert self.do(self._ends()) == ends
        self.laws_after_the_sale()
        for order_id, gone in self.market.provider.refunded.items():
            sale = self.do(self.market.sold_as(self.do(self.market.orders.load(order_id))))
            assert sale.refunds.open() == []
            assert sale.refunds.sum("done") == gone

    async def _ends(self) -> dict[str, bytes]:
        records = await self.market.records()
        return {name: record.data for name, record in records.items() if name.startswith(("order:", "refunds:"))}

    async def _react(self, event: dict[str, Any]) -> None:
        await super()._react(event)
        for act in Reactions((*self.market.refunds.reactions(), *self.market.settling.reactions())).to(event):
            await act(self.market.shelf, event)

    def matters(self, event: dict[str, Any]) -> bool:
        return super().matters(event) or event["type"] in (REFUND_CHANGED, UNITS_RETURNED)


def _claimed(order: Order, refunds: Refunds) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.offer] += line.quantity
    for one in refunds.items:
        if one.state == "done" and one.settled:
            units.subtract(one.returned)
    return units


async def _sent_long_ago(market: Market, order: Order) -> None:
    assert order.fulfilment
    past = [msgspec.structs.replace(one, at=one.at - 40 * DAY_MS) for one in order.fulfilment.shipments]
    await market.age(f"order:{order.id}", Order, "fulfilment", msgspec.structs.replace(order.fulfilment, shipments=past))


@pytest.mark.timeout(300)
def test_machine(valkey: ValkeyProcess) -> None:
    """No sequence of acts after the sale, at once or one by one, breaks money, units or the state people see."""
    AfterSale.runs(valkey.url, 30, STEPS)


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(4))))
async def test_any_order_of_events_ends_the_same(store: Store, arrival: tuple[int, ...]) -> None:
    """A seller's refund, a withdrawal's and two webhooks, heard in whatever order: `withdrawn`, all paid back once."""
    market = Market(store)
    await market.open(10, 10)
    async with market.running():
        order = await market.paid("ann", (0, 1), (1, 1))
    market.sold = Hurried(store, market.may_sell)
    market.provider.script = {("refund", "pm_ok"): ["lost"]}
    begun = await store.seq(market.shelf)
    await market.refund(order, (0, 1), restock=True)
    await market.withdraw(order, (1, 1))
    news = [event for event in await _told(market, begun) if event["type"] == REFUND_CHANGED]
    news += [{"type": PAYMENT_CHECK, "order": order.id}] * 2
    heard = await store.seq(market.shelf)
    for place in arrival:
        await _hear(market, news[place])
    while told := await _told(market, heard):
        heard = await store.seq(market.shelf)
        for event in reversed(told):
            await _hear(market, event)
    for event in await _told(market, begun):
        await _hear(market, event)
    assert (await market.orders.load(order.id)).state == "withdrawn"
    assert market.provider.refunded == {order.id: 2000}
    counters = await store.counters(market.shelf)
    assert [counters.get(f"free:{offer}") for offer in market.offers] == [10, 10]
    await market.check_units()


async def _told(market: Market, after: int) -> list[dict[str, Any]]:
    return [event for entry in await read_log(market.store, market.shelf, after) for event in entry.fields()["events"]]


async def _hear(market: Market, event: dict[str, Any]) -> None:
    rooms = (market.payments, market.refunds, market.reactions, market.settling)
    for act in Reactions(one for room in rooms for one in room.reactions()).to(event):
        await act(market.shelf, event)
