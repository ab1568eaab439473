"""Orders from hold to paid over the real store with readers running: every way out gives the units back once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from livesale.kernel.refusals import Refusal
from livesale.store.valkey import Store
from tests.support.market import HOST, Market


@pytest.fixture
async def market(store: Store) -> AsyncIterator[Market]:
    made = Market(store)
    await made.open(10, 3)
    yield made
    await made.check_units()


async def units(market: Market, where: str, offer: int = 0) -> int:
    name = f"{where}:{market.offers[offer]}"
    return (await market.store.counters(market.shelf, name))[name]


async def test_a_held_order_is_paid(market: Market) -> None:
    """Hold, check out, paid: the units are claimed and the money counted once."""
    async with market.running():
        order = await market.hold("ann", (0, 2))
        assert await units(market, "held") == 2
        paid = await market.check_out(order)
        assert paid.state == "paid"
        counters = await market.store.counters(market.shelf)
        assert counters["revenue"] == 2000 == market.provider.captured[order.id]
        assert counters["n:paid"] == 1
        assert await units(market, "claimed") == 2


@pytest.mark.parametrize(("token", "end"), [("pm_declined", "payment_failed"), ("pm_late_decline", "payment_failed")])
async def test_a_declined_payment_gives_the_units_back(market: Market, token: str, end: str) -> None:
    """A refused card, early or late, ends the order and frees what it held."""
    async with market.running():
        order = await market.check_out(await market.hold("ann", (0, 2)), token)
        assert (await market.state(order, end)).state == end
        assert await units(market, "free") == 10


async def test_an_unknown_outcome_is_asked_again_and_charged_once(market: Market) -> None:
    """Lost answers from the provider, at either call, end in one capture."""
    market.provider.script = {("authorise", "pm_ok"): ["unknown"], ("capture", "pm_ok"): ["unknown", "unknown"]}
    async with market.running():
        order = await market.check_out(await market.hold("ann", (0, 1)))
        await market.state(order, "paid")
        assert market.provider.captured == {order.id: 1000}


async def test_3ds_sends_the_buyer_and_goes_on_when_told(market: Market) -> None:
    """3-D Secure waits for the buyer; the provider's word (asked, not believed) lets it go on."""
    async with market.running():
        order = await market.check_out(await market.hold("ann", (0, 1)), "pm_3ds")
        assert order.state == "awaiting_payment"
        payment = await market.orders.payment(order)
        assert payment and payment.redirect_url == "/3ds"
        market.provider.passed_3ds(payment.provider_id)
        await market.payments.go_on(order.id)
        await market.state(order, "paid")


async def test_the_same_key_holds_once(market: Market) -> None:
    """A repeated request gives the first order; with another body it is refused."""
    first = await market.hold("ann", (0, 2), key="k")
    again = await market.hold("ann", (0, 2), key="k")
    assert first.id == again.id
    assert await units(market, "held") == 2


async def test_sold_out_names_every_short_line(market: Market) -> None:
    """Both lacking lines are told with what is left; nothing is held."""
    with pytest.raises(Refusal) as refused:
        await market.hold("ann", (0, 11), (1, 4))
    assert refused.value.code == "sold_out"
    assert [(row["line"], row["left"]) for row in refused.value.errors] == [(0, 10), (1, 3)]
    assert await units(market, "held") == 0


async def test_a_stampede_sells_exactly_what_there_is(market: Market) -> None:
    """300 buyers at once for 3 units: three orders, the others are told."""
    done = await asyncio.gather(*(market.hold(f"b{i}", (1, 1)) for i in range(300)), return_exceptions=True)
    refused = [one for one in done if isinstance(one, Refusal)]
    assert len(refused) == 297
    assert {one.code for one in refused} == {"sold_out"}


async def test_an_expired_hold_frees_its_units_once(market: Market) -> None:
    """Before its time a hold stays; after it, firing twice frees once."""
    order = await market.hold("ann", (0, 2))
    await market.orders.expire(order.id)
    assert (await market.orders.load(order.id)).state == "held"
    before = market.store.now_ms()
    name = f"order:{order.id}"
    import msgspec

    from livesale.store.decision import Decision
    from livesale.store.record import put

    found = await market.store.read(market.shelf, name)
    aged = msgspec.structs.replace(order, reserved_until=before - 1)
    await market.store.commit(Decision(market.shelf, puts=(put(name, found[name], aged),)))
    await asyncio.gather(*(market.orders.expire(order.id) for _ in range(3)))
    assert (await market.orders.load(order.id)).state == "expired"
    assert await units(market, "free") == 10


async def test_cancel_races_with_checkout(market: Market) -> None:
    """Of cancel and checkout at once one wins; never both."""
    async with market.running():
        for number in range(10):
            order = await market.hold(f"b{number}", (0, 1))
            await asyncio.gather(
                market.orders.cancel(market.buyer(order.account), order.id),
                market.check_out(order),
                return_exceptions=True,
            )
            end = await market.state(order, "cancelled", "paid")
            captured = market.provider.captured.get(order.id, 0)
            assert captured == (1000 if end.state == "paid" else 0)


async def test_nobody_orders_from_a_show_that_is_over(market: Market) -> None:
    """After the end there is a refusal that says so."""
    await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
    with pytest.raises(Refusal) as refused:
        await market.hold("ann", (0, 1))
    assert refused.value.code == "show_not_live"
