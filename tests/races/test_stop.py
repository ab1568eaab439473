"""A stop and a claim in the same moment: the fence between their shelves, shown by what happens without it."""

from __future__ import annotations

import asyncio

import pytest

from livesale.guardians import family as families
from livesale.guardians import model as approvals
from livesale.guardians import service as guardians
from livesale.guardians.family import FAMILY, Family, Tie
from livesale.guardians.model import Approval
from livesale.orders import asking, reactions
from livesale.orders.model import Order
from livesale.orders.requests import is_stopped
from livesale.payments.model import Payment
from livesale.store.decision import Decision, Put
from livesale.store.log import read_log
from livesale.store.record import encode, load
from livesale.store.valkey import Records, Store
from tests.races.blind import blindly, carried_out
from tests.races.test_consent import asked, opened
from tests.races.test_orders import read
from tests.support.family import GUARDIAN
from tests.support.market import Market

MIA = "person:mia"
WITH_RECORD = pytest.mark.parametrize("record", [True, False])


async def family(store: Store, record: bool = True) -> Records:
    """Mia's family as a claim and a stop read it, with its record or from before there was one."""
    whole = Put(FAMILY, 0, encode(Family([Tie("fl_gita", GUARDIAN, 0, verified=True)])))
    if record:
        await store.commit(Decision(MIA, puts=(whole,)))
        return await store.read(MIA, FAMILY)
    return {FAMILY: None}


async def authorised(market: Market) -> tuple[Order, Approval]:
    """A request that was approved, and whose payment the provider has authorised."""
    store = market.store
    order, approval = await asked(market)
    said = approvals.approved(approval, GUARDIAN, "pm_ok", store.now_ms())
    await store.commit(guardians._write(await read(market, order), approval, said))
    await store.commit(asking.begin(await read(market, order), order.id, "", store.now_ms()))
    await market.payments.go_on(order.id)
    return order, approval


def captured_by(market: Market, order: Order, records: Records) -> bool:
    payment = load(Payment, records[f"payment:{order.id}"])
    return payment is not None and payment.state == "capturing"


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("first", ["stop", "claim"])
async def test_stopped_and_begun_at_once(store: Store, first: str, blind: bool) -> None:
    """On one reading: without the record's version both are said, with it whichever comes first, and never the other."""
    records, now_ms = await family(store), store.now_ms()
    stop = families.frozen(records, "mia", GUARDIAN, True, now_ms)
    begins = families.capture_begins(records, "mia", "o_1", now_ms)
    decided = [stop, begins] if first == "stop" else [begins, stop]
    assert await (blindly if blind else carried_out)(store, decided) == ([True, True] if blind else [True, False])


async def test_a_claim_alone_overlooks_a_stop(store: Store) -> None:
    """Why there is a fence: the claim was decided when nothing was stopped, and nothing on its own shelf tells it better."""
    market = await opened(store)
    records = await family(store)
    order, _ = await authorised(market)
    assert not await is_stopped(store, "mia")
    claim = reactions.claim(await read(market, order), order.id, store.now_ms())
    stop = families.frozen(records, "mia", GUARDIAN, True, store.now_ms())
    assert await carried_out(store, [stop, claim]) == [True, True]
    assert captured_by(market, order, await read(market, order))


@WITH_RECORD
async def test_the_fence_is_enough(store: Store, record: bool) -> None:
    """Ten races of the reader with a stop: money is taken only where its beginning is in the log before the stop."""
    for _ in range(10):
        await store.client.flushall()
        market = await opened(store)
        await family(store, record)
        order, approval = await authorised(market)
        told = {"type": "payment_changed", "order": order.id, "state": "authorised", "approval": approval.id}
        (react,) = market.reactions.reactions()
        await asyncio.gather(react.act(market.shelf, told), stops(store))
        entries = await read_log(store, MIA)
        said = [event["type"] for entry in entries for event in entry.fields()["events"] if event["type"] != "link_changed"]
        began_first = said[:1] == ["capture_begun"]
        assert captured_by(market, order, await read(market, order)) is began_first
        assert said.count("capture_begun") == began_first


async def stops(store: Store) -> None:
    older = Family([Tie("fl_gita", GUARDIAN, 0, verified=True)])

    def decide(records: Records, now_ms: int) -> Decision:
        if records[FAMILY] is None:  # as `Families` does for links from before there was a record
            told = {"type": "family_frozen", "minor": "mia", "state": "frozen", "by": GUARDIAN, "at": now_ms}
            frozen = Family(older.ties, GUARDIAN, now_ms)
            return Decision(MIA, puts=(Put(FAMILY, 0, encode(frozen)),), events=(told,))
        return families.frozen(records, "mia", GUARDIAN, True, now_ms)

    await store.act(MIA, (FAMILY,), decide)
