"""What people write in a chat: read by those who watch, sealed wherever it is kept, and unreadable once they are forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgpack
import pytest
from sqlalchemy.exc import OperationalError

from livesale.accounts.erasure import Erasing
from livesale.accounts.model import Account
from livesale.apps import chat
from livesale.apps.chat import opened, readable
from livesale.apps.keys import make_keys
from livesale.apps.people import REMEMBER_MS, People
from livesale.apps.wiring import Wiring
from livesale.kernel.actor import Actor
from livesale.ledger.archive import Ledger
from livesale.ledger.lines import lines_of
from livesale.ledger.tables import archive
from livesale.settings import load_settings
from livesale.shows.model import Show
from livesale.store.database import reading
from livesale.store.log import Entry, read_log
from livesale.store.valkey import Store
from tests.support import sqlite
from tests.support.valkey import ValkeyProcess

HOST = Actor("host000000", frozenset({"host"}))
SAID = "my number is 0170 MARKER"


@pytest.fixture
async def wiring(tmp_path: Path, valkey: ValkeyProcess, store: Store) -> AsyncIterator[Wiring]:
    """What a process works with."""
    make_keys(tmp_path)
    settings = load_settings(tmp_path, {"valkey_url": valkey.url})
    await asyncio.to_thread(sqlite.migrate, settings.sql_url)
    async with Wiring(settings) as wired:
        yield wired


@pytest.fixture
async def show(wiring: Wiring) -> Show:
    made = await wiring.shows.create(HOST, "Chatty", "shop", "EUR", None)
    return await wiring.shows.move(HOST, made.id, "start")


async def viewer(wiring: Wiring, name: str = "ann") -> Account:
    return await wiring.accounts.create_account(email=f"{name}@example.org", name=name, country="DE", born=None)


async def said(wiring: Wiring, show: Show, account: Account, text: str = SAID) -> str:
    return (await wiring.shows.say(Actor(account.id, account.roles), show.id, text)).id


async def heard(people: People, entries: list[Entry]) -> list[str]:
    """The lines viewers read of these entries."""
    texts = await opened(people, entries)
    events = [event for entry in entries for event in readable(entry.fields()["events"], texts)]
    return [event["text"] for event in events if event["type"] == "chat_said"]


async def test_viewers_read_what_the_log_keeps_sealed(wiring: Wiring, show: Show) -> None:
    """The log has no word of it, nor of who wrote it but an id; everybody who watches reads it, with nothing sealed in it."""
    await said(wiring, show, await viewer(wiring))
    entries = await read_log(wiring.store, f"show:{show.id}")
    assert not any(b"MARKER" in entry.raw for entry in entries)
    assert await heard(wiring.people, entries) == [SAID]
    [line] = [one for one in readable(entries[-1].fields()["events"], await opened(wiring.people, entries))]
    assert "sealed" not in line


async def test_a_forgotten_person_s_lines_are_read_by_nobody(wiring: Wiring, show: Show) -> None:
    """After the erasure no process opens a line any more, whoever asks and whatever is told again; others' lines stay."""
    ann, bob = await viewer(wiring), await viewer(wiring, "bob")
    await said(wiring, show, ann)
    await said(wiring, show, bob, "hello")
    entries = await read_log(wiring.store, f"show:{show.id}")
    assert await heard(wiring.people, entries) == [SAID, "hello"]
    await Erasing(wiring.database, wiring.accounts.revocations, wiring.store.now_ms).erase(ann.id)
    assert await heard(People(wiring.store, wiring.accounts), entries) == ["hello"]
    wiring.people._known = {who: (at - REMEMBER_MS - 1, *rest) for who, (at, *rest) in wiring.people._known.items()}  # type: ignore[misc]
    assert await heard(wiring.people, entries) == ["hello"]


async def test_the_archive_has_it_sealed_and_by_author(wiring: Wiring, show: Show) -> None:
    """Archived bytes and lists have no word of it; its author's lines are found for an export."""
    ann = await viewer(wiring)
    message = await said(wiring, show, ann)
    working = asyncio.create_task(Ledger(wiring.store, wiring.database, wiring.settings.key("ledger.key")).run())
    while not await lines_of(wiring.database, ann.id):
        await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.wait([working])
    [line] = await lines_of(wiring.database, ann.id)
    assert (line.id, line.show, line.state) == (message, show.id, "live")
    async with reading(wiring.database) as db:
        rows = await db.execute(archive.select())
        assert not any(b"MARKER" in bytes(row.bytes) for row in rows)


class _Away:
    """People whose database is away, or does not answer."""

    def __init__(self, hangs: bool) -> None:
        self._hangs = hangs

    async def unseal(self, *_: object) -> bytes:
        if self._hangs:
            await asyncio.Event().wait()
        raise OperationalError("SELECT", {}, Exception())


@pytest.mark.parametrize("hangs", [False, True])
async def test_the_show_goes_on_without_the_database(monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    """A line that cannot be opened is left out; the rest of its entry, and other entries, are told all the same."""
    monkeypatch.setattr(chat, "WAIT_S", 0.01)
    line = {"type": "chat_said", "id": "m_1", "name": "Teal Wren 07", "sealed": "AAAA", "author": "ann", "host": False}
    entry = Entry("show:x", 1, msgpack.packb({"events": [line, {"type": "pins_set"}]}))
    texts = await opened(_Away(hangs), [entry])  # type: ignore[arg-type]
    assert readable(entry.fields()["events"], texts) == [{"type": "pins_set"}]


async def test_a_line_from_before_they_were_sealed_is_still_read(wiring: Wiring) -> None:
    """A show that is on air while its system is renewed keeps its chat."""
    line = {"type": "chat_said", "id": "m_1", "name": "Teal Wren 07", "text": "hi", "author": "ann", "host": False}
    entry = Entry("show:x", 1, msgpack.packb({"events": [line]}))
    assert await heard(wiring.people, [entry]) == ["hi"]


async def test_lines_that_come_together_cost_one_read(wiring: Wiring, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty people's lines in one batch are opened by one look at the keys, so a rush of chat holds nothing up."""
    for number in range(30):
        await said(wiring, show, await viewer(wiring, f"b{number}"), json.dumps(number))
    entries = await read_log(wiring.store, f"show:{show.id}")
    reads = []
    with_keys = wiring.accounts.with_keys
    monkeypatch.setattr(wiring.accounts, "with_keys", lambda wanted: reads.append(len(list(wanted))) or with_keys(wanted))
    assert await heard(People(wiring.store, wiring.accounts), entries) == [json.dumps(number) for number in range(30)]
    assert reads == [30]
