"""The group: what a joiner needs to start at once — inits, the key frame, all since, and the sound that overlaps it.

It holds one group of pictures; a hub fed by another hub has one like a hub fed by a camera. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from livesale.media.ring import Fragment, Init

VIDEO = 1
AUDIO = 2
MAX_GROUP_BYTES = 16 << 20  # a publisher that never sends a key frame does not fill the memory
SOUND_BEFORE_US = 1_000_000  # how far back the sound that overlaps a coming key frame may begin


class Group:
    """`key_us`: media time of the key frame, -1 without one; `version` grows with every new init."""

    def __init__(self) -> None:
        self.inits: dict[int, Init] = {}
        self.version = 0
        self.key_us = -1
        self.until_us = -1
        self.fragments: list[Fragment] = []
        self._sound: deque[Fragment] = deque()
        self._bytes = 0

    def clear(self) -> None:
        """Forgets all of it (the source is another one now)."""
        self.inits.clear()
        self.version += 1
        self._drop()
        self._sound.clear()
        self.until_us = -1

    def set_init(self, init: Init) -> None:
        """Takes a new init; what older generations of its track hold no longer plays."""
        self.inits[init.track] = init
        self.version += 1
        if init.track == VIDEO or VIDEO not in self.inits:
            self._drop()
        else:
            self.fragments = [each for each in self.fragments if each.track == VIDEO]
            self._bytes = sum(len(each.data) for each in self.fragments)
        if init.track == AUDIO:
            self._sound.clear()

    def is_start(self, fragment: Fragment) -> bool:
        """Whether one can start watching at `fragment`: a key frame, or any sound of a show without pictures."""
        if fragment.track == VIDEO:
            return fragment.key
        return VIDEO not in self.inits and AUDIO in self.inits

    def add(self, fragments: Sequence[Fragment]) -> None:
        """Takes the next fragments, in order."""
        for each in fragments:
            if self.is_start(each):
                self._start(each)
            elif self.key_us >= 0:
                self.fragments.append(each)
                self._bytes += len(each.data)
            if each.track == AUDIO:
                self._remember_sound(each)
            self.until_us = max(self.until_us, each.time_us)
        if self._bytes > MAX_GROUP_BYTES:
            self._drop()

    def _start(self, key: Fragment) -> None:
        sound = [each for each in self._sound if key.track == VIDEO]
        while len(sound) > 1 and sound[1].time_us <= key.time_us:
            del sound[0]
        self.fragments = [*sound, key]
        self._bytes = sum(len(each.data) for each in self.fragments)
        self.key_us = key.time_us

    def _remember_sound(self, fragment: Fragment) -> None:
        self._sound.append(fragment)
        while self._sound[0].time_us < fragment.time_us - SOUND_BEFORE_US:
            self._sound.popleft()

    def _drop(self) -> None:
        self.fragments = []
        self._bytes = 0
        self.key_us = -1
