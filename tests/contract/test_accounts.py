"""Accounts and problems over HTTP, as a program written against the contract meets them."""

from __future__ import annotations

import secrets
from datetime import date

import pytest

from tests.support.system import Reply, System


def problem(answer: Reply, status: int, code: str) -> Reply:
    """An RFC 9457 problem of this status and code."""
    assert (answer.status, answer.body.get("code")) == (status, code), f"{answer.status} {answer.body}"
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    assert {"type", "title", "status", "code", "detail"} <= set(answer.body)
    assert answer["status"] == status
    assert answer["detail"].strip()
    return answer


def new_person(**changes: str) -> dict[str, str]:
    email = f"{secrets.token_hex(6)}@test.example"
    person = {"email": email, "name": "Noa", "password": "long enough 1", "country": "DE", "born": "1990-02-03"}
    return person | changes


def test_me_never_tells_a_birth_date(system: System) -> None:
    """`GET /me` has the age band and nothing that gives the day away."""
    me = system.api("minor").did("GET", "/me")
    assert me["age_band"] in {"14-15", "16-17"}
    assert not {"born", "birth_date", "birthday"} & set(me)
    assert "2011" not in str(me)


def test_registering_and_signing_in(system: System) -> None:
    """A new account is 201; its password signs it in with a cookie; a wrong one is refused."""
    person = new_person()
    made = system.anyone.post("/accounts", person)
    assert made.status == 201
    assert made["age_band"] == "adult"
    signed = system.anyone.post("/session", {"email": person["email"], "password": person["password"]})
    assert signed.status == 200
    assert "httponly" in signed.headers["set-cookie"].lower() or "livesale" in signed.headers["set-cookie"]
    problem(system.anyone.post("/session", {"email": person["email"], "password": "wrong wrong"}), 401, "unauthenticated")
    problem(system.anyone.post("/accounts", person), 409, "conflict")


@pytest.mark.parametrize("change", [{"email": "no address"}, {"country": "Germany"}, {"born": "3 May"}, {"shoe": "44"}])
def test_a_bad_registration_names_the_field(system: System, change: dict[str, str]) -> None:
    """422 `invalid` with one entry for the field that is wrong."""
    answer = problem(system.anyone.post("/accounts", new_person(**change)), 422, "invalid")
    assert next(iter(change)) in str(answer["errors"])


def test_who_is_nobody_and_who_may_not(system: System) -> None:
    """No token is 401, a bad token is 401, a token without the role is 403."""
    problem(system.anyone.get("/me"), 401, "unauthenticated")
    problem(system.anyone.get("/me", headers={"Authorization": "Bearer nonsense"}), 401, "unauthenticated")
    problem(system.api("adult").get("/ops/overview"), 403, "forbidden")
    show = {"title": "Mine", "shop": "demo", "currency": "EUR"}
    problem(system.api("adult").post("/shows", show), 403, "forbidden")


def test_what_does_not_exist(system: System) -> None:
    """Unknown addresses and ids are 404 problems, a known address with another method 405."""
    for path in ("/nothing", "/shows/aaaaaaaaaa", "/shows/%2e%2e", "/products/p_none"):
        problem(system.anyone.get(path), 404, "not_found")
    problem(system.api("adult").get("/orders/o_saaaaaaaaaa_aaaaaaaaaa"), 404, "not_found")
    problem(system.anyone.call("PUT", "/me", {}), 405, "method_not_allowed")


def test_bodies_that_are_none(system: System) -> None:
    """Broken JSON, a wrong type and too much of it are refused as what they are, never 500."""
    show = system.demo_show()["id"]
    buyer = system.api("adult")
    assert buyer.call("POST", f"/shows/{show}/chat", raw=b"{").status in {400, 422}
    assert buyer.call("POST", f"/shows/{show}/chat", raw=b"\xff\xfe").status in {400, 422}
    problem(buyer.post(f"/shows/{show}/chat", [1]), 422, "invalid")
    problem(buyer.call("POST", f"/shows/{show}/chat", raw=b'{"text":"' + b"x" * 3_000_000 + b'"}'), 413, "too_large")


def test_the_description_has_every_route_used_here(system: System) -> None:
    """openapi.json is served with the routes of the contract, and the readable page beside it."""
    described = system.anyone.did("GET", "/openapi.json")
    assert described["openapi"].startswith("3.")
    paths = {path.removeprefix("/api/v1") for path in described["paths"]}
    wanted = {
        "/me", "/session", "/accounts", "/products", "/shows", "/shows/{show}", "/shows/{show}/offers",
        "/shows/{show}/offers/{offer}", "/shows/{show}/rundown", "/shows/{show}/rundown/next", "/shows/{show}/start",
        "/shows/{show}/end", "/shows/{show}/pause", "/shows/{show}/resume", "/shows/{show}/pins",
        "/shows/{show}/deals", "/shows/{show}/chat", "/shows/{show}/reactions", "/shows/{show}/ticket",
        "/shows/{show}/orders", "/shops/{shop}/orders", "/shops/{shop}/feed", "/orders/{order}/checkout",
        "/orders/{order}/cancel", "/orders/{order}", "/orders", "/approvals", "/approvals/{approval}/approve",
        "/guardians/links", "/shows/{show}/head", "/shows/{show}/log", "/ops/overview", "/ops/shows/{show}",
        "/ops/audit", "/ops/approvals",
    }  # fmt: skip
    assert not {path for path in wanted if path not in paths and path.replace("{approval}", "{id}") not in paths}
    assert system.anyone.get("//api/docs").status == 200


def test_probes_are_for_loopback(system: System) -> None:
    """Health, readiness and metrics answer at the root; Prometheus names begin with livesale_."""
    assert system.anyone.get("//healthz").status == 200
    assert system.anyone.get("//readyz").status == 200
    metrics = system.anyone.get("//metrics")
    assert metrics.status == 200
    assert b"\nlivesale_" in metrics.body
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert system.anyone.get("//metrics", headers=forwarded).status in {401, 403, 404}


def test_a_country_without_a_table_sells_to_adults_only(system: System) -> None:
    """Nobody under age may ask there, guardian or not, and whoever is 20 counts as under age: nothing is held for long."""
    show = system.new_show("Nowhere", {"quantity": 2})
    offer = show["offers"][0]["id"]
    twenty = f"{date.today().year - 20}-01-01"
    for born in (twenty, "2011-05-04"):
        _, minor = system.new_buyer(born=born, country="ZW")
        _, guardian = system.new_buyer(born="1980-01-01", country="ZW", role="guardian")
        system.link(minor, guardian)
        buyer = system.api(minor)
        assert buyer.did("GET", "/me")["age_band"] != "adult"
        held = buyer.hold(show["id"], offer)
        refused = held if held.status == 403 else buyer.check_out(held.body, None)
        problem(refused, 403, "forbidden")
        assert "adults only" in refused["detail"]
        if held.status == 201:
            buyer.did("POST", f"/orders/{held['id']}/cancel")
