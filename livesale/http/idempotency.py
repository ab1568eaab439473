"""Idempotency-Key: the same account, operation and key get the first answer again, for 24 h.

An atomic route's service keeps its answer in the commit of its effect, one that writes SQL in the transaction of its
effect (store/answers.py); for the others the answer is kept here, beside the effect. A process killed between the two
forgets the answer, not the effect: those services commit under the call's `act()`, so the repetition finds it done and
tells how things stand. While the first call runs in this process, a second is refused `in_progress`.

What is kept here may be personal (a name, an address, where something goes), and outlives its account by a day. So it is
sealed with the very key it is kept under, of which only a hash is written: who does not bring the key reads nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import msgpack
import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.http.problems import of_refusal
from livesale.http.replies import Reply, reply_of
from livesale.kernel.refusals import Refusal, invalid
from livesale.kernel.routing import Answer, Call, Route
from livesale.kernel.sealing import seal, unseal
from livesale.store import answers
from livesale.store.database import reading
from livesale.store.decision import Committed, Decision, KeyReused, NotCommitted, Once
from livesale.store.valkey import Store

HEADER = "Idempotency-Key"
MOST_CHARACTERS = 255
MOST_KEPT_BYTES = 200_000  # below the store's 256 KiB a record, with room for headers

# Refusals that say "not now" or "not like this" rather than what came of the call: the same key may try again.
NOT_KEPT = frozenset(
    {"unauthenticated", "step_up_required", "rate_limited", "store_unavailable", "internal", "in_progress", "conflict"}
)
_ANSWER = "answer"
KEPT_HEADERS = frozenset({"location", "etag", "content-type"})

_log = structlog.get_logger("livesale.http")


def key_of(given: str | None, route: Route) -> str | None:
    """The checked Idempotency-Key; Refusal invalid when malformed, or missing where it is required."""
    if given is None:
        if route.key_required:
            raise invalid(HEADER, "this call needs an Idempotency-Key header")
        return None
    if not 1 <= len(given) <= MOST_CHARACTERS or not (given.isascii() and given.isprintable()):
        raise invalid(HEADER, f"must be 1–{MOST_CHARACTERS} printable ASCII characters")
    return given


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What a repeated call must have in common with the first: SHA-256 (hex) of method, path and body."""
    return hashlib.sha256(b"%s %s\n%s" % (method.encode(), path.encode("utf-8", "surrogateescape"), body)).hexdigest()


