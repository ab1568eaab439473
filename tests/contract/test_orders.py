"""Orders over HTTP: holding, paying, refusals, idempotency."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from tests.contract.test_accounts import problem
from tests.support.system import Reply, System, until


def order_state(system: System, who: str, order: str, *wanted: str) -> dict[str, Any]:
    """The order once it is in one of these states."""

    def look() -> dict[str, Any] | None:
        found = system.api(who).did("GET", f"/orders/{order}")
        return found if found["state"] in wanted else None

    return until(look, f"order {order} to be {wanted}")


def test_an_order_from_hold_to_paid(system: System) -> None:
    """201 `held` with total and time, units gone at once; checkout pays; the order reads the same everywhere."""
    show = system.new_show("Buy", {"quantity": 5, "amount": 1999})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    held = buyer.hold(show["id"], offer, 2)
    assert (held.status, held["state"]) == (201, "held")
    assert held["total"] == {"amount": 3998, "currency": "EUR"}
    assert {"id", "state", "lines", "total", "reserved_until", "version"} <= set(held.body)
    until(lambda: system.left(show["id"], offer) == 3, "three left")
    done = buyer.check_out(held.body)
    assert done.status == 200
    assert done["state"] in {"paid", "awaiting_payment"}
    paid = order_state(system, "adult", held["id"], "paid")
    assert paid["version"] > held["version"]
    assert paid["lines"] == held["lines"]
    listed = until(
        lambda: [one for one in buyer.did("GET", "/orders")["items"] if one["id"] == held["id"]], "the order listed"
    )
    assert listed[0]["state"] == "paid"
    since = until(lambda: buyer.did("GET", "/orders")["items"][0].get("updated_at"), "since when it is paid")
    assert since >= listed[0]["held_at"]
    figures = system.api("host").did("GET", f"/shows/{show['id']}")
    assert figures["revenue"]["amount"] == 3998
    assert figures["orders"] == {"paid": 1}


def test_an_order_is_its_buyers_alone(system: System) -> None:
    """Nobody else sees, pays or cancels it."""
    show = system.new_show("Alone", {"quantity": 2})
    held = system.api("adult").hold(show["id"], show["offers"][0]["id"])
    _, email = system.new_buyer()
    for stranger in (system.api(email), system.api("guardian")):
        assert stranger.get(f"/orders/{held['id']}").status == 404
        assert stranger.post(f"/orders/{held['id']}/cancel").status in {403, 404}
        assert stranger.check_out(held.body).status in {403, 404}
    assert system.api("adult").did("GET", f"/orders/{held['id']}")["state"] == "held"


def test_sold_out_names_every_short_line(system: System) -> None:
    """409 `sold_out` with an entry for each line that does not fit and what is left; nothing is held."""
    show = system.new_show("Short", {"quantity": 1}, {"quantity": 2}, {"quantity": 9})
    a, b, c = (offer["id"] for offer in show["offers"])
    lines = [{"offer": a, "quantity": 2}, {"offer": b, "quantity": 3}, {"offer": c, "quantity": 1}]
    answer = problem(system.api("adult").post(f"/shows/{show['id']}/orders", {"lines": lines}), 409, "sold_out")
    assert {one["offer"]: one["left"] for one in answer["errors"]} == {a: 1, b: 2}
    assert [system.left(show["id"], offer) for offer in (a, b, c)] == [1, 2, 9]


def test_the_last_unit_is_sold_once(system: System) -> None:
    """Twelve buyers at once for three units: three are held, nine are told sold out."""
    show = system.new_show("Rush", {"quantity": 3})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    answers: list[Reply] = []
    buyers = [threading.Thread(target=lambda: answers.append(buyer.hold(show["id"], offer))) for _ in range(12)]
    for one in buyers:
        one.start()
    for one in buyers:
        one.join()
    assert Counter(answer.status for answer in answers) == {201: 3, 409: 9}
    assert {answer.code for answer in answers if answer.status == 409} == {"sold_out"}
    assert system.left(show["id"], offer) == 0


def test_price_changed_is_said(system: System) -> None:
    """A line that names another price than today's is refused with today's price; without a price it is held."""
    show = system.new_show("Price", {"quantity": 4, "amount": 1000})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    system.api("host").did("PATCH", f"/shows/{show['id']}/offers/{offer}", {"price": {"amount": 1100, "currency": "EUR"}})
    line = {"offer": offer, "quantity": 1, "price": {"amount": 1000, "currency": "EUR"}}
    answer = problem(buyer.post(f"/shows/{show['id']}/orders", {"lines": [line]}), 409, "price_changed")
    assert answer["errors"][0]["offer"] == offer
    assert "1100" in str(answer["errors"])
    assert system.left(show["id"], offer) == 4
    held = buyer.hold(show["id"], offer)
    total = {"amount": 1, "currency": "EUR"}
    problem(buyer.check_out(held.body | {"total": total}), 409, "price_changed")


def test_the_limit_per_buyer(system: System) -> None:
    """Beyond `per_buyer_limit` is `limit_reached`, over several orders too; cancelling frees it."""
    show = system.new_show("Limit", {"quantity": 9, "per_buyer_limit": 2})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    problem(buyer.hold(show["id"], offer, 3), 409, "limit_reached")
    first = buyer.hold(show["id"], offer, 2)
    assert first.status == 201
    problem(buyer.hold(show["id"], offer), 409, "limit_reached")
    assert buyer.did("POST", f"/orders/{first['id']}/cancel")["state"] == "cancelled"
    until(lambda: system.left(show["id"], offer) == 9, "the units back")
    assert buyer.hold(show["id"], offer).status == 201


def test_a_show_that_is_not_live_sells_nothing(system: System) -> None:
    """A draft and an ended show are `show_not_live`."""
    show = system.new_show("Still", {"quantity": 2}, start=False)
    offer = show["offers"][0]["id"]
    problem(system.api("adult").hold(show["id"], offer), 409, "show_not_live")
    host = system.api("host")
    host.did("POST", f"/shows/{show['id']}/start")
    assert system.api("adult").hold(show["id"], offer).status == 201
    host.did("POST", f"/shows/{show['id']}/end")
    problem(system.api("adult").hold(show["id"], offer), 409, "show_not_live")


def test_orders_that_make_no_sense(system: System) -> None:
    """No lines, nothing of something, another show's offer, no key, no account: each has its answer."""
    show = system.new_show("Sense", {"quantity": 2})
    other = system.new_show("Other", {"quantity": 2})
    path = f"/shows/{show['id']}/orders"
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    problem(buyer.post(path, {"lines": []}), 422, "invalid")
    for quantity in (0, -1, 1.5, "2"):
        problem(buyer.post(path, {"lines": [{"offer": offer, "quantity": quantity}]}), 422, "invalid")
    problem(buyer.hold(show["id"], other["offers"][0]["id"]), 404, "not_found")
    problem(system.anyone.hold(show["id"], offer), 401, "unauthenticated")
    assert system.left(show["id"], offer) == 2


