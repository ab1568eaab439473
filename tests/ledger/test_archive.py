"""The archive: every entry once and in order, whatever is killed; a history that differs is stopped, not renumbered."""

from __future__ import annotations

import asyncio
import hashlib
import random
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger import positions
from livesale.ledger.archive import Ledger
from livesale.ledger.verify import verify
from livesale.ops.alarms import alarm_figures
from livesale.ops.audit import list_audit
from livesale.store.active import Stopped
from livesale.store.decision import Counter, Decision
from livesale.store.log import read_log
from livesale.store.rest import Rest
from livesale.store.valkey import Store
from tests.ledger import worker
from tests.ledger.conftest import PUBLIC_KEY, SIGNING_KEY, Running, archived, until
from tests.ledger.sale import Sale
from tests.support.valkey import ValkeyProcess

LOG, SEQ = "{show:4k2c000000}:log", "{show:4k2c000000}:seq"


async def rows(engine: AsyncEngine, query: str) -> list[Any]:
    async with engine.connect() as connection:
        return list((await connection.execute(text(query))).all())


async def test_each_entry_is_archived_and_chained(store: Store, engine: AsyncEngine, running: Running) -> None:
    """The archive holds the log's bytes; each hash is SHA-256 of the one before, the position and the bytes."""
    sale = Sale(store)
    await sale.whole_story()
    async with running():
        await archived(store, engine, sale.shelf)
    last = hashlib.sha256(b"livesale chain show:4k2c000000").digest()
    found = await rows(engine, "SELECT seq, bytes, hash, previous FROM archive ORDER BY seq")
    for entry, (seq, raw, digest, previous) in zip(await read_log(store, sale.shelf), found, strict=True):
        assert (seq, raw, previous) == (entry.seq, entry.raw, last)
        last = hashlib.sha256(last + seq.to_bytes(8, "big") + raw).digest()
        assert digest == last


