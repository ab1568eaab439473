"""Leaving for the archive and coming back, at any point of an order's late life, changes nothing for anybody."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import strategies
from hypothesis.stateful import initialize, invariant, precondition, rule

from livesale.orders.model import UNITS_OF, Order
from livesale.payments.refund import Refunds
from livesale.store import database
from livesale.store.record import load
from livesale.store.valkey import Records
from tests.orders.test_aftersale_machine import AfterSale, amounts, times
from tests.orders.test_machine import BUYERS, STEPS, quantities, some
from tests.support import sqlite
from tests.support.market import HOST
from tests.support.valkey import ValkeyProcess

some_orders = strategies.lists(some, min_size=1, max_size=3)


class Pasts(AfterSale):
    """The machine of what comes after the sale, in which closed orders leave at any moment; all its laws stand."""

    @initialize()
    def open(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        url = f"sqlite+aiosqlite:///{Path(self._folder.name) / 'livesale.db'}"
        sqlite.migrate(url)
        self._database = database.engine(url)
        super().open()

    async def open_market(self) -> None:
        self.market.archives(self._database)
        await self.market.open(40, 4, limit=30)

    @precondition(lambda self: self.orders)
    @rule(picks=some_orders, repeated=strategies.integers(1, 2))
    def leave(self, picks: list[int], repeated: int) -> None:
        assert self.market.archiving
        orders = [self.some_order(pick).id for pick in picks] * repeated
        self.allowed(*(self.market.archiving.archive(self.market.shelf, order) for order in orders))

    @rule(
        buyer=strategies.sampled_from(BUYERS[:2]), first=quantities, second=quantities, coupon=strategies.booleans(),
        back=times, amount=amounts,
    )  # fmt: skip
    def months_later(self, buyer: str, first: int, second: int, coupon: bool, back: int, amount: int) -> None:
        """What was bought is sent, nobody withdraws, it leaves; then the seller gives some money back."""
        before = len(self.orders)
        self.buy(buyer, first, second, coupon)
        if len(self.orders) > before:
            self.allowed(self.market.ship(self.some_order(0)))
            self.period_ends(0)
            self.leave([0], 2)
            self.come_back(0, back, back, amount)

    @precondition(lambda self: self.orders)
    @rule(pick=some, back=strategies.integers(0, 2), leaving=strategies.integers(0, 2), amount=amounts)
    def come_back(self, pick: int, back: int, leaving: int, amount: int) -> None:
        """At one moment it is brought back, leaves, and a seller gives some money back."""
        assert self.market.archiving
        order, archiving, shelf = self.some_order(pick), self.market.archiving, self.market.shelf
        works = [archiving.archive(shelf, order.id) for _ in range(leaving)]
        if self.do(self.market.store.read(shelf, f"order:{order.id}"))[f"order:{order.id}"].past:
            works += [archiving.bring_back(shelf, order.id) for _ in range(back)]
        self.allowed(*works, self.market.refund(order, amount=amount))

    @precondition(lambda self: len(self.orders) > 3)
    @rule(chance=some)
    def show_is_over(self, chance: int) -> None:
        if not chance % 4:
            self.allowed(self.market.shows.move(HOST, self.market.shelf.removeprefix("show:"), "end"))

    @invariant()
    def limits(self) -> None:
        if hasattr(self, "market"):
            self.do(self._limits())

    async def _limits(self) -> None:
        """Each limit counts what its buyer has, but for those orders whose leaving gave that up."""
        records = await self.market.records()
        told = [event for entry in self.entries for event in entry["events"] if event["type"].startswith("order_")]
        released = {event["order"]: event.get("released", False) for event in told if event["type"] != "order_changed"}
        wanted: Counter[str] = Counter()
        for name in records:
            order = load(Order, records[name]) if name.startswith("order:") else None
            if order and not released.get(order.id):
                wanted += _counted(order, records)
        counters = await self.market.store.counters(self.market.shelf)
        assert {name: count for name, count in counters.items() if name.startswith("buyer:")} == wanted
        on_shelf = await self.market.store.records(self.market.shelf)
        for order_id in self.orders:  # all of it, or nothing
            here = [name for name in records if order_id in name and name in on_shelf]
            assert len(here) in (0, len([name for name in records if order_id in name]))

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "market"):
            self.seen.update(event["type"] for entry in self.entries for event in entry["events"])
            self._folder.cleanup()


def _counted(order: Order, records: Records) -> Counter[str]:
    """What an order takes of its buyer's limits, told without the code that gives it up."""
    if order.reservation not in UNITS_OF:
        return Counter()
    refunds = load(Refunds, records.get(f"refunds:{order.id}")) or Refunds([])
    units: Counter[str] = Counter()
    for line in order.lines:
        units[f"buyer:{order.account}:{line.offer}"] += line.quantity
    for one in refunds.items:
        if one.state == "done" and one.settled:
            units.subtract({f"buyer:{order.account}:{offer}": quantity for offer, quantity in one.returned.items()})
    return +units


@pytest.mark.timeout(300)
def test_machine(valkey: ValkeyProcess) -> None:
    """No sequence of late acts, leavings and returns breaks money, units, limits or what people read."""
    Pasts.runs(valkey.url, 12, STEPS, "order_archived", "order_reopened")
