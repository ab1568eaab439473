"""§ 108 BGB after the sale, over the real store: a paid order turns out to be a minor's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livesale.guardians.model import Approval
from livesale.kernel.clock import DAY_MS
from livesale.orders.floating import Found
from livesale.orders.marking import Answers, Marking
from livesale.orders.model import Order
from livesale.store.decision import Early
from livesale.store.log import read_log
from tests.guardians.house import PEOPLE, House
from tests.guardians.test_families import code_of
from tests.support.minors import BORN, LEGAL_MS, OPERATOR, MinorsDouble

REASON = "guardian_said"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing here is about rows


@pytest.fixture
def minors(house: House) -> MinorsDouble:
    """Mia has said that she is of age, and buys like anyone."""
    house.market.people.bands = {}
    house.market.more = (Answers(house.market.store),)
    return MinorsDouble(house.market)


async def mark(minors: MinorsDouble, order: Order, email: str | None = None) -> tuple[Order, Approval]:
    return await Marking(minors.market.store, minors).mark(OPERATOR, order.id, BORN, REASON, email)


async def lied(house: House, minors: MinorsDouble, units: int = 2, sent: int = 0) -> tuple[Order, Approval]:
    """An order that mia paid and, as far as `sent`, has; then it came to light."""
    order = await house.market.paid("mia", (0, units))
    if sent:
        await house.market.ship(order, (0, sent))
    return await mark(minors, order)


async def silent(house: House, approval: Approval) -> None:
    """Two weeks are over."""
    await house.age(f"approval:{approval.id}", Approval, "expires_at")
    await house.guardians.run_out(approval.id)


async def contract(house: House, order: Order, wanted: str) -> Order:
    """The order once its contract is so."""
    async with asyncio.timeout(20):
        while (now := await house.market.orders.load(order.id)).contract != wanted:
            await asyncio.sleep(0.01)
    return now


async def ratify(house: House, approval: Approval, who: str = "gita", **changes: Any) -> Approval:
    told = changes.get("digest", approval.digest)
    return await house.guardians.ratify(house.actor(who, changes.get("ago_ms", 0)), approval.id, told)


async def test_minor_who_lied_about_age(house: House, minors: MinorsDouble) -> None:
    """On notice: nothing is sent, the guardian is asked, the next purchase asks first; on a no all money goes back and all
    units are on sale again, once."""
    market = house.market
    async with market.running():
        order, asked = await lied(house, minors)
        assert (order.contract, asked.state) == ("floats", "asked")
        assert await code_of(market.ship(order)) == "on_hold"
        assert asked.expires_at - asked.requested_at == LEGAL_MS
        assert (await market.check_out(await market.hold("mia", (0, 1)))).state == "awaiting_guardian"
        await house.guardians.decline(house.actor("gita"), asked.id)
        after = await market.state(order, "refunded")
        assert (after.contract, market.provider.refunded) == ("void", {order.id: order.total})
    assert (await market.units_in("free"), await market.units_in("held")) == (19, 1)


async def test_ratified_goes_on(house: House, minors: MinorsDouble) -> None:
    """Freshly proven and with the digest that was shown: from there on it is sent like any other, and nothing is paid back."""
    async with house.market.running():
        order, asked = await lied(house, minors)
        assert await code_of(ratify(house, asked, digest="0" * 64)) == "superseded"
        assert await code_of(ratify(house, asked, ago_ms=11 * 60_000)) == "step_up_required"
        for who in ("dora", "young_link", "host000000"):
            assert await code_of(ratify(house, asked, who)) == "forbidden"
        for who in ("mia", "stranger"):
            assert await code_of(ratify(house, asked, who)) == "not_found"
        assert (await ratify(house, asked)).state == "ratified"
        await contract(house, order, "ratified")
        assert (await house.market.ship(order)).state == "shipped"
        assert await code_of(house.guardians.decline(house.actor("gero"), asked.id)) == "conflict"
    assert house.market.provider.refunded == {}


async def test_silence_is_a_refusal(house: House, minors: MinorsDouble) -> None:
    """Two weeks after the question, not a moment before; whoever fires the clock again changes nothing (§ 108 (2))."""
    async with house.market.running():
        order, asked = await lied(house, minors)
        with pytest.raises(Early):
            await house.guardians.run_out(asked.id)
        await silent(house, asked)
        await house.guardians.run_out(asked.id)
        await house.market.state(order, "refunded")
        assert await code_of(ratify(house, asked)) == "conflict"
    assert (await house.market.approval(order)).state == "silent"
    assert house.market.provider.refunded == {order.id: order.total}
    assert await house.market.units_in("free") == 20


async def test_what_was_sent_comes_back_as_after_a_withdrawal(house: House, minors: MinorsDouble) -> None:
    """One of two had left: all money goes back at once; only the unit that is still here is on sale again."""
    async with house.market.running():
        order, asked = await lied(house, minors, sent=1)
        assert await code_of(house.market.ship(order)) == "on_hold"
        await house.guardians.decline(house.actor("gero"), asked.id)
        await house.market.state(order, "refunded")
    assert house.market.provider.refunded == {order.id: order.total}
    assert (await house.market.units_in("free"), await house.market.units_in("claimed")) == (19, 1)


async def test_the_shop_cannot_step_back(house: House, minors: MinorsDouble) -> None:
    """While it floats the seller refunds nothing, in whole or in part (§ 109); once it is ratified it can again."""
    market = house.market
    async with market.running():
        order, asked = await lied(house, minors)
        assert await code_of(market.refund(order, restock=True)) == "on_hold"
        assert await code_of(market.refund(order, amount=100)) == "on_hold"
        await ratify(house, asked)
        await contract(house, order, "ratified")
        await market.refund(order, restock=True)
        await market.state(order, "refunded")


async def test_the_buyer_can_still_withdraw(house: House, minors: MinorsDouble) -> None:
    """A right is a right: the money goes back, and nobody has to answer any more."""
    async with house.market.running():
        order, asked = await lied(house, minors)
        await house.market.withdraw(order)
        await house.market.state(order, "withdrawn")
        await contract(house, order, "void")
        assert await code_of(ratify(house, asked)) == "conflict"
    assert (await house.market.approval(order)).state == "moot"
    assert house.market.provider.refunded == {order.id: order.total}


async def test_what_was_withdrawn_in_part_is_not_paid_twice(house: House, minors: MinorsDouble) -> None:
    """One of two withdrawn, then refused: the rest goes back, and together it is what was paid."""
    async with house.market.running():
        order, asked = await lied(house, minors)
        await house.market.withdraw(order, (0, 1))
        await house.guardians.decline(house.actor("gita"), asked.id)
        await house.market.state(order, "withdrawn")
    assert house.market.provider.refunded == {order.id: order.total}
    assert await house.market.units_in("free") == 20


async def test_18th_birthday_before_the_answer(
    house: House, minors: MinorsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question goes to the buyer, with two weeks of their own; guardians decide nothing any more (§ 108 (3))."""
    minors.found = grown_tomorrow(house)
    async with house.market.running():
        order, asked = await lied(house, minors)
        assert await code_of(ratify(house, asked, "mia")) == "not_found"
        monkeypatch.setitem(PEOPLE, "mia", (True, True))
        assert await code_of(ratify(house, asked)) == "forbidden"
        assert await code_of(house.guardians.decline(house.actor("gita"), asked.id)) == "forbidden"
        await house.age(f"approval:{asked.id}", Approval, "grown_at")
        await house.guardians.run_out(asked.id)
        now = await house.market.approval(order)
        assert (now.state, now.expires_at > asked.expires_at - LEGAL_MS + DAY_MS) == ("handed", True)
        for who in ("gita", "gero"):
            assert await code_of(ratify(house, now, who)) == "not_found"
        assert await code_of(ratify(house, now, "mia", ago_ms=11 * 60_000)) == "step_up_required"
        assert (await ratify(house, now, "mia")).state == "ratified"
        await contract(house, order, "ratified")


