"""Telling: what one log entry means to a show's viewers: to all of them, and to one whose order it is."""

from __future__ import annotations

from livesale.apps.chat import Texts, readable
from livesale.hub.channel import Channel
from livesale.kernel.events import Event, EventKind
from livesale.orders import waitlist
from livesale.orders.events import KINDS as ORDER_KINDS
from livesale.orders.events import ORDER_CHANGED, WAITLIST_CHANGED
from livesale.shows.mirror import Mirror
from livesale.store.log import Entry


def tell(mirror: Mirror, channel: Channel, entry: Entry, texts: Texts) -> None:
    """Take it into the mirror, and tell the hub."""
    fields = entry.fields()
    events = mirror.apply(entry.seq, fields["at"], fields["counters"], readable(fields["events"], texts))
    channel.broadcast_epoch_ms = mirror.epoch or None
    channel.entry(entry.seq, fields["at"], _personal(fields["events"]) + events)


def _personal(told: list[Event]) -> list[tuple[EventKind, Event]]:
    """The events of an entry that go to one account only, as their owner reads them."""
    shown = {ORDER_CHANGED: _order_told, WAITLIST_CHANGED: waitlist.notice}
    return [(ORDER_KINDS[event["type"]], shown[event["type"]](event)) for event in told if event["type"] in shown]


def _order_told(event: Event) -> Event:
    return {
        "type": ORDER_CHANGED, "owner": event["owner"], "id": event["order"], "state": event["state"],
        "version": event["version"],
    }  # fmt: skip
