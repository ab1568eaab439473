"""`kill -9` of one process after the other at random moments of a rush, and the verdict when all is quiet."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from livesale.orders.model import ENDED, Order
from livesale.store.record import load
from tests.crashes import judge
from tests.crashes.buyers import LEGAL_AFTER
from tests.crashes.rush import STOCK, Rush, scene
from tests.crashes.system import COMES_UP_WITHIN_S, HEALS_WITHIN_S, System, until

OFTEN, SELDOM = ("store", "web", "worker", "paysim"), "supervisor"
SELDOM_EVERY = 10  # kills: a new start of everything takes as long as five others
HOLDS_BETWEEN = (150, 500)  # acknowledged, drawn anew for each moment
READ_AT_ONCE = 500


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    seed: int
    kills: Counter[str]
    rush: Rush
    up_s: float  # while nothing was dead: the holds' rate is over this
    counted: int  # holds acknowledged meanwhile

    def __str__(self) -> str:
        rate = self.counted / max(self.up_s, 1e-9)
        return (
            f"seed {self.seed}: {sum(self.kills.values())} kills {dict(self.kills)}, {self.rush.holds} holds "
            f"({rate:.0f}/s while all lived), {self.rush.paid} told paid, {self.rush.told_again} lost answers told "
            f"again, {dict(self.rush.answers)}, {dict(self.rush.tries)}"
        )


def schedule(chance: random.Random, kills: int) -> list[str]:
    """Who dies when: everyone about as often, the supervisor now and then."""
    often = [OFTEN[number % len(OFTEN)] for number in range(kills - kills // SELDOM_EVERY)]
    names = often + [SELDOM] * (kills // SELDOM_EVERY)
    chance.shuffle(names)
    return names


async def run(system: System, seed: int, kills: int, say: Callable[[str], None] = print) -> Outcome:
    """A show with `kills` in its rush; AssertionError, with the seed in what was said, when a law is broken."""
    chance = random.Random(seed)
    on = await scene(system)
    rush = Rush(system, on, random.Random(seed))
    say(f"seed {seed}, show {on.show}")
    buying = asyncio.create_task(rush.run())
    try:
        died, up_s, counted = Counter[str](), 0.0, 0
        for number, name in enumerate(schedule(chance, kills), 1):
            began_s, before = time.monotonic(), rush.holds
            await _holds(rush, buying, chance.randint(*HOLDS_BETWEEN))
            up_s, counted = up_s + time.monotonic() - began_s, counted + rush.holds - before
            took_s = await _killed(system, rush, buying, name)
            died[name] += 1
            say(f"{number:3} {name:10} answered again after {took_s:.1f} s; {rush.holds} holds, {rush.paid} paid")
        rush.stop()
        await buying
    finally:
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
    outcome = Outcome(seed, died, rush, up_s, counted)
    say(str(outcome))
    await _judged(system, rush)
    return outcome


async def _holds(rush: Rush, buying: asyncio.Task[None], count: int) -> None:
    """So many more have been acknowledged."""
    wanted = rush.holds + count
    await until(lambda: rush.holds >= wanted or buying.done(), COMES_UP_WITHIN_S, f"{count} more holds")
    if buying.done():
        await buying


async def _killed(system: System, rush: Rush, buying: asyncio.Task[None], name: str) -> float:
    """Seconds from the kill until buyers hold and pay again."""
    began_s = time.monotonic()
    if name == SELDOM:
        children = system.kill_supervisor()
        _, left = await asyncio.to_thread(psutil.wait_procs, children, HEALS_WITHIN_S)
        assert left == [], "the supervisor's processes outlive it"
        await asyncio.to_thread(system.start)
    else:
        dead = system.kill(name)
        await until(lambda: system.pids().get(name, dead) != dead, COMES_UP_WITHIN_S, f"another {name}")
    paid = rush.paid
    await _holds(rush, buying, 1)
    await until(lambda: rush.paid > paid or buying.done(), COMES_UP_WITHIN_S, f"a payment after {name} was killed")
    return time.monotonic() - began_s


async def _judged(system: System, rush: Rush) -> None:
    show, offers = rush.scene.show, rush.scene.offers
    assert not rush.wrong, rush.wrong[:3]
    await judge.settled(system, show)
    orders, counted, now_ms = await _kept(system, rush)
    _as_told(rush, orders, now_ms)
    assert sum(count for name, count in counted.items() if name.startswith("n:")) == len(orders), "nobody was told of some"
    _sold(offers, orders, await judge.units(system, show, offers))
    judge.money(system, show, {one.id: one.total for one in orders.values() if one and one.state == "paid"})
    for words in (("show", "verify", show), ("reconcile",)):
        done = await asyncio.to_thread(system.command, *words)
        assert done.returncode == 0, done.stdout + done.stderr


async def _kept(system: System, rush: Rush) -> tuple[dict[str, Order | None], dict[str, int], int]:
    """Each acknowledged order as the shelf has it, the shelf's counters, and its clock."""
    shelf, ids = f"show:{rush.scene.show}", list(rush.orders)
    async with judge.store_of(system) as store:
        orders: dict[str, Order | None] = {}
        for start in range(0, len(ids), READ_AT_ONCE):
            some = ids[start : start + READ_AT_ONCE]
            found = await store.read(shelf, *(f"order:{one}" for one in some))
            orders |= {one: load(Order, found[f"order:{one}"]) for one in some}
        return orders, await store.counters(shelf), store.now_ms()


def _as_told(rush: Rush, orders: dict[str, Order | None], now_ms: int) -> None:
    """Every acknowledged order is there, its buyer's, for what was said, where it may be after what was said."""
    for one, told in rush.orders.items():
        order = orders[one]
        assert order, f"{one} is gone, its buyer was told {told.state}"
        assert (order.total, order.currency) == (told.total["amount"], told.total["currency"])
        assert [(line.offer, line.quantity) for line in order.lines] == [(told.offer, told.quantity)]
        run_out = told.state == "held" and order.state == "expired" and order.reserved_until <= now_ms
        assert run_out or order.state in LEGAL_AFTER[told.state], (one, told.state, order.state)


def _sold(offers: list[str], orders: dict[str, Order | None], kept: dict[str, dict[str, int]]) -> None:
    """Each unit is with one order: what the orders say is what the counters say, and no more than there was."""
    for offer, stock in zip(offers, STOCK, strict=True):
        taken, claimed = 0, 0
        for order in filter(None, orders.values()):
            for line in order.lines:
                taken += line.quantity if line.offer == offer and order.state not in ENDED else 0
                claimed += line.quantity if line.offer == offer and order.state == "paid" else 0
        assert taken <= stock
        assert (taken, claimed) == (stock - kept[offer]["free"], kept[offer]["claimed"])
