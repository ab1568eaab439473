"""Verification: a sound show has no difference; whatever is altered, wherever, is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.refusals import Refusal
from livesale.ledger import reads
from livesale.ledger import verify as module
from livesale.ledger.chain import genesis, link, sign
from livesale.ledger.statements import revenue
from livesale.ledger.verify import verify
from livesale.orders.placing import Wish
from livesale.orders.transfers import Transfers
from livesale.store.decision import Once
from livesale.store.record import encode
from livesale.store.valkey import Store
from tests.ledger.conftest import PUBLIC_KEY, Running, archived, story
from tests.ledger.sale import Sale
from tests.orders.test_goods import SHELF, product
from tests.support.market import HOST, Market
from tests.support.valkey import ValkeyProcess

LOG, RECORDS, COUNTERS = "{show:4k2c000000}:log", "{show:4k2c000000}:r", "{show:4k2c000000}:c"

Alter = Callable[[Store, AsyncEngine, Sale], Awaitable[None]]


async def test_a_sound_show_has_no_difference(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Nothing is reported about a show that was only sold from."""
    sale = await story(store, engine, running)
    assert [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0)] == []


async def test_an_unknown_show_is_refused(store: Store, engine: AsyncEngine) -> None:
    """A show nobody knows is not `verified`."""
    with pytest.raises(Refusal):
        await verify(store, engine, "nobody0000", PUBLIC_KEY, 0)


def sql(statement: str, **values: bytes) -> Alter:
    async def alter(store: Store, engine: AsyncEngine, sale: Sale) -> None:
        async with engine.begin() as connection:
            changed = await connection.execute(text(statement), values)
            assert changed.rowcount > 0, statement

    return alter


