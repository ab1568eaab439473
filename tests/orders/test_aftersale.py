"""After the sale, over the real store with readers running: shipments, refunds, withdrawals, and what they come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.orders.withdrawal import ends_at
from livesale.payments.model import Payment
from livesale.store.decision import Decision
from livesale.store.log import read_log
from livesale.store.record import put
from livesale.store.valkey import Store
from tests.support.market import HOST, Market


@pytest.fixture
async def market(store: Store) -> AsyncIterator[Market]:
    made = Market(store)
    await made.open(10, 10)
    async with made.running():
        yield made
    await made.check_units()


async def refused(work: Any) -> Refusal:
    """The refusal that `work` has to end in."""
    with pytest.raises(Refusal) as told:
        await work
    return told.value


async def count(market: Market, where: str, offer: int = 0) -> int:
    name = f"{where}:{market.offers[offer]}"
    return (await market.store.counters(market.shelf, name))[name]


async def events(market: Market, kind: str) -> list[dict[str, Any]]:
    """Every event of a type so far."""
    entries = await read_log(market.store, market.shelf, 0, 1000)
    return [event for entry in entries for event in entry.fields()["events"] if event["type"] == kind]


async def sent_long_ago(market: Market, order: Order, days: int) -> None:
    """Move the order's shipments into the past, and its end with them."""
    name = f"order:{order.id}"
    stored = (await market.store.read(market.shelf, name))[name]
    now = await market.orders.load(order.id)
    assert now.fulfilment
    past = [msgspec.structs.replace(one, at=one.at - days * DAY_MS) for one in now.fulfilment.shipments]
    aged = msgspec.structs.replace(now, fulfilment=msgspec.structs.replace(now.fulfilment, shipments=past))
    await market.store.commit(Decision(market.shelf, puts=(put(name, stored, aged),)))


async def test_what_the_bank_has_back_is_on_hold(market: Market) -> None:
    """While a payment is disputed its seller sends and refunds nothing and reads no reason, the buyer may withdraw all the
    same; once the bank has given it up, it is sent."""
    order, other = await market.paid("ann", (0, 1)), await market.paid("bob", (0, 1))
    for one in (order, other):
        await market.age(f"payment:{one.id}", Payment, "disputed", one.total)
    for work in (market.ship(order), market.refund(order), market.refund(order, amount=1)):
        told = await refused(work)
        assert (told.code, "bank" in told.detail, told.errors) == ("on_hold", False, [])
    assert (await market.withdraw(other)).withdrawals
    await market.age(f"payment:{order.id}", Payment, "disputed", 0)
    assert (await market.ship(order)).state == "shipped"


async def test_an_order_is_shipped_in_parts_and_completed(market: Market) -> None:
    """`paid` until all has left, then `shipped`; when the withdrawal period is over `completed`, not before."""
    order = await market.paid("ann", (0, 2), (1, 1))
    assert (await market.ship(order, (0, 1))).state == "paid"
    assert (await market.sold_as(order)).goods().state == "partly_shipped"
    shipped = await market.ship(order)
    assert shipped.state == "shipped"
    await market.sold.complete(order.id)
    assert (await market.orders.load(order.id)).state == "shipped"
    await sent_long_ago(market, order, 33)
    await market.sold.complete(order.id)
    assert (await market.orders.load(order.id)).state == "completed"
    assert [event["lines"] for event in await events(market, "shipment_made")] == [
        [{"offer": market.offers[0], "quantity": 1}],
        [{"offer": market.offers[0], "quantity": 1}, {"offer": market.offers[1], "quantity": 1}],
    ]
    assert (await refused(market.ship(order))).code == "limit_reached"


async def test_a_refund_of_everything(market: Market) -> None:
    """All money goes back once, the order is `refunded`, restocked units can be bought again."""
    order = await market.paid("ann", (0, 2))
    assert (await market.refund(order, restock=True)).state == "refunded"
    assert market.provider.refunded == {order.id: 2000}
    assert await count(market, "free") == 10
    counters = await market.store.counters(market.shelf)
    assert (counters["refunded"], counters["n:refunded"]) == (2000, 1)
    assert [event["state"] for event in await events(market, "refund_changed")] == ["requested", "refunding", "done"]
    assert (await refused(market.refund(order, restock=True))).code == "conflict"


