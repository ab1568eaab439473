"""Decisions of the rooms less one guard, and what the store makes of them. Only tests take guards off."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from livesale.kernel.ids import random_name
from livesale.store.decision import Decision, Early, NotCommitted
from livesale.store.record import version
from livesale.store.valkey import Store


def unbounded(decision: Decision, *names: str) -> Decision:
    """Without the bounds of these counters (by how their names begin)."""
    return replace(
        decision,
        counters=tuple(
            replace(one, floor=None, ceiling=None) if one.name.startswith(names) else one for one in decision.counters
        ),
    )


async def carried_out(store: Store, decisions: Iterable[Decision]) -> list[bool]:
    """Which were accepted, one after the other."""
    done = []
    for decision in decisions:
        try:
            done.append(not (await store.commit(decision)).replayed)
        except (NotCommitted, Early):
            done.append(False)
    return done


async def blindly(store: Store, decisions: Iterable[Decision]) -> list[bool]:
    """The same, of Decisions that overwrite and drop whatever version is there: the last one wins."""
    done = []
    for decision in decisions:
        names = [row.record for row in decision.puts] + [name for name, _ in decision.drops]
        now = {name: version(stored) for name, stored in (await store.read(decision.shelf, *names)).items()}
        blind = replace(
            decision,
            id=random_name(),
            expect=(),
            puts=tuple(replace(row, replaces=now[row.record]) for row in decision.puts),
            drops=tuple((name, now[name]) for name, _ in decision.drops if now[name]),
        )
        done += await carried_out(store, [blind])
    return done
