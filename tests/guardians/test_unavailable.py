"""What is asked for and cannot be had any more: the request ends by itself while its units are held, each unit back once."""

from __future__ import annotations

import asyncio

import pytest

from livesale.guardians.model import Approval
from livesale.orders.model import Order
from livesale.orders.unavailable import Unavailable, tell_withdrawn
from livesale.store.log import read_log
from livesale.store.record import load
from tests.guardians.house import House, counter
from tests.guardians.test_families import code_of
from tests.support.market import HOST

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing here is about rows


@pytest.fixture
def unavailable(house: House) -> Unavailable:
    """As the worker has it, the list of open requests read off the show's shelf."""
    market = house.market

    async def open_for(product: str) -> list[str]:
        records = await market.store.records(market.shelf)
        found = [load(Approval, row) for name, row in records.items() if name.startswith("approval:")]
        orders = {one.id: load(Order, records[f"order:{one.order}"]) for one in found if one and one.state == "requested"}
        return [one for one, order in orders.items() if order and any(line.product == product for line in order.lines)]

    made = Unavailable(market.store, open_for, market.on_sale)
    market.more = (made,)
    return made


async def withdraw(house: House, order: Order) -> None:
    """The shop's next list does not have it."""
    product = order.lines[0].product
    house.market.removed.add(product)
    await tell_withdrawn(house.market.store, "demo", [product])


async def ended_by(house: House, order: Order, approval: Approval, reason: str) -> None:
    """The order is cancelled for that reason, the request void; nobody can agree, and the unit is back once."""
    after = await house.market.state(order, "cancelled")
    assert (after.reason, (await house.market.approval(order)).state) == (reason, "void")
    assert await code_of(house.approve(approval)) == "conflict"
    assert (await counter(house, "free"), await counter(house, "held"), await counter(house, "requests")) == (20, 0, 0)
    assert house.market.provider.captured == {}


async def test_a_withdrawn_product(house: House, unavailable: Unavailable) -> None:
    """Its units are in the show, too, and nobody has to press anything; told twice at once, it ends once."""
    async with house.market.running():
        order, approval = await house.asked()
        await asyncio.gather(withdraw(house, order), withdraw(house, order))
        await ended_by(house, order, approval, "product_withdrawn")
        await unavailable.look_again("shop:demo", order.lines[0].product)
    entries = await read_log(house.market.store, house.market.shelf, most=1000)
    states = [event["state"] for entry in entries for event in entry.fields()["events"] if event["type"] == "approval_changed"]
    assert states == ["requested", "void"]


async def test_a_product_that_is_back(house: House, unavailable: Unavailable) -> None:
    """Withdrawn by one list and there again in the next, before anybody looked: the request stays."""
    order, approval = await house.asked()
    await unavailable.look_again("shop:demo", order.lines[0].product)
    assert (await house.market.approval(order)).state == "requested"
    async with house.market.running():
        await house.approve(approval)
        await house.market.state(order, "paid")


async def test_a_cancelled_show(house: House, unavailable: Unavailable) -> None:
    """Cancelled, not ended: what is open is void, and nothing can be asked for in it any more."""
    show = house.market.shelf.removeprefix("show:")
    async with house.market.running():
        order, approval = await house.asked()
        held = await house.market.hold("mia", (0, 1))
        await house.market.shows.move(HOST, show, "cancel")
        assert await code_of(house.market.check_out(held)) == "show_not_live"
        after = await house.market.state(order, "cancelled")
        assert (after.reason, (await house.market.approval(order)).state) == ("show_cancelled", "void")
        assert await code_of(house.approve(approval)) == "conflict"
        assert await code_of(house.market.shows.move(HOST, show, "cancel")) == "conflict"
    assert await counter(house, "requests") == 0


async def test_an_ended_show_leaves_time(house: House, unavailable: Unavailable) -> None:
    """A show that has run its course voids nothing."""
    async with house.market.running():
        order, _ = await house.asked()
        await house.market.shows.move(HOST, house.market.shelf.removeprefix("show:"), "end")
        await unavailable.look_again(house.market.shelf, "cancelled")
    assert (await house.market.approval(order)).state == "requested"


async def test_asked_in_that_very_moment(house: House, unavailable: Unavailable) -> None:
    """Made when the first look had passed: the second one, by a mark ten seconds later, ends it, and the mark is gone."""
    market = house.market
    order, approval = await house.asked()
    await withdraw(house, order)
    (mark,) = await market.store.due("shop:demo", "due", 2**50)
    async with market.running():
        await unavailable.look_again("shop:demo", mark.removeprefix("withdrawn:"))
        await ended_by(house, order, approval, "product_withdrawn")
    assert not await market.store.due("shop:demo", "due", 2**50)


async def test_approved_in_that_very_moment(house: House, unavailable: Unavailable) -> None:
    """The yes came before the void: it is void before its payment begins, and nothing is charged."""
    order, approval = await house.asked()
    await house.approve(approval)
    house.market.removed.add(order.lines[0].product)
    async with house.market.running():
        await ended_by(house, order, approval, "product_withdrawn")
