"""A minor's request and its guardian's answer over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.test_accounts import problem
from tests.contract.test_orders import order_state
from tests.support.system import CARD, System, until


def request_of(system: System, title: str, quantity: int = 20) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(show, order, approval): the demo's minor has asked for one unit of a new show's only offer."""
    show = system.new_show(title, {"quantity": quantity, "amount": 900})
    minor = system.api("minor")
    held = minor.hold(show["id"], show["offers"][0]["id"])
    assert (held.status, held["state"]) == (201, "held")
    asked = minor.check_out(held.body, None)
    assert (asked.status, asked.body.get("state")) == (200, "awaiting_guardian"), asked.body
    return show, held.body, approval_of(system, held["id"])


def approval_of(system: System, order: str) -> dict[str, Any]:
    """The request behind an order, as its guardian sees it."""

    def look() -> dict[str, Any] | None:
        items = system.api("guardian").did("GET", "/approvals")["items"]
        return next((one for one in items if one["order"] == order), None)

    return until(look, "the request to be listed")


def test_a_request_says_everything(system: System) -> None:
    """Lines, total, payee, ship-to, digest, who asks and until when; the minor sees its own, strangers none."""
    _, order, approval = request_of(system, "Asked")
    assert {"lines", "total", "payee", "ship_to", "digest", "expires_at", "minor_name"} <= set(approval)
    assert approval["total"] == order["total"]
    assert approval["ship_to"]["city"] == "Berlin"
    path = f"/approvals/{approval['id']}"
    assert system.api("minor").did("GET", path)["digest"] == approval["digest"]
    for stranger in ("adult", "host"):
        problem(system.api(stranger).get(path), 404, "not_found")


def test_a_get_decides_nothing(system: System) -> None:
    """GET on approve is 405, for mail scanners and previews too."""
    _, order, approval = request_of(system, "Scanned")
    for caller in (system.anyone, system.api("guardian", fresh=True)):
        problem(caller.get(f"/approvals/{approval['id']}/approve"), 405, "method_not_allowed")
    assert system.api("minor").did("GET", f"/orders/{order['id']}")["state"] == "awaiting_guardian"


def test_approving_needs_a_fresh_guardian(system: System) -> None:
    """Without a step-up 403, by anyone else 403 or 404, with a wrong digest 409; then it is paid, once."""
    _, order, approval = request_of(system, "Approved")
    path = f"/approvals/{approval['id']}/approve"
    body = {"digest": approval["digest"], "payment": CARD}
    stale = system.api("guardian").post(path, body)
    assert stale.status == 403, stale.body
    for other in ("minor", "adult", "host", "operator"):
        assert system.api(other, fresh=True).post(path, body).status in {403, 404}
    guardian = system.api("guardian", fresh=True)
    problem(guardian.post(path, body | {"digest": "0" * 64}), 409, "superseded")
    assert system.api("minor").did("GET", f"/orders/{order['id']}")["state"] == "awaiting_guardian"
    assert guardian.did("POST", path, body, key=f"k-{order['id']}")["state"] in {"approved", "consumed"}
    again = guardian.post(path, body, key=f"k-{order['id']}")
    assert again.status == 200
    order_state(system, "minor", order["id"], "paid")
    assert guardian.post(path, body).status == 409
    assert guardian.post(f"/approvals/{approval['id']}/decline").status == 409


def test_declining_gives_the_unit_back(system: System) -> None:
    """A declined request ends the order, frees the unit and cannot be approved afterwards."""
    show, order, approval = request_of(system, "Declined")
    offer = show["offers"][0]["id"]
    assert system.left(show["id"], offer) == 19
    guardian = system.api("guardian", fresh=True)
    assert guardian.did("POST", f"/approvals/{approval['id']}/decline")["state"] == "declined"
    order_state(system, "minor", order["id"], "declined")
    until(lambda: system.left(show["id"], offer) == 20, "the unit back")
    body = {"digest": approval["digest"], "payment": CARD}
    assert guardian.post(f"/approvals/{approval['id']}/approve", body).status == 409


def test_requests_cannot_hold_all_stock(system: System) -> None:
    """One request per minor and offer; requests hold at most a tenth of the stock."""
    show, _, _ = request_of(system, "Spam")
    minor = system.api("minor")
    more = minor.hold(show["id"], show["offers"][0]["id"])
    if more.status == 201:
        more = minor.check_out(more.body, None)
    problem(more, 409, "limit_reached")


def test_a_minor_without_guardian(system: System) -> None:
    """Without a family link a minor's checkout is refused in words, and nothing is charged."""
    _, email = system.new_buyer(born="2012-06-01")
    show = system.new_show("Nobody", {"quantity": 20})
    held = system.api(email).hold(show["id"], show["offers"][0]["id"])
    refused = system.api(email).check_out(held.body, None)
    assert 400 <= refused.status < 500, refused.body
    assert refused["detail"]
    assert system.api(email).check_out(held.body).status >= 400


