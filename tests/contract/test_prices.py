"""Coupons, shipping and VAT end to end: what a buyer sees is what is paid, and given back by line exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.contract.test_accounts import problem
from tests.contract.test_guardians import approval_of
from tests.contract.test_mails import mail_about
from tests.contract.test_orders import order_state
from tests.support.system import CARD, SHIP_TO, Api, System, until

FEED = """<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Books</title>
<item><g:id>b1</g:id><title>Pan</title><g:price>19.99 EUR</g:price><g:quantity>90</g:quantity></item>
<item><g:id>b2</g:id><title>Book</title><g:price>10.00 EUR</g:price><g:quantity>90</g:quantity>
<g:tax_category>reduced</g:tax_category></item>
<item><g:id>b3</g:id><title>Odd</title><g:price>1.00 EUR</g:price><g:tax_category>none</g:tax_category></item>
</channel></rss>"""


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def opened(system: System, folder: Path, shop: str = "books") -> tuple[str, dict[str, str]]:
    """(show, offer by title): a shop of the demo's host, delivering to Germany and Austria, with a coupon TEN."""
    feed = folder / "feed.xml"
    feed.write_text(FEED)
    done = system.cli("feed", "import", str(feed), "--shop", shop, "--owner", "host@demo.example")
    assert "rejected 1" in done.stdout and "tax_category" in done.stdout, done.stdout
    host = system.api("host")
    rows = [{"countries": ["DE"], "price": eur(490)}, {"countries": ["AT"], "price": eur(990), "free_from": eur(9000)}]
    told = host.did("PUT", f"/shops/{shop}/shipping", {"rows": rows})
    assert system.anyone.did("GET", f"/shops/{shop}/shipping") == told
    host.did("POST", f"/shops/{shop}/coupons", {"code": "ten", "percent": 10, "quota": 2, "minimum": eur(2000)})
    show = host.did("POST", "/shows", {"title": "Books", "shop": shop, "currency": "EUR"})["id"]
    offers = {}
    for product in host.did("GET", f"/products?shop={shop}")["items"]:
        body = {"product": product["id"], "price": product["price"], "quantity": 50}
        offers[product["title"]] = host.did("POST", f"/shows/{show}/offers", body)["id"]
    host.did("POST", f"/shows/{show}/start")
    return show, offers


def test_an_order_with_coupon_and_shipping(system: System, tmp_path: Path) -> None:
    """Held with shipping, cheaper by the coupon, dearer for Austria and asked again, paid in just that sum; refunded line by
    line it comes to all of it; the show verifies, and the provider's book says the same."""
    show, offers = opened(system, tmp_path)
    host = system.api("host")
    buyer = system.api("adult")
    lines = [{"offer": offers["Pan"], "quantity": 1}, {"offer": offers["Book"], "quantity": 3}]
    order = buyer.did("POST", f"/shows/{show}/orders", {"lines": lines})
    path = f"/orders/{order['id']}"
    assert (order["total"], order["shipping"], order["discount"], order["coupon"]) == (eur(5489), eur(490), eur(0), None)
    assert [one["rate"] for one in order["vat"]] == ["19", "7"]
    refused = problem(buyer.post(f"{path}/coupon", {"code": "nope"}), 409, "coupon_refused")
    assert refused["errors"][0]["reason"] == "unknown"
    less = buyer.did("POST", f"{path}/coupon", {"code": " Ten "})
    assert (less["total"], less["discount"], less["coupon"]) == (eur(4990), eur(499), "TEN")
    assert less["version"] > order["version"]
    assert buyer.did("DELETE", f"{path}/coupon")["total"] == order["total"]
    less = buyer.did("POST", f"{path}/coupon", {"code": "TEN"})
    there = {"ship_to": SHIP_TO | {"country": "AT"}, "payment": CARD, "price_total": less["total"]}
    changed = problem(buyer.post(f"{path}/checkout", there), 409, "price_changed")
    assert changed["errors"] == [{"field": "price_total", **eur(5490)}]
    assert buyer.did("GET", path)["state"] == "held"
    problem(
        buyer.post(f"{path}/checkout", there | {"ship_to": SHIP_TO | {"country": "FR"}}), 409, "no_delivery"
    )
    buyer.did("POST", f"{path}/checkout", there | {"price_total": eur(5490)})
    paid = order_state(system, "adult", order["id"], "paid")
    assert (paid["total"], paid["shipping"]) == (eur(5490), eur(990))
    assert [one["rate"] for one in paid["vat"]] == ["20", "10"]
    assert sum(one["net"]["amount"] + one["amount"]["amount"] for one in paid["vat"]) == 5490
    standing = until(lambda: _used(host, 1), "the coupon to count as used")
    assert (standing["left"], standing["aside"]) == (1, 0)
    problem(buyer.call("DELETE", f"{path}/coupon"), 409, "conflict")

    for title, quantity in (("Book", 1), ("Pan", 1), ("Book", 1), ("Book", 1)):
        body = {"lines": [{"offer": offers[title], "quantity": quantity}], "restock": True}
        host.did("POST", f"{path}/refunds", body)
    done = order_state(system, "adult", order["id"], "refunded")
    assert done["refunded"] == eur(5490)
    assert [one["amount"]["amount"] for one in done["refunds"]] == [900, 1799, 900, 901 + 990]
    verified = system.cli("show", "verify", show)
    assert verified.returncode == 0, verified.stdout
    assert "captured 5490 and refunded 5490" in verified.stdout
    shop = system.cli("show", "verify", "shop:books")
    assert shop.returncode == 0, shop.stdout
    reconciled = system.cli("reconcile")
    assert reconciled.returncode == 0, reconciled.stdout


def test_a_guardian_reads_what_the_total_is_made_of(system: System, tmp_path: Path) -> None:
    """Shipping, coupon and VAT are on the request as on the order, in its mail too, and its total is what is approved."""
    show, offers = opened(system, tmp_path, "tales")
    minor = system.api("minor")
    held = minor.hold(show, offers["Pan"], 2).body
    less = minor.did("POST", f"/orders/{held['id']}/coupon", {"code": "TEN"})
    assert less["total"] == eur(3998 - 399 + 490)
    assert minor.check_out(less, None)["state"] == "awaiting_guardian"
    asked = approval_of(system, held["id"])
    assert {name: asked[name] for name in ("total", "shipping", "discount", "vat")} == {
        name: less[name] for name in ("total", "shipping", "discount", "vat")
    }
    mail_about(system, "guardian", "Gutschein TEN: -3,99 EUR", "Versand: 4,90 EUR", "darin 19 % MwSt.: 6,53 EUR")
    guardian = system.api("guardian", fresh=True)
    guardian.did("POST", f"/approvals/{asked['id']}/approve", {"digest": asked["digest"], "payment": CARD})
    assert order_state(system, "minor", held["id"], "paid")["total"] == less["total"]


def _used(host: Api, times: int) -> dict[str, Any] | None:
    (standing,) = host.did("GET", "/shops/books/coupons")["items"]
    found: dict[str, Any] = standing
    return found if found["used"] == times else None
