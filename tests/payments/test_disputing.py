"""Disputes: what is noted is what the provider says, however often its word comes and whatever gets lost."""

from __future__ import annotations

from typing import Any

import pytest

from livesale.payments.disputing import DisputeReactions
from livesale.payments.model import Payment
from livesale.payments.provider import Attempt
from livesale.store.log import read_log
from livesale.store.record import load
from livesale.store.valkey import Store
from tests.support.market import Market


class Answers:
    """A provider that answers each look-up with the next of these."""

    def __init__(self, *answers: Attempt) -> None:
        self._answers = list(answers)

    async def lookup(self, _provider_id: str) -> Attempt:
        return self._answers.pop(0)


@pytest.fixture
async def market(store: Store) -> Market:
    made = Market(store)
    await made.open(10)
    return made


async def told(market: Market) -> list[int]:
    entries = await read_log(market.store, market.shelf)
    events = [event for entry in entries for event in entry.fields()["events"]]
    return [event["disputed"] for event in events if event["type"] == "payment_disputed"]


async def noted(market: Market, order: str) -> tuple[int, bool]:
    """What is noted, and whether the provider will be asked again."""
    name = f"payment:{order}"
    payment = load(Payment, (await market.store.read(market.shelf, name))[name])
    assert payment
    return payment.disputed, f"dispute:{order}" in await market.store.first(market.shelf, "due", 1000)


async def test_a_dispute_is_noted_once_and_ends(market: Market) -> None:
    """An unknown answer is asked for again; the same answer says nothing new; a dispute that is given up is told too."""
    async with market.running():
        order = (await market.paid("ann", (0, 1))).id
    opened, over = Attempt("captured", "pi", disputed=1000), Attempt("captured", "pi")
    provider: Any = Answers(Attempt("unknown"), opened, opened, Attempt("unknown"), over)
    disputes = DisputeReactions(market.store, provider)
    seen = []
    for _ in range(5):
        await disputes.go_on(order)
        seen.append(await noted(market, order))
    assert seen == [(0, True), (1000, False), (1000, False), (1000, True), (0, False)]
    assert await told(market) == [1000, 0]


async def test_nobody_is_asked_about_what_was_not_paid(market: Market) -> None:
    """An order without a payment, or an id that is none: no call, no commit."""
    held = await market.hold("ann", (0, 1))
    before = await market.store.seq(market.shelf)
    disputes = DisputeReactions(market.store, Answers())  # type: ignore[arg-type]
    for order in (held.id, "no order"):
        await disputes.go_on(order)
    assert await market.store.seq(market.shelf) == before
