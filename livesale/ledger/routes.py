"""The ledger over HTTP: the signed head of a show's chain for anyone, its log for its host and for operators."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.actor import Actor
from livesale.kernel.clock import rfc3339
from livesale.kernel.events import Event
from livesale.kernel.ids import is_name
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.routing import ANYONE, HOST, Answer, Call, Route
from livesale.ledger import reads
from livesale.ledger.projection import decode
from livesale.shows.events import KINDS

Untold = msgspec.UnsetType


class Head(msgspec.Struct):
    """The newest signed head of a show's archived log: the hash (SHA-256) of entry `seq` and its Ed25519 signature, in hex."""

    shelf: str
    seq: int
    hash: str
    signature: str
    published_at: str


class LogEntry(msgspec.Struct):
    """An entry of a show's log. Its host reads the public events; an operator everything, and in `bytes` (base64) and
    `hash` what the chain is checked with: `counters` are [name, change, after], `puts` [record, version, digest].
    """

    seq: int
    at: str
    events: list[dict[str, Any]]
    id: str | Untold = msgspec.UNSET
    counters: list[list[str | int]] | Untold = msgspec.UNSET
    puts: list[list[str | int]] | Untold = msgspec.UNSET
    drops: list[str] | Untold = msgspec.UNSET
    hash: str | Untold = msgspec.UNSET
    bytes: str | Untold = msgspec.UNSET


class LogPage(msgspec.Struct):
    """Entries, oldest first; `next` is the following page's `after`."""

    items: list[LogEntry]
    next: str | None


PUBLIC = frozenset(kind.type for kind in KINDS.values() if kind.to == "public")
NOT_FOR_HOSTS = frozenset({"author", "owner", "by"})  # account ids: no event to others names a buyer


def routes(engine: AsyncEngine) -> list[Route]:
    """The room's operations; `engine` is the database the ledger writes."""

    async def head(call: Call) -> Answer:
        found = await reads.head(engine, _shelf(call))
        if found is None:
            raise not_found("show")
        return Answer(Head(**found), headers={"Cache-Control": "no-cache"})

    async def log(call: Call) -> Answer:
        shelf = _shelf(call)
        sees_all = await _sees_all(engine, call.account(), call.path["show"])
        limit = reads.page_query(call.query | {"after": ""})["limit"]
        entries = await reads.log_entries(engine, shelf, _position(call.query.get("after")), limit)
        shaped = [_whole(entry) if sees_all else _public(entry) for entry in entries]
        items = [one for one in shaped if sees_all or one.events]
        return Answer(LogPage(items, str(entries[-1]["seq"]) if len(entries) == limit else None))

    return [
        Route("GET", "/shows/{show}/head", head, "The signed head of a show's archived log", ANYONE, answer=Head),
        Route(
            "GET",
            "/shows/{show}/log",
            log,
            "A show's log: its public events for its host, every entry for an operator",
            HOST,
            answer=LogPage,
            query=("after", "limit"),
        ),
    ]


async def _sees_all(engine: AsyncEngine, actor: Actor, show: str) -> bool:
    """Whether the whole log may be shown; refuses whoever is neither an operator nor the show's host."""
    if actor.has("operator"):
        return True
    found = await reads.show_row(engine, show)
    if found is None:
        raise not_found("show")
    if found["owner"] != actor.account:
        raise Refusal("forbidden", "Only the show's host and operators read its log.")
    return False


def _shelf(call: Call) -> str:
    if not is_name(call.path["show"]):
        raise not_found("show")
    return f"show:{call.path['show']}"


def _position(text: str | None) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 15:
        raise invalid("after", "must be a log position")
    return int(text)


def _public(entry: dict[str, Any]) -> LogEntry:
    events = [_without_names(event) for event in decode(entry["bytes"])["events"] if event["type"] in PUBLIC]
    return LogEntry(entry["seq"], rfc3339(entry["at_ms"]), events)


def _without_names(event: Event) -> Event:
    return {name: value for name, value in event.items() if name not in NOT_FOR_HOSTS}


def _whole(entry: dict[str, Any]) -> LogEntry:
    """Everything, and the bytes and hash with which the chain can be checked outside."""
    fields = decode(entry["bytes"])
    return LogEntry(
        entry["seq"], rfc3339(entry["at_ms"]), fields["events"], fields["id"], fields["counters"], fields["puts"],
        fields["drops"], entry["hash"].hex(), base64.b64encode(entry["bytes"]).decode(),
    )  # fmt: skip
