"""Nobody but the family learns of a request: its markers are looked for in everything everybody else gets to read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.contract.frames import Events
from tests.contract.test_guardians import request_of
from tests.contract.test_hub import frame, join
from tests.support.pushservice import Browser, Pushed, PushService
from tests.support.system import CARD, System, until


async def heard(socket: Any, until_left: int) -> list[dict[str, Any]]:
    """Every event up to the one that says how many are left."""
    events: list[dict[str, Any]] = []
    while True:
        got = await frame(socket)
        events += got.events if isinstance(got, Events) else []
        if any(event["type"] == "stock" and event["left"] == until_left for event in events):
            return events


async def test_a_host_cannot_read_a_request_aloud(system: System) -> None:
    """Age, request, guardian and minor are in no event to others, no line of the log the host reads, no host's view or list,
    no figure's label, no mail to others, no push (which strangers carry and a locked screen shows) and no process's log,
    while it is open and after it was paid."""
    service = PushService()
    phone = service.browser()
    system.api("guardian").did("PUT", "/me/pushes", phone.told())
    show = await asyncio.to_thread(system.new_show, "Secret", {"quantity": 20, "amount": 900}, start=False)
    system.api("host").did("POST", f"/shows/{show['id']}/start")
    async with (
        await join(system.api("host"), show["id"], "&media=0") as host_socket,
        await join(system.api("adult"), show["id"], "&media=0") as other_socket,
    ):
        minor, guardian = system.api("minor"), system.api("guardian", fresh=True)
        held = minor.hold(show["id"], show["offers"][0]["id"]).body
        minor.check_out(held, None)

        def asked() -> dict[str, Any] | None:
            items = guardian.did("GET", "/approvals")["items"]
            return next((one for one in items if one["order"] == held["id"]), None)

        approval = await asyncio.to_thread(until, asked, "the request")
        ids = [minor.did("GET", "/me")["id"], guardian.did("GET", "/me")["id"], approval["id"]]
        markers = [*ids, "awaiting_guardian", "approval", "age_band", "14-15", "16-17", "Mika", "requests"]
        open_sinks = host_reads(system, show["id"])
        body = {"digest": approval["digest"], "payment": CARD}
        guardian.did("POST", f"/approvals/{approval['id']}/approve", body)
        await asyncio.to_thread(until, lambda: minor.did("GET", f"/orders/{held['id']}")["state"] == "paid", "it is paid")
        system.api("adult").hold(show["id"], show["offers"][0]["id"])
        sinks = {
            **{f"while open: {name}": text for name, text in open_sinks.items()},
            **host_reads(system, show["id"]),
            "hub, host": json.dumps(await heard(host_socket, 18)),
            "push": json.dumps([(one.headers, one.said) for one in await asyncio.to_thread(rung, service, phone)]),
            "hub, viewer": json.dumps(await heard(other_socket, 18)),
        }
    found = [f"{name}: {marker}" for name, text in sinks.items() for marker in markers if marker in text]
    told = metrics(system)  # whose labels name routes, so also those of requests, but nobody and no state
    found += [f"metrics: {one}" for one in (*ids, "awaiting_guardian", "14-15", "16-17", "minor=") if one in told]
    assert found == []
    logs = {path.name: path.read_text(errors="replace") for path in (system.data / "log").glob("*.log")}
    assert [f"{name}: {one}" for name, text in logs.items() for one in [*ids, "14-15", "Mika"] if one in text] == []
    family = {"minor@demo.example", "guardian@demo.example"}
    others = [mail for mail in system.anyone.did("GET", "/dev/mail?limit=200")["items"] if mail["to"] not in family]
    assert [mail["subject"] for mail in others if held["id"] in mail["text"] or approval["id"] in mail["text"]] == []


def rung(service: PushService, phone: Browser) -> list[Pushed]:
    """What the guardian's phone was told: once, of the request."""
    until(lambda: service.of(phone), "the push")
    service.close()
    return service.of(phone)


def host_reads(system: System, show: str) -> dict[str, str]:
    """All a host, or anyone, is told of a show over HTTP."""
    host = system.api("host")
    reads = {
        "host's show": host.did("GET", f"/shows/{show}"),
        "host's log": host.did("GET", f"/shows/{show}/log?limit=200"),
        "host's sales": [one for one in host.did("GET", "/shops/demo/orders")["items"] if f"_s{show}_" in one["id"]],
        "anyone's show": system.anyone.did("GET", f"/shows/{show}"),
    }
    return {name: json.dumps(body) for name, body in reads.items()}


def metrics(system: System) -> str:
    """The figures' names and labels, without their explanations."""
    lines = system.anyone.get("//metrics").body.decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


async def test_a_request_s_shelf_is_read_by_operators_alone(system: System) -> None:
    """The whole log has it, for an operator; to its host the order was held, then sold."""
    show, order, _ = await asyncio.to_thread(request_of, system, "Told as held")
    told = system.api("host").did("GET", f"/shows/{show['id']}")["orders"]
    assert told == {"held": 1}
    until(
        lambda: order["id"] in json.dumps(system.api("operator").did("GET", f"/shows/{show['id']}/log?limit=200")),
        "the operator's log",
    )
