"""Requests over the real store: who may decide, what races do, and that no hold outlives its reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livesale.guardians.model import MOST_OPEN_REQUESTS, STEP_UP_MS, Approval
from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.store.decision import Early
from livesale.store.log import read_log
from tests.guardians.house import House, counter
from tests.support.market import HOST


@pytest.mark.parametrize(
    ("who", "changes", "why"),
    [
        ("dora", {}, "forbidden"),
        ("seventeen", {}, "forbidden"),
        ("young_link", {}, "forbidden"),
        (HOST.account, {}, "forbidden"),
        ("stranger", {}, "not_found"),
        ("mia", {}, "not_found"),
        ("gita", {"digest": "0" * 64}, "superseded"),
        ("gita", {"ago_ms": STEP_UP_MS + 60_000}, "step_up_required"),
    ],
)
async def test_who_may_not_approve(house: House, who: str, changes: dict[str, Any], why: str) -> None:
    """Each is refused, and the request is as it was: no money, no state, no event."""
    _, approval = await house.asked()
    seq = await house.market.store.seq(house.market.shelf)
    with pytest.raises(Refusal) as refused:
        await house.approve(approval, who, **changes)
    assert refused.value.code == why
    assert await house.market.store.seq(house.market.shelf) == seq


async def test_strangers_do_not_learn_that_it_exists(house: House) -> None:
    """Reading and declining are for the family alone."""
    _, approval = await house.asked()
    for act in (house.guardians.seen, house.guardians.decline):
        with pytest.raises(Refusal) as refused:
            await act(house.actor("stranger"), approval.id)
        assert refused.value.code == "not_found"
    assert (await house.guardians.seen(house.actor("mia"), approval.id)).state == "requested"


async def test_reading_decides_nothing(house: House) -> None:
    """Whoever opens it, however often, changes and prolongs nothing; that a guardian had it before them is told once each."""
    _, approval = await house.asked()
    store, shelf = house.market.store, house.market.shelf
    seq, records = await store.seq(shelf), await store.records(shelf)
    for who in ("gita", "gita", "mia", "gero", "gita"):
        assert await house.guardians.seen(house.actor(who), approval.id) == approval
    assert await store.records(shelf) == records
    told = [event for entry in await read_log(store, shelf, seq) for event in entry.fields()["events"]]
    assert [(event["type"], event["by"]) for event in told] == [("approval_seen", "gita"), ("approval_seen", "gero")]


async def test_approved_is_paid_once_by_the_guardian(house: House) -> None:
    """One consent, one charge, on the guardian's account."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.approve(approval)
        await house.market.state(order, "paid")
    payment = await house.market.orders.payment(order)
    assert payment
    assert payment.payer == "gita"
    assert house.market.provider.captured == {order.id: order.total}
    assert (await house.market.approval(order)).state == "consumed"


async def test_double_tap_and_replay(house: House) -> None:
    """A double tap with another key is a conflict, a replay of the same call the same answer; neither charges more."""
    async with house.market.running():
        order, approval = await house.asked()
        calls = [house.guardians.approve(house.actor("gita"), approval.id, approval.digest, "pm_ok", "act1") for _ in range(3)]
        assert {one.state for one in await asyncio.gather(*calls)} <= {"approved", "consumed"}
        await house.market.state(order, "paid")
        assert house.market.provider.captured == {order.id: order.total}
    order, approval = await house.asked()
    captured = dict(house.market.provider.captured)
    done = await asyncio.gather(
        *(house.approve(approval, who) for who in ("gita", "gero", "gita")), return_exceptions=True
    )
    refused = [one for one in done if isinstance(one, Refusal)]
    assert [one.code for one in refused] == ["conflict", "conflict"]
    async with house.market.running():
        await house.market.state(order, "paid")
    assert house.market.provider.captured == captured | {order.id: order.total}


async def test_two_guardians_disagree(house: House) -> None:
    """Approve against decline, ten times: one of the two wins whole, money and units follow it."""
    async with house.market.running():
        for _ in range(10):
            order, approval = await house.asked()
            said = await asyncio.gather(
                house.approve(approval), house.guardians.decline(house.actor("gero"), approval.id),
                return_exceptions=True,
            )  # fmt: skip
            assert sum(isinstance(one, Refusal) for one in said) == 1
            end = await house.market.state(order, "paid", "declined")
            assert house.market.provider.captured.get(order.id, 0) == (order.total if end.state == "paid" else 0)