async def test_refunds_by_line_and_by_amount(market: Market) -> None:
    """Parts add up: the order stays what it is until everything is back."""
    order = await market.paid("ann", (0, 2), (1, 1))
    assert (await market.refund(order, (0, 1), restock=True)).state == "paid"
    assert (await market.refund(order, amount=300)).state == "paid"
    assert market.provider.refunded[order.id] == 1300
    assert [await count(market, "free", 0), await count(market, "claimed", 0)] == [9, 1]
    assert (await market.refund(order, amount=1700)).state == "refunded"
    assert await count(market, "claimed", 1) == 1  # nobody said that it came back


async def test_without_restock_units_stay_sold(market: Market) -> None:
    """Goodwill does not put a unit on sale that the buyer has."""
    order = await market.paid("ann", (0, 1))
    await market.refund(order)
    assert [await count(market, "free"), await count(market, "claimed")] == [9, 1]
    assert await events(market, "units_returned") == []


async def test_more_than_was_paid_is_never_refunded(market: Market) -> None:
    """`limit_reached` with what is left, for money and for units; nothing is asked of the provider."""
    order = await market.paid("ann", (0, 2))
    told = await refused(market.refund(order, amount=2001))
    assert (told.code, told.errors) == ("limit_reached", [{"field": "amount", "left": {"amount": 2000, "currency": "EUR"}}])
    told = await refused(market.refund(order, (0, 3)))
    assert (told.code, told.errors[0]["left"]) == ("limit_reached", 2)
    await market.refund(order, (0, 1))
    assert (await refused(market.refund(order, (0, 2)))).errors[0]["left"] == 1
    assert (await refused(market.refund(order, amount=1001))).code == "limit_reached"
    assert market.provider.refunded == {order.id: 1000}


