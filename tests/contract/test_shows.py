"""Shows, offers, pins, rundown, deals and chat over HTTP."""

from __future__ import annotations

import pytest

from tests.contract.test_accounts import problem
from tests.support.system import System, until

ABSENT = "of_saaaaaaaaaa_aaaaaaaaaa"


def eur(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": "EUR"}


def test_a_show_from_draft_to_end(system: System) -> None:
    """draft → live → paused → live → ended, each told by the call that did it; what is over stays over."""
    host = system.api("host")
    made = host.post("/shows", {"title": "Life", "shop": "demo", "currency": "EUR"})
    assert (made.status, made["state"]) == (201, "draft")
    path = f"/shows/{made['id']}"
    for verb, state in (("start", "live"), ("pause", "paused"), ("resume", "live"), ("end", "ended")):
        assert host.did("POST", f"{path}/{verb}")["state"] == state
    problem(host.post(f"{path}/start"), 409, "conflict")
    listed = until(
        lambda: made["id"] in [one["id"] for one in host.did("GET", "/shows?state=ended&limit=200")["items"]],
        "the ended show in the list",
    )
    assert listed


def test_whip_is_for_the_host_alone(system: System) -> None:
    """The snapshot names where to send the picture to its host, to nobody else."""
    show = system.new_show("Whose", {"quantity": 3})
    assert set(show["whip"]) == {"url", "token"}
    for other in (system.anyone, system.api("adult"), system.api("guardian")):
        seen = other.did("GET", f"/shows/{show['id']}")
        assert not {"whip", "revenue", "orders"} & set(seen)
        assert {"state", "offers", "pins", "deal", "viewers", "hub", "hls"} <= set(seen)
    assert {"id", "product", "title", "image", "price", "left", "per_buyer_limit"} <= set(show["offers"][0])
    problem(system.api("adult").post(f"/shows/{show['id']}/start"), 403, "forbidden")


def test_anothers_show_is_not_mine(system: System) -> None:
    """A second host can neither run a show of a shop that is not theirs nor touch one of another's."""
    _, email = system.new_buyer(role="host")
    other = system.api(email)
    problem(other.post("/shows", {"title": "Raid", "shop": "demo", "currency": "EUR"}), 403, "forbidden")
    show = system.new_show("Mine", {"quantity": 2})
    offer = show["offers"][0]["id"]
    for method, path, body in (
        ("POST", "/end", None), ("PUT", "/pins", {"offers": [offer]}), ("PATCH", f"/offers/{offer}", {"price": eur(1)}),
        ("PUT", "/rundown", {"segments": []}), ("POST", "/pause", None),
    ):  # fmt: skip
        assert other.call(method, f"/shows/{show['id']}{path}", body).status in {403, 404}
    assert system.anyone.did("GET", f"/shows/{show['id']}")["state"] == "live"


def test_an_offer_moves_units_from_the_shop(system: System) -> None:
    """201 with the offer, and the shop has so many fewer; more than it has is `short`, beyond a million is invalid."""
    host = system.api("host")
    show = system.new_show("Units", start=False)
    products = host.did("GET", "/products?shop=demo&limit=100")["items"]
    product = next(one for one in products if one["quantity"] is not None and one["quantity"] >= 5)
    body = {"product": product["id"], "price": product["price"], "quantity": 2, "per_buyer_limit": 1}
    made = host.post(f"/shows/{show['id']}/offers", body)
    assert made.status == 201
    assert (made["left"], made["per_buyer_limit"], made["price"]) == (2, 1, product["price"])
    after = host.did("GET", f"/products/{product['id']}")
    assert after["quantity"] == product["quantity"] - 2
    problem(host.post(f"/shows/{show['id']}/offers", body | {"quantity": 900_000}), 409, "short")
    problem(host.post(f"/shows/{show['id']}/offers", body | {"quantity": 1_000_001}), 422, "invalid")
    problem(host.post(f"/shows/{show['id']}/offers", body | {"product": "p_none"}), 404, "not_found")


def test_changing_an_offer(system: System) -> None:
    """Price and quantity change; fewer units than are free cannot be taken away."""
    show = system.new_show("Change", {"quantity": 4})
    path = f"/shows/{show['id']}/offers/{show['offers'][0]['id']}"
    host = system.api("host")
    assert host.did("PATCH", path, {"price": eur(1234)})["price"] == eur(1234)
    assert host.did("PATCH", path, {"add_quantity": -1})["left"] == 3
    assert host.did("PATCH", path, {"add_quantity": 2})["left"] == 5
    refused = host.call("PATCH", path, {"add_quantity": -6})
    assert refused.status == 409, refused.body
    assert system.left(show["id"], show["offers"][0]["id"]) == 5
    problem(host.call("PATCH", path, {"price": {"amount": 5, "currency": "USD"}}), 422, "invalid")
    problem(host.call("PATCH", path, {"price": eur(-1)}), 422, "invalid")


def test_at_most_three_pins(system: System) -> None:
    """One to three offers of this show can be pinned, not four, not another's."""
    show = system.new_show("Pins", *({"quantity": 1} for _ in range(4)))
    ids = [offer["id"] for offer in show["offers"]]
    host = system.api("host")
    path = f"/shows/{show['id']}/pins"
    assert host.did("PUT", path, {"offers": ids[:3]})["pins"] == ids[:3]
    assert host.call("PUT", path, {"offers": ids}).status in {409, 422}
    assert host.call("PUT", path, {"offers": [ABSENT]}).status in {404, 422}
    assert host.did("GET", f"/shows/{show['id']}")["pins"] == ids[:3]


def test_the_rundown_goes_on(system: System) -> None:
    """A rundown is set and `next` walks through it; each part puts its offers on air, and the end is said."""
    show = system.new_show("Plan", {"quantity": 1}, {"quantity": 1})
    ids = [offer["id"] for offer in show["offers"]]
    host, path = system.api("host"), f"/shows/{show['id']}"
    segments = [{"title": title, "offers": [offer], "planned_s": 60} for title, offer in zip(("1", "2"), ids, strict=True)]
    assert host.did("PUT", f"{path}/rundown", {"segments": segments})["current"] is None
    for place, offer in enumerate(ids):
        assert host.did("POST", f"{path}/rundown/next")["current"] == place
        seen = system.anyone.did("GET", path)
        assert (seen["pins"], seen["rundown"]["current"]) == ([offer], place)
    problem(host.post(f"{path}/rundown/next"), 409, "conflict")
    assert [one["title"] for one in seen["rundown"]["segments"]] == ["1", "2"]
    assert all(one["started_at"] for one in seen["rundown"]["segments"])
    problem(host.call("PUT", f"{path}/rundown", {"segments": [{"title": "x", "offers": [ABSENT]}]}), 422, "invalid")


@pytest.mark.parametrize(("countdown", "duration"), [(301, 60), (-1, 60), (0, 29), (0, 1201)])
def test_a_deal_outside_the_limits(system: System, countdown: int, duration: int) -> None:
    """Countdown 0–300 s, duration 30–1200 s; anything else is invalid."""
    show = system.demo_show()
    body = {"offer": show["offers"][0]["id"], "price": eur(1), "countdown_s": countdown, "duration_s": duration}
    problem(system.api("host").post(f"/shows/{show['id']}/deals", body), 422, "invalid")


def test_a_deal_changes_the_price_now(system: System) -> None:
    """A running deal is the price; the usual price is refused as changed."""
    show = system.new_show("Deal", {"quantity": 3, "amount": 2000})
    offer = show["offers"][0]["id"]
    body = {"offer": offer, "price": eur(1500), "countdown_s": 0, "duration_s": 60}
    made = system.api("host").post(f"/shows/{show['id']}/deals", body)
    assert made.status == 201
    buyer = system.api("adult")
    order = {"lines": [{"offer": offer, "quantity": 1, "price": eur(2000)}]}
    changed = problem(buyer.post(f"/shows/{show['id']}/orders", order), 409, "price_changed")
    assert changed["errors"][0]["price"] in (1500, eur(1500))
    order["lines"][0]["price"] = eur(1500)
    assert buyer.did("POST", f"/shows/{show['id']}/orders", order)["total"] == eur(1500)


def test_chat_and_reactions(system: System) -> None:
    """A viewer talks and reacts; a stranger cannot; the host takes a message away and mutes its author."""
    show = system.new_show("Talk")
    path = f"/shows/{show['id']}"
    account, email = system.new_buyer()
    viewer = system.api(email)
    said = viewer.post(f"{path}/chat", {"text": "Hello <b>you</b>"})
    assert (said.status, said["text"]) == (201, "Hello <b>you</b>")
    problem(system.anyone.post(f"{path}/chat", {"text": "hi"}), 401, "unauthenticated")
    problem(viewer.post(f"{path}/chat", {"text": ""}), 422, "invalid")
    assert viewer.did("POST", f"{path}/reactions", {"kind": "heart"})
    problem(viewer.post(f"{path}/reactions", {"kind": "bomb"}), 422, "invalid")
    problem(viewer.call("DELETE", f"{path}/chat/{said['id']}"), 403, "forbidden")
    host = system.api("host")
    host.did("DELETE", f"{path}/chat/{said['id']}")
    host.did("POST", f"{path}/mutes", {"account": account})
    problem(viewer.post(f"{path}/chat", {"text": "again"}), 403, "forbidden")


def test_lists_are_paged(system: System) -> None:
    """`limit` and `next` walk through all products once; a silly limit is invalid."""
    everything = [one["id"] for one in system.anyone.did("GET", "/products?shop=demo&limit=200")["items"]]
    seen: list[str] = []
    after = ""
    while after is not None:
        page = system.anyone.did("GET", f"/products?shop=demo&limit=5{after and '&after=' + after}")
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
    assert seen == everything
    for silly in ("0", "201", "x", "-1"):
        problem(system.anyone.get(f"/shows?limit={silly}"), 422, "invalid")


def test_the_archive_has_a_signed_head(system: System) -> None:
    """Anyone reads a show's head; its log is for host and operator."""
    show = system.demo_show()["id"]
    head = until(lambda: (got := system.anyone.get(f"/shows/{show}/head")).status == 200 and got.body, "the head")
    assert "signature" in str(head)
    assert system.api("operator").get(f"/shows/{show}/log?after=0").status == 200
    problem(system.api("adult").get(f"/shows/{show}/log?after=0"), 403, "forbidden")
    problem(system.anyone.get(f"/shows/{show}/log?after=0"), 401, "unauthenticated")
