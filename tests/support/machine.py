"""What state machines over a market share: acts at once, and readers' work done by hand, in any order, some of it twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, rule

from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.store.decision import NotCommitted
from tests.support.market import Market

some = strategies.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    """`waiting` are events not yet delivered; a machine says how they are fetched (`fetch`) and reacted to (`_react`)."""

    url = ""
    latest = 4  # orders that acts are about: acts on the same order are what can go wrong
    market: Market

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.orders: list[str] = []
        self.waiting: list[dict[str, Any]] = []
        self.delivered: list[dict[str, Any]] = []

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

    def at_the_bank(self, order: Order) -> None:
        """Whoever pays confirms there, perhaps when it has long been given up: then its webhook makes us ask."""
        payment = self.do(self.market.orders.payment(order))
        if payment and payment.provider_id:
            self.market.provider.passed_3ds(payment.provider_id)
            self.waiting.append({"type": "payment_check", "order": order.id})


async def gathered(works: tuple[Coroutine[Any, Any, Any], ...]) -> list[Any]:
    """What became of each, exceptions too."""
    return await asyncio.gather(*works, return_exceptions=True)
