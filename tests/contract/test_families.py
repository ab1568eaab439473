"""A family over HTTP: invited by mail or by code, removed with a day's notice, and stopped at once."""

from __future__ import annotations

import urllib.request
from typing import Any

from tests.contract.test_accounts import problem
from tests.support.system import CARD, System, until


def invited(system: System, minor: str, guardian: str) -> str:
    """The token that was mailed to the guardian."""
    made = system.api(minor, fresh=True).did("POST", "/guardians/invitations", {"email": guardian})
    assert (made["invites"], made["state"], "token" in made) == ("guardian", "open", False)
    mails = until(lambda: system.anyone.did("GET", f"/dev/mail?to={guardian}")["items"], "the invitation")
    link = next(link for mail in mails for link in mail["links"] if "#invitation=" in link)
    return str(link.partition("#invitation=")[2])


def subjects(system: System, email: str) -> list[str]:
    return [mail["subject"] for mail in system.anyone.did("GET", f"/dev/mail?to={email}")["items"]]


def test_a_family_from_invitation_to_removal(system: System) -> None:
    """Only the invited account may read or accept; both see the link and hear of its removal, which can be taken back."""
    _, minor = system.new_buyer(born="2011-05-04")
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    token = invited(system, minor, guardian)
    path = f"/guardians/invitations/{token}"
    for other in ("adult", "host", minor):
        problem(system.api(other, fresh=True).get(path), 404, "not_found")
        problem(system.api(other, fresh=True).post(f"{path}/accept"), 404, "not_found")
    problem(system.api(guardian).post(f"{path}/accept"), 403, "step_up_required")
    fresh = system.api(guardian, fresh=True)
    assert fresh.did("GET", path)["inviter_name"] == "Toni Test"
    link = fresh.did("POST", f"{path}/accept", key="accept-1")
    assert fresh.did("POST", f"{path}/accept", key="accept-1") == link
    problem(fresh.post(f"{path}/accept"), 410, "gone")
    assert (link["verified"], link["ends_at"]) == (False, None)
    for who in (minor, guardian):
        assert [one["id"] for one in system.api(who).did("GET", "/guardians/links")["items"]] == [link["id"]]
    removed = system.api(minor, fresh=True).did("DELETE", f"/guardians/links/{link['id']}")
    assert removed["ends_at"]
    for who in (minor, guardian):
        until(lambda who=who: any("entfernt" in one for one in subjects(system, who)), "the notice")  # type: ignore[misc]
    kept = fresh.did("POST", f"/guardians/links/{link['id']}/keep")
    assert kept["ends_at"] is None
    problem(system.api("adult", fresh=True).call("DELETE", f"/guardians/links/{link['id']}"), 404, "not_found")


def test_a_code_for_the_phone(system: System) -> None:
    """Only its maker gets the code: a square of ones and zeros, and the link it holds."""
    _, minor = system.new_buyer(born="2011-05-04")
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    fresh = system.api(minor, fresh=True)
    made = fresh.did("POST", "/guardians/invitations", {"email": guardian, "way": "code"})
    code = fresh.did("GET", f"/guardians/invitations/{made['id']}/code")
    assert all(len(row) == len(code["rows"]) and set(row) <= {"0", "1"} for row in code["rows"])
    token = code["link"].partition("#invitation=")[2]
    problem(system.api(guardian).get(f"/guardians/invitations/{made['id']}/code"), 404, "not_found")
    assert system.api(guardian, fresh=True).did("POST", f"/guardians/invitations/{token}/accept")["minor_name"]


def test_stopped_at_once(system: System) -> None:
    """A guardian stops a ward: the open request is void, the unit back, a new request refused, until it goes on."""
    minor_id, minor = system.new_buyer(born="2011-05-04")
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    system.link(minor, guardian)
    show = system.new_show("Stopped", {"quantity": 20})
    offer = show["offers"][0]["id"]
    held = system.api(minor).hold(show["id"], offer).body
    assert system.api(minor).check_out(held, None)["state"] == "awaiting_guardian"
    path = f"/wards/{minor_id}/freeze"
    problem(system.api("adult", fresh=True).call("PUT", path, {"frozen": True}), 404, "not_found")
    stopped = system.api(guardian).did("PUT", path, {"frozen": True})
    assert stopped["frozen"]
    until(lambda: system.api(minor).did("GET", f"/orders/{held['id']}")["state"] == "cancelled", "the end of the order")
    until(lambda: system.left(show["id"], offer) == 20, "the unit back")
    again = system.api(minor).hold(show["id"], offer).body
    problem(system.api(minor).check_out(again, None), 403, "forbidden")
    assert system.api(guardian, fresh=True).did("PUT", path, {"frozen": False})["frozen"] is False
    asked: Any = system.api(minor).check_out(again, None)
    assert asked["state"] == "awaiting_guardian"


def test_an_allowance_whose_bank_asks(system: System) -> None:
    """The card of an allowance needs 3-D Secure: the guardian is mailed and finds the bank's address, nobody else does, and
    confirmed in time it is paid without another decision.
    """
    _, minor = system.new_buyer(born="2011-05-04")
    _, guardian = system.new_buyer(born="1980-01-01", role="guardian")
    system.link(minor, guardian)
    fresh, buyer = system.api(guardian, fresh=True), system.api(minor)
    limits = {
        "monthly": {"amount": 5000, "currency": "EUR"}, "per_order": {"amount": 2000, "currency": "EUR"}, "categories": [],
        "blocked": [], "quiet_hours": None, "payment": CARD | {"token": "pm_3ds"},
    }  # fmt: skip
    fresh.did("PUT", f"/wards/{buyer.did('GET', '/me')['id']}/allowance", limits)
    show = system.new_show("Bank asks", {"quantity": 20, "amount": 900})
    held = buyer.hold(show["id"], show["offers"][0]["id"]).body
    buyer.check_out(held, None)
    approval = until(lambda: next(iter(fresh.did("GET", "/approvals")["items"]), None), "the request")
    path = f"/approvals/{approval['id']}/payment"
    step = until(lambda: (found := fresh.did("GET", path))["redirect_url"] and found, "the bank's address")
    assert step["until"] > approval["requested_at"]
    assert buyer.did("GET", path) == {"redirect_url": None, "until": None}
    problem(system.api("adult").get(path), 404, "not_found")
    assert "3ds" not in str(buyer.did("GET", f"/approvals/{approval['id']}")) + str(buyer.did("GET", f"/orders/{held['id']}"))
    until(lambda: [one for one in subjects(system, guardian) if "Bank" in one or "bank" in one], "the mail")
    with urllib.request.urlopen(step["redirect_url"], data=b"decision=approve", timeout=30):
        pass
    until(lambda: buyer.did("GET", f"/orders/{held['id']}")["state"] == "paid", "it to be paid")
    assert fresh.did("GET", path) == {"redirect_url": None, "until": None}
