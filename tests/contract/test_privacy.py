"""One's data on the running system: all of it in one file, and then none of it anywhere."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Any

from tests.contract.test_guardians import request_of
from tests.contract.test_orders import order_state
from tests.support.pushservice import Browser
from tests.support.system import Api, Reply, System, until

BORN = "1987-03-29"


class Marked:
    """Somebody whose every word is a marker."""

    def __init__(self) -> None:
        self.mark = f"zq{secrets.token_hex(5)}"
        self.email = f"{self.mark}@marker.example"
        self.ship_to = {
            "name": f"{self.mark} Name", "street": f"{self.mark}-Straße 1", "postal_code": "10115",
            "city": f"{self.mark}stadt", "country": "DE",
        }  # fmt: skip

    def registers(self, system: System) -> str:
        person = {
            "email": self.email, "name": f"{self.mark} Person", "password": "long enough 1", "country": "DE", "born": BORN,
        }  # fmt: skip
        return str(system.anyone.did("POST", "/accounts", person)["id"])

    def checks_out(self, api: Api, order: dict[str, Any]) -> Reply:
        body = {"ship_to": self.ship_to, "price_total": order["total"], "payment": {"method": "card", "token": "pm_ok"}}
        return api.post(f"/orders/{order['id']}/checkout", body)


def traces(data: Path, *marks: str) -> list[str]:
    """Files of the system that have one of the marks; not its dev mails, which are people's own mail boxes."""
    found = []
    for path in (path for path in data.rglob("*") if path.is_file() and path.parent.name != "mail"):
        content = path.read_bytes().lower()
        found += [f"{path.relative_to(data)}: {mark}" for mark in marks if mark.lower().encode() in content]
    return found


def sealing_key(data: Path, account: str) -> bytes | None:
    with sqlite3.connect(f"file:{data / 'livesale.db'}?mode=ro", uri=True) as db:
        row = db.execute("SELECT key FROM sealing_keys WHERE account = ?", (account,)).fetchone()
    return row[0] if row else None


def test_all_my_data_and_then_none(system: System) -> None:
    """The export has name, address, orders and where they went; after the erasure no file of the system has a trace of the
    person, nor the key that sealed them, while the show verifies, its shop keeps its sale and the held unit is back."""
    person = Marked()
    account = person.registers(system)
    show = system.new_show("Private", {"quantity": 5})
    offer = show["offers"][0]["id"]
    mine = system.api(person.email, fresh=True)
    paid = mine.hold(show["id"], offer).body
    assert person.checks_out(mine, paid).status == 200
    order_state(system, person.email, paid["id"], "paid")
    held = mine.hold(show["id"], offer).body
    said = mine.did("POST", f"/shows/{show['id']}/chat", {"text": f"{person.mark} was here"})
    mine.did("POST", "/tokens", {"name": f"{person.mark} till"})
    until(lambda: len(mine.did("GET", "/orders")["items"]) == 2, "both orders to be listed")
    phone = Browser(f"https://push.example.org/{person.mark}")
    system.api(person.email).did("PUT", "/me/pushes", phone.told())
    assert system.api(person.email).get("/me/export").code == "step_up_required"
    told = mine.did("GET", "/me/export")
    assert (told["account"]["email"], told["account"]["age_band"]) == (person.email, "adult")
    assert person.ship_to in [one["ship_to"] for one in told["orders"]]
    assert {one["order"]["id"] for one in told["orders"]} == {paid["id"], held["id"]}
    assert f"{person.mark} till" in [one["name"] for one in told["access"]]
    assert [one["text"] for one in told["chat"]] == [said["text"]]
    assert [one["endpoint"] for one in told["pushes"]] == [phone.endpoint]
    assert traces(system.data, person.mark, BORN) == []  # it was sealed from the first day
    key = sealing_key(system.data, account)
    assert key is not None and len(key) == 32

    refused = mine.call("DELETE", "/me")
    assert (refused.code, refused["errors"]) == ("conflict", [{"order": paid["id"], "state": "paid"}])
    system.api("host").did("POST", f"/orders/{paid['id']}/shipments")
    until(lambda: mine.did("GET", "/orders")["items"][-1]["state"] == "shipped", "the list to know")
    assert system.api(person.email).call("DELETE", "/me").code == "step_up_required"
    gone = mine.did("DELETE", "/me")
    assert gone["erased"] and "§ 257 HGB" in gone["kept"][0]

    assert sealing_key(system.data, account) is None
    until(lambda: mine.get("/me").status == 401, "the token to be void")
    signed = system.anyone.post("/session", {"email": person.email, "password": "long enough 1"})
    assert signed.status == 401
    files = [path for path in system.data.glob("livesale.db*")]
    assert not [path.name for path in files if key in path.read_bytes()]
    assert traces(system.data, person.mark, BORN) == []
    until(lambda: system.left(show["id"], offer) == 4, "the held unit to be back")

    def address_is_gone() -> bool:
        sold = system.api("host").did("GET", "/shops/demo/orders")["items"]
        return next(one["ship_to"] for one in sold if one["id"] == paid["id"]) is None

    until(address_is_gone, "the shop to see no address")
    (receipt, *_) = system.anyone.did("GET", f"/dev/mail?to={person.email}")["items"]
    assert receipt["subject"] in ("Dein Konto ist gelöscht", "Your account has been erased")
    verified = system.cli("show", "verify", show["id"])
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert person.registers(system) != account


