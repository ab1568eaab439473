"""An upstream: one show of an edge, fetched once from another hub (`livesale.relay.v1`) and given to a channel here.

Laws: a ticket is judged where the show lives; a viewer is let in the moment the answer is read, so that no event falls
between; when the upstream dies viewers keep what they have, and after `patience_s` they are told that the show moved.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException
from websockets.protocol import OPEN

from livesale.hub.connection import MOVED, SHOW_ENDED
from livesale.hub.history import Kept
from livesale.hub.link import Bases, dial
from livesale.hub.outbox import Packet
from livesale.hub.wire import (
    EventsFrame,
    MalformedFrame,
    PersonalFrame,
    decode,
    packed,
    websocket_binary,
)
from livesale.kernel.events import LATEST, MUST
from livesale.media.ring import Fragment, Init

if TYPE_CHECKING:
    from livesale.hub.channel import Channel
    from livesale.hub.greeting import Personal
    from livesale.hub.hub import Hub

Refused = Callable[[int, str], None]
OwnersPersonal = list[tuple[str, int, bytes]]  # (tag, seq, packed event), oldest first

TICKETS_IN_A_MESSAGE = 20
OPENED_WITHIN_S = 6.0  # the upstream may have to fetch the show itself
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 0.5
KEY_WANTED_EVERY_S = 0.3
SNAPSHOT_BEHIND = 64  # positions with events since the snapshot: ask for a newer one
IDLE_SWEEPS = 30

log = logging.getLogger(__name__)


class Lost(Exception):
    """This connection cannot go on: what it says does not follow from what we have, or is from a lower lease."""


class Elsewhere(Exception):
    """Another hub has the show."""

    def __init__(self, base: str) -> None:
        super().__init__(f"the show is at {base}")
        self.base = base


class Upstream:
    """The relay of one show. `ready` is set once the channel has been opened."""

    def __init__(self, hub: Hub, show: str, bases: Bases, relay_key: bytes, patience_s: float) -> None:
        self.ready = asyncio.Event()
        self.channel: Channel = hub.feed(show, self)
        self.channel.key_wanted = self._want_key
        self._hub = hub
        self._show = show
        self._bases = bases
        self._relay_key = relay_key
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._socket: ClientConnection | None = None
        self._open = False
        self._snapshot: tuple[int, bytes] = (0, packed({}))
        self._pending: dict[int, tuple[float, Callable[[Any], None], Refused]] = {}
        self._number = 0
        self._seen: dict[int, tuple[int, int]] = {}
        self._idle = 0
        self._least_lease = 0
        self._key_wanted_s = float("-inf")
        self._task = asyncio.create_task(self._run())

    def admit(
        self,
        ticket: str,
        after: int | None,
        epoch: str | None,
        done: Callable[[Personal | None], None],
        refused: Refused,
    ) -> None:
        """Asks the upstream about a ticket; `done` or `refused` is called when its answer is read."""
        self._ask({"type": "join", "ticket": ticket, "after": after, "epoch": epoch}, done, refused)

    def recall(
        self, tickets: list[str], after: int | None, epoch: str | None, done: Callable[[OwnersPersonal], None],
        refused: Refused,
    ) -> None:  # fmt: skip
        """Names viewers of an edge behind this one who were let in over another hub; `done` gets what they missed."""
        self._ask({"type": "recall", "tickets": tickets, "after": after, "epoch": epoch}, done, refused)

    def left(self, tag: str) -> None:
        """One viewer of `tag` is gone."""
        self._say({"type": "leave", "tag": tag})

    def at_least(self, lease: int) -> None:
        """A ticket shows that the show is under `lease` now: leave a studio with a lower one, and take none again."""
        self._least_lease = max(self._least_lease, lease)
        if self._open and self.channel.lease < lease and self._socket is not None:
            self._socket.transport.abort()

    def stop(self) -> None:
        """Ends the relay; its channel is no longer fed."""
        self._refuse_pending()
        self._task.cancel()

    def sweep(self) -> None:
        """Once a second: viewer count upwards, late answers, an old snapshot, a show nobody watches here any more."""
        now_s = self._loop.time()
        late = [number for number, (asked_s, _, _) in self._pending.items() if self._is_late(now_s, asked_s)]
        for number in late:
            self._pending.pop(number)[2](MOVED, "the show is out of reach for a moment; rejoin")
        count = self.channel.presence.to_tell()
        if count is not None:
            self._say({"type": "viewers", "count": count})
        if len(self.channel.history.since(self._snapshot[0])) > SNAPSHOT_BEHIND:
            self._say({"type": "snapshot"})
        self._idle = 0 if self.channel.receivers() or self._pending else self._idle + 1
        if self._idle > IDLE_SWEEPS:
            self._hub.drop(self._show)

    def _ask(self, question: dict[str, Any], done: Callable[[Any], None], refused: Refused) -> None:
        if not self._open:
            refused(MOVED, "the show is out of reach for a moment; rejoin")
            return
        self._number += 1
        self._pending[self._number] = (self._loop.time(), done, refused)
        self._say({**question, "number": self._number})

    def _is_late(self, now_s: float, asked_s: float) -> bool:
        return now_s - asked_s > self._hub.limits.admission_ms / 1000

    async def _run(self) -> None:
        wait_s, lost_s, turn = FIRST_WAIT_S, self._loop.time(), 0
        sent_to: str | None = None
        while True:
            base, was_sent, sent_to = sent_to or self._bases.at(turn), sent_to is not None, None
            code = None
            try:
                code = await self._follow(base)
            except Elsewhere as there:
                sent_to = None if was_sent else there.base  # two hubs that send to each other know no better
            except (OSError, WebSocketException, TimeoutError, MalformedFrame, Lost) as error:
                log.info("show %s: the upstream %s is lost: %s", self._show, base, error)
            except Exception:  # whatever it is, a relay that ended here would leave its viewers without a show for good
                log.exception("show %s: the upstream %s failed", self._show, base)
            finally:
                was_open, self._open, self._socket = self._open, False, None
                self._refuse_pending()
            if code == SHOW_ENDED:
                self._hub.end(self._show)
                return
            turn = 0 if was_open else turn + (sent_to is None)
            if was_open:
                wait_s, lost_s = FIRST_WAIT_S, self._loop.time()
            if self._loop.time() - lost_s > self._patience_s:
                self._hub.drop(self._show)
                return
            if sent_to is None:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _follow(self, base: str) -> int | None:
        """One connection from its start to its end; its close code."""
        async with dial(self._hub, base, self._show, self._relay_key, self._bases.tls(base)) as socket:
            self._socket = socket
            self._hello()
            with suppress(WebSocketException):
                async with asyncio.timeout(OPENED_WITHIN_S):
                    self._take(await socket.recv(decode=False))
                while True:
                    self._take(await socket.recv(decode=False))
            return socket.close_code

    def _hello(self) -> None:
        tickets = [ticket for receiver in self.channel.receivers() for ticket in receiver.tickets()]
        for start in range(0, len(tickets), TICKETS_IN_A_MESSAGE):
            self._say({"type": "rejoin", "tickets": tickets[start : start + TICKETS_IN_A_MESSAGE]})
        self.channel.presence.forget()
        after = self.channel.history.head if self.channel.epoch is not None else None
        self._say({"type": "go", "after": after, "epoch": self.channel.epoch})

    def _take(self, frame: bytes) -> None:
        match decode(frame):
            case EventsFrame() as events:
                self._take_events(events, frame)
            case Init() as init:
                if self.channel.group.inits.get(init.track) != init:
                    self.channel.media_init(init)
            case PersonalFrame(tag, seq, events):
                self.channel.pass_on_personal(tag, seq, [bytes(event) for event in events])
            case list() as fragments:
                self.channel.media([each for each in fragments if self._is_new(each)])
            case dict() as message:
                self._take_control(message)

    def _take_events(self, frame: EventsFrame, payload: bytes) -> None:
        history = self.channel.history
        loss = frame.events[0]["loss"] if frame.events else MUST
        if loss != MUST:
            for event in frame.events if loss == LATEST else ():
                self.channel.current.keep(event["type"], event.get("key", ""), packed(event))
        elif frame.upto <= history.head:
            return
        elif frame.after > history.head:
            raise Lost(f"events after {frame.after}, and we stand at {history.head}")
        else:
            by_position: dict[int, list[bytes]] = {}
            for event in frame.events:
                if "media_at" in event:  # a draft we fetched has begun since
                    self.channel.broadcast_epoch_ms = event["at"] - event["media_at"]
                by_position.setdefault(event["seq"], []).append(packed(event))
            for seq, events in by_position.items():
                history.append(Kept(seq, tuple(events)))
            history.head = frame.upto
        self.channel.pass_on(Packet(websocket_binary(payload), loss), moves_to=history.head)

    def _is_new(self, fragment: Fragment) -> bool:
        """A group of pictures is sent again whole when this connection is new; what viewers have is left out."""
        here = (fragment.generation, fragment.sequence)
        if here <= self._seen.get(fragment.track, (-1, -1)):
            return False
        self._seen[fragment.track] = here
        return True

    def _take_control(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "opened":
                self._opened(message)
            case "snapshot" if message["epoch"] == self.channel.epoch:
                self._snapshot = (message["seq"], message["show"])
            case "joined" if message["number"] in self._pending:
                personal = [(seq, event) for seq, event in message["personal"]]
                self._pending.pop(message["number"])[1](personal)
            case "recalled" if message["number"] in self._pending:
                self._pending.pop(message["number"])[1]([(tag, seq, event) for tag, seq, event in message["personal"]])
            case "elsewhere":
                raise Elsewhere(message["hub"])
            case "refused" if message["number"] in self._pending:
                self._pending.pop(message["number"])[2](message["code"], message["reason"])

    def _opened(self, message: dict[str, Any]) -> None:
        channel = self.channel
        seen = max(channel.lease, self._least_lease)
        if message["lease"] < seen:
            raise Lost(f"a studio with lease {message['lease']}, and we have seen {seen}")
        self._snapshot = (message["seq"], message["show"])
        if message["resumed"]:
            channel.lease, channel.broadcast_epoch_ms = message["lease"], message["broadcast_epoch"]
        else:
            channel.adopt(
                message["epoch"], message["lease"], lambda: self._snapshot, seq=message["head"],
                floor=message["floor"], kept=[Kept(seq, tuple(events)) for seq, events in message["kept"]],
                broadcast_epoch_ms=message["broadcast_epoch"],
            )  # fmt: skip
        self._open = True
        self.ready.set()

    def _want_key(self) -> None:
        now_s = self._loop.time()
        if now_s - self._key_wanted_s >= KEY_WANTED_EVERY_S:
            self._key_wanted_s = now_s
            self._say({"type": "key_wanted"})

    def _refuse_pending(self) -> None:
        pending, self._pending = self._pending, {}
        for _, _, refused in pending.values():
            refused(MOVED, "the show is out of reach for a moment; rejoin")

    def _say(self, message: dict[str, Any]) -> None:
        socket = self._socket
        if socket is not None and socket.protocol.state is OPEN:
            with suppress(OSError, RuntimeError):
                socket.protocol.send_binary(packed(message))
                socket.send_data()