async def test_entries_are_projected(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Lists, money and audit say what happened, with figures worked out by hand."""
    sale = Sale(store)
    await sale.whole_story()
    async with running():
        await archived(store, engine, sale.shelf)
    states = dict(await rows(engine, "SELECT state, count(*) FROM orders GROUP BY state"))
    assert states == {"paid": 2, "expired": 1, "held": 1}
    money = await rows(engine, "SELECT account, sum(amount) FROM money GROUP BY account ORDER BY account")
    assert [tuple(row) for row in money] == [
        ("provider", 3 * 1999 - 800),
        ("refunds:show:4k2c000000", 800),
        ("revenue:show:4k2c000000", -3 * 1999),
    ]
    assert await rows(engine, "SELECT seq FROM money GROUP BY seq, payment, what HAVING sum(amount) <> 0") == []
    assert [tuple(row) for row in await rows(engine, "SELECT state, guardian, minor FROM approvals")] == [
        ("approved", "guard00000", "minor00000")
    ]
    assert [tuple(row) for row in await rows(engine, "SELECT state, shop, last_seq FROM shows")] == [
        ("live", "demo", 16)
    ]
    told = [line["action"] for line in (await list_audit(engine, 100))["items"]]
    assert told[-3:] == ["show.live", "offer.set", "show.created"]
    assert {"order.held", "order.expired", "payment.captured", "approval.requested", "approval.approved"} <= set(told)


async def test_a_killed_ledger_repeats_and_skips_nothing(
    store: Store, engine: AsyncEngine, valkey: ValkeyProcess, running: Running
) -> None:
    """Killed (-9) at 12 random moments under load, it leaves an archive without a gap and rows without a difference."""
    sale = Sale(store)
    await sale.open(stock=100_000)
    chance = random.Random(7)
    for _ in range(12):
        before = await count(engine)
        process = await asyncio.to_thread(worker.started, valkey.url, str(engine.url))
        rush = asyncio.create_task(sale.rush(400))
        await until(lambda before=before: _more_than(engine, before))
        await asyncio.sleep(chance.random() * 0.15)
        process.kill()
        await asyncio.to_thread(process.join)
        await rush
        order = await sale.hold()
        await sale.check_out(order)
        await sale.pay(order)
    async with running():
        assert [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY)] == []
    assert await count(engine) == await store.seq(sale.shelf) == 3 + 12 * 403


async def _more_than(engine: AsyncEngine, before: int) -> bool:
    return await count(engine) > before


async def count(engine: AsyncEngine) -> int:
    return int((await rows(engine, "SELECT count(*) FROM archive"))[0][0])


async def test_two_ledgers_archive_once(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Copies of the worker get in each other's way without harm."""
    sale = Sale(store)
    await sale.open(stock=1_000)
    async with running(), running():
        await sale.rush(600)
        assert await verify(store, engine, sale.show, PUBLIC_KEY) == []


async def test_a_new_shelf_is_followed_at_once(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A shelf that appears while the ledger runs is archived, though others are already followed."""
    await Sale(store).open()
    async with running():
        await archived(store, engine, "show:4k2c000000")
        other = Sale(store, "new0000000")
        await other.whole_story()
        await archived(store, engine, other.shelf)


@pytest.mark.parametrize("grown", [False, True], ids=["shorter", "grown another way"])
async def test_a_store_that_lost_its_tail_is_stopped(
    store: Store, engine: AsyncEngine, running: Running, grown: bool
) -> None:
    """A store put back in time, even one that has since passed the old position: an alarm, and nothing more is sold."""
    sale = Sale(store)
    await sale.whole_story()
    await store.commit(Decision("show:sound", counters=(Counter("n:held", 1),)))
    async with running():
        await archived(store, engine, sale.shelf)
    await put_back(store, sale.shelf, 13)
    if grown:
        await sale.rush(9)
    async with running() as ledger:
        await until(lambda: _stopped(ledger, sale.shelf))
        await store.commit(Decision("show:sound", counters=(Counter("n:held", 1),)))
        await archived(store, engine, "show:sound")
    assert [
        tuple(row) for row in await rows(engine, "SELECT max(seq) FROM archive WHERE shelf = 'show:4k2c000000'")
    ] == [(16,)]
    line = (await list_audit(engine, 1))["items"][0]
    assert (line["action"], line["data"]["shelf"]) == ("ledger.stopped", sale.shelf)
    [gauge] = (await alarm_figures(engine)).collect()
    assert gauge.samples[0].value == 1
    with pytest.raises(Stopped):
        await sale.hold()
    assert any("stopped this shelf" in str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0))


async def put_back(store: Store, shelf: str, seq: int) -> None:
    """The store as it was at entry `seq`, as after losing the end of its file."""
    kept = await read_log(store, shelf, most=seq)
    await store.client.delete(LOG)
    for entry in kept:
        await store.client.xadd(LOG, {"e": entry.raw}, id=f"{entry.seq}-0")
    await store.client.set(SEQ, seq)


async def test_a_store_that_loses_its_tail_meanwhile_is_stopped(
    store: Store, engine: AsyncEngine, running: Running
) -> None:
    """The ledger looks at quiet shelves too, before new entries hide what was lost."""
    sale = Sale(store)
    await sale.whole_story()
    async with running() as ledger:
        await archived(store, engine, sale.shelf)
        await put_back(store, sale.shelf, 13)
        await until(lambda: _stopped(ledger, sale.shelf))
    assert "lost entries" in ledger.stopped()[sale.shelf]


async def _stopped(ledger: Ledger, shelf: str) -> bool:
    return shelf in ledger.stopped()


async def test_an_alarm_is_audited_once(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A worker that is started again and again does not fill the audit with the same alarm."""
    sale = Sale(store)
    await sale.open()
    async with running():
        await archived(store, engine, sale.shelf)
    await store.client.xdel(LOG, "3-0")
    for _ in range(2):
        async with running() as ledger:
            await until(lambda ledger=ledger: _stopped(ledger, sale.shelf))
    told = [line["action"] for line in (await list_audit(engine))["items"]]
    assert told.count("ledger.stopped") == 1


async def test_a_gap_in_the_log_stops_only_that_shelf(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Entries lost before they were archived are an alarm; the other shelves go on."""
    sale, other = Sale(store), Sale(store, "sound00000")
    await sale.whole_story()
    await store.client.xdel(LOG, "9-0")
    await other.whole_story()
    async with running() as ledger:
        await until(lambda: _stopped(ledger, sale.shelf))
        await archived(store, engine, other.shelf)
    assert await verify(store, engine, other.show, PUBLIC_KEY, 0) == []


async def test_an_entry_nobody_can_read_stops_only_its_shelf(
    store: Store, engine: AsyncEngine, running: Running
) -> None:
    """Everything before a malformed event is archived, nothing after it, and no other shelf waits for it."""
    sale, other = Sale(store), Sale(store, "sound00000")
    await sale.whole_story()
    await sale._commit([{"type": "order_changed", "order": "o_nothing_else"}])
    await sale.say()
    await other.whole_story()
    async with running() as ledger:
        await until(lambda: _stopped(ledger, sale.shelf))
        await archived(store, engine, other.shelf)
    await sale.say()  # nothing is lost: the show itself goes on
    assert [
        tuple(row) for row in await rows(engine, "SELECT shelf, max(seq) FROM archive GROUP BY shelf ORDER BY 1")
    ] == [
        (sale.shelf, 16),
        (other.shelf, 16),
    ]


async def test_the_ledger_goes_on_after_a_restart_of_the_store(
    store: Store, engine: AsyncEngine, valkey: ValkeyProcess, running: Running
) -> None:
    """The store killed (-9) and started again is no alarm: what was acknowledged is there."""
    sale = Sale(store)
    await sale.open(stock=1_000)
    async with running() as ledger:
        await sale.rush(100)
        valkey.kill()
        valkey.start()
        await until(lambda: _answers(store))
        await sale.rush(100)
        assert await verify(store, engine, sale.show, PUBLIC_KEY) == []
        assert ledger.stopped() == {}


async def _answers(store: Store) -> bool:
    try:
        await store.seq("show:x")
    except Exception:
        return False
    return True


async def test_it_ends_when_cancelled(store: Store, engine: AsyncEngine) -> None:
    """Cancelled at any moment, it is over at once."""
    sale, chance = Sale(store), random.Random(3)
    await sale.open(stock=1_000)
    for _ in range(15):
        task = asyncio.create_task(Ledger(store, engine, SIGNING_KEY).run())
        await sale.rush(5)
        await asyncio.sleep(chance.random() * 0.1)
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert task.done()


async def test_a_shelf_that_rested_is_archived_on(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Left with all of it archived, back with its next commit: the chain goes on where it was, and nothing stops."""
    sale = Sale(store)
    await sale.whole_story()

    async def nothing(_shelf: str) -> bool:
        return True

    rest = Rest(store, (), partial(positions.archived, engine), nothing)
    async with running() as ledger:
        for number in range(6):
            await store.commit(Decision(sale.shelf, counters=(Counter("n", 1),)))
            await archived(store, engine, sale.shelf)
            await store.client.delete(f"{{{sale.shelf}}}:m:due")
            assert await rest.try_to(sale.shelf)
            if number % 2:  # long enough for the ledger to leave it, or not
                await until(lambda: _left(ledger, sale.shelf))
        assert ledger.stopped() == {}
        assert await store.active_shelves() == []
        assert await verify(store, engine, sale.show, PUBLIC_KEY) == []


async def _left(ledger: Ledger, shelf: str) -> bool:
    return shelf not in ledger._tail.following()