def grown_tomorrow(house: House) -> Found:
    return Found(False, house.market.store.now_ms() + DAY_MS, LEGAL_MS)


async def test_a_birthday_that_was_none_hands_nothing_over(house: House, minors: MinorsDouble) -> None:
    """The month is over and the account is still a minor's (the age was corrected again): the guardians' time goes on."""
    minors.found = grown_tomorrow(house)
    order, asked = await marked_quietly(house, minors)
    await house.age(f"approval:{asked.id}", Approval, "grown_at")
    await house.guardians.run_out(asked.id)
    now = await house.market.approval(order)
    assert (now.state, now.expires_at, now.grown_at) == ("asked", asked.expires_at, 0)


async def marked_quietly(house: House, minors: MinorsDouble) -> tuple[Order, Approval]:
    async with house.market.running():
        return await lied(house, minors)


async def test_too_young_to_be_bound(house: House, minors: MinorsDouble) -> None:
    """Below seven nobody is asked: the contract is void, and all goes back at once (§§ 104, 105)."""
    minors.found = Found(True, None, LEGAL_MS)
    async with house.market.running():
        order, asked = await lied(house, minors)
        assert asked.state == "refused"
        await house.market.state(order, "refunded")
    assert house.market.provider.refunded == {order.id: order.total}


