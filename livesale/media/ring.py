"""The ring: what a show has on air right now, for whoever joins and whoever follows.

It holds the current inits and every fragment since the last key frame with the sound that overlaps it,
bounded in bytes. Followers get each Init and lists of Fragments, synchronously, in the order they were
made.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec

from livesale.media.frames import AUDIO, VIDEO

MIN_BATCH_MS = 33  # one picture's time: no added delay worth the name
MAX_BATCH_MS = 100
BATCHES_PER_S = 15_000  # to all viewers of a show: a sixth of a core, and what 500 of them get at one picture a batch
MAX_BYTES = 16 << 20

log = logging.getLogger(__name__)


class Init(msgspec.Struct, frozen=True, gc=False):
    """An init segment: what a decoder of `track` must know before fragments of `generation`."""

    track: int
    generation: int
    mse_type: str
    data: bytes


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """moof+mdat of one sample. `time_us`: media time; `sequence` grows by one per track and generation."""

    track: int
    key: bool
    generation: int
    sequence: int
    time_us: int
    data: bytes


Item = Init | list[Fragment]
Callback = Callable[[Item], None]


def batch_ms_for(viewers: int) -> int:
    """How long fragments of a show with so many viewers wait for company: one picture's time up to 500 viewers, then
    longer, so that the batches sent in a second stay the same, up to MAX_BATCH_MS from 1,500 on."""
    return max(MIN_BATCH_MS, min(MAX_BATCH_MS, viewers * 1000 // BATCHES_PER_S))


class Ring:
    """One show's ring. `end_us` and `generation` say where a next publisher must go on (law 2).

    A studio that takes a show over hands in the media time and the last generation it has read from the
    show's shelf. `ask_for_key` is what a joiner without a key frame calls; the publisher sets it.
    `batch_ms`: the longest a fragment waits for company; who knows the viewers sets it by `batch_ms_for`.
    """

    def __init__(self, *, end_us: int = 0, generation: int = 0, max_bytes: int = MAX_BYTES) -> None:
        self.end_us = end_us
        self.generation = generation
        self.ask_for_key: Callable[[], None] = lambda: None
        self.batch_ms = MIN_BATCH_MS
        self._max_bytes = max_bytes
        self._inits: dict[int, Init] = {}
        self._kept: deque[Fragment] = deque()
        self._bytes = 0
        self._followers: dict[int, Callback] = {}
        self._next_follower = 0
        self._batch: list[Fragment] = []
        self._timer: asyncio.TimerHandle | None = None
        self._left_at_s = 0.0

    @property
    def size_bytes(self) -> int:
        """Bytes of the fragments held."""
        return self._bytes

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Calls `callback` with each Init and each list[Fragment] from now on; returns what ends that."""
        follower = self._next_follower
        self._next_follower += 1
        self._followers[follower] = callback
        return lambda: self._followers.pop(follower, None) and None

    def snapshot(self) -> tuple[list[Init], list[Fragment]]:
        """The inits and all fragments from the last key frame on that followers have already been given.

        No fragments: there is no key frame yet (or its group outgrew the ring); wait for the next one.
        """
        pending = {id(fragment) for fragment in self._batch}
        fragments = [fragment for fragment in self._kept if id(fragment) not in pending]
        if not any(fragment.key and fragment.track == VIDEO for fragment in fragments):
            fragments = []
        return [self._inits[track] for track in sorted(self._inits)], fragments

    def put_init(self, init: Init) -> None:
        """Takes a new init segment; what is held of older generations of its track no longer plays."""
        self.flush()
        self._inits[init.track] = init
        self.generation = max(self.generation, init.generation)
        if init.track == VIDEO:
            self._forget_video()
        self._tell(init)

    def put(self, fragment: Fragment, end_us: int) -> None:
        """Takes the next fragment; `end_us` is the media time at which its sample ends."""
        self.end_us = max(self.end_us, end_us)
        if fragment.track == VIDEO and fragment.key:
            self._start_group(fragment.time_us)
        self._kept.append(fragment)
        self._bytes += len(fragment.data)
        if self._bytes > self._max_bytes:
            self._forget_video()
        self._batch.append(fragment)
        self._schedule(fragment.track == VIDEO)

    def flush(self) -> None:
        """Hands the waiting fragments to the followers now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            batch, self._batch = self._batch, []
            self._tell(batch)

    def close(self) -> None:
        """Hands on what waits and lets go of everything but the position."""
        self.flush()
        self._inits.clear()
        self._kept.clear()
        self._bytes = 0

    def _schedule(self, is_picture: bool) -> None:
        loop = asyncio.get_running_loop()
        due_s = self._left_at_s + self.batch_ms / 1000
        # A picture that is nearly due leaves at once: waiting for a timer would only add its jitter.
        if is_picture and loop.time() >= due_s - 0.010:
            self._left_at_s = loop.time()
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_at(max(due_s, loop.time() + 0.001), self._leave)

    def _leave(self) -> None:
        self._left_at_s = asyncio.get_running_loop().time()
        self.flush()

    def _start_group(self, key_us: int) -> None:
        """Lets go of all that ends before the key frame at `key_us`."""
        sound = [fragment for fragment in self._kept if fragment.track == AUDIO]
        first = 0
        while first + 1 < len(sound) and sound[first + 1].time_us <= key_us:
            first += 1
        self._kept = deque(sound[first:])
        self._bytes = sum(len(fragment.data) for fragment in self._kept)

    def _forget_video(self) -> None:
        self._kept = deque(fragment for fragment in self._kept if fragment.track == AUDIO)
        while len(self._kept) > 10:
            self._kept.popleft()
        self._bytes = sum(len(fragment.data) for fragment in self._kept)

    def _tell(self, item: Item) -> None:
        for callback in list(self._followers.values()):
            try:
                callback(item)
            except Exception:
                log.exception("a follower of the ring failed; the others go on")
