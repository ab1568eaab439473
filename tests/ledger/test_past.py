"""Verification of shows whose orders have left: sound ones have no difference, an altered archive is named."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.verify import verify
from livesale.orders.model import Order
from livesale.store.valkey import Store
from tests.ledger.conftest import PUBLIC_KEY, Running, archived
from tests.support.market import Market


async def differences(market: Market, engine: AsyncEngine) -> list[str]:
    return [str(one) for one in await verify(market.store, engine, market.shelf, PUBLIC_KEY, 0)]


async def past(store: Store, engine: AsyncEngine, running: Running) -> tuple[Market, Order]:
    """A show with a refunded order in the archive, one that came back, one that never left."""
    market = Market(store)
    archiving = market.archives(engine)
    await market.open(10)
    async with market.running(), running():
        gone, back = await market.paid("ann", (0, 1)), await market.paid("bob", (0, 2))
        await market.paid("cid", (0, 1))
        for order in (gone, back):
            await market.refund(order, restock=True)
            await market.state(order, "refunded")
            await archiving.archive(market.shelf, order.id)
        await archiving.bring_back(market.shelf, back.id)
        await archived(store, engine, market.shelf)
    return market, gone


async def test_what_has_left_is_no_difference(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Gone, back again, gone again: store, log, archive and lists agree at each of these moments."""
    market, gone = await past(store, engine, running)
    assert await differences(market, engine) == []
    assert market.archiving
    async with market.running(), running():
        await market.archiving.bring_back(market.shelf, gone.id)
        await archived(store, engine, market.shelf)
        assert await differences(market, engine) == []
        await market.archiving.archive(market.shelf, gone.id)
        await archived(store, engine, market.shelf)
        assert await differences(market, engine) == []


async def test_a_leaving_that_was_begun_is_no_difference(
    store: Store, engine: AsyncEngine, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the archive was written: the rows are there, the records too."""
    market, _ = await past(store, engine, running)
    assert market.archiving
    kept = len(await market.records())

    async def killed(_decision: object) -> None:
        raise KeyboardInterrupt

    order = next(name for name in await store.records(market.shelf) if name.startswith("order:"))
    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            await market.archiving.archive(market.shelf, order.removeprefix("order:"))
    assert len(await market.records()) == kept
    assert await differences(market, engine) == []


async def flipped(engine: AsyncEngine, record: str) -> None:
    async with engine.begin() as connection:
        data = (await connection.execute(text("SELECT data FROM past_records WHERE record = :r"), {"r": record})).scalar()
        altered = data[:-1] + bytes([data[-1] ^ 1])
        await connection.execute(text("UPDATE past_records SET data = :d WHERE record = :r"), {"d": altered, "r": record})


@pytest.mark.parametrize("kind", ["order", "payment", "refunds"])
async def test_one_byte_of_a_past_record_is_named(store: Store, engine: AsyncEngine, running: Running, kind: str) -> None:
    """The log has the digest of every record that left."""
    market, gone = await past(store, engine, running)
    await flipped(engine, f"{kind}:{gone.id}")
    [line] = await differences(market, engine)
    assert f"SQL past record {kind}:{gone.id}" in line


async def test_an_altered_record_that_came_back_is_named(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Back on its shelf it looks like any record; the log tells that it left as another."""
    market, gone = await past(store, engine, running)
    await flipped(engine, f"payment:{gone.id}")
    assert market.archiving
    async with running():
        await market.archiving.bring_back(market.shelf, gone.id)
        await archived(store, engine, market.shelf)
    [line] = await differences(market, engine)
    assert f"record payment:{gone.id}" in line
    assert "as it was archived" in line


ALTERATIONS = [
    ("a row gone", "DELETE FROM past_records WHERE record = 'payment:{order}'", "payment:{order}"),
    ("a version", "UPDATE past_records SET version = version - 1 WHERE record = 'order:{order}'", "order:{order}"),
    ("whose it is", "UPDATE past_records SET order_id = 'o_x' WHERE record = 'order:{order}'", "order:{order}"),
    ("what was released", "UPDATE past_records SET released = true WHERE record = 'order:{order}'", "order:{order}"),
    (
        "a forged order",
        "INSERT INTO past_records SELECT shelf, 'order:forged', 'forged', 1, data, released FROM past_records"
        " WHERE record = 'order:{order}'",
        "order:forged",
    ),
]


@pytest.mark.parametrize(("statement", "named"), [row[1:] for row in ALTERATIONS], ids=[row[0] for row in ALTERATIONS])
async def test_every_alteration_is_named(
    store: Store, engine: AsyncEngine, running: Running, statement: str, named: str
) -> None:
    """One altered thing, one line that names it."""
    market, gone = await past(store, engine, running)
    async with engine.begin() as connection:
        assert (await connection.execute(text(statement.format(order=gone.id)))).rowcount == 1
    [line] = await differences(market, engine)
    assert f"SQL past record {named.format(order=gone.id)}" in line