@pytest.mark.parametrize(("token", "ends"), [("pm_declined", "payment_failed"), ("pm_late_decline", "payment_failed")])
def test_a_declined_card_gives_the_units_back(system: System, token: str, ends: str) -> None:
    """A payment that fails ends the order and frees what it held."""
    show = system.new_show("Declined", {"quantity": 2})
    offer = show["offers"][0]["id"]
    held = system.api("adult").hold(show["id"], offer)
    system.api("adult").check_out(held.body, token)
    order_state(system, "adult", held["id"], ends)
    until(lambda: system.left(show["id"], offer) == 2, "the unit back")


def test_3d_secure_says_where_to_go(system: System) -> None:
    """`pm_3ds` answers `awaiting_payment` with an address at the bank."""
    show = system.new_show("Bank", {"quantity": 2})
    held = system.api("adult").hold(show["id"], show["offers"][0]["id"])
    done = system.api("adult").check_out(held.body, "pm_3ds")
    assert done["state"] == "awaiting_payment"
    found = until(lambda: system.api("adult").did("GET", f"/orders/{held['id']}").get("next"), "the bank's address")
    assert found["redirect_url"].startswith("http")


def test_an_adult_has_to_pay(system: System) -> None:
    """Checkout without payment, or with an address that is none, is invalid and changes nothing."""
    show = system.new_show("Pay", {"quantity": 2})
    held = system.api("adult").hold(show["id"], show["offers"][0]["id"])
    problem(system.api("adult").check_out(held.body, None), 422, "invalid")
    body = {"ship_to": {"name": "A"}, "price_total": held["total"], "payment": {"method": "card", "token": "pm_ok"}}
    problem(system.api("adult").post(f"/orders/{held['id']}/checkout", body), 422, "invalid")
    assert system.api("adult").did("GET", f"/orders/{held['id']}")["state"] == "held"


