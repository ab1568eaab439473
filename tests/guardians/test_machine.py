"""Any interleaving of a minor, two guardians, an allowance, clocks, prices, stock, the bank and the show's end keeps the
law of consent: no money without one valid, unconsumed approval of exactly this order.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import strategies
from hypothesis.stateful import precondition, rule

from livesale.guardians import allowance
from livesale.guardians.allowance import ALLOWANCE, Allowance, Spend
from livesale.guardians.family import ALONE_BELOW, FAMILY, Family, Tie
from livesale.guardians.model import Approval
from livesale.guardians.reactions import FamilyReactions
from livesale.kernel.actor import Actor
from livesale.orders.model import Order
from livesale.orders.service import Checkout
from livesale.orders.spending import Spending
from livesale.orders.unavailable import Unavailable
from livesale.payments.model import Payment
from livesale.shows.model import Show
from livesale.store.decision import Counter, Decision
from livesale.store.readers import Reactions
from livesale.store.record import load, put
from tests.guardians.laws import PARENTS, check_allowance, check_consent
from tests.guardians.machine import MIA, OfMia
from tests.support.family import WardsDouble
from tests.support.machine import some
from tests.support.market import HOST, SHIP_TO
from tests.support.valkey import ValkeyProcess

STREETS = ("B 1", "C 2")
IN_SHOW, IN_SHOP = 30, 3
TOKENS = ("pm_ok", "pm_ok", "pm_ok", "pm_3ds", "pm_declined", "pm_late_decline")
ACTS = ("approve", "approve", "decline", "revoke", "extend", "look", "another", "stale")
CLOCKS = {"hold": ("order", Order, "reserved_until"), "request": ("approval", Approval, "expires_at"),
          "consent": ("approval", Approval, "pay_until"), "payment": ("payment", Payment, "deadline")}  # fmt: skip
OF_MIA = ("link_changed", "family_frozen", "allowance_set", "allowance_spent")
tokens = strategies.sampled_from(TOKENS)
parents = strategies.sampled_from(PARENTS)
prices = strategies.one_of(strategies.integers(1, 3000), strategies.integers(ALONE_BELOW - 1, ALONE_BELOW + 1))
sayings = strategies.lists(strategies.tuples(parents, strategies.sampled_from(ACTS)), min_size=1, max_size=3)


class Requests(OfMia):
    """A market of one offer and the family of one minor."""

    latest = 3
    begins = ("requested",)

    def __init__(self) -> None:
        super().__init__()
        self.family = Family()
        self.may_be_captured: set[str] | None = None  # those whose capture had begun when all buying was stopped

    async def fetch(self) -> None:
        """What the logs have new; every approval makes one of its moves, and is agreed to by everyone who must."""
        for shelf in (self.market.shelf, MIA):
            for fields in await self.told(shelf):
                for event in fields["events"]:
                    self.waiting.append(event)
                    if event["type"] == "approval_changed":
                        await self._follow(event)
                    elif event["type"] == "allowance_spent":
                        self.seen.add(f"spend {event['state']}")
        self.family = await self.guardians.family_of("mia")

    async def _follow(self, event: dict[str, Any]) -> None:
        self.follow(event)
        if event["state"] == "approved":
            name = f"approval:{event['approval']}"
            approval = load(Approval, (await self.market.store.read(self.market.shelf, name))[name])
            assert approval
            needed = self.family.asks(approval.total, self.market.store.now_ms())
            assert needed <= {*approval.agreed, approval.guardian}
            assert not (needed and approval.spend)
            assert not self.family.frozen_by

    async def set_up(self) -> None:
        market = self.market
        market.people.bands, market.people.wards = {"mia": "14-15"}, {"mia"}
        await market.open(IN_SHOW)
        await super().set_up()
        market.people.check_may_ask = self.guardians.check_may_ask  # type: ignore[method-assign]
        self.unavailable = Unavailable(market.store, self._open_for, market.on_sale)
        self.spending = Spending(market.store, WardsDouble(self.guardians))
        self.product = f"free:p_{market.offers[0][-4:]}"
        await market.store.commit(Decision("shop:demo", counters=(Counter(self.product, IN_SHOP),)))

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

    @rule(token=tokens, parent=parents, rounds=strategies.integers(0, 3), said=sayings)
    def ask_and_approve(self, token: str, parent: str, rounds: int, said: list[tuple[str, str]]) -> None:
        """As far as the payment has come after some rounds of the readers, the parents go on."""
        self.family_is_whole()
        known = len(self.orders)
        self.ask(STREETS[0])
        if len(self.orders) > known:
            self.guardians_do(0, token, [(parent, "approve")])
            for _ in range(rounds):
                self.deliver_all()
            self.guardians_do(0, token, said)

    @rule(street=strategies.sampled_from(STREETS), price=prices, parent=parents)
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

    @rule(parent=parents, bought=strategies.integers(1, IN_SHOW))
    def approve_after_the_hold(self, parent: str, bought: int) -> None:
        """With all, some or none of the units left in the show."""
        known = len(self.orders)
        self.ask(STREETS[0])
        if len(self.orders) > known:
            self.time_is_over(0, "hold")
            self.others_buy(bought)
            self.guardians_do(0, "pm_ok", [(parent, "approve")])
            self.deliver_all()

    @rule(price=prices)
    def reprice(self, price: int) -> None:
        self.allowed(self.market.reprice(self.market.offers[0], price))

    @rule(really=strategies.integers(0, 29))
    def show_ends(self, really: int) -> None:
        if really > 27:
            verb = "end" if really == 28 else "cancel"
            self.allowed(self.market.shows.move(HOST, self.market.shelf.removeprefix("show:"), verb))

    @precondition(lambda self: self.orders)
    @rule(pick=some, parent=parents, agrees=strategies.booleans(), really=strategies.integers(0, 9))
    def product_is_withdrawn(self, pick: int, parent: str, agrees: bool, really: int) -> None:
        """By one list of the shop, perhaps while a parent agrees; the next list has it again, nearly always."""
        if really < 6:
            return
        order, product = self.some_order(pick), self.product.removeprefix("free:")
        self.market.removed.add(product)
        says = [self._say(order, parent, "approve", "pm_ok")] if agrees and order.approval else []
        self.allowed(*says, *(self.unavailable.look_again("shop:demo", product) for _ in range(2)))
        self.deliver_all()
        if really < 9:
            self.market.removed.discard(product)

    # What the family does

    @rule(parent=parents, mode=strategies.sampled_from(("any", "all")), authority=strategies.sampled_from(("joint", "mutual")))
    def declare(self, parent: str, mode: Any, authority: Any) -> None:
        self.allowed(self.guardians.families.declare(self.actor(parent), "mia", mode, authority))

    @rule(parent=parents, on=strategies.booleans())
    def freeze(self, parent: str, on: bool) -> None:
        self.allowed(self.guardians.families.freeze(self.actor(parent), "mia", on))
        self.may_be_captured = self.do(self._begun()) if self.family.frozen_by else None

    @rule(parent=parents, act=strategies.sampled_from(("remove", "keep", "end", "join")))
    def link(self, parent: str, act: str) -> None:
        families, link = self.guardians.families, f"fl_{parent}"
        if act == "end":
            self.do(self._age_tie(parent))
            self.allowed(families.end(MIA, link), families.end(MIA, link))
        elif act == "join":
            tie = Tie(link, parent, self.market.store.now_ms(), verified=True)
            self.allowed(families.join("mia", tie, "system"))
        else:
            self.allowed(getattr(families, act)(self.actor(parent), link))

    @rule(parent=parents, monthly=strategies.sampled_from((1_000, 2_500, 30_000)), token=tokens)
    def grant(self, parent: str, monthly: int, token: str) -> None:
        wish = Allowance(parent, monthly, monthly, "EUR", 0, token=token.encode())
        store = self.market.store
        names = (ALLOWANCE, FAMILY)
        self.allowed(store.act(MIA, names, lambda records, _: allowance.granted(records, "mia", wish)))

    @rule(token=tokens, twice=strategies.booleans(), rounds=strategies.sampled_from((0, 1, 2, 4, 8)), said=sayings)
    def ask_within_an_allowance(self, token: str, twice: bool, rounds: int, said: list[tuple[str, str]]) -> None:
        """Agreed to by itself, perhaps told twice at once, while a parent says something else."""
        self.family_is_whole()
        self.grant(PARENTS[0], 2_500, token)
        known = len(self.orders)
        self.ask(STREETS[0])
        asked = [event for event in self.waiting if event["type"] == "approval_changed"]
        if len(self.orders) > known and asked:
            self.allowed(*(self._react(asked[-1]) for _ in range(1 + twice)))
            for _ in range(rounds):
                self.deliver_all()
            self.guardians_do(0, token, said)

    @rule(parent=parents, rounds=strategies.integers(1, 4), token=tokens)
    def stop_while_it_is_paid(self, parent: str, rounds: int, token: str) -> None:
        """Approved, and somewhere on its way to the bank when a parent stops all buying."""
        self.ask_and_approve(token, parent, rounds, [(parent, "look")])
        self.freeze(parent, True)
        for _ in range(3):
            self.deliver_all()
            self.laws()

    def family_is_whole(self) -> None:
        """Both parents are linked, and nothing is stopped."""
        for parent in PARENTS:
            self.link(parent, "join")
        if self.family.frozen_by:
            self.freeze(self.family.frozen_by, False)

    # What clocks and the bank do

    @precondition(lambda self: self.orders)
    @rule(pick=some, clock=strategies.sampled_from(sorted(CLOCKS)))
    def time_is_over(self, pick: int, clock: str) -> None:
        order = self.some_order(pick)
        kind, record, field = CLOCKS[clock]
        self.do(self.age(f"{kind}:{order.approval if kind == 'approval' else order.id}", record, field))
        works = {
            "order": lambda: self.market.orders.expire(order.id),
            "approval": lambda: self.guardians.run_out(order.approval or ""),
            "payment": lambda: self.market.payments.go_on(order.id),
        }
        self.allowed(works[kind](), works[kind]())

    @rule()
    def sums_are_looked_at(self) -> None:
        self.allowed(*(self.spending.finish(MIA, one.id) for one in self.do(self._spends()) for _ in range(2)))

    @precondition(lambda self: self.orders)
    @rule(pick=some)
    def guardian_confirms_at_the_bank(self, pick: int) -> None:
        self.at_the_bank(self.some_order(pick))

    # The laws

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
            check_consent(market, order, [one for one in approvals if one and one.order == order.id])
        if self.may_be_captured is not None:
            assert market.provider.captured.keys() <= self.may_be_captured
        await check_allowance(market, await self._spends(), {one.id: one for one in approvals if one})

    def settle(self) -> None:
        """Readers and clocks run on until nothing moves: every consent has an end, and nothing waits for money."""
        for _ in self.rounds(12):
            events, self.waiting = self.waiting, []
            self.delivered += events
            self.allowed(*(self._react(event) for event in events))
            for one in self.orders:
                order = self.do(self.market.orders.load(one))
                self.do(self.age(f"payment:{one}", Payment, "deadline"))
                self.do(self.age(f"approval:{order.approval}", Approval, "pay_until"))
                self.allowed(self.market.payments.go_on(one), self.guardians.run_out(order.approval or ""))
            self.sums_are_looked_at()
            self.laws()
        states = [self.do(self.market.orders.load(one)).state for one in self.orders]
        assert "awaiting_payment" not in states, states
        self.do(self.unavailable.look_again("shop:demo", self.product.removeprefix("free:")))
        self.do(self.unavailable.look_again(self.market.shelf, "cancelled"))
        show = load(Show, self.do(self.market.store.read(self.market.shelf, "show"))["show"])
        gone = self.market.removed or (show and show.cancelled)
        assert not (gone and self.do(self._open_for(self.product.removeprefix("free:"))))
        assert "approved" not in self.states.values()
        captured = self.market.provider.captured
        for spend in self.do(self._spends()):
            assert spend.state == ("used" if spend.order in captured and self._by(spend) else "released")
        assert not self.market.provider.outstanding()

    def _by(self, spend: Spend) -> bool:
        """Whether it was this sum's consent that was used, not a guardian's own after it."""
        order = self.do(self.market.orders.load(spend.order))
        return order.approval == spend.approval and self.do(self.market.approval(order)).spend == spend.id

    # How it is done

    async def _ask(self, order: Order, street: str) -> None:
        now = await self.market.orders.load(order.id)
        wanted = Checkout({**SHIP_TO, "street": street}, None, now.total, now.currency)
        await self.market.orders.checkout(self.market.buyer("mia"), order.id, wanted)

    async def _say(self, order: Order, who: str, what: str, token: str) -> None:
        actor = self.actor(who)
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
        rooms = (
            market.payments, market.reactions, market.requests, market.leftovers, self.spending,
            FamilyReactions(self.guardians), self.unavailable,
        )  # fmt: skip
        shelf = MIA if event["type"] in OF_MIA else market.shelf
        for act in Reactions(one for room in rooms for one in room.reactions()).to(event):
            await act(shelf, event)

    async def _open_for(self, _product: str) -> list[str]:
        """There is one product: every open request is for it."""
        records = await self.market.store.records(self.market.shelf)
        found = [load(Approval, row) for name, row in records.items() if name.startswith("approval:")]
        return [one.id for one in found if one and one.state == "requested"]

    async def _begun(self) -> set[str]:
        """Orders whose money is captured, or for which that has been asked."""
        records = await self.market.store.records(self.market.shelf)
        payments = [load(Payment, row) for name, row in records.items() if name.startswith("payment:")]
        return {one.order for one in payments if one and one.state in ("capturing", "captured", "refunded", "failed")}

    async def _spends(self) -> list[Spend]:
        records = await self.market.store.records(MIA)
        found = [load(Spend, row) for name, row in records.items() if name.startswith("spend:")]
        return [one for one in found if one]

    async def _age_tie(self, parent: str) -> None:
        """The day of a removal is over."""
        stored = (await self.market.store.read(MIA, FAMILY))[FAMILY]
        family, over = load(Family, stored), self.market.store.now_ms() - 50
        assert family
        ties = [
            msgspec.structs.replace(tie, ends_at=over) if tie.guardian == parent and tie.ends_at else tie for tie in family.ties
        ]
        await self.market.store.commit(
            Decision(MIA, puts=(put(FAMILY, stored, msgspec.structs.replace(family, ties=ties)),))
        )
        self.family = await self.guardians.family_of("mia")


@pytest.mark.timeout(300)
def test_machine(valkey: ValkeyProcess) -> None:
    """No money without one valid, unconsumed approval of exactly this order; units come back once; first move wins."""
    Requests.runs(valkey.url, 40, 30, "consumed", "superseded", "spend used", "spend released")
