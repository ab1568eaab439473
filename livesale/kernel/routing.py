"""Routes as plain data: what a room offers over HTTP, without knowing how HTTP is spoken.

A room's `routes.py` gives a list of Route; `http/` serves them, checks what they declare and describes them in the
OpenAPI file, so that a route can never be served but undocumented.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from livesale.kernel.actor import Actor
from livesale.kernel.ids import name_from
from livesale.kernel.refusals import Refusal


class Call(msgspec.Struct, frozen=True):
    """One request, already decoded and checked: `body` has the route's body type, `query` its query parameters."""

    actor: Actor | None
    path: dict[str, str]
    body: Any = None
    raw: bytes = b""
    query: dict[str, str] = {}
    key: str | None = None  # Idempotency-Key
    fingerprint: str = ""  # SHA-256 (hex) of method, path and body
    host: str = ""  # the host name and port the page was asked under
    secure: bool = False  # asked over https
    peer: str = ""  # address of the client, behind trusted proxies
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)  # looked up in any case
    local: bool = False  # a loopback peer that sent no forwarding header: nothing limits it
    keeper: Keeper | None = None  # of an `sql` route's call with a key

    def account(self) -> Actor:
        """The caller; only for routes whose `who` is not `anyone`."""
        if self.actor is None:
            raise Refusal("unauthenticated", "Please sign in first.")
        return self.actor

    def act(self) -> str:
        """The id of what this call does, the same when it is repeated: so it is done once even if its answer got lost."""
        return name_from(f"{self.account().account} {self.fingerprint} {self.key}") if self.key else ""


    async def keep(self, connection: Any, answer: Answer, finished: bool = True) -> None:
        """Keep the answer under the call's key in the transaction of its effect, the duty of an `sql` route.

        Not `finished`: work is left beside that transaction, so a repetition carries the call out again until it is done.
        """
        if self.keeper is not None:
            await self.keeper(connection, answer, finished)


class Answer(msgspec.Struct, frozen=True):
    """A response: `body` is a value to be encoded as JSON, or bytes that are JSON already."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = {}


Handler = Callable[[Call], Awaitable[Answer]]
Keeper = Callable[[Any, Answer, bool], Awaitable[None]]

ANYONE: frozenset[str] = frozenset()
ACCOUNT = frozenset({"viewer", "host", "operator", "guardian", "advertiser"})
HOST = frozenset({"host", "operator"})
OPERATOR = frozenset({"operator"})


@dataclass(frozen=True, slots=True)
class Route:
    """One operation under `/api/v1`: `path` as in `/shows/{show}/orders`, `who` the roles that may call it.

    `atomic`: the service keeps the idempotency key in the same commit as the effect; otherwise `http/` keeps the
    answer beside it. `sql`: the service writes SQL and keeps the answer in the same transaction (`Call.keep`).
    `key_required`: refuse a call without an Idempotency-Key. `refuses`: the codes of the room's own
    refusals, for the description; those any call may meet are known to `http/`.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    who: frozenset[str] = ANYONE
    body: Any = None  # a msgspec type; bytes for a raw body
    answer: Any = None  # a msgspec type, for the OpenAPI file
    status: int = 200
    refuses: tuple[str, ...] = ()
    atomic: bool = False
    sql: bool = False
    key_required: bool = False
    most_bytes: int = 65_536
    query: tuple[str, ...] = ()
