"""Payments on the worst days: a provider that repeats a stored 500 is asked where the payment stands, not repeated for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from livesale.orders.model import Order
from livesale.payments.model import Payment
from livesale.payments.paysim import postings
from livesale.payments.paysim.app import BOOK
from livesale.store.decision import Decision
from livesale.store.record import load, put
from livesale.store.valkey import Store
from tests.support.market import Market
from tests.support.sandbox import FaultSettings, RunningSandbox, running

ENDED = ("paid", "payment_failed")


async def balances(sandbox: RunningSandbox) -> dict[str, int]:
    """The provider's book, read past its door, which may be having a bad day."""
    found = await sandbox.runner.app[BOOK].act(postings.balances)
    return {account: sums.get("EUR", 0) for account, sums in found.items()}


async def out_of_time(market: Market, order: Order) -> None:
    """The ten minutes of whatever is still being paid are over."""
    name = f"payment:{order.id}"

    stored = (await market.store.read(market.shelf, name))[name]
    payment = load(Payment, stored)
    assert payment
    aged = msgspec.structs.replace(payment, deadline=market.store.now_ms() - 1)
    await market.store.commit(Decision(market.shelf, puts=(put(name, stored, aged),)))


async def pressed(market: Market, order: Order) -> Order:
    """Ask as the deadlines do, until the order has ended."""
    async with asyncio.timeout(30):
        while (now := await market.orders.load(order.id)).state not in ENDED:
            await market.payments.go_on(order.id)
            await asyncio.sleep(0)
    return now


@pytest.mark.parametrize("seed", range(6))
async def test_kept_500s_charge_nobody_twice(store: Store, tmp_path: Path, seed: int) -> None:
    """A third of all calls leave a 500 under their key for good, done or not: every order ends, the book agrees."""
    faults = FaultSettings(seed=seed, before_kept=0.2, after_kept=0.2)
    async with running(tmp_path, faults) as sandbox:
        market = Market(store, sandbox.provider)
        await market.open(8)
        async with market.running():
            orders = await asyncio.gather(*(market.hold(f"b{n}", (0, 1)) for n in range(8)))
            await asyncio.gather(*(market.check_out(order) for order in orders))
            for order in orders:
                if (await market.orders.load(order.id)).state == "awaiting_payment":
                    await out_of_time(market, order)
            ended = await asyncio.gather(*(pressed(market, order) for order in orders))
        paid = [order for order in ended if order.state == "paid"]
        found = await balances(sandbox)
        assert (found["merchant"], found["authorised"]) == (1000 * len(paid), 0)
        assert await market.units_in("claimed") == len(paid)
        for order in ended:
            if order.state == "payment_failed":  # only where the provider says that there never was a payment
                assert order.reason == "not_made"
        await market.check_units()


async def test_none_found_is_no_end_before_the_time_is_over(store: Store, tmp_path: Path) -> None:
    """A provider finds payments late: until the buyer's ten minutes are over, unknown keeps the units."""
    async with running(tmp_path, FaultSettings(before_kept=1.0)) as sandbox:
        market = Market(store, sandbox.provider)
        await market.open(1)
        async with market.running():
            order = await market.check_out(await market.hold("ann", (0, 1)))
        assert order.state == "awaiting_payment"
        sandbox.runner.app[BOOK]  # the calls that ask are answered; only acts have keys whose answers are kept
        for _ in range(3):
            await market.payments.go_on(order.id)
        assert await market.units_in("paying") == 1