async def test_marked_twice_is_marked_once(house: House, minors: MinorsDouble) -> None:
    """One question, one clock; the second press only finishes what the first left: the invitation is mailed again."""
    minors.linked = False
    async with house.market.running():
        order = await house.market.paid("mia", (0, 1))
        both = await asyncio.gather(*(mark(minors, order, "pa@example.org") for _ in range(2)))
        again = await mark(minors, order, "pa@example.org")
    assert {one.id for _, one in (*both, again)} == {again[1].id}
    assert again[1].expires_at == both[0][1].expires_at
    assert minors.invited == [("mia", "pa@example.org", again[1].id)] * 3
    entries = await read_log(house.market.store, house.market.shelf, most=1000)
    told = [event for entry in entries for event in entry.fields()["events"]]
    assert [event["state"] for event in told if event["type"] == "contract_changed"] == ["floats"]


async def test_what_cannot_be_marked(house: House, minors: MinorsDouble) -> None:
    """Not paid, agreed to by a guardian, all given back, or nobody to ask: refused, and the account stays as it was."""
    market = house.market
    async with market.running():
        held = await market.hold("ann", (0, 1))
        assert await code_of(mark(minors, held)) == "conflict"
        refunded = await market.paid("bob", (0, 1))
        await market.refund(refunded, restock=True)
        await market.state(refunded, "refunded")
        assert await code_of(mark(minors, refunded)) == "conflict"
        market.people.bands = {"mia": "14-15"}
        order, approval = await house.asked()
        await house.approve(approval)
        paid = await market.state(order, "paid")
        assert await code_of(mark(minors, paid)) == "conflict"
        minors.linked = False
        alone = await market.paid("cora", (0, 1))
        assert await code_of(mark(minors, alone)) == "invalid"
    assert minors.corrected == []


async def test_both_parents_where_both_must(house: House, minors: MinorsDouble) -> None:
    """Where all must agree one yes ratifies nothing, and one no refuses."""
    for one in ("gita", "gero"):
        await house.guardians.families.declare(house.actor(one), "mia", "all", "joint")
    order, asked = await marked_quietly(house, minors)
    assert (await ratify(house, asked)).state == "asked"
    assert await code_of(ratify(house, asked)) == "conflict"
    assert (await house.market.orders.load(order.id)).contract == "floats"


async def test_nothing_else_can_be_said_of_it(house: House, minors: MinorsDouble) -> None:
    """It is no request: it cannot be approved and paid a second time, taken back or extended."""
    _, asked = await marked_quietly(house, minors)
    for work in (
        house.approve(asked),
        house.guardians.revoke(house.actor("gita"), asked.id),
        house.guardians.extend(house.actor("gita"), asked.id),
    ):
        assert await code_of(work) == "conflict"
    assert len(house.market.provider.captured) == 1