def test_a_minor_cannot_pay_alone(system: System) -> None:
    """A minor who sends a card still only asks."""
    show = system.new_show("Card", {"quantity": 20})
    minor = system.api("minor")
    held = minor.hold(show["id"], show["offers"][0]["id"])
    assert minor.check_out(held.body, "pm_ok")["state"] == "awaiting_guardian"


def test_under_seven_buys_nothing(system: System) -> None:
    """Whoever is under seven cannot even ask."""
    _, email = system.new_buyer(born="2022-01-01")
    show = system.new_show("Small", {"quantity": 20})
    held = system.api(email).hold(show["id"], show["offers"][0]["id"])
    answer = system.api(email).check_out(held.body, None) if held.status == 201 else held
    assert 400 <= answer.status < 500


@pytest.mark.parametrize("born", ["2011-05-04"])
def test_a_link_made_by_an_operator_counts_at_once(system: System, born: str) -> None:
    """`guardian link --verified` lets a new guardian approve at once, and is audited."""
    minor_id, minor = system.new_buyer(born=born)
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    assert system.cli("guardian", "link", minor, guardian, "--verified").returncode == 0
    show = system.new_show("Linked", {"quantity": 20})
    held = system.api(minor).hold(show["id"], show["offers"][0]["id"]).body
    assert system.api(minor).check_out(held, None)["state"] == "awaiting_guardian"
    fresh = system.api(guardian, fresh=True)
    found = until(lambda: fresh.did("GET", "/approvals")["items"], "the request")[0]
    fresh.did("POST", f"/approvals/{found['id']}/approve", {"digest": found["digest"], "payment": CARD})
    order_state(system, minor, held["id"], "paid")
    audit = until(
        lambda: [
            one for one in system.api("operator").did("GET", "/ops/audit?limit=200")["items"] if minor_id in str(one)
        ],
        "the audit to name the link",
    )
    assert any("guardian.link" in str(one) for one in audit)


def test_an_age_gate_stays_shut(system: System) -> None:
    """Wine cannot be asked for, whatever a guardian would say; the unit is not kept by a request."""
    host = system.api("host")
    products = host.did("GET", "/products?shop=demo&limit=100")["items"]
    gated = next(one for one in products if one["age_gate"] is not None)
    show = system.new_show("Wine")
    body = {"product": gated["id"], "price": gated["price"], "quantity": 20}
    offer = host.did("POST", f"/shows/{show['id']}/offers", body)["id"]
    minor = system.api("minor")
    held = minor.hold(show["id"], offer)
    problem(minor.check_out(held.body, None) if held.status == 201 else held, 403, "forbidden")
    assert not [one for one in system.api("guardian").did("GET", "/approvals")["items"] if show["id"] in one["order"]]


def test_family_links_are_listed(system: System) -> None:
    """Both sides see the link, with the other's name."""
    for who in ("minor", "guardian"):
        links = system.api(who).did("GET", "/guardians/links")["items"]
        assert any(one["verified"] for one in links)
        assert (links[0]["minor_name"], links[0]["guardian_name"]) == ("Mika Minor", "Gita Guardian")


def test_taking_consent_back_is_for_what_is_not_paid(system: System) -> None:
    """Of an open request and of a paid one it is a conflict; the latter names the order to withdraw from."""
    _, order, approval = request_of(system, "Revoked")
    path = f"/approvals/{approval['id']}"
    guardian = system.api("guardian", fresh=True)
    problem(guardian.post(f"{path}/revoke"), 409, "conflict")
    guardian.did("POST", f"{path}/approve", {"digest": approval["digest"], "payment": CARD})
    order_state(system, "minor", order["id"], "paid")
    late = guardian.post(f"{path}/revoke")
    problem(late, 409, "conflict")
    assert late["errors"] == [{"state": "consumed", "withdraw": order["id"]}]
    for other in ("adult", "host"):
        problem(system.api(other).post(f"{path}/revoke"), 404, "not_found")


def test_revoked_at_the_bank_gives_the_unit_back(system: System) -> None:
    """Consent taken back while the bank asks: never charged, the order is cancelled, the unit is on sale again."""
    show, order, approval = request_of(system, "At the bank")
    path = f"/approvals/{approval['id']}"
    guardian = system.api("guardian", fresh=True)
    body = {"digest": approval["digest"], "payment": CARD | {"token": "pm_3ds"}}
    assert guardian.did("POST", f"{path}/approve", body)["state"] == "approved"
    assert guardian.did("POST", f"{path}/revoke")["state"] == "revoked"
    order_state(system, "minor", order["id"], "cancelled")
    until(lambda: system.left(show["id"], show["offers"][0]["id"]) == 20, "the unit back")
    assert guardian.post(f"{path}/approve", body).status == 409


