"""The worker's own decisions: when the shelf of a show, or of a person, may rest."""

from __future__ import annotations

from livesale.apps.worker import is_over
from livesale.store.decision import Decision
from livesale.store.valkey import Store
from tests.support.market import HOST, Market


async def test_a_shelf_rests_once_its_log_is_trimmed(store: Store) -> None:
    """At rest nobody trims any more: what the log has then it would keep for good."""
    market = Market(store)
    await market.open(1)
    assert not await is_over(store, market.shelf)
    await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
    assert not await is_over(store, market.shelf)
    last = await store.seq(market.shelf)
    await store.client.xtrim(f"{{{market.shelf}}}:log", minid=f"{last}-0", approximate=False)
    assert await is_over(store, market.shelf)


async def test_a_shops_shelf_does_not_rest(store: Store) -> None:
    """Shows end, and of people nothing may be left to do; a shop sells on."""
    await store.commit(Decision("shop:demo", events=({"type": "told"},)))
    assert not await is_over(store, "shop:demo")


async def test_a_persons_shelf_rests_between(store: Store) -> None:
    """A family is changed now and then: its shelf rests once its log is trimmed, and the next commit wakes it."""
    for _ in range(3):
        await store.commit(Decision("person:mia", events=({"type": "told"},)))
    assert not await is_over(store, "person:mia")
    await store.client.xtrim("{person:mia}:log", minid="3-0", approximate=False)
    assert await is_over(store, "person:mia")
