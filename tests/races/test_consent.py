"""The guards of a minor's request, each shown by what happens without it."""

from __future__ import annotations

import pytest

from livesale.accounts.countries import shipped
from livesale.guardians import model as approvals
from livesale.guardians import service as guardians
from livesale.guardians.model import Approval
from livesale.orders import asking
from livesale.orders.model import Order
from livesale.store.decision import Decision
from livesale.store.record import load
from livesale.store.valkey import Store
from tests.races.blind import blindly, carried_out, unbounded
from tests.races.test_orders import read
from tests.support.family import GUARDIAN
from tests.support.market import ORIGIN, SHIP_TO, Market

GERMANY = shipped().place("DE")


async def opened(store: Store) -> Market:
    market = Market(store)
    market.people.bands, market.people.wards = dict.fromkeys(("mia", "max"), "14-15"), {"mia", "max"}
    await market.open(20, 20, 20, 20, 20)
    return market


async def asks(market: Market, order: Order, ceiling: int = 100) -> Decision:
    """A minor's checkout."""
    ceilings, now_ms = {offer: ceiling for offer in market.offers}, market.store.now_ms()
    return asking.ask(await read(market, order), order, f"ap_{order.id}", SHIP_TO, b"", ceilings, now_ms, GERMANY)


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize("counter", ["requests:", "request:", "requests_of:"])
async def test_how_much_is_asked_for(store: Store, counter: str, guarded: bool) -> None:
    """Five requests at once: without the ceiling (an offer's share, one an offer, those of one minor) all five are open."""
    market = await opened(store)
    places = range(5) if counter == "requests_of:" else [0] * 5
    who = [f"m{number}" for number in range(5)] if counter == "requests:" else ["mia"] * 5
    orders = [await market.hold(minor, (offer, 1)) for minor, offer in zip(who, places, strict=True)]
    if counter == "requests_of:":
        orders += [await market.hold("mia", (offer, 1)) for offer in (0, 1)]
    decided = [await asks(market, order, 3 if counter == "requests:" else 100) for order in orders]
    if counter == "requests_of:":  # the sixth and seventh are beyond it; that they are second of an offer is let pass
        decided = [unbounded(one, "request:") for one in decided]
    done = await carried_out(store, decided if guarded else [unbounded(one, counter) for one in decided])
    most = {"requests:": 3, "request:": 1, "requests_of:": approvals.MOST_OPEN_REQUESTS}[counter]
    assert sum(done) == (most if guarded else len(orders))


async def asked(market: Market, minor: str = "mia") -> tuple[Order, Approval]:
    order = await market.check_out(await market.hold(minor, (0, 1)))
    return order, await market.approval(order)


@pytest.mark.parametrize("blind", [False, True])
async def test_yes_and_no_at_once(store: Store, blind: bool) -> None:
    """Approved and declined on one reading: without the request's version both are said, with it one is."""
    market = await opened(store)
    order, approval = await asked(market)
    records = await read(market, order)
    said = [
        guardians._write(records, approval, approvals.moved(approval, state, guardian=GUARDIAN))
        for state in ("approved", "declined")
    ]
    assert sum(await (blindly if blind else carried_out)(store, said)) == (2 if blind else 1)
    name = f"approval:{approval.id}"
    now = load(Approval, (await store.read(market.shelf, name))[name])
    assert now
    assert now.state == ("declined" if blind else "approved")  # blind: no, after the money was asked for


@pytest.mark.parametrize("blind", [False, True])
async def test_a_consent_used_twice(store: Store, blind: bool) -> None:
    """`approved` read by two workers: without the versions two payments begin on one consent, each with its key."""
    market = await opened(store)
    (order, approval), _other = await asked(market), await asked(market, "max")
    said = approvals.approved(approval, GUARDIAN, "pm_ok", store.now_ms())
    await store.commit(guardians._write(await read(market, order), approval, said))
    records, now_ms = await read(market, order), store.now_ms()
    twice = [unbounded(asking.begin(records, order.id, ORIGIN, now_ms), "request") for _ in range(2)]
    done = await (blindly if blind else carried_out)(store, twice)
    assert sum(done) == (2 if blind else 1)
    keys = {event["payment"] for one in twice for event in one.events if event["type"] == "payment_changed"}
    assert len(keys) == 2
