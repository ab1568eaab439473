"""§ 108 BGB over HTTP: an order that turns out to be a minor's is stopped, asked about, and goes on or comes back."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.test_accounts import problem
from tests.contract.test_orders import order_state
from tests.contract.test_secrecy import host_reads, metrics
from tests.support.system import System, until

NOTICE = {"born": "2011-05-04", "reason": "guardian_said"}


def bought(system: System, title: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """(show, e-mail, order): somebody who has said that they are of age has paid."""
    show = system.new_show(title, {"quantity": 20, "amount": 900})
    _, email = system.new_buyer(born="1990-01-01")
    order = system.api(email).hold(show["id"], show["offers"][0]["id"]).body
    system.api(email).check_out(order)
    order_state(system, email, order["id"], "paid")
    return show, email, order


def question(system: System, guardian: str, order: str) -> dict[str, Any]:
    """The question about an order, on its guardian's desk."""

    def look() -> dict[str, Any] | None:
        items = system.api(guardian).did("GET", "/approvals")["items"]
        return next((one for one in items if one["order"] == order), None)

    return until(look, "the question to be listed")


def test_minor_who_lied_about_age(system: System) -> None:
    """On notice: marked by an operator alone; the shipment is frozen and its host learns no reason, anywhere; who is named as
    guardian is invited to answer, the next purchase asks first; a no gives the money and the unit back, and the whole is
    verified."""
    show, email, order = bought(system, "Lied")
    offer = show["offers"][0]["id"]
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    path = f"/orders/{order['id']}/minor-buyer"
    for who in ("host", "adult", "guardian"):
        problem(system.api(who).post(path, NOTICE), 403, "forbidden")
    problem(system.api("operator").post(path, NOTICE), 403, "step_up_required")
    operator = system.api("operator", fresh=True)
    nobody = problem(operator.post(path, NOTICE), 422, "invalid")
    assert nobody["errors"][0]["field"] == "guardian_email"
    problem(operator.post(path, NOTICE | {"born": "1990-01-01", "guardian_email": guardian}), 422, "invalid")
    body = NOTICE | {"guardian_email": guardian}
    marked = operator.did("POST", path, body)
    assert (marked["contract"], marked["state"]) == ("floats", "asked")
    assert operator.did("POST", path, body) == marked
    held = problem(system.api("host").post(f"/orders/{order['id']}/shipments"), 409, "on_hold")
    stepped_back = problem(system.api("host").post(f"/orders/{order['id']}/refunds", {"restock": True}), 409, "on_hold")
    again = system.api(email).hold(show["id"], offer).body
    assert system.api(email).check_out(again).status == 403  # as a minor without a guardian yet
    token = invitation(system, guardian)
    ids = [marked["approval"], *(system.api(who).did("GET", "/me")["id"] for who in (email, guardian))]
    system.api(guardian, fresh=True).did("POST", f"/guardians/invitations/{token}/accept")
    asked = question(system, guardian, order["id"])
    open_sinks = host_reads(system, show["id"])
    declined = system.api(guardian).did("POST", f"/approvals/{asked['id']}/decline")
    assert (declined["state"], declined["total"]) == ("refused", order["total"])
    order_state(system, email, order["id"], "refunded")
    until(lambda: system.left(show["id"], offer) == 19, "the unit back")  # the other is held
    sinks = {
        "host's shipment": json.dumps(held.body), "host's refund": json.dumps(stepped_back.body),
        **{f"while open: {name}": text for name, text in open_sinks.items()}, **host_reads(system, show["id"]),
    }  # fmt: skip
    words = (*ids, "minor", "guardian", "approval", "age_band", "contract", "floats", "14-15", "16-17", "§", "under age")
    assert [f"{name}: {one}" for name, text in sinks.items() for one in words if one in text] == []
    assert [one for one in (*ids, "minor-buyer=", "floats") if one in metrics(system)] == []
    logs = {one.name: one.read_text(errors="replace") for one in (system.data / "log").glob("*.log")}
    assert [f"{name}: {one}" for name, text in logs.items() for one in (*ids, NOTICE["born"]) if one in text] == []
    lines = until(lambda: audited(system, order["id"]), "the audit")
    assert lines["contract.floats"]["actor"] == operator.did("GET", "/me")["id"]
    assert lines["contract.floats"]["data"]["reason"] == NOTICE["reason"]
    verified = system.cli("show", "verify", show["id"])
    assert verified.returncode == 0, verified.stdout


def audited(system: System, order: str) -> dict[str, Any] | None:
    """The audit's lines about the contract of an order, by action, once it has ended."""
    items = system.api("operator").did("GET", "/ops/audit?limit=200")["items"]
    found = {one["action"]: one for one in items if one["data"].get("order") == order and one["action"].startswith("contract.")}
    return found if "contract.void" in found else None


def invitation(system: System, guardian: str) -> str:
    """The token that was mailed to whom the operator named."""
    mails = until(lambda: system.anyone.did("GET", f"/dev/mail?to={guardian}")["items"], "the question by mail")
    assert len(mails) == 2  # marked twice, mailed twice: the same link
    (link,) = {link for mail in mails for link in mail["links"] if "#invitation=" in link}
    return str(link.partition("#invitation=")[2])


def test_ratified_after_the_sale(system: System) -> None:
    """By a guardian the operator has checked, with a fresh proof and the digest that was shown: then it is sent."""
    _, email, order = bought(system, "Ratified")
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    system.api("operator", fresh=True).did("POST", f"/orders/{order['id']}/minor-buyer", NOTICE | {"guardian_email": guardian})
    system.link(email, guardian)
    asked = question(system, guardian, order["id"])
    path, body = f"/approvals/{asked['id']}/ratify", {"digest": asked["digest"]}
    problem(system.api(guardian).post(path, body), 403, "step_up_required")
    fresh = system.api(guardian, fresh=True)
    problem(fresh.post(path, {"digest": "0" * 64}), 409, "superseded")
    for other in ("adult", "host", email):
        problem(system.api(other).post(path, body), 404, "not_found")
    assert fresh.did("POST", path, body, key=f"k-{order['id']}")["state"] == "ratified"
    assert fresh.did("POST", path, body, key=f"k-{order['id']}")["state"] == "ratified"
    host = system.api("host")
    sent = until(lambda: (got := host.post(f"/orders/{order['id']}/shipments")).status == 200 and got, "it may be sent")
    assert sent["state"] == "shipped"
    problem(fresh.post(f"/approvals/{asked['id']}/decline"), 409, "conflict")
