"""Projection: what one log entry changes in the SQL lists, as plain row operations. Pure: no I/O, no clock.

A payment's event carries sums (captured and refunded so far), so its money entries depend on what was booked before:
it becomes a `Paid`, which `money.py` turns into entries. Unknown event types change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgpack
import msgspec

from livesale.guardians.events import APPROVAL_CHANGED
from livesale.kernel.events import Event
from livesale.ledger import auditing
from livesale.orders.events import ORDER_CHANGED
from livesale.payments.events import PAYMENT_CHANGED
from livesale.shows.events import CHAT_SAID, DEAL_SET, OFFER_SET, SHOW_CHANGED, SHOW_CREATED
from livesale.store.log import Entry


class Upsert(NamedTuple):
    """Set `values` in the row `key` of `table`; `first` only when the row is new."""

    table: str
    key: tuple[str, ...]
    values: dict[str, Any]
    first: dict[str, Any]


class Append(NamedTuple):
    """One more row of `table`."""

    table: str
    values: dict[str, Any]


class Paid(NamedTuple):
    """What of a payment is captured and refunded after an entry, in minor units."""

    shelf: str
    seq: int
    at_ms: int
    payment: str
    order: str
    currency: str
    captured: int
    refunded: int


Operation = Upsert | Append | Paid


class Place(NamedTuple):
    """Where and when an event happened."""

    shelf: str
    seq: int
    at_ms: int


def decode(raw: bytes) -> dict[str, Any]:
    """An entry's fields; bytes that are no text (Valkey's msgpack knows no bin type) come as surrogates."""
    fields: dict[str, Any] = msgpack.unpackb(raw, raw=False, unicode_errors="surrogateescape")
    return fields


def project(entry: Entry, fields: dict[str, Any]) -> list[Operation]:
    """The row operations of one entry, in order. KeyError or TypeError when an event lacks what it must carry."""
    place = Place(entry.shelf, entry.seq, fields["at"])
    operations: list[Operation] = [
        Upsert("counters", (entry.shelf, name), {"value": after}, {}) for name, _, after in fields["counters"]
    ]
    for event in fields["events"]:
        handler = _HANDLERS.get(event["type"])
        if handler:
            operations.extend(handler(place, event))
        line = auditing.line(event, entry.shelf, entry.seq)
        if line:
            operations.append(Append("audit", {"at_ms": place.at_ms, **line}))
    return operations


def _show_created(place: Place, event: Event) -> Iterator[Operation]:
    values = {
        "title": event["title"],
        "shop": event["shop"],
        "currency": event["currency"],
        "owner": event["owner"],
        "state": "draft",
        "starts_ms": event.get("starts_at"),
        "created_ms": place.at_ms,
    }
    yield Upsert("shows", (event["show"],), values, {})


def _show_changed(place: Place, event: Event) -> Iterator[Operation]:
    values = {
        "title": event["title"],
        "state": event["state"],
        "started_ms": event.get("started_at"),
        "ended_ms": event.get("ended_at"),
    }
    yield Upsert("shows", (event["id"],), values, {})


def _offer_set(place: Place, event: Event) -> Iterator[Operation]:
    offer = event["offer"]
    price, currency = offer["price"], offer.get("currency", "")
    if isinstance(price, dict):  # the shape pages read
        price, currency = price["amount"], price["currency"]
    values = {
        "shelf": place.shelf,
        "product": offer.get("product") or "",
        "title": offer.get("title") or "",
        "price": price,
        "currency": currency,
    }
    yield Upsert("offers", (offer["id"],), values, {})
    yield _price(place, offer["id"], price, currency, place.at_ms, None)


def _deal_set(place: Place, event: Event) -> Iterator[Operation]:
    if deal := event["deal"]:
        price = deal["price"]
        yield _price(place, deal["offer"], price["amount"], price["currency"], deal["starts_at"], deal["ends_at"])


def _price(place: Place, offer: str, price: int, currency: str, from_ms: int, until_ms: int | None) -> Append:
    times = {"from_ms": from_ms, "until_ms": until_ms}
    values = {"shelf": place.shelf, "seq": place.seq, "offer": offer, "price": price, "currency": currency}
    return Append("prices", {**values, **times})


def _order_changed(place: Place, event: Event) -> Iterator[Operation]:
    values = {
        "shelf": place.shelf,
        "shop": event.get("shop") or "",
        "account": event["owner"],
        "state": event["state"],
        "version": event["version"],
        "total": event["total"],
        "currency": event["currency"],
        "lines": msgspec.json.encode(event["lines"]).decode(),
        "held_at": event.get("held_at") or 0,
        "reserved_until": event.get("reserved_until"),
        "updated_ms": place.at_ms,
        "reason": event.get("reason") or "",
    }
    yield Upsert("orders", (event["order"],), values, {})


def _approval_changed(place: Place, event: Event) -> Iterator[Operation]:
    values = {
        "order_id": event["order"],
        "shelf": place.shelf,
        "minor": event["minor"],
        "guardian": event.get("guardian") or "",
        "state": event["state"],
        "digest": event["digest"],
        "total": event["total"],
        "currency": event["currency"],
        "expires_ms": event.get("expires_at"),
        "updated_ms": place.at_ms,
    }
    yield Upsert("approvals", (event["approval"],), values, {"requested_ms": place.at_ms})


def _payment_changed(place: Place, event: Event) -> Iterator[Operation]:
    captured, refunded = event["captured"], event["refunded"]
    yield Paid(*place, event["payment"], event["order"], event["currency"], captured, refunded)


def _chat_said(place: Place, event: Event) -> Iterator[Operation]:
    if "sealed" in event:  # older lines lie in the log in the open
        values = {
            "show": place.shelf.partition(":")[2], "account": event["author"], "at_ms": place.at_ms, "sealed": event["sealed"],
        }  # fmt: skip
        yield Upsert("chat_lines", (event["id"],), values, {})


_HANDLERS: dict[str, Callable[[Place, Event], Iterator[Operation]]] = {
    SHOW_CREATED: _show_created,
    SHOW_CHANGED: _show_changed,
    OFFER_SET: _offer_set,
    DEAL_SET: _deal_set,
    CHAT_SAID: _chat_said,
    ORDER_CHANGED: _order_changed,
    APPROVAL_CHANGED: _approval_changed,
    PAYMENT_CHANGED: _payment_changed,
}