async def flip_archived_byte(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    async with engine.begin() as connection:
        raw = (await connection.execute(text("SELECT bytes FROM archive WHERE seq = 5"))).scalar()
        spot = raw.index(b"held") + 1
        flipped = raw[:spot] + b"a" + raw[spot + 1 :]
        await connection.execute(text("UPDATE archive SET bytes = :b WHERE seq = 5"), {"b": flipped})


async def rewrite_the_chain(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    """All that SQL allows: one entry altered, every later hash and head made anew, signed with a key of one's own."""
    async with engine.begin() as connection:
        rows = (await connection.execute(text("SELECT seq, bytes FROM archive ORDER BY seq"))).all()
        newest = genesis(sale.shelf)
        for seq, raw in rows:
            altered = raw.replace(b"held", b"paid") if seq == 5 else raw
            before, newest = newest, link(newest, seq, altered)
            values = {"b": altered, "h": newest, "p": before, "s": seq}
            await connection.execute(text("UPDATE archive SET bytes = :b, hash = :h, previous = :p WHERE seq = :s"), values)
            forged = {"h": newest, "g": sign(Ed25519PrivateKey.generate(), sale.shelf, seq, newest), "s": seq}
            await connection.execute(text("UPDATE heads SET hash = :h, signature = :g WHERE seq = :s"), forged)


async def raise_stored_counter(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    await store.client.hincrby(COUNTERS, f"free:{sale.offer}", 1)


async def raise_stored_refunds(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    await store.client.hincrby(COUNTERS, "refunded", 1)


async def drop_stored_counter(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    await store.client.hdel(COUNTERS, "revenue")


async def alter_record(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    record = f"order:{next(iter(sale.orders))}"
    raw = await store.client.hget(RECORDS, record)
    await store.client.hset(RECORDS, record, raw[:-1] + bytes([raw[-1] ^ 1]))


async def add_record(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    await store.client.hset(RECORDS, "order:forged", b"1:x")


def drop_logged(seq: int) -> Alter:
    async def alter(store: Store, engine: AsyncEngine, sale: Sale) -> None:
        assert await store.client.xdel(LOG, f"{seq}-0") == 1

    return alter


async def drop_last_logged(store: Store, engine: AsyncEngine, sale: Sale) -> None:
    await store.client.xdel(LOG, f"{await store.seq(sale.shelf)}-0")


ALTERATIONS: list[tuple[str, Alter, str]] = [
    ("a byte of the archive", flip_archived_byte, "archive entry 5 hash"),
    ("a hash of the archive", sql("UPDATE archive SET hash = :zeros WHERE seq = 4", zeros=bytes(32)), "archive entry 4 hash"),
    ("an archived entry gone", sql("DELETE FROM archive WHERE seq = 6"), "expected entry 6"),
    (
        "the last archived entry gone",
        sql("DELETE FROM archive WHERE seq = (SELECT max(seq) FROM archive)"),
        "as its cursor says",
    ),
    ("a signature", sql("UPDATE heads SET signature = :zeros", zeros=bytes(64)), "signature"),
    ("a signed hash", sql("UPDATE heads SET hash = :zeros", zeros=bytes(32)), "hash"),
    ("the whole chain without the key", rewrite_the_chain, "signature"),
    ("a counter in the store", raise_stored_counter, "store counter free:of_s4k2c000000"),
    ("a counter gone from the store", drop_stored_counter, "store counter revenue"),
    ("a counter row", sql("UPDATE counters SET value = value + 1 WHERE name = 'n:paid'"), "SQL counter n:paid"),
    ("a counter row gone", sql("DELETE FROM counters WHERE name = 'revenue'"), "SQL counter revenue"),
    ("an order row", sql("UPDATE orders SET total = total + 1 WHERE account = 'buyer00000'"), "SQL orders o_s"),
    ("an order's state", sql("UPDATE orders SET state = 'paid' WHERE state = 'held'"), "state: expected held"),
    ("an order's lines", sql("""UPDATE orders SET lines = replace(lines, '1999', '1')"""), "lines"),
    ("an order row gone", sql("DELETE FROM orders WHERE state = 'expired'"), "found none"),
    ("an order row moved", sql("UPDATE orders SET shelf = 'show:other' WHERE state = 'expired'"), "found none"),
    ("an approval row", sql("UPDATE approvals SET guardian = 'thief00000'"), "SQL approvals ap_s"),
    ("an offer row", sql("UPDATE offers SET price = 1"), "SQL offers of_s"),
    ("a price of the log", sql("UPDATE prices SET price = 1"), "SQL price at entry"),
    ("a price gone from the log", sql("DELETE FROM prices"), "SQL price at entry"),
    ("the show's row", sql("UPDATE shows SET owner = 'thief00000'"), "SQL shows 4k2c000000 owner"),
    ("a money row", sql("UPDATE money SET amount = amount + 1 WHERE id = 1"), "SQL money at entry"),
    ("a money row gone", sql("DELETE FROM money WHERE id = 2"), "SQL money at entry"),
    (
        "a money row twice",
        sql(
            "INSERT INTO money (shelf, seq, account, amount, currency, payment, order_id)"
            " SELECT shelf, seq, account, amount, currency, payment, order_id FROM money WHERE id = 1"
        ),
        "nothing like it",
    ),
    (
        "a refund's money row",
        sql("UPDATE money SET amount = amount + 1 WHERE account LIKE 'refunds:%' AND amount = 300"),
        "missing",
    ),
    ("a refund's money gone", sql("DELETE FROM money WHERE what = 'refunded' AND account = 'provider'"), "SQL money at"),
    ("a refund booked elsewhere", sql("UPDATE money SET account = 'revenue:x' WHERE account LIKE 'refunds:%'"), "refunds:"),
    ("what was refunded", raise_stored_refunds, "store counter refunded"),
    ("what was refunded, in SQL", sql("UPDATE counters SET value = 1 WHERE name = 'refunded'"), "SQL counter refunded"),
    ("an entry gone from the store's log", drop_logged(7), "store log entry 7"),
    ("the first entry gone from the store's log", drop_logged(1), "store log entry 1"),
    ("the last entry gone from the store's log", drop_last_logged, "store log entry"),
    ("a record", alter_record, "store record order:o_s"),
    ("a forged record", add_record, "store record order:forged"),
    ("the cursor", sql("UPDATE cursor SET seq = seq - 1"), "as its cursor says"),
]


@pytest.mark.parametrize(("alter", "named"), [row[1:] for row in ALTERATIONS], ids=[row[0] for row in ALTERATIONS])
async def test_every_alteration_is_named(
    store: Store, engine: AsyncEngine, running: Running, alter: Alter, named: str
) -> None:
    """One altered thing: exit 1, and a line that names it."""
    sale = await story(store, engine, running)
    await alter(store, engine, sale)
    found = [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0)]
    assert any(named in line for line in found), found


async def test_a_log_that_breaks_the_stock_law_is_named(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A commit that takes a unit from nowhere is found even though store, archive and lists all agree."""
    sale = await story(store, engine, running)
    await sale._commit([], {}, {f"claimed:{sale.offer}": 1})
    async with running():
        await archived(store, engine, sale.shelf)
    [difference] = await verify(store, engine, sale.show, PUBLIC_KEY, 0)
    assert f"stock of {sale.offer}" in str(difference)


async def breach(store: Store, engine: AsyncEngine, running: Running, amount: int, state: str) -> list[str]:
    """What is found of a show in whose log the last entry tells of a refund alone, everywhere alike."""
    sale = await story(store, engine, running)
    paid = next(order for order, (captured, back) in sale.paid.items() if captured and not back)
    await sale._commit([{**sale._refund(paid, amount), "state": state}])
    async with running():
        await archived(store, engine, sale.shelf)
    return [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0)]


async def test_refunds_beyond_what_was_captured_are_named(
    store: Store, engine: AsyncEngine, running: Running
) -> None:  # fmt: skip
    """One requested over the captured sum breaks the law the moment it is in the log."""
    [line] = await breach(store, engine, running, 2_000, "requested")
    assert "at most the 1999 captured" in line


async def test_a_refund_without_its_money_is_named(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A refund that is done, of which the payment knows nothing, is a difference although every list agrees."""
    [line] = await breach(store, engine, running, 100, "done")
    assert "law: refunds of o_s" in line


async def test_an_order_refunded_without_its_money_is_named(
    store: Store, engine: AsyncEngine, running: Running
) -> None:  # fmt: skip
    """An order that says `refunded` while its money is not back."""
    sale = await story(store, engine, running)
    paid = next(order for order, (captured, back) in sale.paid.items() if captured and not back)
    sale._moves(paid, "refunded")
    await sale._told(paid, [], {"n:paid": -1, "n:refunded": 1})
    async with running():
        await archived(store, engine, sale.shelf)
    [line] = [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0)]
    assert "law: order" in line and "all 1999 back" in line


@pytest.mark.parametrize(
    ("told", "named"),
    [({"total": 1}, "total of o_s"), ({"discount": 1}, "total of o_s"), ({"total": 2489, "shipping": 490}, "law: captured")],
)
async def test_an_order_that_costs_something_else_is_named(
    store: Store, engine: AsyncEngine, running: Running, told: dict[str, int], named: str
) -> None:
    """A total that is not its lines less its coupon plus shipping, or that is not what was captured."""
    sale = await story(store, engine, running)
    paid = next(order for order, (captured, back) in sale.paid.items() if captured and not back)
    sale.orders[paid] |= told
    sale._moves(paid, "shipped")
    await sale._told(paid, [], {"n:paid": -1, "n:shipped": 1})
    async with running():
        await archived(store, engine, sale.shelf)
    assert any(named in str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0))


async def test_verifying_waits_for_the_ledger(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Entries the ledger has not reached are named when it does not come, and waited for when it does."""
    sale = await story(store, engine, running)
    await sale.rush(50)
    assert any("complete and signed" in str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0))
    async with running():
        assert await verify(store, engine, sale.show, PUBLIC_KEY) == []


async def test_a_live_show_can_be_verified(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Orders coming in during the verification are no differences."""
    sale = Sale(store)
    await sale.open(stock=10_000)
    async with running():
        rush = asyncio.create_task(sale.rush(3_000))
        for _ in range(3):
            assert await verify(store, engine, sale.show, PUBLIC_KEY) == []
        await rush
        assert await verify(store, engine, sale.show, PUBLIC_KEY) == []


async def test_the_command_prints_a_summary_or_each_difference(
    store: Store, engine: AsyncEngine, running: Running, valkey: ValkeyProcess
) -> None:
    """Exit 0 with one line; exit 1 with a line for each difference before it."""
    sale = await story(store, engine, running)
    settings: Any = SimpleNamespace(store_url=valkey.url, sql_url=str(engine.url), key=lambda _name: PUBLIC_KEY)
    said: list[str] = []
    assert await module.main(settings, sale.show, 0, said.append) == 0
    assert "no difference in 16 entries" in said[-1]
    await raise_stored_counter(store, engine, sale)
    said.clear()
    assert await module.main(settings, sale.show, 0, said.append) == 1
    assert len(said) == 2


async def test_money_without_a_paid_order_is_named(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A capture whose order was never paid is a difference once a worker had the time to finish it."""
    sale = Sale(store)
    await sale.open()
    order = await sale.hold()
    await sale.check_out(order)
    await sale._commit([sale._payment(order, 1999, 0)])
    async with running():
        await archived(store, engine, sale.shelf)
    assert await verify(store, engine, sale.show, PUBLIC_KEY, 0) == []
    store._offset_ms += 2 * module.SETTLE_MS
    [difference] = await verify(store, engine, sale.show, PUBLIC_KEY, 0)
    assert order in str(difference)


async def test_a_sale_by_the_real_rooms_has_no_difference(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Orders, guardians and payments as the rooms themselves commit them keep every law that is verified."""
    market = Market(store)
    market.people.bands["minor00000"] = "14-15"
    market.people.wards.add("minor00000")
    await market.open(10, 5)
    async with market.running(), running():
        paid, declined, _held, asked = [
            await market.hold(buyer, (0, 1), (1, 1))
            for buyer in ("buyer00001", "buyer00002", "buyer00003", "minor00000")
        ]
        await market.check_out(paid)
        await market.check_out(declined, "pm_declined")
        await market.check_out(asked)
        await market.state(paid, "paid")
        await market.state(declined, "payment_failed")
        await market.state(asked, "awaiting_guardian")
        part, all_of_it, withdrawn = [await market.paid(f"buyer0001{number}", (0, 1)) for number in range(3)]
        await market.ship(part)
        await market.refund(part, amount=300)
        await market.refund(all_of_it, restock=True)
        await market.withdraw(withdrawn)
        await market.state(withdrawn, "withdrawn")
        assert [str(one) for one in await verify(store, engine, market.shelf, PUBLIC_KEY)] == []
    found = (await reads.list_orders(engine, "buyer00001"))["items"]
    assert [(one["id"], one["state"]) for one in found] == [(paid.id, "paid")]
    assert [one["order"] for one in (await reads.list_approvals(engine, ["minor00000"]))["items"]] == [asked.id]
    assert await revenue(engine, market.shelf) == [
        {"currency": "EUR", "captured": paid.total + 3000, "refunded": 2300, "net": paid.total + 700}
    ]


async def test_a_line_has_no_difference(store: Store, engine: AsyncEngine, running: Running) -> None:
    """While people wait, while units are offered, and once the show and its lines have ended."""
    market = Market(store)
    await market.open(2)
    async with market.running(), running():
        order = await market.hold("buyer00001", (0, 2))
        for buyer in ("buyer00002", "buyer00003", "buyer00004"):
            await market.waiting.join(market.buyer(buyer), market.offers[0], 1)
        assert [str(one) for one in await verify(store, engine, market.shelf, PUBLIC_KEY)] == []
        await market.orders.cancel(market.buyer("buyer00001"), order.id)
        while await market.units_in("offered") < 2:
            await asyncio.sleep(0.01)
        assert [str(one) for one in await verify(store, engine, market.shelf, PUBLIC_KEY)] == []
        await market.hold("buyer00002", (0, 1))
        await market.shows.move(HOST, market.shelf.removeprefix("show:"), "end")
        while await market.units_in("waiting") or await market.units_in("offered"):
            await asyncio.sleep(0.01)
        assert [str(one) for one in await verify(store, engine, market.shelf, PUBLIC_KEY)] == []


@pytest.mark.parametrize(("counter", "named"), [("waiting", "law: counter waiting:"), ("offered", "law: counter offered:")])
async def test_a_line_that_is_not_as_told_is_named(
    store: Store, engine: AsyncEngine, running: Running, counter: str, named: str
) -> None:
    """A counter of a line moved by a commit that says of nobody that they joined or are served."""
    sale = await story(store, engine, running)
    await sale._commit([], {}, {f"{counter}:{sale.offer}": 1})
    async with running():
        await archived(store, engine, sale.shelf)
    found = [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0)]
    assert any(named in one for one in found), found


async def test_a_shop_that_sells_by_itself_has_no_difference(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Units sold from the shop's own shelf (replays, clips) are counted with what its feed told."""
    market, pan = Market(store), product(1999)
    market.catalogue = {pan.id: pan}
    await Transfers(store).adjust("demo", pan.id, 5, "feed")
    once = Once("ada:place", "k", "k")
    async with market.running(), running():
        await market.orders.place(market.buyer("ada"), SHELF, [Wish(pan.id, 2)], None, once, encode)
        await market.orders.place(market.buyer("bob"), SHELF, [Wish(pan.id, 1)], None, Once("bob:place", "k", "k"), encode)
        await archived(store, engine, SHELF)
    assert [str(one) for one in await verify(store, engine, SHELF, PUBLIC_KEY, 0)] == []