async def test_declined_gives_back(house: House) -> None:
    """Units, and the minor's place among open requests."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.guardians.decline(house.actor("gita"), approval.id)
        await house.market.state(order, "declined")
    assert (await counter(house, "free"), await counter(house, "requests")) == (20, 0)
    with pytest.raises(Refusal) as refused:
        await house.approve(approval)
    assert refused.value.errors == [{"state": "declined"}]


async def test_expired_before_it_was_approved(house: House) -> None:
    """After its day a request can only end, whoever fires first and however often."""
    order, approval = await house.asked()
    await house.age(f"approval:{approval.id}", Approval, "expires_at")
    done = await asyncio.gather(
        house.approve(approval), house.guardians.run_out(approval.id), house.guardians.run_out(approval.id),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(done[0], Refusal)
    async with house.market.running():
        await house.market.state(order, "expired")
    assert await counter(house, "free") == 20
    assert house.market.provider.captured == {}


async def test_not_expired_early(house: House) -> None:
    """The clock firing before the day is over does nothing."""
    order, approval = await house.asked()
    with pytest.raises(Early):
        await house.guardians.run_out(approval.id)
    assert (await house.market.approval(order)).state == "requested"


async def test_a_lapsed_hold_is_held_again(house: House) -> None:
    """The request outlives its hold: units come free, and approval takes them again when there are some."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.age(f"order:{order.id}", Order, "reserved_until")
        await house.market.orders.expire(order.id)
        assert (await house.market.orders.load(order.id)).reservation == "lapsed"
        assert await counter(house, "free") == 20
        await house.approve(approval)
        await house.market.state(order, "paid")
    assert await counter(house, "claimed") == 1


async def test_sold_out_after_approval(house: House) -> None:
    """Approved after others took the last units: void, nothing charged, nothing oversold."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.age(f"order:{order.id}", Order, "reserved_until")
        await house.market.orders.expire(order.id)
        await house.market.hold("ann", (0, 20))
        await house.approve(approval)
        end = await house.market.state(order, "expired", "cancelled", "declined")
    assert (await house.market.approval(order)).state == "void"
    assert house.market.provider.captured == {}
    assert await house.market.orders.payment(end) is None
    assert (await counter(house, "held"), await counter(house, "requests")) == (20, 0)


async def test_request_spam(house: House) -> None:
    """One request for an offer, five of one minor in a show, and no more than a tenth of an offer's stock."""
    await house.asked()
    with pytest.raises(Refusal) as again:
        await house.asked()
    assert again.value.code == "limit_reached"
    with pytest.raises(Refusal):
        await house.market.check_out(await house.market.hold("mia", (0, 3)))
    assert await counter(house, "requests") == 1
    await house.market.open(*[20] * (MOST_OPEN_REQUESTS + 1))
    for offer in range(MOST_OPEN_REQUESTS):
        await house.market.check_out(await house.market.hold("mia", (offer, 1)))
    with pytest.raises(Refusal) as sixth:
        await house.market.check_out(await house.market.hold("mia", (MOST_OPEN_REQUESTS, 1)))
    assert sixth.value.code == "limit_reached"


async def test_fake_minors_holding_all_stock(house: House) -> None:
    """Ten accounts ask at once: two of twenty units wait for guardians, and an adult buys all the others."""
    fakes = [f"fake{number}" for number in range(10)]
    house.market.people.bands |= dict.fromkeys(fakes, "14-15")
    house.market.people.wards |= set(fakes)
    held = [await house.market.hold(fake, (0, 1)) for fake in fakes]
    asked = await asyncio.gather(*(house.market.check_out(order) for order in held), return_exceptions=True)
    refused = [one for one in asked if isinstance(one, Refusal)]
    assert [one.code for one in refused] == ["limit_reached"] * 8
    assert await counter(house, "requests") == 2
    for order in held:  # what only was reserved comes back by itself
        if (await house.market.orders.load(order.id)).state == "held":
            await house.age(f"order:{order.id}", Order, "reserved_until")
            await house.market.orders.expire(order.id)
    async with house.market.running():
        await house.market.paid("ann", (0, 18))


async def test_cancelled_takes_its_request_along(house: House) -> None:
    """A minor's change of mind ends the question too."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.market.orders.cancel(house.market.buyer("mia"), order.id)
        async with asyncio.timeout(20):
            while (await house.market.approval(order)).state != "cancelled":
                await asyncio.sleep(0.01)
    with pytest.raises(Refusal) as refused:
        await house.approve(approval)
    assert refused.value.errors == [{"state": "cancelled"}]
