"""Measures what past orders cost: `python -m tests.orders.measure_past [FOLDER]`.

First the store: real orders on one show, held, ended, archived; what is left of them on the shelf. Then the rest with 10,
10,000 and 1,000,000 past orders in SQL (written straight into it: 1,000 orders a show, paid and completed), each figure
the median of many. The database is SQLite in FOLDER (default: a temporary one; a million orders take 2 GB).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS, HOUR_MS
from livesale.kernel.ids import new_id
from livesale.ledger import positions, reads, tables
from livesale.ledger.archive import Ledger
from livesale.ledger.trim import Trimmer
from livesale.ledger.write import write_batch
from livesale.ops.overview import overview
from livesale.ops.processes import Processes
from livesale.orders.aftersale import SOLD
from livesale.orders.fulfilment import Fulfilment, Shipment
from livesale.orders.model import Line, Order
from livesale.orders.past import PastRecord
from livesale.orders.past_records import past_records
from livesale.payments.model import Payment
from livesale.store import database
from livesale.store.log import read_log
from livesale.store.record import encode
from livesale.store.valkey import Store, connect
from tests.support.market import HOST, Market
from tests.support.valkey import ValkeyProcess

LEVELS = (10, 10_000, 1_000_000)
OF_A_SHOW = 1_000
OF_A_BUYER = 100
ON_THE_SHELF = (10, 10_000)
AT_ONCE = 200
TIMES = 300
SIGNING_KEY = bytes(range(32))


async def timed(work: Callable[[], Awaitable[Any]], times: int = TIMES) -> float:
    """The median of so many runs, in ms."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


# The shelf


async def keys_bytes(store: Store, shelf: str) -> dict[str, int]:
    """Bytes of each key of a shelf, answers kept for 24 h left out."""
    found = {}
    async for key in store.client.scan_iter(match=f"{{{shelf}}}:*", count=1000):
        name = key.decode().partition("}:")[2]
        if not name.startswith("once:"):
            found[name] = int(await store.ask("MEMORY", "USAGE", key, "SAMPLES", 0))
    return found


async def end_many(market: Market, orders: int) -> None:
    """So many orders: of ten, one is paid and refunded, one is declined, eight holds are given up; all are archived."""
    assert market.archiving

    async def one(number: int) -> None:
        buyer = f"b{number:09d}"
        order = await market.hold(buyer, (0, 1))
        if number % 10 == 0:
            await market.check_out(order)
            await market.refund(await market.state(order, "paid"), restock=True)
            order = await market.state(order, "refunded")
        elif number % 10 == 1:
            order = await market.state(await market.check_out(order, "pm_declined"), "payment_failed")
        else:
            order = await market.orders.cancel(market.buyer(buyer), order.id)
        assert market.archiving
        await market.archiving.archive(market.shelf, order.id)

    for start in range(0, orders, AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(start, min(orders, start + AT_ONCE))))


async def shelf_with(store: Store, engine: AsyncEngine, orders: int) -> dict[str, int]:
    """What a show's shelf holds once so many orders have come and gone, its log is archived, and an hour is over."""
    await store.client.flushall()
    async with engine.begin() as connection:
        for table in reversed(database.metadata.sorted_tables):
            await connection.execute(table.delete())
    market = Market(store)
    market.archives(engine)
    await market.open(1_000, limit=4)
    ledger = asyncio.create_task(Ledger(store, engine, SIGNING_KEY).run())
    async with market.running():
        await end_many(market, orders)
        await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
        while await reads.archived_seq(engine, market.shelf) < await store.seq(market.shelf):
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)  # the readers' cursor moves every two seconds
    while (done := await reads.archived_seq(engine, market.shelf)) < await store.seq(market.shelf):
        await asyncio.sleep(0.1)
    ledger.cancel()
    await asyncio.wait([ledger])
    store._offset_ms += 2 * HOUR_MS
    await Trimmer(store, engine, ("reactions",)).trim(market.shelf, done)
    store._offset_ms -= 2 * HOUR_MS
    return await keys_bytes(store, market.shelf)


# A million in SQL


