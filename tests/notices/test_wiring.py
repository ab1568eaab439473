"""What the settings make of mails, and what the worker's people know of readers."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livesale.apps.keys import make_keys
from livesale.apps.mails import Readers, dev_box, mails, transport_of
from livesale.apps.wiring import Wiring
from livesale.catalog.shops import ensure_shop
from livesale.guardians.family import FAMILY, Tie, family_in
from livesale.kernel.refusals import Refusal
from livesale.notices.transport import DevFolder, Smtp
from livesale.settings import load_settings
from livesale.store.decision import Decision
from livesale.store.record import put
from livesale.store.valkey import Records, Store
from tests.support import sqlite
from tests.support.valkey import ValkeyProcess


@pytest.mark.parametrize(
    ("set_to", "kind"),
    [
        ({}, None),
        ({"smtp_url": "smtp://mail.example.org"}, Smtp),
        ({"dev_mail": True}, DevFolder),
        ({"dev_mail": True, "smtp_url": "smtp://mail.example.org"}, DevFolder),
        ({"demo": True, "smtp_url": "smtp://mail.example.org"}, DevFolder),
    ],
)
def test_the_way_mails_leave(tmp_path: Path, set_to: dict[str, Any], kind: type | None) -> None:
    """By SMTP when it is set, into the folder for development and the demo whatever is set, else nowhere."""
    settings = load_settings(tmp_path, set_to)
    made = transport_of(settings)
    assert (made is None) if kind is None else isinstance(made, kind)
    assert (dev_box(settings) is not None) == (kind is DevFolder)


@pytest.fixture
async def wired(valkey: ValkeyProcess, store: Store, tmp_path: Path) -> Any:
    """What a worker works with, without mail settings."""
    make_keys(tmp_path)
    settings = load_settings(tmp_path, {"valkey_url": valkey.url})
    await asyncio.to_thread(sqlite.migrate, settings.sql_url)
    async with Wiring(settings) as wiring:
        yield wiring


async def test_without_a_way_there_is_one_warning(
    wired: Wiring, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither reader nor postman: nothing is written down that nobody would send, and the log says once why."""
    caplog.set_level(logging.DEBUG)
    assert mails(wired) is None
    said = capfd.readouterr()
    assert (said.out + said.err + caplog.text).count("no mails are sent") == 1


async def end_link(wired: Wiring, minor: str, at_ms: int) -> None:
    """The minor's only link ended at that time."""

    def decide(records: Records, _now_ms: int) -> Decision:
        family = family_in(records[FAMILY])
        over = [msgspec.structs.replace(tie, ends_at=at_ms) for tie in family.ties]
        put_over = put(FAMILY, records[FAMILY], msgspec.structs.replace(family, ties=over))
        return Decision(f"person:{minor}", puts=(put_over,))

    await wired.store.act(f"person:{minor}", (FAMILY,), decide)


async def test_readers_are_the_accounts(wired: Wiring) -> None:
    """Address, name and country are the account's; guardians are those linked now or,
    where it is asked, then; a shop is named with its owner."""
    made = {}
    for who, born in (("mia", date(2012, 1, 1)), ("gita", date(1980, 1, 1))):
        account = await wired.accounts.create_account(
            email=f"{who}@example.org", name=who.title(), country="AT", born=born, method="verified"
        )
        made[who] = account.id
    now_ms = wired.store.now_ms()
    await wired.guardians.families.join(made["mia"], Tie("fl_1", made["gita"], now_ms - 1, True), "system")
    async with wired.database.begin() as connection:
        await ensure_shop(connection, "mugs", made["gita"], now_ms)
        await ensure_shop(connection, "none", None, now_ms)
    readers = Readers(wired)
    contact = await readers.contact(made["mia"])
    assert (contact.email, contact.name, contact.country) == ("mia@example.org", "Mia", "AT")
    assert await readers.guardians_of(made["mia"]) == [made["gita"]]
    assert await readers.guardians_of(made["gita"]) == []
    await end_link(wired, made["mia"], ended_at := wired.store.now_ms() - 10)
    assert [await readers.guardians_of(made["mia"], since) for since in (None, ended_at - 1, ended_at)] == [[], [made["gita"]], []]
    assert [await readers.seller(shop) for shop in ("mugs", "none")] == ["mugs (Gita)", "none"]
    sealed = await wired.people.seal(made["mia"], b"Weg 1", "ship_to:o")
    assert await readers.unseal(made["mia"], sealed, "ship_to:o") == b"Weg 1"
    with pytest.raises(Refusal):
        await readers.contact("nobody0000")
