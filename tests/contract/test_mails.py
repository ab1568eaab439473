"""Mails of the running demo, as its people would get them."""

from __future__ import annotations

from typing import Any

from tests.contract.test_accounts import problem
from tests.contract.test_guardians import request_of
from tests.contract.test_orders import order_state
from tests.support.system import System, until

MAIL = {"to", "subject", "at", "text", "html", "message_id", "links"}


def mail_about(system: System, who: str, *words: str) -> dict[str, Any]:
    """The newest mail to a demo account whose text has all these words, once it is there."""

    def look() -> dict[str, Any] | None:
        found = system.anyone.did("GET", f"/dev/mail?to={who}@demo.example")["items"]
        return next((mail for mail in found if all(word in mail["text"] for word in words)), None)

    return until(look, f"a mail to {who} about {words}")


def test_an_adult_who_pays_gets_a_confirmation(system: System) -> None:
    """To the buyer alone: lines, total, address, seller, withdrawal; its links lead somewhere."""
    show = system.new_show("Mailed", {"quantity": 4, "amount": 1999})
    buyer = system.api("adult")
    held = buyer.hold(show["id"], show["offers"][0]["id"], 2).body
    buyer.check_out(held)
    paid = order_state(system, "adult", held["id"], "paid")
    mail = mail_about(system, "adult", held["id"])
    assert set(mail) == MAIL
    for said in ("39,98 EUR", paid["lines"][0]["title"], "Weg 1, 10115 Berlin", "demo (Hanna Host)", "Widerrufsrecht"):
        assert said in mail["text"], said
    assert f"{system.url}/orders/{held['id']}" in mail["links"]
    paths = [link.removeprefix(system.url) or "/" for link in mail["links"]]
    assert {system.anyone.get(f"/{path}").status for path in paths} == {200}
    others = [system.anyone.did("GET", f"/dev/mail?to={who}@demo.example")["items"] for who in ("host", "guardian")]
    assert held["id"] not in str(others)
    until(lambda: 'livesale_mails_total{result="sent"}' in str(system.anyone.get("//metrics").body), "the figure")
    until(lambda: system.api("operator").did("GET", "/ops/overview")["mails"]["sent"] > 0, "operators to see it")


def test_a_declined_card_is_told(system: System) -> None:
    """The buyer hears that nothing was charged."""
    show = system.new_show("Not paid", {"quantity": 4})
    held = system.api("adult").hold(show["id"], show["offers"][0]["id"]).body
    system.api("adult").check_out(held, "pm_declined")
    assert "nichts abgebucht" in mail_about(system, "adult", held["id"])["text"]


def test_a_request_reaches_the_guardian(system: System) -> None:
    """A mail with the request's own link, exact total, seller and end; the answer is mailed to both."""
    _, order, approval = request_of(system, "Mail asked")
    mail = mail_about(system, "guardian", approval["id"])
    assert f"{system.url}/guardian/{approval['id']}" in mail["links"]
    assert "9,00 EUR" in mail["text"]
    assert "Mika Minor" in mail["text"]
    assert "Mika" not in mail["subject"]
    assert system.anyone.get(f"//guardian/{approval['id']}").status == 200
    system.api("guardian", fresh=True).did("POST", f"/approvals/{approval['id']}/decline")
    assert mail_about(system, "minor", order["id"])["subject"].endswith("ist abgelehnt")
    answer = mail_about(system, "guardian", approval["id"], "abgelehnt")
    assert answer["message_id"] != mail["message_id"]


def test_dev_mail_is_for_this_machine(system: System) -> None:
    """The page and the list are there for loopback; through a proxy they are not."""
    page = system.anyone.get("//dev/mail")
    assert page.status == 200
    assert b"Dev mails" in page.body
    assert "<iframe sandbox" in page.body.decode() or b"No mail" in page.body
    for path in ("/dev/mail", "/dev/mail?to=adult@demo.example", "//dev/mail"):
        problem(system.anyone.get(path, headers={"X-Forwarded-For": "203.0.113.9"}), 404, "not_found")
    assert "/api/v1/dev/mail" in system.anyone.did("GET", "/openapi.json")["paths"]
