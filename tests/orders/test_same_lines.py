"""However an order's lines are written down, it is the same order: split, in another order, one beside the other."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings, strategies

from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal
from livesale.orders.placing import Wish
from livesale.orders.routes import rendered
from livesale.shows.model import Deal
from livesale.store.decision import Counter, Decision, Once, Put
from livesale.store.record import encode
from livesale.store.valkey import Store, connect
from tests.support.market import Market
from tests.support.valkey import ValkeyProcess

OFFERS = 2
MANY = 60  # units, of which a minor may ask for more than one
SEVERAL = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

quantities = strategies.tuples(*[strategies.integers(0, 5)] * OFFERS).filter(any)


@strategies.composite
def written_twice(draw: strategies.DrawFn) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The same wish as one line an offer, and as pieces in any order."""
    wanted = draw(quantities)
    plain = [(offer, quantity) for offer, quantity in enumerate(wanted) if quantity]
    units = draw(strategies.permutations([offer for offer, quantity in plain for _ in range(quantity)]))
    cuts = draw(strategies.lists(strategies.booleans(), min_size=len(units), max_size=len(units)))
    pieces: list[tuple[int, int]] = []
    for offer, cut in zip(units, cuts, strict=True):
        if pieces and pieces[-1][0] == offer and not cut:
            pieces[-1] = (offer, pieces[-1][1] + 1)
        else:
            pieces.append((offer, 1))
    return plain, pieces


@SEVERAL
@given(
    lines=written_twice(),
    stock=strategies.tuples(*[strategies.sampled_from((0, 1, 2, 4, 6, MANY))] * OFFERS),
    limit=strategies.none() | strategies.integers(1, 4),
    deal=strategies.none() | strategies.integers(0, 4),
    buyer=strategies.sampled_from(("ann", "mia")),
)
def test_lines_are_a_sum(
    valkey: ValkeyProcess, lines: tuple[list[Any], list[Any]], stock: tuple[int, ...], limit: int | None,
    deal: int | None, buyer: str,
) -> None:  # fmt: skip
    """Stock, the buyer's limit, a deal's quantity, a minor's request: the same yes or no, the same total and counters."""

    async def both() -> None:
        store = await connect(valkey.url)
        try:
            plain, pieces = [await _bought(store, one, stock, limit, deal, buyer) for one in lines]
            assert plain == pieces
        finally:
            await store.close()

    asyncio.run(both())


async def _bought(
    store: Store, lines: list[tuple[int, int]], stock: tuple[int, ...], limit: int | None, deal: int | None, buyer: str
) -> tuple[list[str], dict[str, int]]:
    """What the buyer was told at each step, and the counters, with offers by their number."""
    market = Market(store)
    market.people.bands, market.people.wards = {"mia": "14-15"}, {"mia"}
    await market.open(*stock, limit=limit)
    if deal is not None:
        row = Deal("d_x", market.offers[0], 500, 0, store.now_ms() + 60_000, quantity=deal)
        await store.commit(
            Decision(market.shelf, puts=(Put("deal", 0, encode(row)),), counters=(Counter("deal:d_x", deal),))
        )
    told = []
    try:
        wishes = [Wish(market.offers[offer], quantity) for offer, quantity in lines]
        once = Once(f"{buyer}:place", random_name(), "f")
        answer = await market.orders.place(market.buyer(buyer), market.shelf, wishes, None, once, rendered)
        order = await market.orders.load(msgspec.json.decode(answer)["id"])
        told.append(f"{order.state} {order.total}")
        market.orders.next_state = _as_it_is  # type: ignore[method-assign]
        told.append((await market.check_out(order)).state)
    except Refusal as refusal:
        told.append(refusal.code)
    counters = await store.counters(market.shelf)
    for number, offer in enumerate(market.offers):
        counters = {name.replace(offer, str(number)): value for name, value in counters.items()}
    return told, counters


async def _as_it_is(order: Any) -> Any:
    return order
