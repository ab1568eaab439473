"""The judge of the crash tests: what buyers were told, beside what the shelf, the provider and the ledger say."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping

from livesale.store.valkey import Store, connect
from tests.crashes.system import SETTLES_WITHIN_S, System, until

PLACES = ("free", "offered", "held", "paying", "claimed")


@contextlib.asynccontextmanager
async def store_of(system: System) -> AsyncIterator[Store]:
    """The running system's store, read past all of its processes."""
    store = await connect(system.settings.store_url)
    try:
        yield store
    finally:
        await store.close()


async def settled(system: System, show: str) -> None:
    """No order is on its way any more."""
    async with store_of(system) as store:

        async def quiet() -> bool:
            found = await store.counters(f"show:{show}", "n:awaiting_payment")
            return found["n:awaiting_payment"] == 0

        await until(quiet, SETTLES_WITHIN_S, "every payment has come to an end")


async def units(system: System, show: str, offers: list[str]) -> dict[str, dict[str, int]]:
    """free + offered + held + paying + claimed = loaded, none below zero, for every offer; where its units are."""
    async with store_of(system) as store:
        counters = await store.counters(f"show:{show}")
    found = {offer: {place: counters.get(f"{place}:{offer}", 0) for place in PLACES} for offer in offers}
    for offer, kept in found.items():
        assert min(kept.values()) >= 0, (offer, kept)
        assert sum(kept.values()) == counters[f"loaded:{offer}"], (offer, kept)
    return found


def money(system: System, show: str, paid: Mapping[str, int]) -> None:
    """The provider's own book has each `paid` order captured once, in full, and no other of this show."""
    with contextlib.closing(sqlite3.connect(system.data / "paysim.db", timeout=10)) as book:
        rows = book.execute("SELECT id, reference, captured FROM intents WHERE reference LIKE ?", (f"o_s{show}_%",))
        captured: Counter[str] = Counter()
        intents = {}
        for intent, order, amount in rows.fetchall():
            captured[order] += amount
            intents[intent] = order
        acts = Counter(
            intents[intent]
            for (intent,) in book.execute("SELECT intent FROM entries WHERE act LIKE 'capture%'")
            if intent in intents
        )
    assert {order: captured[order] for order in paid} == dict(paid)
    assert max(acts.values(), default=0) <= 1
    assert {order for order, amount in captured.items() if amount} == set(acts)
