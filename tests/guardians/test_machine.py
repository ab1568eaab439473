"""Any interleaving of a minor, two guardians, clocks, prices, stock, the bank and the show's end keeps the law of consent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar

import msgspec
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from livesale.guardians import family
from livesale.guardians.model import MOVES, Approval
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.orders.asking import digest_of
from livesale.orders.model import Order
from livesale.orders.service import Checkout
from livesale.payments.model import Payment
from livesale.store.decision import Counter, Decision, NotCommitted
from livesale.store.log import read_log
from livesale.store.readers import Reactions
from livesale.store.record import load, put
from livesale.store.valkey import connect
from tests.support.family import Family
from tests.support.market import HOST, SHIP_TO, Market
from tests.support.valkey import ValkeyProcess

STEPS = settings(
    max_examples=40, stateful_step_count=30, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)  # fmt: skip
PARENTS = ("gita", "gero")
STREETS = ("B 1", "C 2")
IN_SHOW, IN_SHOP = 30, 3
TOKENS = ("pm_ok", "pm_ok", "pm_ok", "pm_3ds", "pm_declined", "pm_late_decline")
ACTS = ("approve", "approve", "decline", "revoke", "extend", "look", "another", "stale")
CLOCKS = {"hold": ("order", Order, "reserved_until"), "request": ("approval", Approval, "expires_at"),
          "consent": ("approval", Approval, "pay_until"), "payment": ("payment", Payment, "deadline")}  # fmt: skip
some = strategies.integers(0, 10**6)
tokens = strategies.sampled_from(TOKENS)
saying = strategies.tuples(strategies.sampled_from(PARENTS), strategies.sampled_from(ACTS))
sayings = strategies.lists(saying, min_size=1, max_size=3)


class Parents(Family):
    """The minor has two guardians; both may approve."""

    async def family_of(self, minor: str) -> family.Family:
        return family.Family([family.Tie(f"fl_{parent}", parent, 0, verified=True) for parent in PARENTS])

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        object.__setattr__(self, "age_of", _adult_parent)


async def _adult_parent(account: str) -> tuple[bool, bool]:
    return account in PARENTS, True


class Requests(RuleBasedStateMachine):
    """A market of one offer, its readers' work done by hand: events in any order, some more than once."""

    url = ""
    seen: ClassVar[set[str]] = set()  # over all runs: a machine in which nothing is ever consumed would prove nothing

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.orders: list[str] = []
        self.waiting: list[dict[str, Any]] = []
        self.delivered: list[dict[str, Any]] = []
        self.read = 0
        self.states: dict[str, str] = {}

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def allowed(self, *works: Coroutine[Any, Any, Any]) -> list[Any]:
        """Carry out, all at once; being refused is fine, anything else is not."""
        done: list[Any] = self.do(_all(works))
        for one in done:
            if isinstance(one, BaseException) and not isinstance(one, Refusal | NotCommitted):
                raise one
        self.do(self.fetch())
        return done

    async def fetch(self) -> None:
        """What the log has new; every approval in it makes one of its moves, or begins."""
        for entry in await read_log(self.market.store, self.market.shelf, self.read):
            self.read = entry.seq
            for event in entry.fields()["events"]:
                self.waiting.append(event)
                if event["type"] == "approval_changed":
                    was = self.states.get(event["approval"], "")
                    assert event["before"] == was
                    assert event["state"] in (MOVES.get(was, set()) | {was} if was else {"requested"})
                    self.states[event["approval"]] = event["state"]
                    type(self).seen.add(event["state"])

    @initialize()
    def open(self) -> None:
        async def opened() -> None:
            store = await connect(self.url)
            await store.client.flushall()
            self.market = Market(store)
            self.market.people.bands, self.market.people.wards = {"mia": "14-15"}, {"mia"}
            await self.market.open(IN_SHOW)
            self.guardians = Parents(store)
            self.product = f"free:p_{self.market.offers[0][-4:]}"
            await store.commit(Decision("shop:demo", counters=(Counter(self.product, IN_SHOP),)))
            await self.fetch()

        self.do(opened())

    def teardown(self) -> None:
        if hasattr(self, "market"):
            self.settle()
            self.do(self.market.store.close())
        self.loop.close()

    # What people do

    @rule(street=strategies.sampled_from(STREETS))
    def ask(self, street: str) -> None:
        [order] = self.allowed(self.market.hold("mia", (0, 1)))
        if isinstance(order, Order):
            self.orders.append(order.id)
            self.allowed(self._ask(order, street))

    @rule(quantity=strategies.integers(1, 3))
    def others_buy(self, quantity: int) -> None:
        self.allowed(self.market.hold("ann", (0, quantity)))

    @precondition(lambda self: self.orders)
    @rule(pick=some, street=strategies.sampled_from(STREETS))
    def ask_again(self, pick: int, street: str) -> None:
        self.allowed(self._ask(self.some_order(pick), street))

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def minor_cancels(self, pick: int) -> None:
        order = self.some_order(pick)
        self.allowed(self.market.orders.cancel(self.market.buyer("mia"), order.id))

    @precondition(lambda self: self.orders)
    @rule(pick=some, token=tokens, said=sayings)
    def guardians_do(self, pick: int, token: str, said: list[tuple[str, str]]) -> None:
        order = self.some_order(pick)
        if order.approval:
            self.allowed(*(self._say(order, who, what, token) for who, what in said))

    @rule(token=tokens, parent=strategies.sampled_from(PARENTS), rounds=strategies.integers(0, 3), said=sayings)
    def ask_and_approve(self, token: str, parent: str, rounds: int, said: list[tuple[str, str]]) -> None:
        """As far as the payment has come after some rounds of the readers, the parents go on."""
        known = len(self.orders)
        self.ask(STREETS[0])
        if len(self.orders) > known:
            self.guardians_do(0, token, [(parent, "approve")])
            for _ in range(rounds):
                self.deliver_all()
            self.guardians_do(0, token, said)

    @rule(street=strategies.sampled_from(STREETS), price=strategies.integers(1, 3000), parent=strategies.sampled_from(PARENTS))
    def ask_and_change(self, street: str, price: int, parent: str) -> None:
        """Another address and another price, while a parent agrees to what it was before."""
        known = len(self.orders)
        self.ask(STREETS[0])
        if len(self.orders) > known and self.some_order(0).approval:
            order = self.some_order(0)
            self.allowed(
                self._ask(order, street), self.market.reprice(self.market.offers[0], price),
                self._say(order, parent, "approve", "pm_ok"),
            )  # fmt: skip
            self.deliver_all()

    @rule(parent=strategies.sampled_from(PARENTS), bought=strategies.integers(1, IN_SHOW))
    def approve_after_the_hold(self, parent: str, bought: int) -> None:
        """With all, some or none of the units left in the show."""
        known = len(self.orders)
        self.ask(STREETS[0])
        if len(self.orders) > known:
            self.time_is_over(0, "hold")
            self.others_buy(bought)
            self.guardians_do(0, "pm_ok", [(parent, "approve")])
            self.deliver_all()

    @rule(price=strategies.integers(1, 3000))
    def reprice(self, price: int) -> None:
        self.allowed(self.market.reprice(self.market.offers[0], price))

    @rule(really=strategies.integers(0, 9))
    def show_ends(self, really: int) -> None:
        if really == 9:
            self.allowed(self.market.shows.move(HOST, self.market.shelf.removeprefix("show:"), "end"))

    # What clocks and the bank do

    @precondition(lambda self: self.orders)
    @rule(pick=some, clock=strategies.sampled_from(sorted(CLOCKS)))
    def time_is_over(self, pick: int, clock: str) -> None:
        order = self.some_order(pick)
        kind, record, field = CLOCKS[clock]
        self.do(self._age(f"{kind}:{order.approval if kind == 'approval' else order.id}", record, field))
        works = {
            "order": lambda: self.market.orders.expire(order.id),
            "approval": lambda: self.guardians.run_out(order.approval or ""),
            "payment": lambda: self.market.payments.go_on(order.id),
        }
        self.allowed(works[kind](), works[kind]())

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def guardian_confirms_at_the_bank(self, pick: int) -> None:
        """Perhaps when consent has long ended: then its webhook makes us ask."""
        order = self.some_order(pick)
        payment = self.do(self.market.orders.payment(order))
        if payment and payment.provider_id:
            self.market.provider.passed_3ds(payment.provider_id)
            self.waiting.append({"type": "payment_check", "order": order.id})

    # What readers do

    @rule(pick=some)
    def deliver(self, pick: int) -> None:
        if self.waiting:
            event = self.waiting.pop(-1 - pick % min(len(self.waiting), 3))
            self.delivered.append(event)
            self.allowed(self._react(event))

    @rule()
    def deliver_all(self) -> None:
        events, self.waiting = self.waiting, []
        self.delivered += events
        self.allowed(*(self._react(event) for event in events))

    @rule(pick=some)
    def deliver_again(self, pick: int) -> None:
        if self.delivered:
            event = self.delivered[-1 - pick % min(len(self.delivered), 4)]
            self.allowed(self._react(event), self._react(event))

    # The laws

    @invariant()
    def laws(self) -> None:
        if hasattr(self, "market"):
            self.do(self._laws())

    async def _laws(self) -> None:
        market = self.market
        await market.check_units()
        on_show = (await market.store.counters(market.shelf, f"loaded:{market.offers[0]}"))[f"loaded:{market.offers[0]}"]
        in_shop = (await market.store.counters("shop:demo", self.product))[self.product]
        assert on_show + in_shop == IN_SHOW + IN_SHOP  # every transfer has ended: its units are in one place, once
        records = await market.store.records(market.shelf)
        approvals = [load(Approval, row) for name, row in records.items() if name.startswith("approval:")]
        for order in [load(Order, records[f"order:{one}"]) for one in self.orders]:
            assert order
            of_order = [one for one in approvals if one and one.order == order.id]
            assert sum(one.state in ("requested", "approved") for one in of_order) <= 1
            consumed = [one for one in of_order if one.state == "consumed"]
            captured = market.provider.captured.get(order.id, 0)
            assert captured in (0, order.total)
            if captured or order.state == "paid":
                [consent] = consumed
                assert consent.id == order.approval
                assert consent.digest == digest_of(order, msgspec.json.decode(order.ship_to))
                assert (consent.total, consent.guardian in PARENTS) == (captured, True)
            now = load(Approval, records.get(f"approval:{order.approval}"))
            if now and now.state in ("requested", "approved"):
                assert now.digest == digest_of(order, msgspec.json.decode(order.ship_to))

    def settle(self) -> None:
        """Readers and clocks run on until nothing moves: every consent has an end, and nothing waits for money."""
        for _ in range(12):
            events, self.waiting = self.waiting, []
            self.delivered += events
            self.allowed(*(self._react(event) for event in events))
            for one in self.orders:
                order = self.do(self.market.orders.load(one))
                self.do(self._age(f"payment:{one}", Payment, "deadline"))
                self.do(self._age(f"approval:{order.approval}", Approval, "pay_until"))
                self.allowed(self.market.payments.go_on(one), self.guardians.run_out(order.approval or ""))
            self.laws()
        states = [self.do(self.market.orders.load(one)).state for one in self.orders]
        assert "awaiting_payment" not in states, states
        assert "approved" not in self.states.values()

    # How it is done

    def some_order(self, pick: int) -> Order:
        """One of the latest few: acts on the same order are what can go wrong."""
        order: Order = self.do(self.market.orders.load(self.orders[-1 - pick % min(len(self.orders), 3)]))
        return order

    async def _ask(self, order: Order, street: str) -> None:
        now = await self.market.orders.load(order.id)
        wanted = Checkout({**SHIP_TO, "street": street}, None, now.total, now.currency)
        await self.market.orders.checkout(self.market.buyer("mia"), order.id, wanted)

    async def _say(self, order: Order, who: str, what: str, token: str) -> None:
        actor = Actor(who, frozenset({"guardian"}), stepped_up_ms=self.market.store.now_ms())
        approval = await self.market.approval(order)
        if what == "look":
            await self.guardians.seen(actor, approval.id)
        elif what in ("approve", "another", "stale"):
            actor = Actor("mia", frozenset()) if what == "another" else actor
            told = "0" * 64 if what == "stale" else approval.digest
            await self.guardians.approve(actor, approval.id, told, token)
            assert what == "approve"
        else:
            await getattr(self.guardians, what)(actor, approval.id)

    async def _react(self, event: dict[str, Any]) -> None:
        market = self.market
        rooms = (market.payments, market.reactions, market.requests, market.leftovers)
        for act in Reactions(one for room in rooms for one in room.reactions()).to(event):
            await act(market.shelf, event)

    async def _age(self, name: str, kind: Any, field: str) -> None:
        """The record's clock has run out: its time is over."""
        stored = (await self.market.store.read(self.market.shelf, name))[name]
        record = load(kind, stored)
        if record is not None and getattr(record, field):
            aged = msgspec.structs.replace(record, **{field: self.market.store.now_ms() - 50})
            await self.market.store.commit(Decision(self.market.shelf, puts=(put(name, stored, aged),)))


async def _all(works: tuple[Coroutine[Any, Any, Any], ...]) -> list[Any]:
    return await asyncio.gather(*works, return_exceptions=True)


def test_machine(valkey: ValkeyProcess) -> None:
    """No money without one valid, unconsumed approval of exactly this order; units come back once; first move wins."""
    Requests.url = valkey.url
    run_state_machine_as_test(Requests, settings=STEPS)
    assert {"consumed", "superseded"} <= Requests.seen
