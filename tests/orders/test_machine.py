"""Any interleaving of buyers, guardians, clocks, provider and repeated or reordered events keeps the laws of orders."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies
from hypothesis.stateful import precondition, rule

from livesale.guardians.model import Approval
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.orders.model import ENDED, Order
from livesale.orders.waitlist import Wait, record_name
from livesale.payments.model import Payment
from livesale.payments.reactions import provider_said
from livesale.store.readers import Reactions
from livesale.store.record import load
from tests.orders import laws
from tests.orders.lines import Lines
from tests.support.family import MINORS, Family
from tests.support.machine import Machine, gathered, some
from tests.support.market import HOST
from tests.support.valkey import ValkeyProcess

BUYERS = ("ann", "bob", *MINORS)
TOKENS = ("pm_ok", "pm_ok", "pm_declined", "pm_late_decline", "pm_3ds")
BUYER_ACTS = ("check out", "cancel", "check out")
GUARDIAN_ACTS = ("approve", "decline", "approve", "revoke", "extend")
STEPS = 50

buyers = strategies.sampled_from(BUYERS)
tokens = strategies.sampled_from(TOKENS)
offers = strategies.integers(0, 1)
quantities = strategies.integers(1, 3)
buyer_acts = strategies.lists(strategies.sampled_from(BUYER_ACTS), min_size=1, max_size=3)
guardian_acts = strategies.lists(strategies.sampled_from(GUARDIAN_ACTS), min_size=1, max_size=3)


class Orders(Machine):
    """The market with its readers' work done by hand: `events` not yet delivered, in any order, some more than once."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.lines = Lines()

    async def fetch(self) -> None:
        for fields in await self.told(self.market.shelf):
            self.lines.take(fields)
            self.entries.append(fields)
            self.waiting += [event for event in fields["events"] if self.matters(event)]

    async def set_up(self) -> None:
        self.market.people.bands = dict.fromkeys(MINORS, "14-15")
        self.market.people.wards = set(MINORS)
        await self.open_market()
        self.guardians = Family(self.market.store)

    async def open_market(self) -> None:
        await self.market.open(40, 4)

    def end(self) -> None:
        super().end()
        self.laws()
        self.show_ends()
        laws.check_let_go(self.market)
        self.all_ends()
        self.do(laws.check_log(self.market))
        if self.lines.served:
            self.seen.add("served")

    # What people do

    @rule(buyer=buyers, offer=offers, quantity=quantities, key=strategies.integers(0, 30))
    def hold(self, buyer: str, offer: int, quantity: int, key: int) -> None:
        self.held(buyer, offer, quantity, f"k{key}")

    @rule(buyer=buyers, offer=offers, quantity=quantities, token=tokens)
    def hold_and_check_out(self, buyer: str, offer: int, quantity: int, token: str) -> None:
        order = self.held(buyer, offer, quantity, None)
        if order:
            self.allowed(self._check_out(order, token))

    @rule(minor=strategies.sampled_from(MINORS), offer=offers, token=tokens)
    def ask_and_approve(self, minor: str, offer: int, token: str) -> None:
        order = self.held(minor, offer, 1, None)
        if order:
            self.allowed(self._check_out(order, ""))
            self.allowed(self._approve(self.do(self.market.orders.load(order.id)), token))

    @rule(buyer=buyers, offer=offers, quantity=quantities)
    def join(self, buyer: str, offer: int, quantity: int) -> None:
        self.allowed(self._join(buyer, offer, quantity))

    @rule(buyer=buyers, offer=offers, joining=strategies.permutations(BUYERS), quantity=quantities, back=strategies.booleans())
    def sell_out_and_join(self, buyer: str, offer: int, joining: list[str], quantity: int, back: bool) -> None:
        free = self.do(self.market.units_in("free", offer))
        order = self.held(buyer, offer, free, None) if free else None
        self.allowed(*(self._join(account, offer, quantity) for account in joining[:3]))
        if order and back:
            self.allowed(self._cancel(order), self.market.waiting.advance(self.market.shelf, self.market.offers[offer]))

    @rule(buyer=buyers, offer=offers)
    def leave(self, buyer: str, offer: int) -> None:
        self.allowed(self.market.waiting.leave(self.market.buyer(buyer), self.market.offers[offer]))

    @rule(buyer=buyers, offer=offers, racing=strategies.sampled_from(("nothing", "hold", "leave", "serve")))
    def offered_time_is_over(self, buyer: str, offer: int, racing: str) -> None:
        waiting, named = self.market.waiting, self.market.offers[offer]
        turn = self.do(self.market.waiting.standing(self.market.buyer(buyer), named))
        if turn.state != "offered":
            return
        self.do(self.age(record_name(named, buyer), Wait, "until"))
        works = {
            "hold": lambda: self.market.hold(buyer, (offer, 1)),
            "leave": lambda: waiting.leave(self.market.buyer(buyer), named),
            "serve": lambda: waiting.advance(self.market.shelf, named),
        }
        over = [waiting.run_out(self.market.shelf, f"{named}:{buyer}") for _ in range(2)]
        done = self.allowed(*over, *([works[racing]()] if racing in works else []))
        self.orders += [one.id for one in done if isinstance(one, Order)]

    @precondition(lambda self: self.orders)
    @rule(pick=some, token=tokens, acts=buyer_acts)
    def buyer_does(self, pick: int, token: str, acts: list[str]) -> None:
        order = self.some_order(pick)
        self.allowed(*(self._check_out(order, token) if act == "check out" else self._cancel(order) for act in acts))

    @precondition(lambda self: self.orders)
    @rule(pick=some, token=tokens, acts=guardian_acts)
    def guardian_does(self, pick: int, token: str, acts: list[str]) -> None:
        order = self.some_order(pick)
        works = {
            "approve": lambda: self._approve(order, token), "decline": lambda: self._decline(order),
            "revoke": lambda: self._revoke(order), "extend": lambda: self._extend(order),
        }  # fmt: skip
        self.allowed(*(works[act]() for act in acts))

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def guardian_reads_another_request(self, pick: int) -> None:
        order = self.some_order(pick)
        if order.approval:
            before = self.do(self.market.approval(order))
            told = self.do(gathered((self.guardians.approve(self._gita(), order.approval, "0" * 64, "pm_ok"),)))
            assert isinstance(told[0], Refusal)
            assert self.do(self.market.approval(order)) == before

    @rule(offer=offers, price=strategies.integers(1, 5000))
    def reprice(self, offer: int, price: int) -> None:
        self.allowed(self.market.reprice(self.market.offers[offer], price))

    # What clocks do

    @precondition(lambda self: self.orders)
    @rule(pick=some, clock=strategies.sampled_from(("hold", "hold while checking out", "request", "consent", "payment", "look")))
    def time_is_over(self, pick: int, clock: str) -> None:
        order = self.some_order(pick)
        expiring = [lambda: self.market.orders.expire(order.id)] * 2
        if clock.startswith("hold"):
            self.do(self.age(f"order:{order.id}", Order, "reserved_until"))
            racing = [lambda: self._check_out(order, "pm_ok")] if clock != "hold" else []
            self.allowed(*(work() for work in (*expiring, *racing)))
        elif clock in ("request", "consent") and order.approval:
            self.do(self.age(f"approval:{order.approval}", Approval, "expires_at" if clock == "request" else "pay_until"))
            self.allowed(self._approve(order, "pm_ok"), self.guardians.run_out(order.approval))
        else:
            if clock == "payment":
                self.do(self.age(f"payment:{order.id}", Payment, "deadline"))
            self.allowed(self.market.payments.go_on(order.id), self.market.payments.go_on(order.id))

    # What the provider does

    @rule(act=strategies.sampled_from(("authorise", "capture")), token=tokens, how=strategies.sampled_from(("unknown", "lost")))
    def answer_gets_lost(self, act: str, token: str, how: str) -> None:
        self.market.provider.script.setdefault((act, token), []).append("unknown" if act == "capture" else how)

    @precondition(lambda self: self.orders)
    @rule(pick=some, webhook=strategies.integers(0, 3))
    def provider_tells(self, pick: int, webhook: int) -> None:
        told = (provider_said(self.market.store, self.some_order(pick).id, f"we_{webhook}", "intent.updated") for _ in range(2))
        self.allowed(*told)

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def buyer_confirms_at_the_bank(self, pick: int) -> None:
        self.at_the_bank(self.some_order(pick))

    # The laws

    async def _laws(self) -> None:
        market = self.market
        records = await market.records()
        await laws.check_counts(market, records)
        for order in laws.orders_in(records):
            payment = load(Payment, records.get(f"payment:{order.id}"))
            self._money(order, payment)
            if order.account in MINORS:
                laws.check_consent(market, order, payment, load(Approval, records.get(f"approval:{order.approval}")))
        await self.lines.check(market)

    def _money(self, order: Order, payment: Payment | None) -> None:
        laws.check_money(self.market, order, payment)

    def show_ends(self) -> None:
        """Whoever waits or has units offered is told, and nothing of any line is left."""
        shelf, ended = self.market.shelf, {"type": "show_changed", "state": "ended"}
        self.allowed(self.market.shows.move(HOST, shelf.removeprefix("show:"), "end"))
        self.allowed(self.market.waiting.handle(shelf, ended), self.market.waiting.handle(shelf, ended))
        self.laws()
        self.do(self.lines.check_gone(self.market))

    def all_ends(self) -> None:
        """What is still held or asked for is cancelled: nothing of it is left anywhere."""
        for order_id in self.orders:
            self.allowed(self._cancel(self.do(self.market.orders.load(order_id))))
        while self.waiting:
            self.deliver_all()
        self.laws()
        self.do(laws.check_no_leak(self.market))

    def settle(self) -> None:
        """Readers and clocks run on until nothing moves: every order then is where people would find it."""
        self.market.provider.script.clear()
        for _ in self.rounds(12):
            events, self.waiting = self.waiting, []
            self.delivered += events
            self.allowed(*(self._react(event) for event in events))
            for order_id in self.orders:
                self.do(self.age(f"payment:{order_id}", Payment, "deadline"))
                self.allowed(self.market.payments.go_on(order_id))
        for offer in self.market.offers:
            self.allowed(self.market.waiting.advance(self.market.shelf, offer))
        self.do(self.lines.check_served(self.market))
        states = [self.do(self.market.orders.load(order_id)).state for order_id in self.orders]
        assert "awaiting_payment" not in states, states
        self.allowed(*(self._react(event) for event in self.delivered))  # a reader that begins at its old cursor

    # How it is done

    def held(self, buyer: str, offer: int, quantity: int, key: str | None) -> Order | None:
        """The order of a hold that was not refused."""
        [order] = self.allowed(self.market.hold(buyer, (offer, quantity), key=key))
        if not isinstance(order, Order):
            return None
        if order.id not in self.orders:
            self.orders.append(order.id)
        return order

    async def _join(self, buyer: str, offer: int, quantity: int) -> None:
        await self.market.waiting.join(self.market.buyer(buyer), self.market.offers[offer], quantity)

    async def _check_out(self, order: Order, token: str) -> None:
        await self.market.check_out(order, token)

    async def _cancel(self, order: Order) -> None:
        await self.market.orders.cancel(self.market.buyer(order.account), order.id)

    async def _approve(self, order: Order, token: str) -> None:
        if order.approval:
            told = (await self.market.approval(order)).digest
            await self.guardians.approve(self._gita(), order.approval, told, token)

    async def _decline(self, order: Order) -> None:
        if order.approval:
            await self.guardians.decline(self._gita(), order.approval)

    async def _revoke(self, order: Order) -> None:
        if order.approval:
            await self.guardians.revoke(self._gita(), order.approval)

    async def _extend(self, order: Order) -> None:
        if order.approval:
            await self.guardians.extend(self._gita(), order.approval)

    def _gita(self) -> Actor:
        return Actor("gita", frozenset({"guardian"}), stepped_up_ms=self.market.store.now_ms())

    def matters(self, event: dict[str, Any]) -> bool:
        """Whether any reaction looks at it; the others would only dilute the mix."""
        kind, state, before = event["type"], event.get("state"), event.get("before")
        freed = state in ENDED or (kind == "waitlist_changed" and before == "offered")
        return freed or "payment" in kind or "approval" in kind or before == "awaiting_guardian" or kind == "offer_raised"

    async def _react(self, event: dict[str, Any]) -> None:
        market = self.market
        of_market = (*market.reactions.reactions(), *market.requests.reactions(), *market.waiting.reactions())
        for act in Reactions((*self.market.payments.reactions(), *of_market)).to(event):
            await act(self.market.shelf, event)


@pytest.mark.timeout(300)
def test_machine(valkey: ValkeyProcess) -> None:
    """No sequence of acts, at once or one by one, breaks stock, counts, money, consent or the order of a line."""
    Orders.runs(valkey.url, 25, STEPS, "served")
