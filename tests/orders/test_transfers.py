"""A shop's stock corrected by hand: recorded once, never below nothing, neither undone nor doubled by the next import."""

from __future__ import annotations

import asyncio

import pytest

from livesale.kernel.refusals import Refusal
from livesale.orders.transfers import Transfers
from livesale.store.valkey import Store


async def stock(store: Store, product: str = "p") -> int:
    return (await store.counters("shop:demo", f"free:{product}"))[f"free:{product}"]


@pytest.fixture
async def shop(store: Store) -> Transfers:
    """A shop whose feed told of 100 units."""
    made = Transfers(store)
    await made.adjust("demo", "p", 100, "feed")
    return made


@pytest.mark.parametrize(("next_feed", "left"), [(100, 97), (97, 97), (150, 150), (0, 0)])
async def test_an_import_neither_undoes_nor_doubles_a_correction(
    shop: Transfers, store: Store, next_feed: int, left: int
) -> None:
    """A feed that repeats its number knows nothing of the three broken units; one with a new number has counted them."""
    assert await shop.correct("demo", "p", -3, "broken", "ann") == 97
    for _ in range(2):
        await shop.adjust("demo", "p", next_feed, "feed")
        assert await stock(store) == left


async def test_corrections_at_once_never_go_below_nothing(shop: Transfers, store: Store) -> None:
    """Of 30 corrections of five units each, 20 fit; the others are told what is left."""
    done = await asyncio.gather(
        *(shop.correct("demo", "p", -5, "lost", "ann") for _ in range(30)), return_exceptions=True
    )
    refused = [one for one in done if isinstance(one, Refusal)]
    assert (len(refused), {one.code for one in refused}) == (10, {"short"})
    assert await stock(store) == 0


async def test_only_what_is_counted_can_be_corrected(shop: Transfers) -> None:
    """An untracked product has no stock, and of a product nobody told of there is nothing to correct."""
    await shop.adjust("demo", "endless", None, "feed")
    for product, code in (("endless", "conflict"), ("unknown", "not_found")):
        with pytest.raises(Refusal) as refused:
            await shop.correct("demo", product, 1, "found", "ann")
        assert refused.value.code == code
