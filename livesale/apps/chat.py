"""Chat: a line lies in the log sealed with its author's key; here it is opened for those who watch now.

Law: what cannot be opened (its author was erased, the database is away) is left out; the show waits a moment for it at
most. Lines that come together are opened together: one read of keys, which are known for a moment (`People`), then a few
microseconds a line.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Iterable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from livesale.apps.people import People
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.kernel.sealing import SealBroken
from livesale.shows.events import CHAT_SAID
from livesale.shows.service import chat_seal
from livesale.store.log import Entry

log = structlog.get_logger(__name__)

_MARK = CHAT_SAID.encode()  # as it stands in an entry: one without is not decoded for this

# Longer than a process may wait for a processor. A database that is away costs this once: nobody can say more then.
WAIT_S = 2.0

Texts = dict[str, str]  # by message


async def opened(people: People, entries: Iterable[Entry]) -> Texts:
    """The texts of the lines said in these entries; without those that cannot be opened."""
    said = [
        event for entry in entries if _MARK in entry.raw for event in entry.fields()["events"]
        if event["type"] == CHAT_SAID and "sealed" in event  # older lines lie in the log in the open
    ]  # fmt: skip
    texts: Texts = {}

    async def open_one(event: Event) -> None:
        text = await _text(people, event["id"], event["author"], event["sealed"])
        if text is not None:
            texts[event["id"]] = text

    try:
        async with asyncio.timeout(WAIT_S):
            await asyncio.gather(*map(open_one, said))
    except TimeoutError:
        log.warning("chat lines cannot be opened", lines=len(said) - len(texts), why="the database does not answer")
    return texts


def readable(events: list[Event], texts: Texts) -> list[Event]:
    """An entry's events with the chat's lines as everybody reads them; without those whose text is not known."""
    return [_line(event, texts) for event in events if event["type"] != CHAT_SAID or "text" in event or event["id"] in texts]


def _line(event: Event, texts: Texts) -> Event:
    if event["type"] != CHAT_SAID or "text" in event:
        return event
    return {**{name: value for name, value in event.items() if name != "sealed"}, "text": texts[event["id"]]}


async def _text(people: People, message: str, author: str, sealed: str) -> str | None:
    try:
        return (await people.unseal(author, b64decode(sealed), chat_seal(message))).decode()
    except (Refusal, SealBroken):
        return None  # whoever said it is gone
    except (SQLAlchemyError, OSError) as error:
        log.warning("a chat line cannot be opened", message=message, why=type(error).__name__)
        return None
