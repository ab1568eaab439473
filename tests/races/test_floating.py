"""The guard between a mark and a shipment, and between the answers, each shown by what happens without it."""

from __future__ import annotations

import pytest

from livesale.guardians import model as approvals
from livesale.guardians import service as guardians
from livesale.guardians.model import Approval
from livesale.orders import aftersale, floating
from livesale.orders.floating import Found
from livesale.orders.model import Order
from livesale.orders.shipments import Parcel, ship
from livesale.store.record import load
from livesale.store.valkey import Records, Store
from tests.races.blind import blindly, carried_out
from tests.support.market import SHIP_TO, Market
from tests.support.minors import LEGAL_MS, OPERATOR

FOUND = Found(False, None, LEGAL_MS)


async def paid(store: Store) -> tuple[Market, Order, Records]:
    market = Market(store)
    await market.open(5)
    async with market.running():
        order = await market.paid("mia", (0, 1))
    return market, order, await store.read(market.shelf, *aftersale.names(order.id))


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("first", ["mark", "shipment"])
async def test_marked_and_sent_at_once(store: Store, first: str, blind: bool) -> None:
    """On one reading: without the order's version it is sent although it floats, with it whichever comes first is all."""
    _, order, records = await paid(store)
    now_ms = store.now_ms()
    mark = floating.marked(records, order.id, f"ap_{order.id[2:]}", SHIP_TO, FOUND, OPERATOR.account, "buyer_said", now_ms)
    sent = ship(records, order.id, "host000000", Parcel(None), ("", ""), now_ms)
    decided = [mark, sent] if first == "mark" else [sent, mark]
    assert await (blindly if blind else carried_out)(store, decided) == ([True, True] if blind else [True, False])


@pytest.mark.parametrize("blind", [False, True])
async def test_yes_and_two_weeks_at_once(store: Store, blind: bool) -> None:
    """Ratified in the moment in which the clock runs out: without the question's version both count, with it one does."""
    market, order, records = await paid(store)
    now_ms, asked = store.now_ms(), f"ap_{order.shelf.replace('show:', 's')}_1"
    await store.commit(floating.marked(records, order.id, asked, SHIP_TO, FOUND, OPERATOR.account, "buyer_said", now_ms))
    found = await store.read(market.shelf, f"approval:{asked}")
    approval = load(Approval, found[f"approval:{asked}"])
    assert approval
    answers = [
        guardians._write(found, approval, approvals.ratified(approval, "gita", frozenset(), now_ms)),
        guardians._write(found, approval, approvals.timed_out(approval, grown=False)),
    ]
    assert sum(await (blindly if blind else carried_out)(store, answers)) == (2 if blind else 1)
