"""What happens to a request when its order, its units, its guardian or its clocks change, over the real store."""

from __future__ import annotations

import asyncio

import pytest

from livesale.guardians import model
from livesale.guardians.model import Approval
from livesale.kernel.refusals import Refusal
from livesale.orders.model import Order
from livesale.orders.service import Checkout
from livesale.store.decision import Counter, Decision
from livesale.store.log import read_log
from livesale.store.readers import Reactions
from livesale.store.record import load
from tests.guardians.house import PEOPLE, House, counter
from tests.support.market import HOST, SHIP_TO

ELSEWHERE = {**SHIP_TO, "street": "C 2"}


async def request_in(house: House, order: Order, *states: str) -> Approval:
    """The order's request once it is in one of the states."""
    async with asyncio.timeout(20):
        while (now := await house.market.approval(order)).state not in states:
            await asyncio.sleep(0.01)
    return now


async def as_it_was(house: House, approval: Approval) -> Approval:
    """The same request now, whether the order has a newer one or not."""
    name = f"approval:{approval.id}"
    found = load(Approval, (await house.market.store.read(house.market.shelf, name))[name])
    assert found
    return found


async def asked_anew(house: House, order: Order, before: Approval) -> Approval:
    """The request that took the place of `before`."""
    async with asyncio.timeout(20):
        while (now := await house.market.approval(order)).id == before.id:
            await asyncio.sleep(0.01)
    return now


async def ask_for(house: House, order: Order, ship_to: dict[str, str]) -> None:
    """The minor sends the request with this address."""
    now = await house.market.orders.load(order.id)
    wanted = Checkout(ship_to, None, now.total, now.currency)
    await house.market.orders.checkout(house.market.buyer("mia"), order.id, wanted)


async def lapse(house: House, order: Order) -> None:
    """The hold is over, and what was held is free again."""
    await house.age(f"order:{order.id}", Order, "reserved_until")
    await house.market.orders.expire(order.id)


async def code_of(work: object) -> str:
    """Why it is refused."""
    with pytest.raises(Refusal) as refused:
        await work  # type: ignore[misc]
    return refused.value.code


async def test_a_raised_price_is_asked_anew(house: House) -> None:
    """The old consent is refused as superseded; the new request names the new price, holds no longer, and can be paid."""
    async with house.market.running():
        order, before = await house.asked()
        await house.market.reprice(house.market.offers[0], 1500)
        now = await asked_anew(house, order, before)
        assert (now.total, now.held_until, now.since) == (1500, before.held_until, before.since)
        assert await code_of(house.approve(before)) == "superseded"
        assert (await as_it_was(house, before)).state == "superseded"
        assert await counter(house, "requests") == 1
        await house.approve(now)
        await house.market.state(order, "paid")
    assert house.market.provider.captured == {order.id: 1500}


async def test_a_lower_price_keeps_the_request(house: House) -> None:
    """What was asked stays asked, and consent to it counts."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.market.reprice(house.market.offers[0], 500)
        await house.approve(approval)
        await house.market.state(order, "paid")
    assert house.market.provider.captured == {order.id: approval.total}


async def test_another_address_is_asked_anew(house: House) -> None:
    """A minor who sends the request again for another address supersedes it; the same address again changes nothing."""
    order, before = await house.asked()
    await ask_for(house, order, SHIP_TO)
    assert (await house.market.approval(order)).id == before.id
    await ask_for(house, order, ELSEWHERE)
    now = await house.market.approval(order)
    assert (now.id != before.id, now.digest != before.digest, now.since) == (True, True, before.since)
    assert await code_of(house.approve(before)) == "superseded"
    assert await counter(house, "requests") == 1
    assert (await house.market.orders.load(order.id)).reserved_until == order.reserved_until


async def test_nothing_changes_once_it_is_approved(house: House) -> None:
    """The minor cannot send another address after consent, and a raised price comes too late."""
    order, approval = await house.asked()
    await house.approve(approval)
    assert await code_of(ask_for(house, order, ELSEWHERE)) == "conflict"
    await house.market.reprice(house.market.offers[0], 1500)
    async with house.market.running():
        await house.market.state(order, "paid")
    assert house.market.provider.captured == {order.id: approval.total}


async def test_new_terms_are_asked_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked under old terms cannot be agreed to; the same order is asked again under the new ones."""
    async with house.market.running():
        order, before = await house.asked()
        monkeypatch.setattr(model, "TERMS_VERSION", "later")
        assert await code_of(house.approve(before)) == "superseded"
        now = await asked_anew(house, order, before)
        assert (now.terms, now.total, now.digest != before.digest) == ("later", before.total, True)
        await house.approve(now)
        await house.market.state(order, "paid")