def test_a_hold_is_extended_once(system: System) -> None:
    """By 15 minutes, by the guardian alone; the order tells it, a GET never does it."""
    _, order, approval = request_of(system, "Longer")
    path = f"/approvals/{approval['id']}"
    assert approval["may_extend"]
    assert approval["held_until"]
    for other in ("minor", "adult", "host"):
        problem(system.api(other).post(f"{path}/extend"), 404, "not_found")
    guardian = system.api("guardian")
    problem(guardian.get(f"{path}/extend"), 405, "method_not_allowed")
    longer = guardian.did("POST", f"{path}/extend")
    assert longer["held_until"] > approval["held_until"]
    assert longer["expires_at"] == approval["expires_at"]
    problem(guardian.post(f"{path}/extend"), 409, "conflict")
    until(
        lambda: system.api("minor").did("GET", f"/orders/{order['id']}")["reserved_until"] == longer["held_until"],
        "the order to be held as long",
    )


def test_a_raised_price_is_a_new_request(system: System) -> None:
    """The old digest is superseded; the new request names what it costs now."""
    show, order, approval = request_of(system, "Dearer")
    raised = {"price": {"amount": 1100, "currency": "EUR"}}
    system.api("host").did("PATCH", f"/shows/{show['id']}/offers/{show['offers'][0]['id']}", raised)

    def anew() -> dict[str, Any] | None:
        items = system.api("guardian").did("GET", "/approvals")["items"]
        return next((one for one in items if one["order"] == order["id"] and one["id"] != approval["id"]), None)

    now = until(anew, "the new request")
    assert now["lines"][0]["price"]["amount"] == 1100
    guardian = system.api("guardian", fresh=True)
    old = {"digest": approval["digest"], "payment": CARD}
    problem(guardian.post(f"/approvals/{approval['id']}/approve", old), 409, "superseded")
    assert guardian.did("GET", f"/approvals/{approval['id']}")["state"] == "superseded"
    guardian.did("POST", f"/approvals/{now['id']}/approve", {"digest": now["digest"], "payment": CARD})
    order_state(system, "minor", order["id"], "paid")


FEED = """<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>t</title><link>http://t</link>
<description>t</description><item><g:id>{sku}</g:id><title>{sku}</title><description>d</description><link>http://t/{sku}</link>
<g:price>9.00 EUR</g:price><g:quantity>40</g:quantity><g:availability>in_stock</g:availability></item></channel></rss>"""


@pytest.mark.parametrize("gone", ["product withdrawn", "show cancelled"])
def test_what_cannot_be_had_any_more(system: System, gone: str) -> None:
    """Withdrawn by the shop's next feed, or the show cancelled, while its units are in the show: void by itself, both told,
    the units back, nothing charged."""
    host, minor, shop = system.api("host"), system.api("minor"), gone.replace(" ", "-")
    host.did("POST", f"/shops/{shop}/feed", raw=FEED.format(sku="kite").encode())
    product = host.did("GET", f"/products?shop={shop}")["items"][0]
    show = host.did("POST", "/shows", {"title": gone, "shop": shop, "currency": "EUR"})["id"]
    body = {"product": product["id"], "price": product["price"], "quantity": 20}
    offer = host.did("POST", f"/shows/{show}/offers", body)["id"]
    host.did("POST", f"/shows/{show}/start")
    held = minor.hold(show, offer).body
    minor.check_out(held, None)
    approval = approval_of(system, held["id"])
    if gone == "show cancelled":
        assert host.did("POST", f"/shows/{show}/cancel")["state"] == "ended"
    else:
        host.did("POST", f"/shops/{shop}/feed", raw=FEED.format(sku="drum").encode())
    order_state(system, "minor", held["id"], "cancelled")
    assert minor.did("GET", f"/orders/{held['id']}")["reason"] == gone.replace(" ", "_")
    guardian = system.api("guardian", fresh=True)
    assert guardian.did("GET", f"/approvals/{approval['id']}")["state"] == "void"
    said = {"digest": approval["digest"], "payment": CARD}
    problem(guardian.post(f"/approvals/{approval['id']}/approve", said), 409, "conflict")
    if gone != "show cancelled":
        until(lambda: system.left(show, offer) == 20, "the unit back")
    for who in ("minor", "guardian"):
        mails = f"/dev/mail?to={who}@demo.example"
        until(lambda mails=mails: held["id"][-6:].upper() in str(system.anyone.did("GET", mails)["items"]), f"the {who} told")  # type: ignore[misc]
