"""Any interleaving of marks, shipments, seller's refunds, withdrawals, two guardians, the birthday and the two weeks keeps the
law of § 108 BGB: nothing leaves while a contract floats, and of a void one all money comes back, once.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies
from hypothesis.stateful import precondition, rule

from livesale.guardians.model import MOVES, Approval
from livesale.kernel.clock import DAY_MS
from livesale.orders import floating
from livesale.orders.floating import Found
from livesale.orders.marking import Answers, Marking
from livesale.orders.model import Order
from livesale.payments.refund import Refunds
from livesale.store.readers import Reactions
from livesale.store.record import load
from livesale.store.valkey import Records
from tests.guardians.laws import PARENTS
from tests.guardians.machine import OfMia
from tests.support.machine import some
from tests.support.minors import BORN, LEGAL_MS, OPERATOR, MinorsDouble
from tests.support.valkey import ValkeyProcess

IN_SHOW = 60
SAYS = ("ratify", "ratify", "decline", "stale", "approve")
WHO = (*PARENTS, "mia")
sayings = strategies.lists(strategies.tuples(strategies.sampled_from(WHO), strategies.sampled_from(SAYS)), min_size=1, max_size=3)
ages = strategies.sampled_from(("fourteen", "fourteen", "nearly of age", "nearly of age", "under 7"))
parents = strategies.sampled_from(PARENTS)
quantities = strategies.integers(1, 3)


class AfterTheSale(OfMia):
    """A market in which mia buys like an adult, until somebody marks her orders."""

    latest = 2
    begins = ("asked", "refused")

    def __init__(self) -> None:
        super().__init__()
        self.grown = False
        self.contracts: dict[str, str] = {}

    async def fetch(self) -> None:
        """What the log has new; questions and contracts go by their tables, and nothing leaves that may not."""
        for fields in await self.told(self.market.shelf):
            for event in fields["events"]:
                self.waiting.append(event)
                if event["type"] == "approval_changed":
                    self.follow(event)
                elif event["type"] == "contract_changed":
                    assert event["state"] in floating.MOVES[self.contracts.get(event["order"], "")]
                    self.contracts[event["order"]] = event["state"]
                    self.seen.add(f"contract {event['state']}")
                elif event["type"] == "shipment_made":
                    assert self.contracts.get(event["order"], "") in ("", "ratified")

    async def set_up(self) -> None:
        await self.market.open(IN_SHOW)
        await super().set_up()
        object.__setattr__(self.guardians, "age_of", self._age_of)  # frozen, as in production
        self.minors = MinorsDouble(self.market)

    # What people do

    @rule(quantity=quantities, sent=strategies.integers(0, 3))
    def buy(self, quantity: int, sent: int) -> None:
        [order] = self.allowed(self._bought(quantity))
        if isinstance(order, Order):
            self.orders.append(order.id)
            self.hear_everything()
            if sent:  # more than there is: refused
                self.allowed(self.market.ship(order, (0, sent)))

    @precondition(lambda self: self.orders)
    @rule(pick=some, age=ages, times=strategies.integers(1, 2), ships=strategies.booleans(), refunds=strategies.booleans())
    def mark(self, pick: int, age: str, times: int, ships: bool, refunds: bool) -> None:
        """Twice at once, perhaps in the moment in which the seller sends it or gives money back."""
        order = self.some_order(pick)
        grown_at = self.market.store.now_ms() + DAY_MS if age == "nearly of age" else None
        self.minors.found = Found(age == "under 7", grown_at, LEGAL_MS)
        works = [self._mark(order) for _ in range(times)]
        works += [self.market.ship(order)] if ships else []
        works += [self.market.refund(order, amount=1)] if refunds else []
        self.allowed(*works)

    @precondition(lambda self: self.orders)
    @rule(pick=some, said=sayings, silent=strategies.booleans(), withdraws=strategies.booleans())
    def answer(self, pick: int, said: list[tuple[str, str]], silent: bool, withdraws: bool) -> None:
        """The family's answers, the end of the two weeks and the buyer's withdrawal, all at once."""
        order = self.some_order(pick)
        if not order.approval:
            return
        works = [self._say(order, who, what) for who, what in said]
        if silent:
            self.do(self._run_out(order, "expires_at"))
            works.append(self.guardians.run_out(order.approval))
        if withdraws:
            works.append(self.market.withdraw(order, (0, 1)))
        self.allowed(*works)

    @rule(quantity=quantities, sent=strategies.integers(0, 3), age=ages, said=sayings)
    def lie(self, quantity: int, sent: int, age: str, said: list[tuple[str, str]]) -> None:
        """Bought, marked, and a birthday before the answer where there is one."""
        known = len(self.orders)
        self.buy(quantity, sent)
        if len(self.orders) > known:
            self.mark(0, age, 1, ships=False, refunds=False)
            self.birthday(0, True, said)

    @rule(quantity=quantities, parent=parents, rounds=strategies.integers(0, 3), withdraws=strategies.booleans())
    def lie_and_be_forgiven(self, quantity: int, parent: str, rounds: int, withdraws: bool) -> None:
        """The seller sends it again and again while a parent agrees and, perhaps, the buyer withdraws."""
        known = len(self.orders)
        self.buy(quantity, 0)
        if len(self.orders) > known:
            self.mark(0, "fourteen", 1, ships=False, refunds=False)
            order = self.some_order(0)
            self.allowed(self._say(order, parent, "ratify"), *([self.market.withdraw(order)] if withdraws else []))
            for _ in range(rounds):
                self.deliver_all()
                self.allowed(self.market.ship(order, (0, 1)))

    @precondition(lambda self: self.orders)
    @rule(pick=some, grown=strategies.booleans(), said=sayings)
    def birthday(self, pick: int, grown: bool, said: list[tuple[str, str]]) -> None:
        order = self.some_order(pick)
        self.grown = self.grown or grown
        if order.approval and self.do(self.market.approval(order)).grown_at:
            self.do(self._run_out(order, "grown_at"))
            self.allowed(*(self.guardians.run_out(order.approval) for _ in range(2)))
            self.allowed(*(self._say(order, who, what) for who, what in said))

    @precondition(lambda self: self.orders)
    @rule(pick=some, quantity=strategies.integers(0, 2), restock=strategies.booleans(), ships=strategies.booleans())
    def seller_does(self, pick: int, quantity: int, restock: bool, ships: bool) -> None:
        order = self.some_order(pick)
        lines = ((0, quantity),) if quantity else ()
        self.allowed(self.market.ship(order, *lines) if ships else self.market.refund(order, *lines, restock=restock))

    @precondition(lambda self: self.orders)
    @rule(pick=some, quantity=strategies.integers(0, 2))
    def buyer_withdraws(self, pick: int, quantity: int) -> None:
        self.allowed(self.market.withdraw(self.some_order(pick), *(((0, quantity),) if quantity else ())))

    @rule(fault=strategies.sampled_from(("unknown", "lost", "failed")))
    def refund_goes_wrong(self, fault: str) -> None:
        self.market.provider.script.setdefault(("refund", "pm_ok"), []).append(fault)

    @rule()
    def hear_everything(self) -> None:
        """Every event waiting, and those it leads to, until nothing is left."""
        while self.waiting:
            self.deliver_all()

    # The laws

    async def _laws(self) -> None:
        await self.market.check_units()
        records = await self.market.store.records(self.market.shelf)
        for order_id in self.orders:
            self._law(records, order_id)

    def _law(self, records: Records, order_id: str) -> None:
        order = load(Order, records[f"order:{order_id}"])
        refunds = (load(Refunds, records.get(f"refunds:{order_id}")) or Refunds([])).items
        assert order
        gone = self.market.provider.refunded.get(order_id, 0)
        assert gone <= sum(one.amount for one in refunds if one.state != "failed") <= order.total
        assert order.contract == self.contracts.get(order_id, "")
        if order.contract == "void":  # in the very commit that says so; or what the provider refused, once
            assert sum(one.amount for one in refunds) >= order.total
        if order.contract:
            approval = load(Approval, records[f"approval:{order.approval}"])
            assert approval
            answer = floating.BECOMES.get(approval.state, "void" if approval.state == "moot" else "floats")
            assert order.contract in ("floats", answer)
        given_up = sum((Counter(one.units) for one in refunds if one.state != "failed"), Counter())
        assert given_up <= Counter({line.offer: line.quantity for line in order.lines})

    def settle(self) -> None:
        """Readers and clocks run on until nothing moves: every question has an end, and every contract its own."""
        for _ in self.rounds(8):
            self.hear_everything()
            for one in self.orders:
                order = self.do(self.market.orders.load(one))
                if order.approval:
                    for clock in ("grown_at", "expires_at"):
                        self.do(self._run_out(order, clock))
                        self.allowed(self.guardians.run_out(order.approval))
                self.allowed(self.market.refunds.go_on(one))
            self.laws()
        assert set(self.states.values()) <= {"ratified", "refused", "silent", "moot"}
        assert set(self.contracts.values()) <= {"ratified", "void"}
        for one, contract in self.contracts.items():
            order, sale = self.do(self.market.sold.order(one))
            if contract == "void" and not any(refund.state == "failed" for refund in sale.refunds.items):
                assert (order.state in floating.ENDED_OTHERWISE, self.market.provider.refunded[one]) == (True, order.total)

    # How it is done

    async def _bought(self, quantity: int) -> Order:
        self.market.people.bands = {}
        order = await self.market.hold("mia", (0, quantity))
        return await self.market.check_out(order)

    async def _age_of(self, account: str) -> tuple[bool, bool]:
        return account != "mia" or self.grown, True

    async def _mark(self, order: Order) -> None:
        await Marking(self.market.store, self.minors).mark(OPERATOR, order.id, BORN, "buyer_said", None)

    async def _say(self, order: Order, who: str, what: str) -> None:
        actor, approval = self.actor(who), await self.market.approval(order)
        if what == "decline":
            await self.guardians.decline(actor, approval.id)
        elif what == "approve":
            await self.guardians.approve(actor, approval.id, approval.digest, "pm_ok")
            raise AssertionError("nothing is paid a second time")
        else:
            await self.guardians.ratify(actor, approval.id, "0" * 64 if what == "stale" else approval.digest)
            assert what == "ratify"

    async def _run_out(self, order: Order, field: str) -> None:
        """The question's clock has run out: its time is over."""
        approval = await self.market.approval(order)
        if approval.state in MOVES:
            await self.age(f"approval:{approval.id}", Approval, field)

    async def _react(self, event: dict[str, Any]) -> None:
        market = self.market
        rooms = (
            market.payments, market.refunds, market.reactions, market.requests, market.settling, Answers(market.store),
        )  # fmt: skip
        for act in Reactions(one for room in rooms for one in room.reactions()).to(event):
            await act(market.shelf, event)


@pytest.mark.timeout(300)
def test_machine(valkey: ValkeyProcess) -> None:
    """Nothing leaves while a contract floats; of a void one all money comes back, once; each question has one end."""
    ends = ("ratified", "refused", "silent", "handed", "contract void", "contract ratified")
    AfterTheSale.runs(valkey.url, 30, 20, *ends)