def past_order(number: int, now_ms: int) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """An order that was paid, sent and completed: its row in the lists, its records, its money."""
    shelf = f"show:p{number // OF_A_SHOW:06d}"
    held_at = now_ms - 100 * DAY_MS + number
    account, offer = f"past{number // OF_A_BUYER:06d}", new_id("of", shelf, str(number % 5))
    line = Line(offer, f"p_{offer[-8:]}", "Teapot with a lid", "/pictures/p/teapot.webp", 1, 1999)
    order_id = new_id("o", shelf, str(number))
    goods = Fulfilment([Shipment(f"sh_{number}", {offer: 1}, held_at, "host000000", "Post", "1Z999AA10123456784")], "completed")
    order = Order(
        order_id, shelf, "demo", account, [line], 1999, "EUR", held_at, held_at, "completed", "claimed", 5,
        ship_to=bytes(180), fulfilment=goods,
    )  # fmt: skip
    key = f"pay_{number:016d}"
    payment = Payment(
        order_id, account, 1999, "EUR", "pm_ok", key, held_at, held_at, "captured", f"pi_{number:020d}", captured=1999,
    )  # fmt: skip
    records = [
        PastRecord(shelf, f"order:{order_id}", order_id, number + 1, encode(order), True),
        PastRecord(shelf, f"payment:{order_id}", order_id, number + 1, encode(payment), True),
    ]
    row = {
        "id": order_id, "shelf": shelf, "shop": "demo", "account": account, "state": "completed", "version": 5,
        "total": 1999, "currency": "EUR", "held_at": held_at, "reserved_until": held_at, "updated_ms": held_at,
        "lines": f'[{{"offer":"{offer}","product":"{line.product}","quantity":1,"price":1999}}]', "reason": "",
    }  # fmt: skip
    common = {"shelf": shelf, "seq": number, "at_ms": held_at, "currency": "EUR", "what": "captured", "payment": key}
    money = [
        {**common, "account": account, "amount": amount, "order_id": order_id}
        for account, amount in (("provider", 1999), (f"revenue:{shelf}", -1999))
    ]
    names = ("shelf", "record", "order_id", "version", "data", "released")
    return row, [{name: getattr(one, name) for name in names} for one in records], money


async def fill(engine: AsyncEngine, begin: int, end: int, now_ms: int) -> None:
    """Past orders `begin` to `end` straight into SQL, with their shows and their buyers' counters."""
    for start in range(begin, end, 20_000):
        made = [past_order(number, now_ms) for number in range(start, min(end, start + 20_000))]
        shelves = sorted({row["shelf"] for row, _, _ in made})
        async with engine.begin() as connection:
            await connection.execute(insert(tables.orders), [row for row, _, _ in made])
            await connection.execute(insert(past_records), [record for _, records, _ in made for record in records])
            await connection.execute(insert(tables.money), [entry for _, _, money in made for entry in money])
            known = {row[0] for row in await connection.execute(text("SELECT shelf FROM counters WHERE name = 'n:completed'"))}
            shows = [shelf for shelf in shelves if shelf not in known]
            counters = [{"shelf": shelf, "name": "n:completed", "value": OF_A_SHOW} for shelf in shows]
            counters += [
                {"shelf": row["shelf"], "name": f"buyer:{row['account']}:{row['id']}", "value": 0} for row, _, _ in made
            ]
            await connection.execute(insert(tables.counters), counters)
            ended = {"shop": "demo", "state": "ended", "title": "Evening", "currency": "EUR", "owner": HOST.account}
            rows = [{"id": shelf.partition(":")[2], "created_ms": now_ms - 100 * DAY_MS, **ended} for shelf in shows]
            if rows:
                await connection.execute(insert(tables.shows), rows)


