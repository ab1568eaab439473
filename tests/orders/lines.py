"""The lines of a market as its log tells them: who waits in which order; the judge of the state machine."""

from __future__ import annotations

from typing import Any

from livesale.orders.events import TRANSFER_SET_ASIDE
from livesale.orders.waitlist import Wait, in_order, with_units
from livesale.store.record import load
from tests.support.market import Market


class Lines:
    """Told every log entry. Law: in the order of joining, and nobody passes."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[str]] = {}  # each offer's accounts in the order of joining
        self.served = 0

    def take(self, entry: dict[str, Any]) -> None:
        """Free units leave for an order only while nobody waits, and for a place only if it is the first."""
        moved = {name: delta for name, delta, _ in entry["counters"]}
        goes_home = any(event["type"] == TRANSFER_SET_ASIDE for event in entry["events"])  # of an ended show: no buyer
        for name, delta in moved.items():
            place, _, offer = name.partition(":")
            if place == "free" and delta < 0 and not goes_home and moved.get(f"offered:{offer}", 0) <= 0:
                assert not self.waiting.get(offer), "somebody passed the line"
        for event in entry["events"]:
            if event["type"] == "waitlist_changed":
                self._moved(event)

    def _moved(self, event: dict[str, Any]) -> None:
        line = self.waiting.setdefault(event["offer"], [])
        if event["state"] == "waiting":
            line.append(event["owner"])
        elif event["state"] == "offered":
            assert event["owner"] == line.pop(0)
            self.served += 1
        elif event["before"] == "waiting":
            line.remove(event["owner"])

    async def check(self, market: Market) -> None:
        """Records, counters and indexes say the same of every line, and its order is the log's."""
        records = await market.store.records(market.shelf)
        counters = await market.store.counters(market.shelf)
        due = await market.store.first(market.shelf, "due", 1000)
        for offer in market.offers:
            line = self.waiting.get(offer, [])
            waits = [load(Wait, row) for name, row in records.items() if name.startswith(f"wait:{offer}:")]
            offered = {wait.account: wait.quantity for wait in waits if wait and wait.state == "offered"}
            assert counters.get(f"waiting:{offer}", 0) == len(waits) - len(offered) == len(line)
            assert counters.get(f"offered:{offer}", 0) == sum(offered.values())
            assert await market.store.first(market.shelf, in_order(offer), 100) == line
            assert set(await market.store.first(market.shelf, with_units(offer), 100)) == set(offered)
            marked = {mark for mark in due if mark.startswith(f"offered:{offer}:")}
            assert marked == {f"offered:{offer}:{account}" for account in offered}

    async def check_served(self, market: Market) -> None:
        """Once nothing moves, no units lie about while people wait."""
        for offer in market.offers:
            units = await market.store.counters(market.shelf, f"free:{offer}", f"waiting:{offer}")
            assert 0 in units.values(), units

    async def check_gone(self, market: Market) -> None:
        """Nothing of any line is left."""
        assert not any(self.waiting.values())
        assert not [name for name in await market.store.records(market.shelf) if name.startswith("wait:")]
        counters = await market.store.counters(market.shelf)
        assert not [name for name in counters if name.startswith(("waiting:", "offered:"))]
