"""Reads and routes: every list can be paged to its end, and a log shows nobody more than they may see."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.store import write_audit as write_account_audit
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import Call
from livesale.ledger import reads
from livesale.ledger.routes import routes
from livesale.ledger.tables import write_audit
from livesale.ops.audit import list_audit
from livesale.store import database
from livesale.store.valkey import Store
from tests.ledger.conftest import Running, archived, story
from tests.ledger.sale import Sale
from tests.support import sqlite
from tests.support.plans import plan_of

HOST = Actor("host000000", frozenset({"host"}))
OTHER_HOST = Actor("other00000", frozenset({"host"}))
OPERATOR = Actor("boss000000", frozenset({"operator"}))


async def ask(engine: AsyncEngine, path: str, show: str, actor: Actor | None, **query: str) -> Any:
    """The body of the answer, as it reads in JSON."""
    route = next(route for route in routes(engine) if route.path == path)
    answer = await route.handler(Call(actor, {"show": show}, query=query))
    return msgspec.json.decode(msgspec.json.encode(answer.body))


async def paged(read: Any, limit: int) -> list[dict[str, Any]]:
    """All items, page by page."""
    page = await read(limit, None)
    items = list(page["items"])
    while page["next"]:
        assert len(page["items"]) == limit
        page = await read(limit, page["next"])
        items += page["items"]
    return items


async def test_lists_can_be_paged_to_their_end(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Page by page a list has every item once, equal times included."""
    sale = Sale(store)
    await sale.open()
    for _ in range(7):
        await sale.hold("buyer00000")
    async with running():
        await archived(store, engine, sale.shelf)

    async def orders(limit: int, after: str | None) -> dict[str, Any]:
        return await reads.list_orders(engine, "buyer00000", limit, after)

    async def audit(limit: int, after: str | None) -> dict[str, Any]:
        return await list_audit(engine, limit, after)

    for limit in (1, 2, 3, 7, 8):
        assert {one["id"] for one in await paged(orders, limit)} == set(sale.orders)
        assert len(await paged(orders, limit)) == 7
        assert len(await paged(audit, limit)) == 10
    assert (await reads.list_orders(engine, "nobody0000"))["items"] == []


async def test_the_audit_has_the_accounts_lines_in_their_place(engine: AsyncEngine) -> None:
    """Lines of both tables come newest first, on whatever page they fall."""
    async with engine.begin() as connection:
        for at in range(6):
            await write_audit(connection, 10 * at, "a", f"ledger.{at}", {})
            await write_account_audit(connection, 10 * at + 5, "a", f"account.{at}", "acc", '{"by": "x"}')

    async def audit(limit: int, after: str | None) -> dict[str, Any]:
        return await list_audit(engine, limit, after)

    expected = [f"{kind}.{at}" for at in range(5, -1, -1) for kind in ("account", "ledger")]
    for limit in (1, 2, 5, 12):
        found = await paged(audit, limit)
        assert [line["action"] for line in found] == expected
    assert found[0]["data"] == {"account": "acc", "by": "x"}


@pytest.mark.parametrize("after", ["x", "e30", "WzFd", "WyJhIiwgImIiXQ", "W3RydWUsICJhIl0", "é"])
async def test_a_made_up_place_is_refused(engine: AsyncEngine, after: str) -> None:
    """`after` is the `next` of a page, or a 422."""
    with pytest.raises(Refusal) as refused:
        await reads.list_orders(engine, "buyer00000", 5, after)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "1e3", "²"])
def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    """A page has 1 to 200 items."""
    with pytest.raises(Refusal):
        reads.page_query({"limit": limit})


