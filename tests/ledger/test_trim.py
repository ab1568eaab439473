"""Trimming: nothing leaves the store's log that a reader, a hub or the ledger itself may still want."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import HOUR_MS
from livesale.ledger import trim
from livesale.ledger.trim import Trimmer
from livesale.ledger.verify import verify
from livesale.store.decision import Decision, Put
from livesale.store.log import read_log
from livesale.store.readers import Cursor
from livesale.store.record import encode
from livesale.store.valkey import Store
from tests.ledger.conftest import PUBLIC_KEY, Running, story
from tests.ledger.sale import Sale


def much_later(store: Store) -> None:
    """Everything so far is over an hour old."""
    store._offset_ms += 2 * HOUR_MS


async def kept(store: Store, sale: Sale) -> list[int]:
    return [entry.seq for entry in await read_log(store, sale.shelf)]


async def test_the_hubs_window_is_kept(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Entries younger than an hour stay when there are not many of them."""
    sale = await story(store, engine, running)
    assert await Trimmer(store, engine, ()).trim(sale.shelf, 16) == 0
    assert await kept(store, sale) == list(range(1, 17))


async def test_many_entries_are_trimmed_before_they_are_old(
    store: Store, engine: AsyncEngine, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy hour does not fill the store: only the last entries of the window stay."""
    monkeypatch.setattr(trim, "WINDOW_ENTRIES", 5)
    sale = await story(store, engine, running)
    assert await Trimmer(store, engine, ()).trim(sale.shelf, 16) == 11
    assert await kept(store, sale) == [12, 13, 14, 15, 16]


async def test_old_entries_go_but_never_the_ledgers_own(store: Store, engine: AsyncEngine, running: Running) -> None:
    """A quiet shelf keeps the entry the ledger compares with, can be verified and goes on."""
    sale = await story(store, engine, running)
    much_later(store)
    assert await Trimmer(store, engine, ()).trim(sale.shelf, 16) == 15
    assert await kept(store, sale) == [16]
    assert await verify(store, engine, sale.show, PUBLIC_KEY, 0) == []
    await sale.say()
    async with running() as ledger:
        assert await verify(store, engine, sale.show, PUBLIC_KEY) == []
        assert ledger.stopped() == {}


async def test_nothing_beyond_the_archive_goes(store: Store, engine: AsyncEngine, running: Running) -> None:
    """Entries the ledger has not copied stay, however old."""
    sale = await story(store, engine, running)
    await sale.rush(5)
    much_later(store)
    await Trimmer(store, engine, ()).trim(sale.shelf, 16)
    assert await kept(store, sale) == [16, 17, 18, 19, 20, 21]


@pytest.mark.parametrize("data", [encode(Cursor(6)), msgpack.packb(6), b"6"], ids=["record", "number", "text"])
async def test_a_readers_cursor_is_respected(store: Store, engine: AsyncEngine, running: Running, data: bytes) -> None:
    """What a reader on the shelf has not dealt with stays."""
    sale = await story(store, engine, running)
    await store.commit(Decision(sale.shelf, puts=(Put("cursor:reactions", 0, data),)))
    much_later(store)
    await Trimmer(store, engine, ()).trim(sale.shelf, 16)
    assert (await kept(store, sale))[0] == 7


@pytest.mark.parametrize(
    ("record", "readers"), [(b"\xc1", ()), (None, ("reactions",))], ids=["unreadable", "not there yet"]
)
async def test_an_unknown_cursor_keeps_everything(
    store: Store, engine: AsyncEngine, running: Running, record: Any, readers: tuple[str, ...]
) -> None:
    """A reader whose position cannot be told may still want the first entry."""
    sale = await story(store, engine, running)
    if record:
        await store.commit(Decision(sale.shelf, puts=(Put("cursor:reactions", 0, record),)))
    much_later(store)
    assert await Trimmer(store, engine, readers).trim(sale.shelf, 16) == 0
