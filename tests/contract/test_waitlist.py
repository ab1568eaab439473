"""Waiting lists over HTTP: several buyers, one offer, one unit."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

from tests.contract.test_accounts import problem
from tests.contract.test_hub import join, until_event, welcome
from tests.support.system import Api, System, until


def sold_out(system: System, title: str, **offer: Any) -> tuple[str, str, dict[str, Any]]:
    """A show's id, its offer, of which the demo's adult holds all there are, and that order."""
    show = system.new_show(title, {"quantity": 1, **offer})
    named = show["offers"][0]["id"]
    held = system.api("adult").hold(show["id"], named, offer.get("quantity", 1))
    assert held.status == 201
    return show["id"], named, held.body


def buyer(system: System, **account: str) -> Api:
    """Somebody new."""
    return system.api(system.new_buyer(**account)[1])


def line(api: Api, offer: str) -> dict[str, Any]:
    """Where someone stands."""
    found: dict[str, Any] = api.did("GET", f"/offers/{offer}/waitlist")
    return found


def offered(api: Api, offer: str) -> dict[str, Any]:
    """The same, once it is their turn."""
    return until(lambda: now if (now := line(api, offer))["state"] == "offered" else None, "their turn")


def verified(system: System, show: str) -> None:
    """`show verify` finds nothing."""
    done = system.cli("show", "verify", show)
    assert done.returncode == 0, done.stdout + done.stderr


def test_units_that_come_free_go_to_the_line(system: System) -> None:
    """In the order of joining, for five minutes each, while others see nothing left; nobody passes."""
    show, offer, held = sold_out(system, "Line")
    first, second, outside = (buyer(system) for _ in range(3))
    path = f"/offers/{offer}/waitlist"
    joined = first.post(path)
    assert (joined.status, joined["state"], joined["place"], joined["waiting"]) == (201, "waiting", 1, 1)
    assert (joined["offer"], joined["quantity"], joined["until"]) == (offer, 1, None)
    assert second.did("POST", path, {"quantity": 1})["place"] == 2
    assert first.did("POST", path)["place"] == 1  # the place it has
    system.api("adult").did("POST", f"/orders/{held['id']}/cancel")
    turn = offered(first, offer)
    left = datetime.datetime.fromisoformat(turn["until"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=3) < left <= datetime.timedelta(minutes=5)
    assert system.left(show, offer) == 0
    verified(system, show)
    for passing in (outside, second):
        answer = problem(passing.post(f"/shows/{show}/orders", {"lines": [{"offer": offer, "quantity": 1}]}), 409, "sold_out")
        assert answer["errors"][0]["left"] == 0
    order = first.hold(show, offer)
    assert order.status == 201
    first.check_out(order.body)
    assert first.did("GET", f"/orders/{order['id']}")["state"] in {"awaiting_payment", "paid"}
    assert (line(first, offer)["state"], line(second, offer)["place"]) == ("none", 1)
    verified(system, show)


def test_leaving_passes_the_units_on(system: System) -> None:
    """Who declines, or leaves before its turn, makes room; doing it twice is harmless."""
    _, offer, held = sold_out(system, "Leave")
    people = [buyer(system) for _ in range(3)]
    path = f"/offers/{offer}/waitlist"
    for one in people:
        one.did("POST", path)
    assert people[1].did("DELETE", path)["state"] == "none"
    assert line(people[2], offer)["place"] == 2
    system.api("adult").did("POST", f"/orders/{held['id']}/cancel")
    offered(people[0], offer)
    for _ in range(2):
        assert people[0].did("DELETE", path)["state"] == "none"
    offered(people[2], offer)
    assert line(people[1], offer)["state"] == "none"


def test_where_there_is_no_line(system: System) -> None:
    """Units left, more than the limit, no such offer, not signed in: each is said."""
    show = system.new_show("None", {"quantity": 2, "per_buyer_limit": 2})
    offer = show["offers"][0]["id"]
    path = f"/offers/{offer}/waitlist"
    one = buyer(system)
    problem(one.post(path), 409, "conflict")
    assert system.api("adult").hold(show["id"], offer, 2).status == 201
    problem(one.post(path, {"quantity": 3}), 409, "limit_reached")
    problem(one.post(path, {"quantity": 0}), 422, "invalid")
    problem(one.post(path, {"quantiti": 1}), 422, "invalid")
    problem(one.post("/offers/of_snosuchshow_0000000000000000/waitlist"), 404, "not_found")
    problem(one.get("/offers/nonsense/waitlist"), 404, "not_found")
    problem(system.anyone.post(path), 401, "unauthenticated")
    assert line(one, offer) == {"offer": offer, "state": "none", "quantity": 0, "place": None, "waiting": 0, "until": None}


def test_the_host_chooses_first_paid_first_served(system: System) -> None:
    """`PATCH /shows/{show}` by its host only: the line is dissolved and units that come free are anybody's."""
    show, offer, held = sold_out(system, "First")
    one, other = buyer(system), buyer(system)
    one.did("POST", f"/offers/{offer}/waitlist")
    problem(other.call("PATCH", f"/shows/{show}", {"waitlist": "first_paid"}), 403, "forbidden")
    problem(system.api("host").call("PATCH", f"/shows/{show}", {"waitlist": "lottery"}), 422, "invalid")
    assert system.api("host").did("PATCH", f"/shows/{show}", {"waitlist": "first_paid"})["waitlist"] == "first_paid"
    until(lambda: line(one, offer)["state"] == "none", "the line to be dissolved")
    problem(other.post(f"/offers/{offer}/waitlist"), 409, "conflict")
    system.api("adult").did("POST", f"/orders/{held['id']}/cancel")
    assert other.hold(show, offer).status == 201
    verified(system, show)