async def test_18th_birthday_during_the_request(house: House) -> None:
    """The now-adult buys it alone, held or lapsed; no guardian decides any more, and nothing is asked for."""
    async with house.market.running():
        for held in (True, False):
            order, approval = await house.asked()
            if not held:
                await lapse(house, order)
            house.market.people.bands = {}
            await house.market.check_out(await house.market.orders.load(order.id), "pm_ok")
            await house.market.state(order, "paid")
            house.market.people.bands = {"mia": "14-15"}
            payment = await house.market.orders.payment(order)
            assert payment
            assert (payment.payer, house.market.provider.captured[order.id]) == ("mia", approval.total)
            assert (await as_it_was(house, approval)).state == "cancelled"
            assert await code_of(house.approve(approval)) == "conflict"
            assert await counter(house, "requests") == 0


async def test_a_guardian_does_not_decide_for_an_adult(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the birthday on consent is refused, whoever gives it."""
    _, approval = await house.asked()
    monkeypatch.setitem(PEOPLE, "mia", (True, True))
    assert await code_of(house.approve(approval)) == "forbidden"


async def test_revoked_before_the_payment_begins(house: House) -> None:
    """Nothing was charged, the units are back, nobody can approve any more."""
    order, approval = await house.asked()
    await house.approve(approval)
    assert (await house.guardians.revoke(house.actor("gero"), approval.id)).state == "revoked"
    async with house.market.running():
        end = await house.market.state(order, "cancelled")
    assert (end.reason, house.market.provider.captured) == ("revoked", {})
    assert (await counter(house, "free"), await counter(house, "requests")) == (20, 0)
    assert await code_of(house.approve(approval)) == "conflict"


async def test_revoked_at_the_bank(house: House) -> None:
    """While the guardian is at 3-D Secure the authorisation is voided; a late yes at the bank takes no money."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.guardians.approve(house.actor("gita"), approval.id, approval.digest, "pm_3ds")
        async with asyncio.timeout(20):
            while (payment := await house.market.orders.payment(order)) is None or payment.state != "requires_action":
                await asyncio.sleep(0.01)
        await house.guardians.revoke(house.actor("gita"), approval.id)
        await house.market.state(order, "cancelled")
        house.market.provider.passed_3ds(payment.provider_id)
        await house.market.payments.go_on(order.id)
        async with asyncio.timeout(20):
            while payment.provider_id not in house.market.provider.voided:
                await asyncio.sleep(0.01)
    assert house.market.provider.captured == {}
    assert await counter(house, "free") == 20


async def test_revoking_what_is_paid_is_a_withdrawal(house: House) -> None:
    """It answers so, naming the order, and the order stays paid."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.approve(approval)
        await house.market.state(order, "paid")
    with pytest.raises(Refusal) as refused:
        await house.guardians.revoke(house.actor("gita"), approval.id)
    assert refused.value.errors == [{"state": "consumed", "withdraw": order.id}]
    assert (await house.market.orders.load(order.id)).state == "paid"


async def test_revoke_against_capture(house: House) -> None:
    """Ten races: either the money is taken and revoking was refused, or it was not and the order is cancelled."""
    async with house.market.running():
        for _ in range(10):
            order, approval = await house.asked()
            await house.approve(approval)
            try:
                await house.guardians.revoke(house.actor("gita"), approval.id)
            except Refusal:
                end = await house.market.state(order, "paid")
            else:
                end = await house.market.state(order, "cancelled")
            assert house.market.provider.captured.get(order.id, 0) == (order.total if end.state == "paid" else 0)


async def test_expiry_while_paying(house: House) -> None:
    """Its half hour is over while the guardian is at the bank: voided, units back, one end."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.guardians.approve(house.actor("gita"), approval.id, approval.digest, "pm_3ds")
        async with asyncio.timeout(20):
            while (payment := await house.market.orders.payment(order)) is None or payment.state != "requires_action":
                await asyncio.sleep(0.01)
        await house.age(f"approval:{approval.id}", Approval, "pay_until")
        await asyncio.gather(house.guardians.run_out(approval.id), house.guardians.run_out(approval.id))
        end = await house.market.state(order, "expired")
    assert (end.reason, (await house.market.approval(order)).state) == ("lapsed", "lapsed")
    assert house.market.provider.captured == {}
    assert await counter(house, "free") == 20


async def test_a_declined_card_ends_the_consent(house: House) -> None:
    """The order has failed to be paid, and nothing is left that could pay it later."""
    async with house.market.running():
        order, approval = await house.asked()
        await house.guardians.approve(house.actor("gita"), approval.id, approval.digest, "pm_declined")
        await house.market.state(order, "payment_failed")
    assert (await house.market.approval(order)).state == "lapsed"
    assert await counter(house, "free") == 20


async def test_a_bank_that_says_yes_after_the_capture_failed(house: House) -> None:
    """A consent is good for one capture: what is authorised again, before the order has heard of the failure, is let go of."""
    market, shelf = house.market, house.market.shelf
    rooms = (market.payments, market.reactions, market.requests)
    acts = Reactions(one for room in rooms for one in room.reactions())
    order, approval = await house.asked()
    await house.guardians.approve(house.actor("gita"), approval.id, approval.digest, "pm_late_decline")

    async def hears(*states: str) -> None:
        """The readers, for as long as something happens; of what is in these states they hear later."""
        seq = 0
        while entries := await read_log(market.store, shelf, seq):
            for event in [event for entry in entries for event in entry.fields()["events"] if event.get("state") not in states]:
                for act in acts.to(event):
                    await act(shelf, event)
            seq = entries[-1].seq

    await hears("failed")
    payment = await market.orders.payment(order)
    assert payment
    assert (payment.state, (await market.approval(order)).state) == ("failed", "consumed")
    market.provider.passed_3ds(payment.provider_id)
    for act in acts.to({"type": "payment_check", "order": order.id}):
        await act(shelf, {"type": "payment_check", "order": order.id})
    await hears("failed")
    await hears()
    assert (await market.orders.load(order.id)).state == "payment_failed"
    assert (market.provider.captured, market.provider.outstanding()) == ({}, [])
    assert await counter(house, "free") == 20


async def test_a_hold_is_extended_once_by_a_guardian(house: House) -> None:
    """The order's hold follows; a minor, a stranger or a second time: refused."""
    async with house.market.running():
        order, approval = await house.asked()
        held = (await house.market.orders.load(order.id)).reserved_until
        for who in ("mia", "stranger"):
            assert await code_of(house.guardians.extend(house.actor(who), approval.id)) == "not_found"
        await house.guardians.extend(house.actor("gita"), approval.id)
        async with asyncio.timeout(20):
            while (now := await house.market.orders.load(order.id)).reserved_until == held:
                await asyncio.sleep(0.01)
        assert now.reserved_until == held + model.HOLD_MS
        assert await code_of(house.guardians.extend(house.actor("gero"), approval.id)) == "conflict"


async def test_units_are_fetched_from_the_shop(house: House) -> None:
    """The hold is over and the show sold out: the shop's shelf has one more, which comes for this order alone."""
    async with house.market.running():
        order, approval = await house.asked()
        await lapse(house, order)
        await house.market.hold("ann", (0, 20))
        await house.market.waiting.join(house.market.buyer("bob"), house.market.offers[0], 1)
        product = order.lines[0].product
        await house.market.store.commit(Decision("shop:demo", counters=(Counter(f"free:{product}", 1),)))
        await house.approve(approval)
        await house.market.state(order, "paid")
    assert (await house.market.store.counters("shop:demo", f"free:{product}")) == {f"free:{product}": 0}
    assert (await counter(house, "loaded"), await counter(house, "claimed")) == (21, 1)


async def test_a_request_outlives_its_show(house: House) -> None:
    """The show is over and its units are back in the shop: approval fetches one of them."""
    shelf = house.market.shelf
    async with house.market.running():
        order, approval = await house.asked()
        await lapse(house, order)
        await house.market.shows.move(HOST, shelf.removeprefix("show:"), "end")
        async with asyncio.timeout(20):
            while await counter(house, "free"):
                await asyncio.sleep(0.01)
        await house.approve(approval)
        await house.market.state(order, "paid")
    product = f"free:{order.lines[0].product}"
    assert (await house.market.store.counters("shop:demo", product)) == {product: 19}


async def test_a_product_withdrawn_is_void(house: House) -> None:
    """The shop no longer has it in its catalogue: nothing is fetched, nothing is charged."""
    async with house.market.running():
        order, approval = await house.asked()
        await lapse(house, order)
        await house.market.hold("ann", (0, 20))
        product = order.lines[0].product
        house.market.removed.add(product)
        await house.market.store.commit(Decision("shop:demo", counters=(Counter(f"free:{product}", 5),)))
        await house.approve(approval)
        await house.market.state(order, "cancelled")
    assert (await house.market.approval(order)).state == "void"
    assert (await house.market.store.counters("shop:demo", f"free:{product}")) == {f"free:{product}": 5}
    assert house.market.provider.captured == {}
