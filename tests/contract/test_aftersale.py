"""After the sale over HTTP: shipments, refunds, the two steps of a withdrawal, a shop's orders."""

from __future__ import annotations

import re
from typing import Any

from tests.contract.test_accounts import problem
from tests.contract.test_guardians import request_of
from tests.contract.test_orders import order_state
from tests.support.system import CARD, System, until


def bought(system: System, title: str, quantity: int = 2, amount: int = 1000) -> tuple[dict[str, Any], str, str]:
    """(paid order, show, offer): the demo's adult has bought some of a new show's only offer."""
    show = system.new_show(title, {"quantity": 20, "amount": amount})
    offer = show["offers"][0]["id"]
    buyer = system.api("adult")
    held = buyer.hold(show["id"], offer, quantity).body
    buyer.check_out(held)
    return order_state(system, "adult", held["id"], "paid"), show["id"], offer


def test_shipping_in_parts(system: System) -> None:
    """`paid` until everything has left, then `shipped`; carrier, tracking and the end of the period are told."""
    order, _, offer = bought(system, "Ship")
    path, host = f"/orders/{order['id']}/shipments", system.api("host")
    assert order["withdrawal_until"] is None
    assert order["to_send"] == [{"offer": offer, "quantity": 2}]
    part = host.did("POST", path, {"lines": [{"offer": offer, "quantity": 1}], "carrier": "Post", "tracking": "1Z"})
    assert (part["state"], part["shipments"][0]["tracking"]) == ("paid", "1Z")
    done = host.did("POST", path, {})
    assert (done["state"], done["to_send"]) == ("shipped", [])
    assert done["version"] > part["version"] > order["version"]
    seen = system.api("adult").did("GET", f"/orders/{order['id']}")
    assert [one["lines"][0]["quantity"] for one in seen["shipments"]] == [1, 1]
    assert seen["withdrawal_until"] > seen["shipments"][1]["at"]
    problem(host.post(path, {}), 409, "limit_reached")


def test_refunding_everything(system: System) -> None:
    """The money is back, the order `refunded`, the units on sale again; a second refund is refused."""
    order, show, offer = bought(system, "Refund")
    path, host = f"/orders/{order['id']}/refunds", system.api("host")
    host.did("POST", path, {"restock": True})
    done = order_state(system, "adult", order["id"], "refunded")
    assert (done["refunded"], done["refunds"][0]["state"]) == ({"amount": 2000, "currency": "EUR"}, "done")
    until(lambda: system.left(show, offer) == 20, "the units on sale again")
    problem(host.post(path, {"restock": True}), 409, "conflict")
    verified = system.cli("show", "verify", show)
    assert verified.returncode == 0, verified.stdout
    assert "refunded 2000" in verified.stdout


def test_refunds_by_amount_and_by_line(system: System) -> None:
    """Parts of it; more than is left is `limit_reached` and says what is left."""
    order, _, offer = bought(system, "Parts")
    path, host = f"/orders/{order['id']}/refunds", system.api("host")
    money = {"amount": 300, "currency": "EUR"}
    assert host.did("POST", path, {"amount": money, "restock": False})["state"] == "paid"
    host.did("POST", path, {"lines": [{"offer": offer, "quantity": 1}], "restock": True})
    refused = problem(host.post(path, {"amount": {**money, "amount": 701}, "restock": False}), 409, "limit_reached")
    assert refused["errors"] == [{"field": "amount", "left": {"amount": 700, "currency": "EUR"}}]
    problem(host.post(path, {"lines": [{"offer": offer, "quantity": 2}], "restock": True}), 409, "limit_reached")
    done = until(lambda: _refunded(system, order["id"], 1300), "both parts back")
    assert done["state"] == "paid"


def _refunded(system: System, order: str, amount: int) -> dict[str, Any] | None:
    found = system.api("adult").did("GET", f"/orders/{order}")
    return found if found["refunded"]["amount"] == amount else None


def test_refunds_that_make_no_sense(system: System) -> None:
    """Nothing said, no money, another currency, no lines, an amount that has no units to restock: invalid, unchanged."""
    order, _, _ = bought(system, "Sense")
    few = {"amount": 5, "currency": "EUR"}
    bodies: list[dict[str, Any]] = [
        {}, {"restock": "yes"}, {"restock": False, "amount": few | {"amount": 0}}, {"restock": True, "lines": []},
        {"restock": False, "amount": few | {"currency": "USD"}}, {"restock": True, "amount": few},
    ]  # fmt: skip
    for body in bodies:
        problem(system.api("host").post(f"/orders/{order['id']}/refunds", body), 422, "invalid")
    assert system.api("adult").did("GET", f"/orders/{order['id']}")["refunds"] == []


def test_the_same_key_refunds_once(system: System) -> None:
    """A repeated call is answered as the first, and money goes back once."""
    order, _, _ = bought(system, "Keyed")
    path, host = f"/orders/{order['id']}/refunds", system.api("host")
    body = {"amount": {"amount": 100, "currency": "EUR"}, "restock": False}
    first, second = (host.post(path, body, key=f"r-{order['id']}") for _ in range(2))
    assert (first.status, first.body) == (second.status, second.body)
    until(lambda: _refunded(system, order["id"], 100), "100 back")
    assert len(system.api("adult").did("GET", f"/orders/{order['id']}")["refunds"]) == 1
    assert host.post(path, body | {"restock": True}, key=f"r-{order['id']}").code == "idempotency_key_reused"


