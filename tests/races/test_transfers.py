"""The guards of stock on its way between two shelves, each shown by what happens without it, and every way to die."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from msgspec.structs import replace

from livesale.kernel.ids import random_name
from livesale.orders import transfers
from livesale.orders.transfers import Transfer, Transfers, arrived
from livesale.store.decision import Counter, Decision, NotCommitted
from livesale.store.valkey import Store
from tests.races.blind import blindly, carried_out

SHOP, SHOW, PRODUCT, OFFER = "shop:demo", "show:abc", "p_1", "of_1"
STOCK, MOVED = 10, 4


async def begun(store: Store) -> Transfer:
    """Units set aside, their deadline over, and the process that moved them dead."""
    await store.commit(Decision(SHOP, counters=(Counter(f"free:{PRODUCT}", STOCK),)))
    moved = Transfer(f"t_{random_name()}", SHOP, SHOW, PRODUCT, OFFER, MOVED, store.now_ms() - 1)
    await Transfers(store)._set_aside(moved)
    return moved


async def stock(store: Store) -> tuple[int, int]:
    """(units in the shop, units in the show)."""
    here, there = (await store.counters(SHOP, f"free:{PRODUCT}")), (await store.counters(SHOW, f"free:{OFFER}"))
    return here[f"free:{PRODUCT}"], there[f"free:{OFFER}"]


@pytest.mark.parametrize(("blind", "there"), [(False, MOVED), (True, 2 * MOVED)])
async def test_arriving_twice(store: Store, blind: bool, there: int) -> None:
    """A worker takes up what was under way: unless `transfer:ID` must not exist there, the units arrive twice."""
    moved = await begun(store)
    twice = [arrived(moved, Decision(SHOW)) for _ in range(2)]
    await (blindly if blind else carried_out)(store, twice)
    assert await stock(store) == (STOCK - MOVED, there)


@pytest.mark.parametrize("blind", [False, True])
async def test_going_back_twice(store: Store, blind: bool) -> None:
    """Two workers release: without the record that is dropped the units come back twice."""
    moved = await begun(store)
    name = f"transfer:{moved.id}"
    record = (await store.read(SHOP, name))[name]
    assert record
    back = Decision(SHOP, counters=transfers.units(moved, SHOP, 1), drops=((name, record.version),))
    twice = [back, replace(back, id=random_name(), drops=() if blind else back.drops)]
    await carried_out(store, twice)
    assert await stock(store) == (STOCK + MOVED if blind else STOCK, 0)


@pytest.mark.parametrize("blind", [False, True])
async def test_arriving_after_it_went_back(store: Store, blind: bool) -> None:
    """The first process was only slow: its arrival comes after a worker gave up, and the fence there keeps it out."""
    moved = await begun(store)
    if blind:
        await Transfers(store)._release(moved)  # what a worker without the fence would do
    else:
        await Transfers(store).finish(SHOP, moved.id)
    await carried_out(store, [arrived(moved, Decision(SHOW))])
    assert await stock(store) == (STOCK, MOVED if blind else 0)


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(("arrive", "finish", "finish")))))
async def test_whoever_comes_first(store: Store, order: tuple[str, ...]) -> None:
    """The slow process and two workers, in every order and then all at once: no unit is lost, none is there twice.

    The slow process has one arrival, however often it sends it: it is a Decision with an id of its own.
    """
    moved = await begun(store)
    move, arrival = Transfers(store), arrived(moved, Decision(SHOW))

    async def act(what: str) -> None:
        if what == "arrive":
            await store.commit(arrival)
        else:
            await move.finish(SHOP, moved.id)

    for what in order:
        await asyncio.gather(act(what), return_exceptions=True)
    done = await asyncio.gather(*(act(what) for what in order), return_exceptions=True)
    assert all(one is None or isinstance(one, NotCommitted) for one in done)
    await move.finish(SHOP, moved.id)
    assert sum(await stock(store)) == STOCK
    assert await store.due(SHOP, "due", store.now_ms()) == []
