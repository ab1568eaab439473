"""Webhooks, in whatever order and however often they come: a payment ends the same."""

from __future__ import annotations

import itertools

import pytest

from livesale.payments.reactions import provider_said
from livesale.store.log import read_log
from livesale.store.valkey import Store
from tests.support.market import Market

TOLD = ("requires_action", "authorised", "captured")
PLAYED = sorted(set(itertools.permutations((*TOLD, "authorised", "confirm"))))


@pytest.mark.parametrize("played", PLAYED, ids="-".join)
async def test_any_order_of_webhooks_ends_the_same(store: Store, played: tuple[str, ...]) -> None:
    """Before, between and after the buyer's confirmation at the bank, one of them twice: paid, captured once, and what
    came twice is in the log once.
    """
    market = Market(store)
    await market.open(5)
    async with market.running():
        order = await market.check_out(await market.hold("ann", (0, 1)), "pm_3ds")
        payment = await market.orders.payment(order)
        assert payment and payment.state == "requires_action"
        for what in played:
            if what == "confirm":
                market.provider.passed_3ds(payment.provider_id)
            else:
                await provider_said(store, order.id, f"we_{what}", "intent.updated")
        for _ in range(2):
            await provider_said(store, order.id, "we_last", "intent.updated")
        await market.state(order, "paid")
    assert market.provider.captured == {order.id: order.total}
    told = [event for entry in await read_log(store, market.shelf) for event in entry.fields()["events"]]
    checks = sum(event["type"] == "payment_check" for event in told)
    assert checks == len(TOLD) + 1
    await market.check_units()
