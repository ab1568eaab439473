"""Replay: derives a shelf's counters, records, orders and money from its log alone, for verification.

Law: nothing here is shared with the projection; what both get wrong alike, a test with figures by hand must catch.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgpack

PLACES = ("free", "offered", "held", "paying", "claimed")  # where a unit of an offer can be; together they are `loaded`

COUPON_PLACES = ("left", "aside", "used")  # where one of a coupon's quota can be

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the log tells it."""

    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Sums:
    """What a payment says of itself: money captured and refunded so far, and when it last changed."""

    order: str
    captured: int
    refunded: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Left:
    """A record that has left its shelf: what the archive must hold of it."""

    version: int
    digest: str
    order: str
    released: bool


@dataclass(slots=True)
class Replay:
    """A shelf's state after the entries taken so far; `differences` are breaches inside the log itself."""

    shelf: str
    counters: dict[str, int] = field(default_factory=dict)
    digests: dict[str, tuple[int, str]] = field(default_factory=dict)  # record → (version, SHA-1)
    past: dict[str, Left] = field(default_factory=dict)  # record → as it left its shelf
    orders: dict[str, Row] = field(default_factory=dict)
    approvals: dict[str, Row] = field(default_factory=dict)
    offers: dict[str, Row] = field(default_factory=dict)
    show: Row = field(default_factory=dict)
    payments: dict[str, Sums] = field(default_factory=dict)
    stock: Counter[str] = field(default_factory=Counter)  # on a shop's shelf: product → units it has, and has sold by itself
    waits: dict[tuple[str, str], Row] = field(default_factory=dict)  # (offer, account) → its place, while it has one
    settled: set[str] = field(default_factory=set)  # orders that became paid
    refunds: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)  # order → refund → (amount, state)
    money: list[tuple[int, str, int, str, str, str]] = field(default_factory=list)
    prices: list[tuple[int, str, int, str, int, int | None]] = field(default_factory=list)
    contracts: dict[str, str] = field(default_factory=dict)  # orders that turned out to be a minor's → floats, ratified, void
    differences: list[Difference] = field(default_factory=list)
    _dropped: dict[str, tuple[int, str]] = field(default_factory=dict)  # by the entry that is being taken

    def take(self, seq: int, raw: bytes) -> None:
        """The next entry of the log."""
        try:
            fields = msgpack.unpackb(raw, raw=False, unicode_errors="surrogateescape")
            self._count(seq, fields["counters"])
            self._keep_records(seq, fields["puts"], fields["drops"])
            for event in fields["events"]:
                told = getattr(self, f"_{event['type']}", None)
                if told:
                    told(seq, fields["at"], event)
        except (ValueError, KeyError, TypeError) as error:
            self._breach(f"entry {seq}", "a readable entry", repr(error))

    def _breach(self, where: str, expected: object, found: object) -> None:
        self.differences.append(Difference(f"{self.shelf} {where}", str(expected), str(found)))

    def _count(self, seq: int, rows: list[tuple[str, int, int]]) -> None:
        offers, coupons = set(), set()
        for name, delta, after in rows:
            due = self.counters.get(name, 0) + delta
            if due != after:
                self._breach(f"entry {seq} counter {name}", due, after)
            self.counters[name] = after
            place, _, offer = name.partition(":")
            if place in (*PLACES, "loaded", "waiting"):
                offers.add(offer)
                if after < 0:
                    self._breach(f"entry {seq} counter {name}", "not below 0", after)
            if place.startswith("coupon_"):
                coupons.add(offer)
                if after < 0:
                    self._breach(f"entry {seq} counter {name}", "not below 0", after)
        for coupon in sorted(coupons):
            self._quota(seq, coupon)
        if self.shelf.startswith("show:"):
            for offer in sorted(offers):
                self._stock(seq, offer)

    def _stock(self, seq: int, offer: str) -> None:
        self._adds_up(f"entry {seq} stock of {offer}", "loaded", f"loaded:{offer}", {each: f"{each}:{offer}" for each in PLACES})

    def _quota(self, seq: int, coupon: str) -> None:
        parts = {each: f"coupon_{each}:{coupon}" for each in COUPON_PLACES}
        self._adds_up(f"entry {seq} coupon {coupon}", "quota", f"coupon_quota:{coupon}", parts)

    def _adds_up(self, where: str, whole: str, counter: str, parts: dict[str, str]) -> None:
        """The counters of all `parts` make up the one of the whole, or it is a breach that tells each."""
        told = {part: self.counters.get(name, 0) for part, name in parts.items()}
        expected = self.counters.get(counter, 0)
        if sum(told.values()) != expected:
            self._breach(where, f"{whole} {expected}", " + ".join(f"{part} {count}" for part, count in told.items()))

    def _keep_records(self, seq: int, puts: list[tuple[str, int, str]], drops: list[str]) -> None:
        for record, version, digest in puts:
            if version != seq:
                self._breach(f"entry {seq} record {record}", f"version {seq}", f"version {version}")
            left = self.past.pop(record, None)
            if left and left.digest != digest:
                self._breach(f"entry {seq} record {record}", f"SHA-1 {left.digest}, as it was archived", f"SHA-1 {digest}")
            self.digests[record] = (version, digest)
        self._dropped = {record: self.digests.pop(record) for record in drops if record in self.digests}

    def _order_archived(self, seq: int, at: int, event: Row) -> None:
        for record in event["records"]:
            self.past[record] = Left(*self._dropped[record], event["order"], event["released"])

    def _show_created(self, seq: int, at: int, event: Row) -> None:
        names = ("title", "shop", "currency", "owner")
        self.show = {name: event[name] for name in names} | {
            "state": "draft",
            "starts_ms": event.get("starts_at"),
            "created_ms": at,
        }

    def _show_changed(self, seq: int, at: int, event: Row) -> None:
        self.show |= {
            "state": event["state"],
            "title": event["title"],
            "started_ms": event.get("started_at"),
            "ended_ms": event.get("ended_at"),
        }

    def _offer_set(self, seq: int, at: int, event: Row) -> None:
        offer = event["offer"]
        price = offer["price"]
        amount = price["amount"] if isinstance(price, dict) else price
        row = {"price": amount, "title": offer.get("title") or "", "product": offer.get("product") or ""}
        self.offers[offer["id"]] = row
        currency = price["currency"] if isinstance(price, dict) else offer.get("currency", "")
        self.prices.append((seq, offer["id"], amount, currency, at, None))

    def _deal_set(self, seq: int, at: int, event: Row) -> None:
        if deal := event["deal"]:
            price = deal["price"]
            self.prices.append((seq, deal["offer"], price["amount"], price["currency"], deal["starts_at"], deal["ends_at"]))

    def _order_changed(self, seq: int, at: int, event: Row) -> None:
        goods = sum(line["price"] * line["quantity"] for line in event["lines"])
        due = goods - event.get("discount", 0) + event.get("shipping", 0)
        if event["total"] != due:
            self._breach(f"entry {seq} total of {event['order']}", due, event["total"])
        if event["state"] == "paid":
            self.settled.add(event["order"])
        self.orders[event["order"]] = {
            "account": event["owner"],
            "shop": event.get("shop") or "",
            "state": event["state"],
            "version": event["version"],
            "total": event["total"],
            "currency": event["currency"],
            "lines": json.dumps(event["lines"], sort_keys=True),
            "held_at": event.get("held_at") or 0,
            "reserved_until": event.get("reserved_until"),
            "reason": event.get("reason") or "",
            "updated_ms": at,
        }

    def _approval_changed(self, seq: int, at: int, event: Row) -> None:
        first = self.approvals.get(event["approval"], {"requested_ms": at})
        self.approvals[event["approval"]] = {
            "requested_ms": first["requested_ms"],
            "order_id": event["order"],
            "minor": event["minor"],
            "guardian": event.get("guardian") or "",
            "state": event["state"],
            "digest": event["digest"],
            "total": event["total"],
            "currency": event["currency"],
            "expires_ms": event.get("expires_at"),
            "updated_ms": at,
        }

    def _contract_changed(self, seq: int, at: int, event: Row) -> None:
        self.contracts[event["order"]] = event["state"]

    def _shipment_made(self, seq: int, at: int, event: Row) -> None:
        if self.contracts.get(event["order"]) in ("floats", "void"):
            self._breach(f"entry {seq} shipment of {event['order']}", "none", f"one, its contract {self.contracts[event['order']]}")

    def _waitlist_changed(self, seq: int, at: int, event: Row) -> None:
        self.waits[event["offer"], event["owner"]] = event

    def _stock_adjusted(self, seq: int, at: int, event: Row) -> None:
        self.stock[event["product"]] += event["delta"]

    def _transfer_set_aside(self, seq: int, at: int, event: Row) -> None:
        self.stock[event["product"]] -= event["quantity"]

    def _transfer_arrived(self, seq: int, at: int, event: Row) -> None:
        self.stock[event["product"]] += event["quantity"]

    _transfer_released = _transfer_arrived

    def _payment_changed(self, seq: int, at: int, event: Row) -> None:
        payment, order = event["payment"], event["order"]
        before = self.payments.get(payment, Sums(order, 0, 0, at))
        self.payments[payment] = Sums(order, event["captured"], event["refunded"], at)
        common = (event["currency"], payment, order)
        if captured := event["captured"] - before.captured:
            self.money += [(seq, "provider", captured, *common), (seq, f"revenue:{self.shelf}", -captured, *common)]
        if refunded := event["refunded"] - before.refunded:
            self.money += [(seq, f"refunds:{self.shelf}", refunded, *common), (seq, "provider", -refunded, *common)]

    def _refund_changed(self, seq: int, at: int, event: Row) -> None:
        order = event["order"]
        self.refunds.setdefault(order, {})[event["refund"]] = (event["amount"], event["state"])
        captured = sum(paid.captured for paid in self.payments.values() if paid.order == order)
        standing = sum(amount for amount, state in self.refunds[order].values() if state != "failed")
        if standing > captured:
            self._breach(f"entry {seq} refunds of {order}", f"at most the {captured} captured", standing)

    def given_back(self) -> dict[str, tuple[int, int]]:
        """For each order: what its refunds say is back, and what its payments say is."""
        paid: Counter[str] = Counter()
        for one in self.payments.values():
            paid[one.order] += one.refunded
        done = {
            order: sum(amount for amount, state in refunds.values() if state == "done")
            for order, refunds in self.refunds.items()
        }
        return {order: (done.get(order, 0), paid[order]) for order in done.keys() | paid.keys()}

    def sums(self) -> dict[str, int]:
        """What counters must say by law of orders, lines, payments and (a shop's) stock: `n:STATE`, `revenue`, …"""
        states: Counter[str] = Counter(f"n:{row['state']}" for row in self.orders.values())
        counted = self.settled | self.refunds.keys()  # late money is counted by the commit that begins to give it back
        captured = sum(paid.captured for paid in self.payments.values() if paid.order in counted)
        line: Counter[str] = Counter()
        for (offer, _), told in self.waits.items():
            line[f"waiting:{offer}"] += told["state"] == "waiting"
            line[f"offered:{offer}"] += told["quantity"] if told["state"] == "offered" else 0
        shop = self.stock if self.shelf.startswith("shop:") else {}
        # What a shop sells by itself is not free any more, but still its own.
        sold = {product: sum(self.counters.get(f"{place}:{product}", 0) for place in PLACES[1:]) for product in shop}
        free = {f"free:{product}": units - sold[product] for product, units in shop.items()}
        refunded = sum(paid.refunded for paid in self.payments.values())
        return {**states, **line, **free, "revenue": captured, "refunded": refunded}
