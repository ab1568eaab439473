"""Postman: sends the mails and pushes that are written down, several at once, and records how each ended.

Law: a mail is claimed by a commit (its `next_at` moves ahead) before it is sent, so of several workers one sends it; a
worker killed meanwhile lets the claim lapse, and the same bytes under the same Message-ID are sent again. While the mail
server is away no mail is tried but one now and then.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable

import msgspec
import structlog

from livesale.kernel.clock import SECOND_MS
from livesale.kernel.refusals import Refusal
from livesale.kernel.sealing import SealBroken
from livesale.notices import model
from livesale.notices.box import name_of
from livesale.notices.message import Unmailable
from livesale.notices.model import Mail
from livesale.notices.pushing import Pusher, Stale
from livesale.notices.transport import Envelope, Later, Refused, Transport, Unreachable
from livesale.notices.writer import Writer
from livesale.store.decision import Decision, Mark
from livesale.store.readers import Cursor, going_on
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 8
CLAIM_MS = 60_000  # twice what a transport takes at most
LOOK_EVERY_S = 1.0
REST_S = (1.0, 60.0)  # the first and the longest pause while the server is away


class _NotOurs(Exception):
    """Somebody else sends it, or it is done with."""


class Postman:
    """One worker's sender of mails and pushes."""

    def __init__(self, store: Store, writer: Writer, transport: Transport, pusher: Pusher) -> None:
        self._store = store
        self._writer = writer
        self._transport = transport
        self._pusher = pusher
        self._fresh: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._rest_s = 0.0
        self._rests_until = 0.0

    def tell(self, shelf: str, mail_id: str) -> None:
        """A mail has been written down."""
        self._fresh.put_nowait((shelf, mail_id))

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look(group))
            while True:
                shelf, mail_id = await self._fresh.get()
                if self._may_try(mail_id):  # else the look after the rest finds it
                    await self._begin(group, shelf, mail_id)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """Find mails whose time has come: those to be tried again, and what a killed worker left."""
        while True:
            with going_on("looking for mails"):
                for shelf in await self._store.active_shelves():
                    for mail_id in await self._store.due(shelf, "mail", self._store.now_ms()):
                        if self._may_try(mail_id):
                            await self._begin(group, shelf, mail_id)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _begin(self, group: asyncio.TaskGroup, shelf: str, mail_id: str) -> None:
        await self._slots.acquire()
        group.create_task(self._deliver(shelf, mail_id))

    async def _deliver(self, shelf: str, mail_id: str) -> None:
        try:
            with going_on(f"sending {mail_id}"):
                mail = await self._claim(shelf, mail_id)
                if mail:
                    await self._record(shelf, await self._attempt(shelf, mail))
        finally:
            self._slots.release()

    async def _claim(self, shelf: str, mail_id: str) -> Mail | None:
        def after(mail: Mail, now_ms: int) -> Mail:
            if mail.next_at > now_ms:
                raise _NotOurs
            return msgspec.structs.replace(mail, next_at=now_ms + CLAIM_MS)

        return await self._change(shelf, mail_id, after)

    async def _record(self, shelf: str, after: Mail) -> None:
        if await self._change(shelf, after.id, lambda _before, _now_ms: after) and _is_missed(after):
            log.warning("a mail will not arrive", mail=after.id, kind=after.kind, state=after.state, code=after.code)

    async def _change(self, shelf: str, mail_id: str, change: Callable[[Mail, int], Mail]) -> Mail | None:
        """Change a waiting mail's record and its mark; None when there is nothing to change."""
        name = f"mail:{mail_id}"
        changed: list[Mail] = []

        def decide(records: Records, now_ms: int) -> Decision:
            before = load(Mail, records[name])
            if before is None or before.state != "waiting":
                raise _NotOurs
            after = change(before, now_ms)
            changed[:] = [after]
            waiting = after.state == "waiting"
            marks = [Mark("mail", mail_id, after.next_at if waiting else None)]
            if not waiting:
                marks.append(Mark("due", name, now_ms + model.FORGOTTEN_AFTER_MS))
            puts = (put(name, records[name], after),)
            return Decision(shelf, counters=model.moves(before, after), puts=puts, marks=tuple(marks))

        try:
            await self._store.act(shelf, (name,), decide)
        except _NotOurs:
            return None
        return changed[0]

    async def _attempt(self, shelf: str, mail: Mail) -> Mail:
        """Send it; what becomes of its record. Nothing that is logged here names a person or what was written."""
        try:
            await (self._pusher.push(shelf, mail) if mail.device else self._mail(shelf, mail))
        except Stale:
            return model.done(mail, "given_up")
        except Unreachable as away:
            return model.postponed(mail, self._store.now_ms(), self._rest(away.code), away.code)
        except Later as later:
            log.info("a mail is tried again later", mail=mail.id, code=later.code)
            return model.tried(mail, self._store.now_ms(), later.code, later.wait_s * SECOND_MS)
        except Refused as refused:
            return model.done(mail, "refused", refused.code)
        except (Unmailable, SealBroken):
            return model.done(mail, "refused")
        except Refusal as refusal:
            if refusal.code != "not_found":
                raise
            return model.done(mail, "refused")  # somebody's account is gone
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.error("a mail cannot be written", mail=mail.id, why=type(error).__name__, at=f"{at.name}:{at.lineno}")
            return model.tried(mail, self._store.now_ms(), 0)
        return model.done(mail, "sent")

    async def _mail(self, shelf: str, mail: Mail) -> None:
        to, data = await self._writer.write(shelf, mail)
        envelope = Envelope(self._writer.sender.addr_spec, to.addr_spec, name_of(mail.created, mail.id))
        await self._transport.send(envelope, data)
        self._rest_s = 0.0

    def _may_try(self, mail_id: str) -> bool:
        return model.is_push(mail_id) or not self._resting()

    def _resting(self) -> bool:
        return asyncio.get_running_loop().time() < self._rests_until

    def _rest(self, code: int) -> int:
        """Try nothing for a while, longer each time; the pause in ms."""
        now = asyncio.get_running_loop().time()
        if now >= self._rests_until:
            self._rest_s = min(REST_S[1], self._rest_s * 2 or REST_S[0])
            self._rests_until = now + self._rest_s
            log.warning("the mail server is away", code=code, rest_s=self._rest_s)
        return int((self._rests_until - now) * 1000)


def _is_missed(mail: Mail) -> bool:
    """Whether somebody does not hear what they must; of a push there is a mail as well."""
    return not mail.device and mail.state in ("refused", "given_up")


async def forget(store: Store, reader: str, shelf: str, mail_id: str) -> None:
    """What the mark `mail:ID` does: a mail that is done with goes once its `reader` will never read its fact again."""
    name, cursor = f"mail:{mail_id}", f"cursor:{reader}"

    def decide(records: Records, now_ms: int) -> Decision:
        mail, read = records[name], load(Cursor, records[cursor])
        if mail is None:
            return Decision(shelf, marks=(Mark("due", name, None),))
        if read is None or read.seq < mail.version:
            return Decision(shelf, marks=(Mark("due", name, now_ms + model.FORGOTTEN_AFTER_MS),))
        return Decision(shelf, drops=((name, mail.version),), marks=(Mark("due", name, None),))

    await store.act(shelf, (name, cursor), decide)