def test_cancelling_what_is_over(system: System) -> None:
    """A cancelled order cannot be paid, a paid one cannot be cancelled."""
    show = system.new_show("Over", {"quantity": 3})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    gone = buyer.hold(show["id"], offer)
    buyer.did("POST", f"/orders/{gone['id']}/cancel")
    assert buyer.check_out(gone.body).status == 409
    kept = buyer.hold(show["id"], offer)
    buyer.check_out(kept.body)
    order_state(system, "adult", kept["id"], "paid")
    assert buyer.post(f"/orders/{kept['id']}/cancel").status == 409
    assert buyer.did("GET", f"/orders/{kept['id']}")["state"] == "paid"


def test_the_same_key_gives_the_same_answer(system: System) -> None:
    """A repeated call is answered byte for byte as the first, and happens once; another body is 422."""
    show = system.new_show("Again", {"quantity": 5})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    first, second = (buyer.hold(show["id"], offer, key="one-key!") for _ in range(2))
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 201
    assert system.left(show["id"], offer) == 4
    problem(buyer.hold(show["id"], offer, 2, key="one-key!"), 422, "idempotency_key_reused")
    _, email = system.new_buyer()
    assert system.api(email).hold(show["id"], offer, key="one-key!")["id"] != first["id"]


def test_a_refusal_is_repeated_too(system: System) -> None:
    """Sold out under a key stays sold out under that key, even when units come back."""
    show = system.new_show("Refused", {"quantity": 1})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    kept = buyer.hold(show["id"], offer)
    problem(buyer.hold(show["id"], offer, key="late"), 409, "sold_out")
    buyer.did("POST", f"/orders/{kept['id']}/cancel")
    until(lambda: system.left(show["id"], offer) == 1, "the unit back")
    problem(buyer.hold(show["id"], offer, key="late"), 409, "sold_out")


def test_repeating_a_checkout(system: System) -> None:
    """The same checkout under one key is charged once and answered alike."""
    show = system.new_show("Twice", {"quantity": 2, "amount": 700})
    buyer = system.api("adult")
    held = buyer.hold(show["id"], show["offers"][0]["id"]).body
    first, second = (buyer.check_out(held, key=f"pay-{held['id']}") for _ in range(2))
    assert (first.status, first.body) == (second.status, second.body)
    order_state(system, "adult", held["id"], "paid")
    until(lambda: system.api("host").did("GET", f"/shows/{show['id']}")["revenue"]["amount"] == 700, "charged once")


@pytest.mark.parametrize("key", ["x" * 256, "tab\there"])
def test_keys_that_are_none(system: System, key: str) -> None:
    """An Idempotency-Key is 1–255 printable ASCII characters."""
    show = system.demo_show()
    problem(system.api("adult").hold(show["id"], show["offers"][0]["id"], key=key), 422, "invalid")