async def test_two_refunds_of_everything_at_once(market: Market) -> None:
    """One wins, the other is told; the money goes back once."""
    order = await market.paid("ann", (0, 1))
    done = await asyncio.gather(market.refund(order), market.refund(order), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Order", "Refusal"]
    assert {one.code for one in done if isinstance(one, Refusal)} <= {"limit_reached", "conflict"}
    assert market.provider.refunded == {order.id: 1000}


async def test_a_refund_repeated_under_its_key_happens_once(market: Market) -> None:
    """A client that lost the answer asks again, even after everything is back; another body is refused."""
    order = await market.paid("ann", (0, 2))
    for _ in range(2):
        await market.refund(order, amount=500, once=("host:k", "a"))
    assert market.provider.refunded == {order.id: 500}
    assert (await refused(market.refund(order, amount=600, once=("host:k", "b")))).code == "idempotency_key_reused"
    for _ in range(2):
        assert (await market.refund(order, once=("host:l", "c"))).state == "refunded"
    for _ in range(2):
        assert len((await market.sold_as(order)).refunds.items) == 2


async def test_a_shipment_repeated_under_its_key_happens_once(market: Market) -> None:
    """The same for shipments."""
    order = await market.paid("ann", (0, 2))
    for _ in range(2):
        await market.ship(order, (0, 1), once=("host:k", "a"))
    assert (await market.sold_as(order)).goods().sent() == {market.offers[0]: 1}


@pytest.mark.parametrize("fault", ["unknown", "lost"])
async def test_an_unknown_outcome_is_asked_again_with_the_same_key(market: Market, fault: str) -> None:
    """Whether the call or only its answer was lost: the money goes back once, and meanwhile nothing is claimed."""
    order = await market.paid("ann", (0, 1))
    market.provider.script = {("refund", "pm_ok"): [fault, fault]}
    assert (await market.refund(order, restock=True)).state in ("paid", "refunded")
    await market.state(order, "refunded")
    assert market.provider.refunded == {order.id: 1000}
    told = [event["state"] for event in await events(market, "refund_changed")]
    assert told == ["requested", "refunding", "unknown", "done"]


async def test_a_refund_the_provider_refuses_can_be_asked_again(market: Market) -> None:
    """A failed refund gives nothing back and takes nothing from what is left."""
    order = await market.paid("ann", (0, 1))
    market.provider.script = {("refund", "pm_ok"): ["failed"]}
    assert (await market.refund(order, restock=True)).state == "paid"
    assert [await count(market, "free"), await count(market, "claimed")] == [9, 1]
    assert (await market.refund(order, restock=True)).state == "refunded"
    assert await count(market, "free") == 10


async def test_what_is_given_back_is_not_sent(market: Market) -> None:
    """A refund of the last waiting units ends the shipping: the order is shipped with what has left."""
    order = await market.paid("ann", (0, 2))
    await market.ship(order, (0, 1))
    assert (await market.refund(order, (0, 1), restock=True)).state == "shipped"
    assert (await refused(market.ship(order))).code == "limit_reached"
    assert await count(market, "free") == 9


async def test_restocked_units_of_an_ended_show_go_to_the_shop(market: Market) -> None:
    """Nobody could buy them in the show any more: they are moved to the shop's shelf, once."""
    order = await market.paid("ann", (0, 2))
    await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
    product = order.lines[0].product

    async def in_shop() -> int:
        return (await market.store.counters("shop:demo", f"free:{product}"))[f"free:{product}"]

    await _until(in_shop, 8)
    await market.refund(order, restock=True)
    await _until(in_shop, 10)
    assert await count(market, "loaded") == 0


async def _until(look: Any, wanted: int) -> None:
    async with asyncio.timeout(20):
        while await look() != wanted:
            await asyncio.sleep(0.01)


async def test_only_its_seller_ships_and_refunds(market: Market) -> None:
    """To another host the order does not exist; before it is paid there is nothing to do."""
    order = await market.paid("ann", (0, 1))
    rival = Actor("rival00000", frozenset({"host"}))
    assert (await refused(market.sold.ship(rival, order.id, None, ("", "")))).code == "not_found"  # type: ignore[arg-type]
    assert (await refused(market.sold.refund(rival, order.id, None, ("", "")))).code == "not_found"  # type: ignore[arg-type]
    held = await market.hold("bob", (0, 1))
    assert (await refused(market.refund(held))).code == "conflict"
    assert (await refused(market.ship(held))).code == "conflict"


async def test_a_withdrawal_has_two_steps(market: Market) -> None:
    """Declaring changes nothing; confirming counts, has its time, and the order is `withdrawn` once the money is back."""
    order = await market.paid("ann", (0, 2))
    ann = market.buyer("ann")
    told, declared = await market.sold.declare(ann, order.id, None)
    assert (told.state, declared and declared.amount) == ("paid", 2000)
    assert market.provider.refunded == {}
    now, confirmed = await market.sold.confirm(ann, order.id)
    assert confirmed and confirmed.confirmed_at > 0 and confirmed.units == {market.offers[0]: 2}
    assert now.state in ("paid", "withdrawn")  # truthful: `withdrawn` only with the money back
    await market.state(order, "withdrawn")
    assert market.provider.refunded == {order.id: 2000}
    assert await count(market, "free") == 10  # it had never left
    assert [event["state"] for event in await events(market, "withdrawal_changed")] == ["declared", "confirmed", "done"]
    receipt = next(event for event in await events(market, "withdrawal_changed") if event["state"] == "confirmed")
    assert (receipt["owner"], receipt["amount"], receipt["at"]) == ("ann", 2000, confirmed.confirmed_at)


async def test_confirming_twice_withdraws_once(market: Market) -> None:
    """The receipt is the same, even when everything is over; nothing to confirm is a conflict."""
    order = await market.paid("ann", (0, 1))
    ann = market.buyer("ann")
    assert (await refused(market.sold.confirm(ann, order.id))).code == "conflict"
    await market.sold.declare(ann, order.id, None)
    receipts = [(await market.sold.confirm(ann, order.id))[1] for _ in range(2)]
    await market.state(order, "withdrawn")
    receipts.append((await market.sold.confirm(ann, order.id))[1])
    assert len({(one.id, one.confirmed_at) for one in receipts if one}) == 1
    assert market.provider.refunded == {order.id: 1000}


async def test_part_of_an_order_can_be_withdrawn(market: Market) -> None:
    """Line by line; what was sent is not on sale again, what had not left is, and is not sent any more."""
    order = await market.paid("ann", (0, 2), (1, 1))
    await market.ship(order, (0, 1))
    await market.withdraw(order, (0, 2))
    await market.state(order, "paid")
    async with asyncio.timeout(20):
        while not (await market.sold_as(order)).quiet():
            await asyncio.sleep(0.01)
    assert market.provider.refunded == {order.id: 2000}
    assert [await count(market, "free"), await count(market, "claimed")] == [9, 1]
    assert (await market.sold_as(order)).to_send() == {market.offers[1]: 1}
    assert (await market.ship(order)).state == "shipped"
    await market.withdraw(order)
    await market.state(order, "withdrawn")
    assert await count(market, "free", 1) == 9  # on its way to the buyer


async def test_the_period_is_never_too_short(market: Market) -> None:
    """14 days from a receipt up to 14 days after shipment, and what weekends and holidays add; then it is `expired`."""
    order = await market.paid("ann", (0, 1))
    assert (await market.sold_as(order)).withdrawal_until() is None
    await market.ship(order)
    sent_at = (await market.sold_as(order)).goods().sent_at()
    assert (await market.sold_as(order)).withdrawal_until() == ends_at(sent_at) >= sent_at + 28 * DAY_MS
    await sent_long_ago(market, order, 32)
    await market.sold.declare(market.buyer("ann"), order.id, None)
    await sent_long_ago(market, order, 1)
    assert (await refused(market.sold.confirm(market.buyer("ann"), order.id))).code == "expired"
    assert (await refused(market.sold.declare(market.buyer("ann"), order.id, None))).code == "expired"
    assert market.provider.refunded == {}


async def test_nobody_else_withdraws(market: Market) -> None:
    """Strangers, the seller, an operator: to them there is no such order."""
    order = await market.paid("ann", (0, 1))
    for stranger in (market.buyer("bob"), HOST, Actor("op", frozenset({"operator"}))):
        assert (await refused(market.sold.declare(stranger, order.id, None))).code == "not_found"
        assert (await refused(market.sold.confirm(stranger, order.id))).code == "not_found"


async def test_an_order_in_flight_is_not_completed(market: Market) -> None:
    """The period may end while money is on its way: the order is completed when that has ended."""
    order = await market.paid("ann", (0, 2))
    await market.ship(order)
    market.provider.script = {("refund", "pm_ok"): ["unknown"] * 2}
    await market.refund(order, amount=100)
    await sent_long_ago(market, order, 33)
    await market.sold.complete(order.id)
    assert (await market.orders.load(order.id)).state in ("shipped", "completed")
    await market.state(order, "completed")
    assert market.provider.refunded == {order.id: 100}


async def test_a_withdrawal_whose_refund_failed_is_paid_by_the_sellers(market: Market) -> None:
    """The claim stands until the money is back; a refund of the same units takes the failed one's place."""
    order = await market.paid("ann", (0, 1), (1, 1))
    market.provider.script = {("refund", "pm_ok"): ["failed"]}
    await market.withdraw(order, (0, 1))
    await market.sold.settled(order.id)
    assert not (await market.sold_as(order)).quiet()
    assert (await market.sold_as(order)).to_send() == {market.offers[1]: 1}
    await market.refund(order, (0, 1), restock=True)
    assert (await market.sold_as(order)).quiet()
    assert (await market.sold_as(order)).to_send() == {market.offers[1]: 1}
    assert [one.state for one in (await market.orders.load(order.id)).withdrawals] == ["done"]
