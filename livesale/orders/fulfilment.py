"""Fulfilment: which units of an order have left the house. Pure.

open → partly_shipped → shipped → completed. Shipped: nothing that the buyer still wants is left to send.
"""

from __future__ import annotations

from collections import Counter

import msgspec

MOST_SHIPMENTS = 100  # of one order

MOVES = {
    "open": {"partly_shipped", "shipped"},
    "partly_shipped": {"shipped"},
    "shipped": {"completed"},
}


class Shipment(msgspec.Struct, frozen=True, omit_defaults=True):
    """`units` (offer → quantity) handed to a carrier; `once` is the command's key and fingerprint."""

    id: str
    units: dict[str, int]
    at: int
    by: str
    carrier: str = ""
    tracking: str = ""
    once: tuple[str, str] = ("", "")


class Fulfilment(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shipments of one order, oldest first, and how far that is."""

    shipments: list[Shipment] = []
    state: str = "open"

    def sent(self) -> Counter[str]:
        """Units that have left, by offer."""
        units: Counter[str] = Counter()
        for one in self.shipments:
            units.update(one.units)
        return units

    def sent_at(self) -> int:
        """When the last of them left (ms); 0 when none has."""
        return max((one.at for one in self.shipments), default=0)


def reached(fulfilment: Fulfilment, remaining: int) -> Fulfilment:
    """The fulfilment as it is with `remaining` units to be sent; it never goes back."""
    target = "open" if not fulfilment.shipments else "partly_shipped" if remaining else "shipped"
    return moved(fulfilment, target)


def moved(fulfilment: Fulfilment, state: str) -> Fulfilment:
    """The fulfilment in `state` where the table allows it, else as it is."""
    if state not in MOVES.get(fulfilment.state, set()):
        return fulfilment
    return msgspec.structs.replace(fulfilment, state=state)
