"""Refunds over the real sandbox: whatever dies or answers badly, the provider's own book has each of them once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from livesale.payments.paysim import postings
from livesale.payments.paysim.app import BOOK
from livesale.payments.refund import Refunds
from livesale.payments.refunding import RefundReactions
from livesale.store.record import load
from livesale.store.valkey import Store
from tests.support.market import Hurried, Market
from tests.support.sandbox import FaultSettings, RunningSandbox, running
from tests.support.valkey import ValkeyProcess

ROOT = Path(__file__).parents[2]


async def bought(store: Store, sandbox: RunningSandbox, quantity: int = 2) -> tuple[Market, str]:
    """A market whose payments go to the sandbox, and a paid order; no reader runs any more."""
    market = Market(store, sandbox.provider)
    await market.open(10)
    async with market.running():
        order = await market.paid("ann", (0, quantity))
    market.sold = Hurried(store, market.may_sell)
    return market, order.id


async def refunds_in_the_book(sandbox: RunningSandbox) -> list[int]:
    """What each refund the provider made gave the customer; read past its door, which may be having a bad day."""
    entries = await sandbox.runner.app[BOOK].act(lambda book: postings.entries(book, 0, 500))
    made = [entry for entry in entries if entry["act"] == "refund"]
    return [max(posting["amount"] for posting in entry["postings"]) for entry in made]


@pytest.mark.parametrize("moment", ["asked", "answered"])
async def test_a_worker_killed_around_the_call_refunds_once(
    valkey: ValkeyProcess, store: Store, tmp_path: Path, moment: str
) -> None:
    """kill -9 before the call or between its answer and the commit: the next worker repeats the key."""
    async with running(tmp_path) as sandbox:
        market, order_id = await bought(store, sandbox)
        order = await market.orders.load(order_id)
        await market.refund(order, amount=700)
        words = ["-m", "tests.payments.refund_worker", valkey.url, sandbox.url, order_id, moment]
        dying = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
        assert await dying.wait() == -9
        assert await refunds_in_the_book(sandbox) == ([700] if moment == "answered" else [])
        name = f"refunds:{order_id}"
        left = load(Refunds, (await store.read(market.shelf, name))[name])
        assert left and [one.state for one in left.items] == ["refunding"]
        async with market.running():
            await market.sold.settled(order_id)
            async with asyncio.timeout(20):
                while not (await market.sold_as(order)).refunds.items[0].settled:
                    await asyncio.sleep(0.01)
        assert await refunds_in_the_book(sandbox) == [700]
        assert (await store.counters(market.shelf, "refunded"))["refunded"] == 700


BAD_DAYS = [
    *(FaultSettings(seed=seed, before_effect=0.25, after_effect=0.25) for seed in range(4)),
    *(FaultSettings(seed=seed, before_kept=0.25, after_kept=0.25) for seed in range(4)),
]


@pytest.mark.parametrize("faults", BAD_DAYS, ids=lambda faults: f"{'kept' if faults.before_kept else 'lost'}-{faults.seed}")
async def test_lost_answers_and_two_workers_at_once(store: Store, tmp_path: Path, faults: FaultSettings) -> None:
    """Half of all calls fail before or after their effect (or answer 500 under their key for good), two workers ask at
    once: everything goes back exactly once.
    """
    async with running(tmp_path) as sandbox:
        market, order_id = await bought(store, sandbox, 3)
    async with running(tmp_path, faults) as sandbox:
        market.refunds = RefundReactions(store, sandbox.provider)
        order = await market.orders.load(order_id)
        for _ in range(3):
            await market.refund(order, (0, 1), restock=True)
        rooms = [RefundReactions(store, sandbox.provider) for _ in range(2)]
        async with asyncio.timeout(60):
            while (await market.sold_as(order)).refunds.open():
                await asyncio.gather(*(room.go_on(order_id) for room in rooms))
        async with market.running():
            await market.state(order, "refunded")
        assert await refunds_in_the_book(sandbox) == [1000, 1000, 1000]
        balances = await sandbox.runner.app[BOOK].act(postings.balances)
        assert balances["merchant"].get("EUR", 0) == 0
    await market.check_units()
    assert (await store.counters(market.shelf, f"free:{market.offers[0]}"))[f"free:{market.offers[0]}"] == 10


async def test_a_disputed_payment_gives_nothing_back(store: Store, tmp_path: Path) -> None:
    """The bank has the money already: the refund fails, the order stays paid, what is left is as before."""
    async with running(tmp_path) as sandbox:
        market = Market(store, sandbox.provider)
        await market.open(10)
        async with market.running():
            held = await market.hold("ann", (0, 1))
            order = await market.state(await market.check_out(held, "pm_dispute"), "paid")
            assert (await market.refund(order)).state == "paid"
            sale = await market.sold_as(order)
        assert [(one.state, one.decline) for one in sale.refunds.items] == [("failed", "over_refund")]
        assert sale.left() == 1000
        assert await refunds_in_the_book(sandbox) == []