def test_withdrawing_has_two_steps_and_a_receipt(system: System) -> None:
    """Step 1 changes nothing; step 2 gives the receipt at once; the order is `withdrawn` when the money is back."""
    order, show, offer = bought(system, "Withdraw")
    path, buyer = f"/orders/{order['id']}/withdrawal", system.api("adult")
    problem(buyer.post(f"{path}/confirm"), 409, "conflict")
    told = buyer.did("POST", path)
    assert (told["state"], told["withdrawal"]["amount"]) == ("paid", order["total"])
    assert told["withdrawal"]["lines"] == [{"offer": offer, "quantity": 2}]
    assert buyer.did("GET", f"/orders/{order['id']}")["withdrawals"] == []
    done = buyer.did("POST", f"{path}/confirm")
    receipt = done["receipt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", receipt["received_at"])
    assert (receipt["order"], receipt["amount"], receipt["lines"][0]["quantity"]) == (order["id"], order["total"], 2)
    assert receipt["lines"][0]["title"] == order["lines"][0]["title"]
    again = buyer.did("POST", f"{path}/confirm")
    assert again["receipt"] == receipt
    now = order_state(system, "adult", order["id"], "withdrawn")
    assert [{name: one[name] for name in receipt} for one in now["withdrawals"]] == [receipt]
    until(lambda: system.left(show, offer) == 20, "the units on sale again")
    problem(buyer.post(path), 409, "conflict")


def test_part_of_an_order_is_withdrawn(system: System) -> None:
    """One unit of two: its price comes back, the order goes on."""
    order, _, offer = bought(system, "Part")
    buyer = system.api("adult")
    told = buyer.did("POST", f"/orders/{order['id']}/withdrawal", {"lines": [{"offer": offer, "quantity": 1}]})
    assert told["withdrawal"]["amount"]["amount"] == 1000
    buyer.did("POST", f"/orders/{order['id']}/withdrawal/confirm")
    now = until(lambda: _refunded(system, order["id"], 1000), "the unit's price back")
    assert (now["state"], now["to_send"]) == ("paid", [{"offer": offer, "quantity": 1}])


def test_the_guardian_who_approved_may_withdraw(system: System) -> None:
    """And no other guardian; the minor sees the receipt."""
    _, order, approval = request_of(system, "Guardian withdraws")
    guardian = system.api("guardian", fresh=True)
    body = {"digest": approval["digest"], "payment": CARD}
    guardian.did("POST", f"/approvals/{approval['id']}/approve", body)
    order_state(system, "minor", order["id"], "paid")
    path = f"/orders/{order['id']}/withdrawal"
    _, stranger = system.new_buyer(born="1980-01-01", role="guardian")
    problem(system.api(stranger).post(path), 404, "not_found")
    guardian.did("POST", path)
    receipt = guardian.did("POST", f"{path}/confirm")["receipt"]
    now = order_state(system, "minor", order["id"], "withdrawn")
    assert now["withdrawals"][0]["received_at"] == receipt["received_at"]


def test_who_may_do_what_after_a_sale(system: System) -> None:
    """Buyers neither ship nor refund, strangers do nothing, and an unpaid order has no after."""
    order, show, offer = bought(system, "Rights")
    path = f"/orders/{order['id']}"
    for stranger in ("adult", "minor"):
        problem(system.api(stranger).post(f"{path}/shipments", {}), 403, "forbidden")
        problem(system.api(stranger).post(f"{path}/refunds", {"restock": False}), 403, "forbidden")
    _, rival = system.new_buyer(role="host")
    problem(system.api(rival).post(f"{path}/shipments", {}), 404, "not_found")
    problem(system.api(rival).post(f"{path}/refunds", {"restock": False}), 404, "not_found")
    for stranger in (rival, "host", "operator"):
        problem(system.api(stranger).post(f"{path}/withdrawal"), 404, "not_found")
    held = system.api("adult").hold(show, offer)
    for act, body in (("shipments", {}), ("refunds", {"restock": False})):
        problem(system.api("host").post(f"/orders/{held['id']}/{act}", body), 409, "conflict")
    problem(system.api("adult").post(f"/orders/{held['id']}/withdrawal"), 409, "conflict")
    assert system.api("operator").did("POST", f"{path}/shipments", {})["state"] == "shipped"


def test_a_shop_lists_what_it_sold(system: System) -> None:
    """Its host reads where to send what; nobody else does, and no order that is not paid is in it."""
    order, show, offer = bought(system, "Listed")
    held = system.api("adult").hold(show, offer)
    host = system.api("host")

    def listed() -> dict[str, Any] | None:
        items = host.did("GET", "/shops/demo/orders?limit=200")["items"]
        assert held["id"] not in [one["id"] for one in items]
        return next((one for one in items if one["id"] == order["id"]), None)

    found = until(listed, "the order to be listed")
    assert (found["ship_to"]["city"], found["to_send"]) == ("Berlin", [{"offer": offer, "quantity": 2}])
    host.did("POST", f"/orders/{order['id']}/shipments", {})
    until(
        lambda: order["id"] in [one["id"] for one in host.did("GET", "/shops/demo/orders?state=shipped")["items"]],
        "the order to be listed as shipped",
    )
    _, rival = system.new_buyer(role="host")
    problem(system.api(rival).get("/shops/demo/orders"), 404, "not_found")
    problem(system.api("adult").get("/shops/demo/orders"), 403, "forbidden")
    problem(host.get("/shops/demo/orders?state=held"), 422, "invalid")