class Replies:
    """Answers kept under their keys, and the keys whose first call is still running here.

    Without a `database` there is no route that writes SQL.
    """

    def __init__(self, store: Store | None, database: AsyncEngine | None = None) -> None:
        self._store = store
        self._database = database
        self._running: set[tuple[str, str]] = set()

    async def once(self, route: Route, call: Call, execute: Callable[[Call], Awaitable[Reply]]) -> Reply:
        """What `execute(call)` answers, executed at most once for the call's key."""
        if call.key is None:
            return await execute(call)
        # Nobody is signed in: the address stands for the account, lest two strangers' keys meet.
        account = call.actor.account if call.actor else "anyone"
        scope = f"{call.actor.account if call.actor else call.peer}:{route.method} {route.path}"
        running = (scope, call.key)
        if running in self._running:
            raise Refusal("in_progress", "The first call with this Idempotency-Key is still running.", retry_after_s=1)
        self._running.add(running)
        try:
            if route.atomic or self._store is None:
                return await execute(call)
            once = Once(scope, _hashed(scope, call.key), call.fingerprint)
            seal_key = hashlib.sha256(f"seal {scope} {call.key}".encode()).digest()
            if route.sql and self._database:
                return await self._in_sql(self._database, self._store.now_ms, once, seal_key, route, call, execute)
            return await self._kept(self._store, f"person:{account}", once, seal_key, lambda: execute(call))
        finally:
            self._running.discard(running)

    async def _in_sql(
        self, database: AsyncEngine, now_ms: Callable[[], int], once: Once, seal_key: bytes, route: Route, call: Call,
        execute: Callable[[Call], Awaitable[Reply]],
    ) -> Reply:  # fmt: skip
        """As `_kept`; the service itself keeps the answer, by `Call.keep` in its transaction."""

        async def keep(db: AsyncConnection, answer: Answer, finished: bool) -> None:
            packed = msgspec.structs.replace(once, answer=_packed(reply_of(answer, route), seal_key))
            await answers.keep(db, packed, now_ms(), finished=finished)

        async def told(unfinished: bool) -> Reply | None:
            async with reading(database) as db:
                kept = await answers.told(db, once, unfinished=unfinished)
            return _unpacked(kept, seal_key) if kept is not None else None

        if (first := await told(False)) is not None:
            return first
        try:
            reply = await execute(msgspec.structs.replace(call, keeper=keep))
        except Refusal as refusal:
            if (first := await told(False)) is not None:  # another process was first
                return first
            if refusal.code in NOT_KEPT or refusal.status >= 500:
                raise
            reply = of_refusal(refusal)
            async with database.begin() as db:
                packed = msgspec.structs.replace(once, answer=_packed(reply, seal_key))
                await answers.keep(db, packed, now_ms())
            return reply
        first = await told(True)
        async with database.begin() as db:
            await answers.finish(db, once)
        return first or reply

    async def _kept(
        self, store: Store, shelf: str, once: Once, seal_key: bytes, execute: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        told = await _told(store, Decision(shelf, once=once), seal_key)
        if told is not None:
            return told
        try:
            reply = await execute()
        except Refusal as refusal:
            if refusal.code in NOT_KEPT or refusal.status >= 500:
                raise
            reply = of_refusal(refusal)
        if "Set-Cookie" in reply.headers:  # a session is not kept in a reply cache: signing in again is harmless
            return reply
        return await _keep(store, shelf, once, seal_key, reply)


async def _told(store: Store, decision: Decision, seal_key: bytes) -> Reply | None:
    """The answer kept under the decision's key, None when there is none; KeyReused for another fingerprint."""
    assert decision.once is not None
    told = await store.ask("GET", f"{{{decision.shelf}}}:once:{decision.once_key()}")
    if told is None:
        return None
    _, found, _, _, _, payload = msgpack.unpackb(told, raw=True)
    if found != decision.once.fingerprint.encode():
        raise KeyReused
    return _unpacked(payload, seal_key)


async def _keep(store: Store, shelf: str, once: Once, seal_key: bytes, reply: Reply) -> Reply:
    """Keep `reply`; should another process have been first after all, its answer counts."""
    if len(reply.body) > MOST_KEPT_BYTES:
        return reply
    kept = Once(once.scope, once.key, once.fingerprint, _packed(reply, seal_key))
    try:
        done: Committed = await store.commit(Decision(shelf, once=kept))
    except KeyReused:
        raise
    except (Refusal, NotCommitted) as error:  # the call was carried out: its caller is told so
        _log.warning("answer_not_kept", scope=once.scope, error=str(error))
        return reply
    return _unpacked(done.answer, seal_key) if done.replayed else reply


def _hashed(scope: str, key: str) -> str:
    return hashlib.sha256(f"key {scope} {key}".encode()).hexdigest()


def _packed(reply: Reply, seal_key: bytes) -> bytes:
    headers = {name: value for name, value in reply.headers.items() if name.lower() in KEPT_HEADERS}
    packed: bytes = msgpack.packb([reply.status, reply.body, reply.kind, headers])
    return seal(seal_key, packed, _ANSWER)


def _unpacked(payload: bytes, seal_key: bytes) -> Reply:
    status, body, kind, headers = msgpack.unpackb(unseal(seal_key, payload, _ANSWER))
    return Reply(status, body, kind, headers)