class Costs:
    """The acts that must not know how many past orders there are, on a live show beside them."""

    def __init__(self, market: Market, engine: AsyncEngine, past: int, now_ms: int) -> None:
        self.market = market
        self.engine = engine
        self.past = past
        self.now_ms = now_ms
        self._number = 0

    def some_past(self) -> str:
        self._number += 7919
        return str(past_order(self._number % self.past, self.now_ms)[0]["id"])

    async def hold(self) -> None:
        self._number += 1
        await self.market.hold(f"live{self.past}x{self._number}", (0, 1))

    async def past_order(self) -> None:
        await self.market.orders.owned(Actor("operator00", frozenset({"operator"})), order := self.some_past())
        await self.market.sold.order(order)

    async def own_orders(self) -> None:
        page = await reads.list_orders(self.engine, "past000000", 50)
        assert len(page["items"]) == min(self.past, 50)
        await asyncio.gather(*(self._both(row["id"]) for row in page["items"]))

    async def _both(self, order: str) -> None:
        await self.market.orders.load(order)
        await self.market.sold.order(order)

    async def second_page(self) -> None:
        page = await reads.list_shop_orders(self.engine, "demo", ",".join(sorted(SOLD)), 50)
        if page["next"]:
            await reads.list_shop_orders(self.engine, "demo", ",".join(sorted(SOLD)), 50, page["next"])

    async def operators(self) -> None:
        await overview(self.market.store, self.engine, Processes(Path("/nonexistent")))

    async def ledger_pass(self) -> float:
        """500 holds archived and projected: ms a pass."""
        shelf = self.market.shelf
        await asyncio.gather(*(self.hold() for _ in range(500)))
        position = (await positions.load(self.engine, shelf)).get(shelf) or positions.start_of(shelf)
        took = []
        while entries := await read_log(self.market.store, shelf, position.seq, 500):
            began = time.perf_counter()
            position = (await write_batch(self.engine, entries, {shelf: position}))[shelf]
            took.append((time.perf_counter() - began) * 1000 / len(entries) * 500)
        return median(took)

    async def there_and_back(self) -> float:
        """A past order that comes back and leaves again: ms."""
        assert self.market.archiving
        archiving = self.market.archiving

        async def act() -> None:
            order = await self.market.hold(f"again{self._number}", (0, 1))
            self._number += 1
            await self.market.orders.cancel(self.market.buyer(order.account), order.id)
            await archiving.archive(self.market.shelf, order.id)
            await archiving.bring_back(self.market.shelf, order.id)
            await archiving.archive(self.market.shelf, order.id)

        return await timed(act, 50)


async def costs_with(store: Store, engine: AsyncEngine, past: int, now_ms: int) -> dict[str, float]:
    """Each act's cost beside so many past orders, and the store's memory."""
    await store.client.flushall()
    market = Market(store)
    market.archives(engine)
    await market.open(1_000_000)
    costs = Costs(market, engine, past, now_ms)
    await timed(costs.hold, 100)
    return {
        "used_memory": float((await store.client.info("memory"))["used_memory"]),
        "hold": await timed(costs.hold),
        "GET order, past": await timed(costs.past_order),
        "GET /orders, 50 past": await timed(costs.own_orders, 30),
        "shop's orders, 2 pages": await timed(costs.second_page, 100),
        "ops overview": await timed(costs.operators, 30),
        "leave, back, leave": await costs.there_and_back(),
        "ledger, 500 entries": await costs.ledger_pass(),
    }


async def main(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder / 'livesale.db'}"
    await asyncio.to_thread(database.migrate, url)
    valkey = ValkeyProcess()
    valkey.start()
    store, engine = await connect(valkey.url), database.engine(url)
    try:
        shelves = [await shelf_with(store, engine, orders) for orders in ON_THE_SHELF]
        for name in sorted(shelves[0] | shelves[1]):
            print(f"shelf after {ON_THE_SHELF} orders, {name:10}", *(f"{shelf.get(name, 0):10,}" for shelf in shelves), "bytes")
        grown = (sum(shelves[1].values()) - sum(shelves[0].values())) / (ON_THE_SHELF[1] - ON_THE_SHELF[0])
        print(f"a past order on the shelf: {grown:.3f} bytes", flush=True)
        now_ms, filled = store.now_ms(), 0
        for past in LEVELS:
            await fill(engine, filled, past, now_ms)
            filled = past
            for name, cost in (await costs_with(store, engine, past, now_ms)).items():
                print(f"{past:9,} past orders: {name:24} {cost:14,.2f}", flush=True)
    finally:
        await engine.dispose()
        await store.close()
        valkey.kill()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            asyncio.run(main(Path(scratch)))
