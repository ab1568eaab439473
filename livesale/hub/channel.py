"""A channel: one show's fan-out in this hub — who receives it, where the log stands, what is on air.

Laws: bytes are made once and written to every live receiver in one pass that never waits; what arrives in the same
moment leaves as one write; a personal event goes to its owner's tag alone, before the public frame that covers it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from livesale.hub import greeting
from livesale.hub.connection import MOVED, SHOW_ENDED
from livesale.hub.current import Current
from livesale.hub.fanout import Fanout
from livesale.hub.greeting import Personal
from livesale.hub.group import Group
from livesale.hub.history import History, Kept
from livesale.hub.limits import Limits
from livesale.hub.outbox import MEDIA, Packet, media_packets
from livesale.hub.presence import Presence
from livesale.hub.receiver import Receiver
from livesale.hub.seats import Seats
from livesale.hub.wire import events_frame, init_frame, media_frame, packed, websocket_binary
from livesale.kernel.events import LATEST, MAY_DROP, MUST, Event, EventKind
from livesale.media.ring import Fragment, Init, Ring

Snapshot = Callable[[], dict[str, Any]]


class Channel:
    """One show. `head`: newest log position; `sent`: position up to which public frames have left."""

    def __init__(
        self, show: str, limits: Limits, clock_ms: Callable[[], int], tag_of: Callable[[str, str], str | None], seats: Seats,
    ) -> None:  # fmt: skip
        self.show = show
        self.limits = limits
        self.fanout = Fanout()
        self.stats = self.fanout.stats
        self.presence = Presence()
        self.group = Group()
        self.current = Current()
        self.history = History(limits.history_entries, limits.history_bytes)
        self.epoch: str | None = None
        self.lease = 0
        self.broadcast_epoch_ms: int | None = None
        self.sent = 0
        self.key_wanted: Callable[[], None] = lambda: None
        self.clock_ms = clock_ms
        self._tag_of = tag_of
        self._seats = seats
        self._loop = asyncio.get_running_loop()
        self._snapshot: Callable[[], tuple[int, bytes]] = lambda: (0, packed({}))
        self._entries: list[Kept] = []
        self._passed_on: list[tuple[Packet, int]] = []
        self._reactions: Counter[str] = Counter()
        self._ticked_s = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._start: bytes | None = None

    # What the show's own process calls

    def open(
        self,
        epoch: str | int,
        lease: int,
        snapshot: Snapshot,
        *,
        seq: int = 0,
        broadcast_epoch_ms: int | None = None,
    ) -> None:
        """Begins (or begins anew) at log position `seq`; `snapshot()` is the show as of the last entry handed in.

        Whoever is connected gets one `resync` when the epoch is another one or the position is not where we stand.
        """
        self.adopt(epoch, lease, lambda: (self.history.head, packed(snapshot())), seq=seq, kept=(), floor=seq,
                   broadcast_epoch_ms=broadcast_epoch_ms)  # fmt: skip

    def entry(self, seq: int, at_ms: int, events: Sequence[tuple[EventKind, Event]]) -> None:
        """One log entry: public events to all, an owner's to its tag; internal ones go nowhere. Repeated: ignored."""
        if seq <= self.history.head:
            return
        public: list[bytes] = []
        personal: list[tuple[str, bytes]] = []
        for kind, event in events:
            if kind.wire is None or kind.to == "internal":
                continue
            if kind.to == "owner":
                tag = self._tag_of(self.show, event["owner"])
                if tag is not None:
                    personal.append((tag, self._pack(kind.wire, MUST, seq, at_ms, event, personal=True)))
            elif kind.loss == LATEST:
                self._keep_latest(kind.wire, str(event.get("offer", "")), seq, at_ms, event)
            else:
                public.append(self._pack(kind.wire, MUST, seq, at_ms, event))
        kept = Kept(seq, tuple(public), tuple(personal))
        self.history.append(kept)
        if public or personal:
            self._entries.append(kept)
            self._wake_in(self.limits.must_delay_ms / 1000)

    def latest(self, type: str, key: str, event: Event) -> None:
        """A value of which only the newest counts, named by (type, key); sent at most once a tick."""
        self._keep_latest(type, key, self.history.head, self.clock_ms(), event)

    def react(self, kind: str) -> None:
        """A reaction: counted, and the counts of a tick go to whoever keeps up, and to nobody later."""
        self._reactions[kind] += 1
        self._wake_in(self.limits.latest_tick_ms / 1000)

    def remark(self, type: str, event: Event) -> None:
        """Something said in passing: at once to whoever keeps up, and to nobody later."""
        packed_ = self._pack(type, MAY_DROP, self.history.head, self.clock_ms(), event)
        self.flush([Packet(websocket_binary(events_frame(self.sent, self.sent, [packed_])), MAY_DROP)])

    def media_init(self, init: Init) -> None:
        """A new init segment: at once to all."""
        self.group.set_init(init)
        self._start = None
        self.flush([Packet(websocket_binary(init_frame(init)), MEDIA)])

    def media(self, fragments: Sequence[Fragment]) -> None:
        """A batch of fragments: at once to all, and with it what waited for company."""
        if not fragments:
            return
        self.group.add(fragments)
        self._start = None
        self.flush(list(media_packets(fragments)))

    def follow(self, ring: Ring) -> Callable[[], None]:
        """Takes what a ring holds, and from now on all it makes; asks it for key frames. Returns what ends that."""
        inits, fragments = ring.snapshot()
        for init in inits:
            self.media_init(init)
        self.media(fragments)
        self.key_wanted = lambda: ring.ask_for_key()
        return ring.subscribe(self._take_item)

    def clear_media(self) -> None:
        """Forgets what was on air (the source has gone); joiners wait for the next."""
        self.group.clear()
        self._start = None

    def end(self) -> None:
        """The show has ended: everything that waits leaves, then 4010 for everyone."""
        self._tick_now()
        for receiver in self.receivers():
            receiver.connection.finish(SHOW_ENDED, "the show has ended")

    def drain(self) -> float:
        """The show is elsewhere: 4011 for everyone, spread so that they do not return in one instant; over how long."""
        receivers = self.receivers()
        over_s = self._seats.spread_s(len(receivers))
        for place, receiver in enumerate(receivers):
            self._loop.call_later(over_s * place / len(receivers), receiver.connection.finish, MOVED, "moved")
        return over_s

    # What the hub and the relay call

    def adopt(
        self,
        epoch: str | int,
        lease: int,
        snapshot: Callable[[], tuple[int, bytes]],
        *,
        seq: int,
        floor: int,
        kept: Iterable[Kept],
        broadcast_epoch_ms: int | None,
    ) -> None:
        """`open` with a snapshot that tells its own position and with what is kept of the positions above `floor`."""
        self.flush()
        same = self.epoch == str(epoch) and self.history.head == seq
        self.epoch, self.lease, self._snapshot = str(epoch), lease, snapshot
        self.broadcast_epoch_ms = broadcast_epoch_ms
        if same:
            return
        self.current.clear()
        self.presence.forget()
        self.history.reset(floor)
        for each in kept:
            self.history.append(each)
        self.history.head = self.sent = seq
        for receiver in self.receivers():
            receiver.resync()

    def join(self, receiver: Receiver, after: int | None, epoch: str | None, personal: Personal | None = None) -> None:
        """Lets a viewer in: welcome, what it missed or a resync, current values, then what is on air.

        `personal`: its own events above `after` when another hub keeps them.
        """
        self.flush()
        receiver.seat = self._seats.take()
        fields = self._fields(receiver)
        if after is None:
            frames = greeting.from_snapshot("welcome", self.history, self._snapshot, fields)
        elif epoch == self.epoch and self.history.reaches(after):
            frames = greeting.resumed(after, receiver.tag, self.history, self._snapshot, personal, fields)
            self.stats.resumed += 1
        else:
            frames = greeting.resync(self.history, self._snapshot, fields)
            self.stats.resynced += 1
        assert receiver.outbox is not None, "it is new"
        receiver.outbox.latest_owed = bool(self.current)
        self.enter(receiver, b"".join(frames))
        self.stats.joined += 1

    def enter(self, receiver: Receiver, first: bytes) -> None:
        """Adds a receiver, gives it `first`, then what is on air."""
        receiver.connection.listener = receiver
        self.fanout.add(receiver)
        if receiver.counts:
            self.presence.joined()
            self.fanout.add_tag(receiver.tag, receiver)
        receiver.write(first)
        if receiver.outbox is not None and not receiver.outbox.blocked:
            receiver.pump()

    def leave(self, receiver: Receiver) -> None:
        """Takes a receiver out of every list; repeated: nothing."""
        if self.fanout.remove(receiver) and receiver.counts:
            self.presence.left()
            self._seats.give_back(receiver.seat)
            self.fanout.remove_tag(receiver.tag, receiver)

    def receivers(self) -> list[Receiver]:
        """Everyone, edges too."""
        return self.fanout.receivers()

    def now_ms(self) -> int:
        """Monotonic time, for lags only."""
        return int(self._loop.time() * 1000)

    def resync_for(self, receiver: Receiver) -> Packet:
        """A `resync` for one viewer, with what came after its snapshot."""
        self.stats.resynced += 1
        frames = greeting.from_snapshot("resync", self.history, self._snapshot, self._fields(receiver))
        return Packet(b"".join(frames), MUST)

    def start_for(self, receiver: Receiver) -> bytes | None:
        """Inits and the group of pictures for one to whom media is owed.

        None (and a key frame is asked for) when it must wait for the next key frame: there is none yet, it has had
        this one, or this one is too long ago to catch up.
        """
        group, given = self.group, receiver.media_until_us
        catching_up_us = 2 * self.limits.budget_ms * 1000
        too_old = given >= 0 and group.until_us - group.key_us > catching_up_us
        if group.key_us < 0 or group.key_us <= given or too_old:
            self.key_wanted()
            return None
        if self._start is None:
            inits = [websocket_binary(init_frame(group.inits[track])) for track in sorted(group.inits)]
            self._start = b"".join([*inits, websocket_binary(media_frame(group.fragments))])
        return self._start

    def latest_now(self) -> bytes:
        """Every current value in one frame."""
        return self.current.frame(self.sent)

    def sweep(self, *, ping: bool) -> None:
        """Once a second: viewer count, slow viewers; every so often a ping to all."""
        now_ms = self.now_ms()
        for receiver in self.receivers():
            receiver.check(now_ms)
        if ping:
            self.fanout.ping(self.limits.silent_pings)

    def tell_presence(self) -> None:
        """The viewer count as an event, when it has changed or nobody has been told of it for a while."""
        count = self.presence.to_tell()
        if count is not None:
            self.latest("viewers", "", {"count": count})

    def flush(self, media: Sequence[Packet] = ()) -> None:
        """Everything that is due leaves now, in one write for each live receiver."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        packets: list[Packet] = []
        if self._passed_on:
            packets = [packet for packet, _ in self._passed_on]
            self.sent = self._passed_on[-1][1]
            self._passed_on.clear()
        if self._entries:
            packets += self._must_packets()
        if self.current.has_changed() or self._reactions:
            packets += self._tick_packets()
        self.fanout.send([*packets, *media])

    def pass_on(self, packet: Packet, *, moves_to: int) -> None:
        """Hands a packet another hub has made to everyone, with the media it travels with; public frames have left up
        to `moves_to` then."""
        self._passed_on.append((packet, moves_to))
        self._wake_in(self.limits.must_delay_ms / 1000)

    def pass_on_personal(self, tag: str, seq: int, events: Sequence[bytes]) -> None:
        """Hands one position's personal events to their owner, behind the public frames passed on so far."""
        self.flush()
        self.fanout.send_personal(tag, seq, events, self.sent)

    def snapshot(self) -> tuple[int, bytes]:
        """Position and packed snapshot."""
        return self._snapshot()

    def _must_packets(self) -> list[Packet]:
        entries, self._entries = self._entries, []
        for kept in entries:
            for tag in dict.fromkeys(tag for tag, _ in kept.personal):
                events = [event for owner, event in kept.personal if owner == tag]
                self.fanout.send_personal(tag, kept.seq, events, self.sent)
        public = [event for kept in entries for event in kept.public]
        if not public:
            return []
        frame = events_frame(self.sent, self.history.head, public)
        self.sent = self.history.head
        return [Packet(websocket_binary(frame), MUST)]

    def _tick_packets(self) -> Iterator[Packet]:
        now_s = self._loop.time()
        due_in_s = self._ticked_s + self.limits.latest_tick_ms / 1000 - now_s
        if due_in_s > 0:
            self._wake_in(due_in_s)
            return
        self._ticked_s = now_s
        if values := self.current.take_changed():
            yield Packet(websocket_binary(events_frame(self.sent, self.sent, values)), LATEST)
        if self._reactions:
            told = [{"kind": kind, "count": count} for kind, count in self._reactions.items()]
            self._reactions.clear()
            now_ms = self.clock_ms()
            events = [self._pack("reaction", MAY_DROP, self.history.head, now_ms, event) for event in told]
            yield Packet(websocket_binary(events_frame(self.sent, self.sent, events)), MAY_DROP)

    def _tick_now(self) -> None:
        self._ticked_s = float("-inf")
        self.flush()

    def _keep_latest(self, type: str, key: str, seq: int, at_ms: int, event: Event) -> None:
        named = {**event, "key": key} if key else event
        self.current.change(type, key, self._pack(type, LATEST, seq, at_ms, named))
        self._wake_in(self.limits.latest_tick_ms / 1000)

    def _wake_in(self, delay_s: float) -> None:
        due_s = self._loop.time() + delay_s
        if self._timer is not None:
            if self._timer.when() <= due_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due_s, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self.flush()

    def _take_item(self, item: Init | list[Fragment]) -> None:
        if isinstance(item, Init):
            self.media_init(item)
        else:
            self.media(item)

    def _pack(self, type: str, loss: str, seq: int, at_ms: int, event: Event, *, personal: bool = False) -> bytes:
        fields = {name: value for name, value in event.items() if name not in ("type", "owner")}
        fields |= {"type": type, "seq": seq, "at": at_ms, "loss": loss}
        if self.broadcast_epoch_ms is not None:
            fields["media_at"] = at_ms - self.broadcast_epoch_ms
        if personal:
            fields["personal"] = True
        return packed(fields)

    def _fields(self, receiver: Receiver) -> dict[str, Any]:
        now = self.clock_ms()
        about = {"epoch": self.epoch, "broadcast_epoch": self.broadcast_epoch_ms, "viewer": receiver.tag}
        return {"at": now, "now": now, "rejoin_ms": self._seats.rejoin_ms(receiver.seat), **about}
