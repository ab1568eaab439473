"""One publisher, by whatever way it comes in: from its first frame to its end, and the numbers about it.

Frames go Segmenter → Ring; nothing is decoded. A publisher that says nothing for LOST_AFTER_S is `lost`; how long a lost
one is waited for is its show's business (broadcasts.py). The ways in are `ingest.py` (WebRTC) and `uplink.py` (WebSocket).
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

import msgspec

from livesale.media.frames import VIDEO, EncodedFrame
from livesale.media.ring import Init, Item, Ring
from livesale.media.segmenter import Segmenter

KEY_EVERY_S = 2.0  # no way in sends periodic key frames by itself: ask, or the ring grows and late viewers freeze
TICK_S = 0.5
LOST_AFTER_S = 2.0
CONNECT_WITHIN_S = 20.0
SLOW_KEY_US = 3_000_000
WINDOW_US = 2_000_000

WAITING, LIVE, LOST, ENDED = "waiting", "live", "lost", "ended"


class PublisherStats(msgspec.Struct, frozen=True):
    """How a publisher is doing. Rates over the last 2 s; `last_frame_ms_ago` −1 before the first picture;
    `hub_delay_ms` the longest in those 2 s from a picture's last packet to the hub, −1 without one (the way
    from host to studio is not in it: only the host knows its round trip); `key_interval_ms` the last distance
    between key frames; `warnings` in words for the studio page."""

    state: str
    bitrate_bps: int
    frames_per_s: float
    width: int
    height: int
    codec: str
    last_frame_ms_ago: int
    hub_delay_ms: int
    key_interval_ms: int
    packets_lost: int
    packets_expected: int
    sound: bool
    warnings: tuple[str, ...]


class Publisher(ABC):
    """One publisher's session.

    `on_state(state)` is told `live`, then `lost`, `live` again, `ended`; nothing before the first `live`.
    """

    def __init__(self, on_state: Callable[[str], None]) -> None:
        self.state = WAITING
        self._on_state = on_state
        self._segmenter: Segmenter | None = None
        self._sound = False
        self._arrivals: deque[tuple[int, int]] = deque()  # (µs, bytes) of the last pictures and sounds
        self._pictures: deque[int] = deque()
        self._handed: deque[tuple[int, int]] = deque()  # (µs, µs its oldest picture had waited) of batches
        self._waiting_us = 0  # when the oldest picture came that the hub does not have yet
        self._last_picture_us = 0
        self._last_heard_us = 0  # when something went on air last
        self._last_key_us = 0
        self._key_interval_us = 0
        self._started_us = now_us()
        self._watch: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._unfollow: Callable[[], None] = lambda: None

    @abstractmethod
    def request_key_frame(self) -> None:
        """Asks the host for a key frame, at most every 0.3 s."""

    def stats(self) -> PublisherStats:
        """The numbers as they are now."""
        now = now_us()
        self._forget_before(now - WINDOW_US)
        lost, expected = self._packets()
        picture = self._segmenter.picture if self._segmenter else None
        key_interval_us = max(self._key_interval_us, now - self._last_key_us if self._last_key_us else 0)
        return PublisherStats(
            state=self.state,
            bitrate_bps=sum(size for _, size in self._arrivals) * 8 * 1_000_000 // WINDOW_US,
            frames_per_s=round(len(self._pictures) * 1_000_000 / WINDOW_US, 1),
            width=picture.width if picture else 0,
            height=picture.height if picture else 0,
            codec=picture.codec if picture else "",
            last_frame_ms_ago=(now - self._last_picture_us) // 1000 if self._last_picture_us else -1,
            hub_delay_ms=max((delay for _, delay in self._handed), default=-1000) // 1000,
            key_interval_ms=key_interval_us // 1000,
            packets_lost=lost,
            packets_expected=expected,
            sound=self._sound,
            warnings=self._warnings(key_interval_us),
        )

    async def close(self) -> None:
        """Ends the session; may be called again."""
        if self._watch is not None:
            self._watch.cancel()
        self.give_up()
        if self._closing is not None:
            await self._closing

    def give_up(self) -> None:
        """Ends the session without waiting for its connection to close; may be called again."""
        self._unfollow()
        if self._closing is None:
            self._closing = asyncio.create_task(self._hang_up())
        self._set_state(ENDED)

    @abstractmethod
    async def _hang_up(self) -> None:
        """Closes the connection."""

    @abstractmethod
    def _packets(self) -> tuple[int, int]:
        """Packets given up on, and packets the sender has sent."""

    def _cut_into(
        self, ring: Ring, epoch_ms: int, now_ms: int, *, sound: bool, picture: bool, sets: tuple[bytes, ...] = ()
    ) -> Segmenter:
        """The segmenter for this session. `epoch_ms`: the broadcast's start; `now_ms`: the store's time now."""
        self._sound = sound
        offset_us = (now_ms - epoch_ms) * 1000 - now_us()
        self._segmenter = Segmenter(
            ring, offset_us, self.request_key_frame, sound=sound, picture=picture, parameter_sets=sets
        )
        return self._segmenter

    def _begin(self, ring: Ring) -> None:
        """From now on what comes goes into `ring`, and the session is watched."""
        self._watch = asyncio.create_task(self._watch_over())
        ring.ask_for_key = self.request_key_frame
        self._unfollow = ring.subscribe(self._note_handed)

    def _on_frame(self, frame: EncodedFrame) -> None:
        if self.state == ENDED or self._segmenter is None:
            return
        now = now_us()
        self._arrivals.append((now, sum(map(len, frame.units))))
        if frame.track == VIDEO:
            self._note_picture(frame, now)
            self._waiting_us = self._waiting_us or frame.arrived_us
        self._segmenter.frame(frame)
        if self._segmenter.on_air:
            self._last_heard_us = now
            self._set_state(LIVE)
        else:
            self._waiting_us = 0  # nothing of it goes on

    def _note_picture(self, frame: EncodedFrame, now: int) -> None:
        self._forget_before(now - WINDOW_US)
        self._pictures.append(now)
        self._last_picture_us = now
        if frame.key:
            if self._last_key_us:
                self._key_interval_us = now - self._last_key_us
            self._last_key_us = now

    def _note_handed(self, item: Item) -> None:
        """Whoever follows the ring has just been given what waited; the hub before us."""
        if self._waiting_us and not isinstance(item, Init):
            now = now_us()
            self._handed.append((now, now - self._waiting_us))
            self._waiting_us = 0

    def _forget_before(self, us: int) -> None:
        while self._arrivals and self._arrivals[0][0] < us:
            self._arrivals.popleft()
        while self._pictures and self._pictures[0] < us:
            self._pictures.popleft()
        while self._handed and self._handed[0][0] < us:
            self._handed.popleft()

    def _warnings(self, key_interval_us: int) -> tuple[str, ...]:
        if self.state == LIVE and key_interval_us > SLOW_KEY_US:
            seconds = key_interval_us / 1_000_000
            return (
                f"Key frames are {seconds:.0f} s apart, so viewers wait that long to join: "
                "set the encoder's key-frame interval to 1–2 s.",
            )
        return ()

    async def _watch_over(self) -> None:
        """Asks for key frames regularly, and notices when the host is gone."""
        asked_us = 0
        while True:
            await asyncio.sleep(TICK_S)
            now = now_us()
            if now - max(asked_us, self._last_key_us) >= KEY_EVERY_S * 1_000_000 - TICK_S * 500_000:
                asked_us = now
                self.request_key_frame()
            silent_s = (now - (self._last_heard_us or self._started_us)) / 1_000_000
            if self.state == LIVE and silent_s > LOST_AFTER_S:
                self._set_state(LOST)
            if not self._last_heard_us and silent_s > CONNECT_WITHIN_S:
                self.give_up()
                return

    def _set_state(self, state: str) -> None:
        if state == self.state or self.state == ENDED:
            return
        before, self.state = self.state, state
        if before != WAITING or state == LIVE:
            self._on_state(state)


def now_us() -> int:
    """Monotonic time."""
    return time.monotonic_ns() // 1000
