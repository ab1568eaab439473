"""Products in SQL: what one import changes, and that ids and pages hold still."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.catalog.model import FeedProduct
from livesale.catalog.store import (
    count_products,
    list_products,
    product,
    product_of_sku,
    upsert_products,
)
from livesale.kernel.ids import shelf_of
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal

NOW_MS = 1_800_000_000_000


@pytest.fixture
async def conn(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection to an empty database of the real kind."""
    async with engine.begin() as connection:
        yield connection


def row(sku: str, quantity: int | None = 5, price: int = 1999, **more: str) -> FeedProduct:
    return FeedProduct(
        sku, more.pop("title", f"Product {sku}"), Money(price, "EUR"), quantity=quantity, **more
    )


async def test_an_import_makes_the_list_equal_to_the_feed(conn: AsyncConnection) -> None:
    """New, changed, unchanged and missing rows are told apart; ids stay with their sku."""
    first = await upsert_products(conn, "demo", [row("a"), row("b"), row("c")], NOW_MS)
    assert (first.imported, first.updated, first.unchanged, first.gone) == (3, 0, 0, [])
    before = {one.sku: one.id for one in await list_products(conn, "demo")}
    second = await upsert_products(conn, "demo", [row("a"), row("b", price=1500), row("d")], NOW_MS + 1)
    assert (second.imported, second.updated, second.unchanged, second.gone) == (1, 1, 1, [before["c"]])
    listed = await list_products(conn, "demo")
    assert [(one.sku, one.price.amount) for one in listed] == [("a", 1999), ("b", 1500), ("d", 1999)]
    assert [one.id for one in listed[:2]] == [before["a"], before["b"]]
    assert {shelf_of(one.id, "p") for one in listed} == {"shop:demo"}


async def test_a_removed_product_is_unlisted_not_lost(conn: AsyncConnection) -> None:
    """What old orders name can still be read, and coming back it is the same product."""
    await upsert_products(conn, "demo", [row("a")], NOW_MS)
    (was,) = await list_products(conn, "demo")
    await upsert_products(conn, "demo", [], NOW_MS + 1)
    assert await list_products(conn, "demo") == []
    kept = await product(conn, was.id)
    assert kept is not None
    assert kept.removed_at == NOW_MS + 1
    back = await upsert_products(conn, "demo", [row("a")], NOW_MS + 2)
    assert (back.imported, back.updated) == (0, 1)
    assert (await list_products(conn, "demo"))[0].id == was.id


async def test_every_stock_change_is_told(conn: AsyncConnection) -> None:
    """The shop's shelf learns of each quantity that is new, different or gone, and of no other."""
    await upsert_products(conn, "demo", [row("a", 5), row("b", None), row("c", 7)], NOW_MS)
    ids = {one.sku: one.id for one in await list_products(conn, "demo")}
    changes = await upsert_products(conn, "demo", [row("a", 9), row("b", None)], NOW_MS)
    assert [(one.product, one.before, one.now) for one in changes.stock] == [
        (ids["a"], 5, 9),
        (ids["c"], 7, 0),
    ]
    back = await upsert_products(conn, "demo", [row("a", 9), row("b", None), row("c", 7)], NOW_MS)
    assert [(one.product, one.before, one.now) for one in back.stock] == [(ids["c"], 0, 7)]


async def test_pages_neither_skip_nor_repeat(conn: AsyncConnection) -> None:
    """Walking through pages meets every product once, also when an import happens in between."""
    await upsert_products(conn, "demo", [row(f"{n:03}") for n in range(25)], NOW_MS)
    await upsert_products(conn, "other", [row("x")], NOW_MS)
    met, after = [], None
    while page := await list_products(conn, "demo", after, 10):
        met += [one.sku for one in page]
        after = page[-1].id
        await upsert_products(
            conn, "demo", [row("new"), *(row(f"{n:03}", price=n + 1) for n in range(25))], NOW_MS
        )
    assert met == [*(f"{n:03}" for n in range(25)), "new"]
    assert len(await list_products(conn, None, None, 100)) == 27
    with pytest.raises(Refusal):
        await list_products(conn, "demo", "p_wdemo_nothing", 10)


async def test_shops_do_not_see_each_other(conn: AsyncConnection) -> None:
    """The same sku in two shops is two products, and an empty feed empties one shop only."""
    await upsert_products(conn, "one", [row("a")], NOW_MS)
    await upsert_products(conn, "two", [row("a")], NOW_MS)
    await upsert_products(conn, "one", [], NOW_MS)
    assert (await count_products(conn, "one"), await count_products(conn, "two")) == (0, 1)
    assert (await product_of_sku(conn, "two", "a")) == (await list_products(conn, "two"))[0]
    assert await product(conn, "p_wone_nothing") is None


async def test_an_import_beside_another_is_a_conflict(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two imports that both think a sku is new do not make it twice."""
    await upsert_products(conn, "demo", [row("a")], NOW_MS)

    async def blind(conn: AsyncConnection, shop: str) -> dict:
        return {}

    monkeypatch.setattr("livesale.catalog.store._known", blind)
    with pytest.raises(Refusal) as refused:
        await upsert_products(conn, "demo", [row("a")], NOW_MS)
    assert refused.value.code == "conflict"


async def test_a_field_comes_back_as_it_went_in(conn: AsyncConnection) -> None:
    """Every field of a row survives the way through SQL."""
    full = FeedProduct(
        "a", "Pan", Money(10**12, "JPY"), "d", "https://l", "/i", Money(1, "JPY"), "preorder", None, "g", "b"
    )
    full = FeedProduct(
        **{**{f: getattr(full, f) for f in full.__struct_fields__}, "category": "c", "age_gate": 18}
    )
    await upsert_products(conn, "demo", [full], NOW_MS)
    (kept,) = await list_products(conn, "demo")
    assert all(getattr(kept, name) == getattr(full, name) for name in full.__struct_fields__)
    assert not kept.tracked