async def test_shows_are_listed_by_state_and_shop(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Several states may be asked for; a show of another state or shop is not in the list."""
    sale = await story(store, engine, running)
    assert [show["id"] for show in (await reads.list_shows(engine, "live,paused"))["items"]] == [sale.show]
    assert (await reads.list_shows(engine, "ended"))["items"] == []
    assert (await reads.list_shows(engine, "live", "other"))["items"] == []


async def test_anyone_reads_the_head(store: Store, engine: AsyncEngine, running: Running) -> None:
    """The head is the last position; a show that is not there is 404."""
    sale = await story(store, engine, running)
    assert (await ask(engine, "/shows/{show}/head", sale.show, None))["seq"] == 16
    for show in ("nobody0000", "no/name"):
        with pytest.raises(Refusal) as refused:
            await ask(engine, "/shows/{show}/head", show, None)
        assert refused.value.code == "not_found"


async def test_a_host_reads_public_events_without_names(store: Store, engine: AsyncEngine, running: Running) -> None:
    """The host of a show sees what viewers saw: no order, no payment, no request, no account."""
    sale = await story(store, engine, running)
    body = await ask(engine, "/shows/{show}/log", sale.show, HOST)
    types = [event["type"] for item in body["items"] for event in item["events"]]
    assert types == ["offer_set", "show_changed", "chat_said"]
    for name in ("buyer", "minor0", "guard", "demo-account"):
        assert name not in repr(body)


async def test_another_host_reads_nothing(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A log is for the show's own host."""
    sale = await story(store, engine, running)
    with pytest.raises(Refusal) as refused:
        await ask(engine, "/shows/{show}/log", sale.show, OTHER_HOST)
    assert refused.value.code == "forbidden"


async def test_an_operator_reads_every_entry(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Page by page the operator gets all entries, with what checks the chain outside."""
    sale = await story(store, engine, running)
    items: list[dict[str, Any]] = []
    after = "0"
    while after:
        body = await ask(engine, "/shows/{show}/log", sale.show, OPERATOR, after=after, limit="5")
        items += body["items"]
        after = body["next"]
    assert [item["seq"] for item in items] == list(range(1, 17))
    assert {"id", "at", "counters", "puts", "drops", "events", "hash", "bytes"} <= set(items[0])


PLANS = [
    (reads.list_orders, ("buyer00000",), "ix_orders_account_held"),
    (reads.list_shop_orders, ("demo", "paid,refunded,shipped"), "ix_orders_shop_state_held"),
    (reads.list_approvals, (["minor00000"],), "ix_approvals_minor_requested"),
    (reads.list_approvals, (None, "requested"), "ix_approvals_state_requested"),
    (reads.list_approvals, (), "ix_approvals_requested"),
]


@pytest.mark.parametrize(("read", "asked", "index"), PLANS, ids=[row[2] for row in PLANS])
async def test_a_page_is_read_in_the_order_of_an_index(tmp_path: Path, read: Any, asked: Any, index: str) -> None:
    """First page and later ones: what SQLite reads of a table comes by that index, and only whole pages are sorted."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'livesale.db'}"
    await asyncio.to_thread(sqlite.migrate, url)
    engine = database.engine(url)
    for after in (None, reads.token([5, "x"])):
        plan = await plan_of(engine, partial(read, engine, *asked, limit=50, after=after))
        of_tables = [line for line in plan if " orders" in line or " approvals" in line]
        assert of_tables
        assert all(f"INDEX {index}" in line for line in of_tables), plan
        assert sum("TEMP B-TREE" in line for line in plan) <= len(of_tables), plan
        assert ("<" in of_tables[0]) == (after is not None), plan
    await engine.dispose()


async def test_a_shops_orders_in_several_states_are_one_list(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Newest first whatever their state, page by page each once; another shop's are not among them."""
    sale = Sale(store)
    await sale.open()
    for number in range(9):
        order = await sale.hold()
        if number % 3:
            await sale.check_out(order)
        if number % 3 == 2:
            await sale.pay(order)
    async with running():
        await archived(store, engine, sale.shelf)
    wanted = sorted((one["order"] for one in sale.orders.values() if one["state"] != "held"), reverse=True)

    async def sold(limit: int, after: str | None) -> dict[str, Any]:
        return await reads.list_shop_orders(engine, "demo", "paid,awaiting_payment", limit, after)

    for limit in (1, 2, 5, 6, 7):
        assert sorted((one["id"] for one in await paged(sold, limit)), reverse=True) == wanted
    assert len((await reads.list_shop_orders(engine, "demo", "paid"))["items"]) == 3
    assert (await reads.list_shop_orders(engine, "other", "paid"))["items"] == []


async def test_open_requests_for_a_product(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Those nobody has decided, of orders with just this product; a name that is part of another's finds nothing."""
    sale = Sale(store)
    await sale.open()
    orders = [await sale.hold(), await sale.hold()]
    asked, decided = [await sale.ask(order) for order in orders]
    await sale.approve(decided, orders[1])
    async with running():
        await archived(store, engine, sale.shelf)
    assert await reads.open_requests_for(engine, "p1") == [asked]
    assert [await reads.open_requests_for(engine, other) for other in ("p", "p_", "%", "p11")] == [[], [], [], []]