def test_who_is_still_needed_is_not_erased(system: System) -> None:
    """A shop's owner and somebody's guardian are told what to end first; nothing of them has changed."""
    for who, what in (("host", "shop"), ("guardian", "link")):
        api = system.api(who, fresh=True)
        refused = api.call("DELETE", "/me")
        assert refused.code == "conflict" and what in refused["errors"][0]
        assert api.get("/me").status == 200


def test_nobody_under_age_is_pushed_to(system: System) -> None:
    """A minor's browser is refused as what it is, and is not listed; an adult's address inside our network is none."""
    phone = Browser("https://push.example.org/minor")
    refused = system.api("minor").call("PUT", "/me/pushes", phone.told())
    assert (refused.status, refused.code) == (403, "adults_only")
    assert system.api("minor").did("GET", "/me/pushes")["items"] == []
    inside = system.api("adult").call("PUT", "/me/pushes", Browser("https://10.0.0.1/x").told())
    assert (inside.code, inside["errors"][0]["field"]) == ("invalid", "endpoint")


def test_a_guardian_s_consent_to_data_is_a_record_of_its_own(system: System) -> None:
    """Below the age of data consent the minor cannot agree and a stranger cannot either; the guardian can, freshly proven;
    approving a purchase agrees to nothing; and the minor takes it back alone."""
    minor, guardian = system.api("minor"), system.api("guardian", fresh=True)
    ward = minor.did("GET", "/me")["id"]
    _, _, approval = request_of(system, "Data")
    card = {"method": "card", "token": "pm_ok"}
    guardian.did("POST", f"/approvals/{approval['id']}/approve", {"digest": approval["digest"], "payment": card})
    items = minor.did("GET", "/me/consents")["items"]
    assert [one["granted"] for one in items] == [False, False, False]
    assert {one["purpose"]: one["may_grant"] for one in items} == {
        "marketing_mail": "guardian", "statistics": "guardian", "personal_ads": "",
    }  # fmt: skip
    yes = {"purpose": "statistics", "granted": True, "version": items[0]["version"]}
    assert system.api("minor", fresh=True).call("PUT", "/me/consents", yes).code == "forbidden"
    assert system.api("adult", fresh=True).call("PUT", f"/wards/{ward}/data-consents", yes).status == 404
    assert system.api("guardian").call("PUT", f"/wards/{ward}/data-consents", yes).code == "step_up_required"
    told = guardian.did("PUT", f"/wards/{ward}/data-consents", yes)["items"]
    assert [one["purpose"] for one in told if one["granted"]] == ["statistics"]
    no = {**yes, "granted": False}
    assert not any(one["granted"] for one in system.api("minor", fresh=True).did("PUT", "/me/consents", no)["items"])