def test_a_minor_in_line(system: System) -> None:
    """Its turn leads to the same request to its guardian as any order of a minor."""
    show, offer, held = sold_out(system, "Young")
    minor = system.api("minor")
    assert minor.did("POST", f"/offers/{offer}/waitlist")["place"] == 1
    system.api("adult").did("POST", f"/orders/{held['id']}/cancel")
    offered(minor, offer)
    order = minor.hold(show, offer)
    assert minor.check_out(order.body, None)["state"] == "awaiting_guardian"


def test_the_end_of_the_show(system: System) -> None:
    """Nobody is in line any more, and the unit offered goes back to the shop."""
    show, offer, held = sold_out(system, "Ends")
    one, other = buyer(system), buyer(system)
    for api in (one, other):
        api.did("POST", f"/offers/{offer}/waitlist")
    product = next(x for x in system.anyone.did("GET", f"/shows/{show}")["offers"] if x["id"] == offer)["product"]
    system.api("adult").did("POST", f"/orders/{held['id']}/cancel")
    offered(one, offer)
    before = system.api("host").did("GET", f"/products/{product}")["quantity"]
    system.api("host").did("POST", f"/shows/{show}/end")
    for api in (one, other):
        until(lambda api=api: line(api, offer)["state"] == "none", "the line to be gone")  # type: ignore[misc]
    until(lambda: system.api("host").did("GET", f"/products/{product}")["quantity"] == before + 1, "the unit back in the shop")
    problem(one.post(f"/offers/{offer}/waitlist"), 409, "show_not_live")
    verified(system, show)


async def test_only_the_one_whose_turn_it_is_is_told(system: System) -> None:
    """A `notice` to its owner over the hub, with the time; nobody else hears of it."""
    show, offer, held = await asyncio.to_thread(sold_out, system, "Told in line")
    one = await asyncio.to_thread(buyer, system)
    await asyncio.to_thread(one.did, "POST", f"/offers/{offer}/waitlist")
    async with await join(one, show) as owner, await join(system.anyone, show) as stranger:
        await welcome(owner)
        await welcome(stranger)
        await asyncio.to_thread(system.api("adult").did, "POST", f"/orders/{held['id']}/cancel")
        told = await until_event(owner, "notice", state="offered")
        assert (told["about"], told["offer"], told["quantity"], told["personal"]) == ("waitlist", offer, 1, True)
        assert told["until"]
        await asyncio.to_thread(one.did, "POST", f"/shows/{show}/chat", {"text": "mark"})
        seen = await until_event(stranger, "chat", text="mark")
        assert seen["seq"] > told["seq"]
    account = one.did("GET", "/me")["id"]
    assert account not in str(system.anyone.did("GET", f"/shows/{show}"))
