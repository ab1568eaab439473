"""Desk: lets a family's pages hear within a moment that one of their requests, or the family itself, has changed.

A hub's socket belongs to a show and its ticket names one; a guardian at the desk has none, and must not be seen joining
one. So the worker whispers which minor is concerned, and a page asks `GET /approvals/news`, which answers at once or when
it hears something, after 25 s at the latest. Nothing rests on it: what was missed is in the list, which pages load as well.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from livesale.guardians.events import ALLOWANCE_SET, ALLOWANCE_SPENT, APPROVAL_CHANGED, FAMILY_FROZEN, LINK_CHANGED
from livesale.guardians.model import Approval
from livesale.guardians.news import News
from livesale.kernel.clock import MINUTE_MS, SECOND_MS
from livesale.kernel.events import Event
from livesale.payments.events import PAYMENT_CHANGED
from livesale.store.readers import Reaction
from livesale.store.record import load
from livesale.store.valkey import Store
from livesale.store.whisper import overheard, whisper

CHANNEL = "livesale:families"
KEPT_MS = MINUTE_MS
OVERLAP_MS = 2 * SECOND_MS  # of the first question with the list that was loaded before it
OF_FAMILY = (LINK_CHANGED, FAMILY_FROZEN, ALLOWANCE_SET, ALLOWANCE_SPENT)

log = structlog.get_logger(__name__)


class Change(msgspec.Struct, frozen=True, array_like=True):
    """Something of this minor's has changed: a request, or (empty) the family."""

    at: int
    minor: str
    approval: str


_decoder = msgspec.msgpack.Decoder(Change)


def tellers(store: Store) -> tuple[Reaction, ...]:
    """The worker's part: say it once, to whoever listens."""

    async def tell(_shelf: str, event: Event) -> None:
        change = Change(store.now_ms(), event["minor"], event.get("approval", ""))
        await whisper(store, CHANNEL, msgspec.msgpack.encode(change))

    async def tell_payer(shelf: str, event: Event) -> None:
        """A bank wants to be told something; whose request it pays is in the request."""
        name = f"approval:{event['approval']}"
        if event["approval"] and (approval := load(Approval, (await store.read(shelf, name))[name])):
            await tell(shelf, {"minor": approval.minor, "approval": approval.id})

    said = tuple(Reaction(kind, tell) for kind in (APPROVAL_CHANGED, *OF_FAMILY))
    return (*said, Reaction(PAYMENT_CHANGED, tell_payer, frozenset({"requires_action"})))


class Desk:
    """One web process's ear: owner of those who wait and of what was said in the last minute."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heard: deque[Change] = deque()
        self._waiting: set[asyncio.Event] = set()
        self._closed = False

    async def listen(self, _app: Any) -> Any:
        """Hear, for as long as the application runs."""
        task = asyncio.create_task(self._listen())
        yield
        while not task.done():  # again, for redis-py may swallow one that comes with an answer
            task.cancel()
            await asyncio.wait([task], timeout=0.2)

    async def close(self, _app: Any) -> None:
        """Let everybody go who waits."""
        self._closed = True
        self._wake()

    async def news(self, minors: Iterable[str], after_ms: int, wait_s: float) -> News:
        """What has changed for these minors since `after_ms`, at once or when it comes."""
        of, happened = frozenset(minors), asyncio.Event()
        since = after_ms or self._store.now_ms() - OVERLAP_MS
        self._waiting.add(happened)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    while not (self._closed or self._since(of, since)):
                        happened.clear()
                        await happened.wait()
        finally:
            self._waiting.discard(happened)
        found = self._since(of, since)
        approvals = dict.fromkeys(one.approval for one in found if one.approval)
        newest = max((one.at for one in found), default=since)
        return News(newest, list(approvals), any(not one.approval for one in found))

    def _since(self, minors: frozenset[str], since: int) -> list[Change]:
        """Those not told before: an answer names the newest it knew."""
        return [one for one in self._heard if one.minor in minors and one.at > since]

    async def _listen(self) -> None:
        async for message in overheard(self._store, CHANNEL):
            try:
                change = _decoder.decode(message)
            except msgspec.MsgspecError as error:  # a worker of another version
                log.warning("a change could not be read", why=str(error))
                continue
            self._heard.append(change)
            while self._heard[0].at < change.at - KEPT_MS:
                self._heard.popleft()
            self._wake()

    def _wake(self) -> None:
        for one in self._waiting:
            one.set()
