"""`livesale bench orders`: how many accepted holds a second the whole system makes, beside its store's own rate.

Every buyer is an account of its own that asks once. Afterwards the shelf is read: nothing may be sold twice, and every
order that was acknowledged must be there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from livesale.apps.wiring import Wiring
from livesale.bench import holds
from livesale.bench.cast import Cast, Person, Stage
from livesale.bench.child import Child
from livesale.bench.system import System, running_system
from livesale.kernel.ids import shelf
from livesale.settings import Settings
from livesale.store.valkey import Store

BUYERS = 12_000
CONNECTIONS = 128
WARM_UP = 600
SECONDS = 60
WHOLE = 1_500  # orders that are paid, too
PACED = 9_000  # holds that come when they are due
PACED_PER_S = 3_000
FLOOR_COMMITS = 2_000  # before and after the buyers, half each
READ_AT_ONCE = 500


async def run(settings: Settings, chosen: dict[str, int], *, as_json: bool) -> int:
    """The command: prints the summary as its last line; 1 when units were oversold or orders lost."""
    async with running_system(settings) as system, Wiring(system.settings) as wiring:
        found = await measure(system, wiring, **chosen)
    for figures in found:
        if as_json:
            click.echo(json.dumps(figures))
        else:
            for name, value in figures.items():
                click.echo(f"{name:18} {value}")
    return 1 if found[-1]["oversold"] or found[-1]["lost"] else 0


async def measure(
    system: System, wiring: Wiring, buyers: int = BUYERS, stock: int | None = None, seconds: int = SECONDS
) -> list[dict[str, Any]]:
    """Figures of whole orders (held, checked out, paid through the provider), of holds that come at a steady rate whatever
    becomes of them, and those of contract section 6.
    """
    stock = buyers * 5 // 6 if stock is None else stock
    paced = min(PACED, buyers)
    cast = Cast(system, wiring)
    await cast.shop(stock + WARM_UP + FLOOR_COMMITS + WHOLE + paced)
    hot = await cast.show("Bench", stock)
    other = await cast.show("Bench: floor", WARM_UP + FLOOR_COMMITS)
    paid = await cast.show("Bench: whole orders", WHOLE)
    steady = await cast.show("Bench: a steady rate", paced)
    people = await cast.people(max(buyers, WHOLE) + WARM_UP)
    floor = Floor(system, wiring.store, other)
    parts = urlsplit(system.url)
    options = {"host": parts.hostname, "port": parts.port, "connections": min(CONNECTIONS, buyers)}
    async with Child("livesale.bench.buyers", options) as child:
        await child.ask(_round(other, people[-WARM_UP:], seconds))
        before = system.cpu_s()
        whole = await child.ask(_round(paid, people[:WHOLE], seconds, whole=True))
        spent = _spent(system, before)
        held = await child.ask(_round(steady, people[:paced], seconds, per_s=PACED_PER_S))
        await floor.turn()
        before = system.cpu_s()
        came = await child.ask(_round(hot, people[:buyers], seconds))
        used = _spent(system, before)
        await floor.turn()
    checked = await check(wiring.store, hot, stock, came["ids"])
    for stage in (hot, other, paid, steady):
        await cast.end(stage)
    summary = _figures(buyers, stock, came, floor) | checked | await _ground(system, wiring.store, came, used)
    return [_beside("whole orders", "paid", whole) | {"server_cpu_s": spent}, _beside("steady holds", "accepted", held), summary]


@dataclass
class Floor:
    """The store's own rate, taken in turns around the buyers."""

    system: System
    store: Store
    stage: Stage
    rates: tuple[float, ...] = ()

    async def turn(self) -> None:
        """Another turn."""
        commits = await holds.commands(self.store, self.stage.show, self.stage.offer, FLOOR_COMMITS // 2)
        rate = await holds.per_s(self.system.settings.store_url, commits, CONNECTIONS)
        self.rates = (*self.rates, rate)

    def per_s(self) -> float:
        """The mean of all turns."""
        return sum(self.rates) / len(self.rates)


async def check(store: Store, stage: Stage, stock: int, ids: list[str]) -> dict[str, int]:
    """`oversold`: units beyond the stock; `lost`: acknowledged orders that are not on the shelf, or there twice."""
    on_shelf, offer = shelf("show", stage.show), stage.offer
    places = ("free", "offered", "held", "paying", "claimed")
    counted = await store.counters(on_shelf, *(f"{place}:{offer}" for place in places))
    taken = sum(counted.values()) - counted[f"free:{offer}"]
    missing = len(ids) - len(set(ids))
    for start in range(0, len(ids), READ_AT_ONCE):
        found = await store.read(on_shelf, *(f"order:{each}" for each in ids[start : start + READ_AT_ONCE]))
        missing += sum(record is None for record in found.values())
    return {"oversold": max(0, taken - stock, len(ids) - stock), "lost": missing + max(0, len(ids) - taken)}


def _round(
    stage: Stage, people: list[Person], seconds: int, *, whole: bool = False, per_s: int = 0
) -> dict[str, Any]:
    tokens = [one.token for one in people]
    return {
        "show": stage.show, "offer": stage.offer, "tokens": tokens, "seconds": seconds, "whole": whole, "per_s": per_s,
    }  # fmt: skip


def _spent(system: System, before: dict[str, float]) -> dict[str, float]:
    """CPU seconds of each process since `before`."""
    return {name: round(spent - before[name], 2) for name, spent in system.cpu_s().items()}


def _beside(name: str, what: str, came: dict[str, Any]) -> dict[str, Any]:
    """A line before the summary: how many orders came to their end, and how long each took."""
    done = len(came["ids"])
    return {
        "bench": name,
        what: done,
        "errors": came["errors"] + sum(came["refused"].values()) + came["unasked"],
        "per_s": round(done / came["seconds"], 1) if done else 0.0,
        "p50_ms": round(came["p50_ms"], 1),
        "p99_ms": round(came["p99_ms"], 1),
    }


def _figures(buyers: int, stock: int, came: dict[str, Any], floor: Floor) -> dict[str, Any]:
    accepted = len(came["ids"])
    rate = accepted / came["seconds"] if accepted else 0.0
    return {
        "bench": "orders",
        "buyers": buyers - came["unasked"],
        "offers": 1,
        "stock": stock,
        "accepted": accepted,
        "refused": sum(came["refused"].values()),
        "errors": came["errors"],
        "per_s": round(rate, 1),
        "p50_ms": round(came["p50_ms"], 1),
        "p99_ms": round(came["p99_ms"], 1),
        "floor_per_s": round(floor.per_s(), 1),
        "ratio": round(rate / floor.per_s(), 3),
    }


async def _ground(system: System, store: Store, came: dict[str, Any], used: dict[str, float]) -> dict[str, Any]:
    """What the figures stand on."""
    policy = await store.ask("CONFIG", "GET", "appendfsync")
    policy = next(iter(policy.values())) if isinstance(policy, dict) else policy[1]
    return {
        "durability": f"appendfsync {policy.decode()}",
        "fsync_us": system.fsync_us,
        "server_cpu_s": used,
        "load_cpu": round(came["cpu_s"] / max(came["wall_s"], 1e-9), 3),
    }
