"""When the answer is no, or the store stands still: the page says what is, plainly, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from playwright.async_api import Page, Route, expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import Person
from tests.support.system import Reply, System


async def just_before_ordering(page: Page, happens: Callable[[], object]) -> None:
    """Let something happen between the press of the button and the server's hearing of it."""

    async def meanwhile(route: Route) -> None:
        await asyncio.to_thread(happens)
        await route.continue_()

    await page.route("**/orders", meanwhile, times=1)


async def test_sold_out_is_said(system: System, arrive: Arrive) -> None:
    """Someone was faster: the page says sold out and offers the next best thing; the card says it to all."""
    show = system.new_show("Last one", {"quantity": 1}, {"quantity": 5})
    offer, other = (one["id"] for one in show["offers"])
    late = await arrive("adult", f"/watch/{show['id']}?offer={offer}")
    watcher = await arrive(locale="de-DE")
    await watcher.page.goto(f"/watch/{show['id']}?offer={offer}")
    _, email = system.new_buyer()
    fast = system.api(email)
    await expect(late.page.get_by_test_id("stock-left")).to_have_text("1")
    await just_before_ordering(late.page, lambda: fast.hold(show["id"], offer))
    await late.page.get_by_test_id("buy").click()
    await expect(late.page.get_by_test_id("sold-out")).to_contain_text("Sold out")
    await expect(watcher.page.get_by_test_id("stock-left")).to_have_text("Ausverkauft")
    await late.shoot("sold-out")
    await late.page.get_by_test_id("sold-out").get_by_role("button", name="See ").click()
    await expect(late.page.get_by_test_id("pin-card")).to_have_attribute("data-offer", other)


async def test_fewer_are_left(system: System, arrive: Arrive) -> None:
    """Three wanted, two left: the page offers the two, and takes them."""
    show = system.new_show("Few", {"quantity": 3})
    offer = show["offers"][0]["id"]
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={offer}")
    _, email = system.new_buyer()
    other = system.api(email)
    for _ in range(2):
        await viewer.page.get_by_role("button", name="More").click()
    await just_before_ordering(viewer.page, lambda: other.hold(show["id"], offer))
    await viewer.page.get_by_test_id("buy").click()
    await viewer.page.get_by_role("button", name="Take 2 instead").click()
    await viewer.state_is("held")
    assert system.left(show["id"], offer) == 0


async def test_price_changed_is_said(system: System, arrive: Arrive) -> None:
    """The price went up in between: nothing is held, the page names the new price and holds at it when told to."""
    show = system.new_show("Dearer", {"quantity": 5, "amount": 1000})
    offer = show["offers"][0]["id"]
    viewer = await arrive("adult", f"/watch/{show['id']}?offer={offer}")
    price = {"price": {"amount": 1250, "currency": "EUR"}}
    host = system.api("host")
    await just_before_ordering(viewer.page, lambda: host.did("PATCH", f"/shows/{show['id']}/offers/{offer}", price))
    await viewer.page.get_by_test_id("buy").click()
    said = viewer.page.get_by_test_id("price-changed")
    await expect(said).to_contain_text("12.50")
    assert system.left(show["id"], offer) == 5
    await viewer.shoot("price-changed")
    await said.get_by_role("button", name="12.50").click()
    await viewer.state_is("held")
    assert system.order_in("adult", show["id"])["total"]["amount"] == 1250


async def test_numbers_come_from_the_store(system: System, arrive: Arrive) -> None:
    """While the store stands still no number on the page moves, though the picture does; afterwards all catch up."""
    show = system.demo_show()
    offer = max(show["offers"], key=lambda one: one["left"])["id"]
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{show['id']}?offer={offer}")
    await viewer.moves()
    before = system.left(show["id"], offer)
    await viewer.left_is(before)
    buyer = system.api("adult")
    store = system.pid_of("store")
    os.kill(store, signal.SIGSTOP)
    try:
        buying = asyncio.create_task(asyncio.to_thread(buyer.hold, show["id"], offer, 2))
        await two_seconds_of_picture(viewer)
        assert not buying.done() or buying.result().status == 503
        await viewer.left_is(before)
    finally:
        os.kill(store, signal.SIGCONT)
    answer: Reply = await buying
    if answer.status == 503:
        assert "retry-after" in answer.headers
        answer = await asyncio.to_thread(buyer.hold, show["id"], offer, 2)
    assert answer.status == 201
    await viewer.left_is(before - 2)
    buyer.did("POST", f"/orders/{answer['id']}/cancel")
    await viewer.left_is(before)


async def two_seconds_of_picture(viewer: Person) -> None:
    """Wait until the player has shown two more seconds."""
    at = await viewer.page.evaluate("document.querySelector('[data-testid=player]').currentTime")
    await viewer.holds(f"document.querySelector('[data-testid=player]').currentTime > {at + 2}")


async def test_a_show_that_is_not_there(system: System, arrive: Arrive) -> None:
    """An address without a show, and a show that has ended, are said in words, not left blank."""
    viewer = await arrive()
    await viewer.page.goto("/watch/aaaaaaaaaa")
    await expect(viewer.page.locator("main")).to_contain_text("not", use_inner_text=True)
    ended = system.new_show("Gone", {"quantity": 1})["id"]
    system.api("host").did("POST", f"/shows/{ended}/end")
    await viewer.page.goto(f"/watch/{ended}")
    await expect(viewer.page.locator(".picture")).to_contain_text("This show is over")
    await viewer.shoot("ended")
