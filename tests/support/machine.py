"""What state machines over a market share: acts at once, and readers' work done by hand, in any order, some of it twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.store.decision import NotCommitted
from livesale.store.log import read_log
from livesale.store.record import load
from livesale.store.valkey import connect
from tests.support.market import Hurried, Market

TRIES = 4
some = strategies.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    """`waiting` are events not yet delivered; a machine says how its market opens (`set_up`), how events are fetched
    (`fetch`) and reacted to (`_react`), what always holds (`_laws`), and how all comes to rest (`settle`).
    """

    url = ""
    seen: ClassVar[set[str]]  # over all runs: a machine that never comes to where it matters would prove nothing
    latest = 4  # orders that acts are about: acts on the same order are what can go wrong
    market: Market

    @classmethod
    def runs(cls, url: str, examples: int, steps: int, *wanted: str) -> None:
        """The laws hold in every run; what is wanted and none of its draws came to is looked for by other draws."""
        cls.url, cls.seen = url, set()
        told = settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )  # fmt: skip
        for _ in range(TRIES):
            run_state_machine_as_test(cls, settings=told)
            if cls.seen.issuperset(wanted):
                return
        raise AssertionError(f"in {TRIES} runs nothing came to {set(wanted) - cls.seen}")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.orders: list[str] = []
        self.waiting: list[dict[str, Any]] = []
        self.delivered: list[dict[str, Any]] = []
        self.read: dict[str, int] = {}  # how far, of each shelf's log
        self.moved = 0  # entries in it that changed anything

    @initialize()
    def open(self) -> None:
        async def opened() -> None:
            store = await connect(self.url)
            await store.client.flushall()
            self.market = Market(store)
            # Nobody waits for a reader that runs only when told.
            self.market.orders.next_state = _as_it_is  # type: ignore[method-assign]
            self.market.sold = Hurried(store, self.market.may_sell)
            await self.set_up()
            await self.fetch()

        self.do(opened())

    async def set_up(self) -> None:
        raise NotImplementedError

    def teardown(self) -> None:
        if hasattr(self, "market"):
            self.end()
            self.do(self.market.store.close())
        self.loop.close()

    def end(self) -> None:
        """What has to hold once everything has come to rest."""
        self.settle()

    def settle(self) -> None:
        raise NotImplementedError

    def rounds(self, most: int) -> Iterator[None]:
        """So many at most: all has settled when one of them moved nothing."""
        for _ in range(most):
            before = self.moved
            yield
            if not self.waiting and self.moved == before:
                return

    @invariant()
    def laws(self) -> None:
        if hasattr(self, "market"):
            self.do(self._laws())

    async def _laws(self) -> None:
        raise NotImplementedError

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def allowed(self, *works: Coroutine[Any, Any, Any]) -> list[Any]:
        """Carry out, all at once; being refused is fine, anything else is not."""
        done: list[Any] = self.do(gathered(works))
        for one in done:
            if isinstance(one, BaseException) and not isinstance(one, Refusal | NotCommitted):
                raise one
        self.do(self.fetch())
        return done

    async def fetch(self) -> None:
        raise NotImplementedError

    async def told(self, shelf: str) -> list[dict[str, Any]]:
        """What is new in a shelf's log."""
        entries = await read_log(self.market.store, shelf, self.read.get(shelf, 0))
        self.read |= {entry.shelf: entry.seq for entry in entries}
        told = [entry.fields() for entry in entries]
        self.moved += sum(any(fields[what] for what in ("counters", "puts", "drops", "events")) for fields in told)
        return told

    async def _react(self, event: dict[str, Any]) -> None:
        raise NotImplementedError

    # no preconditions here: how much is waiting depends on who won a race, and what may be drawn must not

    @rule(pick=some)
    def deliver(self, pick: int) -> None:
        if not self.waiting:
            return
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
        if not self.delivered:
            return
        event = self.delivered[-1 - pick % min(len(self.delivered), 4)]
        self.allowed(self._react(event), self._react(event))

    def some_order(self, pick: int) -> Order:
        """One of the latest few."""
        order: Order = self.do(self.market.orders.load(self.orders[-1 - pick % min(len(self.orders), self.latest)]))
        return order

    async def age(self, name: str, kind: Any, field: str) -> None:
        """The record's clock has run out, where it has one that runs: its time is over."""
        record = load(kind, (await self.market.store.read(self.market.shelf, name))[name])
        over = self.market.store.now_ms() - 50
        if record is not None and getattr(record, field) and getattr(record, field) > over:
            await self.market.age(name, kind, field, over)

    def at_the_bank(self, order: Order) -> None:
        """Whoever pays confirms there, perhaps when it has long been given up: then its webhook makes us ask."""
        payment = self.do(self.market.orders.payment(order))
        if payment and payment.provider_id:
            self.market.provider.passed_3ds(payment.provider_id)
            self.waiting.append({"type": "payment_check", "order": order.id})


async def gathered(works: tuple[Coroutine[Any, Any, Any], ...]) -> list[Any]:
    """What became of each, exceptions too."""
    return await asyncio.gather(*works, return_exceptions=True)


async def _as_it_is(order: Order) -> Order:
    return order
