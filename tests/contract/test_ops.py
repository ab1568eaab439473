"""What operators read."""

from __future__ import annotations

from tests.contract.test_accounts import problem
from tests.contract.test_orders import order_state
from tests.support.system import System, until


def test_a_show_s_figures(system: System) -> None:
    """A show has viewers and orders by state, as they are now."""
    show = system.new_show("Figures", {"quantity": 4})
    buyer = system.api("adult")
    held = buyer.hold(show["id"], show["offers"][0]["id"]).body
    operator = system.api("operator")
    path = f"/ops/shows/{show['id']}"
    until(lambda: (got := operator.get(path)).status == 200 and got["orders"] == {"held": 1}, "one held order")
    buyer.check_out(held)
    order_state(system, "adult", held["id"], "paid")
    until(lambda: operator.did("GET", path)["orders"].get("paid") == 1, "one paid order")
    seen = operator.did("GET", path)
    assert isinstance(seen["viewers"], int)
    listed = operator.did("GET", "/ops/overview")["shows"]
    assert any(one["id"] == show["id"] for one in listed)


def test_the_audit_names_what_was_touched(system: System) -> None:
    """The audit, newest first, names the offer and the order."""
    show = system.new_show("Audit", {"quantity": 4})
    offer = show["offers"][0]["id"]
    price = {"price": {"amount": 777, "currency": "EUR"}}
    system.api("host").did("PATCH", f"/shows/{show['id']}/offers/{offer}", price)
    held = system.api("adult").hold(show["id"], offer).body
    system.api("adult").check_out(held)

    def named(what: str) -> bool:
        return what in str(system.api("operator").did("GET", "/ops/audit?limit=200")["items"])

    until(lambda: named(offer), "the audit to name the offer")
    until(lambda: named(held["id"]), "the audit to name the order")
    times = [one["at"] for one in system.api("operator").did("GET", "/ops/audit?limit=50")["items"]]
    assert times == sorted(times, reverse=True)


def test_ops_is_for_operators(system: System) -> None:
    """Everyone else is refused."""
    for path in ("/ops/overview", "/ops/audit", "/ops/approvals", f"/ops/shows/{system.demo_show()['id']}"):
        problem(system.anyone.get(path), 401, "unauthenticated")
        for who in ("adult", "host", "guardian", "minor"):
            problem(system.api(who).get(path), 403, "forbidden")
        assert system.api("operator").get(path).status == 200


def test_the_overview_has_no_alarm(system: System) -> None:
    """All processes run and nothing is alarmed on a healthy system."""
    seen = system.api("operator").did("GET", "/ops/overview")
    assert {one["name"] for one in seen["processes"]} >= {"web", "studio", "worker", "edge", "store"}
    assert not seen["alarms"]
