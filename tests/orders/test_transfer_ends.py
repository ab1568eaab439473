"""Stock that has crossed from one shelf to the other is there once, and nothing is kept of its way."""

from __future__ import annotations

import asyncio

import pytest

from livesale.orders.transfers import Transfers
from livesale.store.decision import Committed, Conflict, Counter, Decision, Put
from livesale.store.valkey import Store

SHOP, SHOW, PRODUCT, OFFER = "shop:demo", "show:abc", "p_1", "of_sabc_1"


@pytest.fixture
async def transfers(store: Store) -> Transfers:
    await store.commit(Decision(SHOP, counters=(Counter(f"free:{PRODUCT}", 100),)))
    return Transfers(store)


async def units(store: Store) -> tuple[int, int]:
    shop = (await store.counters(SHOP, f"free:{PRODUCT}"))[f"free:{PRODUCT}"]
    return shop, (await store.counters(SHOW, f"free:{OFFER}"))[f"free:{OFFER}"]


async def kept(store: Store) -> list[str]:
    """Records of transfers on either shelf."""
    found = {**await store.records(SHOP), **await store.records(SHOW)}
    return [name for name in found if name.startswith("transfer:")]


async def move(transfers: Transfers, act: str = "act") -> None:
    await transfers.to_show("demo", PRODUCT, OFFER, 10, Decision(SHOW, id=act))


async def test_a_transfer_leaves_nothing_behind(store: Store, transfers: Transfers) -> None:
    """A hundred shows' stock there and back: no record more on either shelf."""
    for number in range(5):
        await move(transfers, f"act{number}")
        await transfers.to_shop(SHOW, "demo", PRODUCT, OFFER, 10)
    assert await units(store) == (100, 0)
    assert await kept(store) == []


async def test_the_same_act_moves_once(store: Store, transfers: Transfers) -> None:
    """Repeated after its record is gone, a command finds its units there."""
    for _ in range(3):
        await move(transfers)
    assert await units(store) == (90, 10)
    assert await kept(store) == []


@pytest.mark.parametrize("killed_before", [2, 3, 4])
async def test_a_kill_at_any_step_is_finished(
    store: Store, transfers: Transfers, monkeypatch: pytest.MonkeyPatch, killed_before: int
) -> None:
    """Killed before the arrival, before the source forgets, before the target does: the units are somewhere, once."""
    commit, done = store.commit, 0

    async def killed(decision: Decision) -> Committed:
        nonlocal done
        done += 1
        if done == killed_before:
            raise asyncio.CancelledError
        return await commit(decision)

    monkeypatch.setattr(store, "commit", killed)
    with pytest.raises(asyncio.CancelledError):
        await move(transfers)
    monkeypatch.setattr(store, "commit", commit)
    for mark in await store.due(SHOP, "due", 2**50):
        await transfers.finish(SHOP, mark.removeprefix("transfer:"))
    assert await units(store) == ((100, 0) if killed_before == 2 else (90, 10))
    assert await store.due(SHOP, "due", 2**50) == []
    if killed_before == 2:
        with pytest.raises(Conflict):  # whoever stood still wakes: the fence is there
            await store.commit(_arrival(await kept(store)))


async def test_a_finisher_beside_a_mover_changes_nothing(store: Store, transfers: Transfers) -> None:
    """The deadline's worker at work at the same moment as who moves: units are there once, whoever confirms."""
    for number in range(20):
        moving = asyncio.create_task(move(transfers, f"act{number}"))
        while not moving.done():
            for mark in await store.due(SHOP, "due", 2**50):
                await transfers.finish(SHOP, mark.removeprefix("transfer:"))
        await asyncio.gather(moving, return_exceptions=True)
        for mark in await store.due(SHOP, "due", 2**50):
            await transfers.finish(SHOP, mark.removeprefix("transfer:"))
        shop, show = await units(store)
        assert shop + show == 100
        if show:
            await transfers.to_shop(SHOW, "demo", PRODUCT, OFFER, show)


def _arrival(names: list[str]) -> Decision:
    [name] = names
    return Decision(SHOW, counters=(Counter(f"free:{OFFER}", 10),), puts=(Put(name, 0, b"late"),))
