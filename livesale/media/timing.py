"""Time on air: where each sample lies, given the sender's clock, its reports and when things came.

Pure. Laws (FRAGMENTS.md): time only ever grows; corrections are slewed by at most 1 ms a second, steps are
for errors beyond 200 ms; a sender whose clock jumps is placed anew by arrival.
"""

from __future__ import annotations

from collections import deque

import msgspec

from livesale.media.frames import AUDIO_HZ, VIDEO_HZ

SLEW_PER_TICK = 0.001
STEP_US = 200_000
JUMP_US = 2_000_000  # sender's clock against arrival: beyond this it is another clock
DRIFT_WINDOW_US = 30_000_000
DRIFT_LIMIT_US = 50_000
SOUND_SLACK = AUDIO_HZ // 100  # 10 ms: timestamps this uneven are still one unbroken sound
MIN_PICTURE_TICKS = VIDEO_HZ // 1000

INTERVALS = 30
MIN_DURATION = VIDEO_HZ * 40 // 1000
MAX_DURATION = VIDEO_HZ * 200 // 1000


class Drift:
    """How far the sender's clock has moved against ours, from the least delayed sample of each 30 s."""

    def __init__(self) -> None:
        self._baseline_us: int | None = None
        self._least_us: int | None = None
        self._since_us = 0

    def note(self, lateness_us: int, arrived_us: int) -> int:
        """Takes a sample's lateness (arrival − media time); returns the correction now due, mostly 0."""
        if self._least_us is None:
            self._least_us, self._since_us = lateness_us, arrived_us
        self._least_us = min(self._least_us, lateness_us)
        if arrived_us - self._since_us < DRIFT_WINDOW_US:
            return 0
        least, self._least_us = self._least_us, None
        if self._baseline_us is None:
            self._baseline_us = least
        moved = least - self._baseline_us
        return moved if abs(moved) > DRIFT_LIMIT_US else 0


class PictureClock:
    """Places pictures: sender's time plus an offset that only slews."""

    def __init__(self, offset_us: int) -> None:
        self._offset_us = offset_us  # media time − monotonic time
        self._floor = 0
        self._last: int | None = None
        self._last_rtp = 0
        self._last_arrived_us = 0
        self._shift = 0  # media ticks − RTP ticks
        self._due = 0.0  # correction still to be slewed in, in ticks
        self._allowance = 0.0
        self._drift = Drift()
        self._intervals: deque[int] = deque(maxlen=INTERVALS)

    def place(self, rtp_time: int, arrived_us: int) -> int:
        """Media time of a picture, in ticks of 1/90000 s; always later than the one before."""
        arrival = _ticks(arrived_us + self._offset_us, VIDEO_HZ)
        if self._last is None or self._jumped(rtp_time, arrived_us):
            self._shift = max(arrival, self._floor) - rtp_time
            self._due, self._drift = 0.0, Drift()
        else:
            self._slew(rtp_time - self._last_rtp)
        time = max(rtp_time + self._shift, self._floor)
        if self._last is not None:
            self._intervals.append(min(time - self._last, MAX_DURATION))
        self._last, self._last_rtp, self._last_arrived_us = time, rtp_time, arrived_us
        self._floor = time + MIN_PICTURE_TICKS
        lateness = arrived_us + self._offset_us - time * 1_000_000 // VIDEO_HZ
        self._due += _ticks(self._drift.note(lateness, arrived_us), VIDEO_HZ)
        return time

    def stand_in(self, now_us: int) -> tuple[int, int]:
        """Where a picture of ours goes while the host sends none, and for how long: the first fills the hole before it."""
        now = max(_ticks(now_us + self._offset_us, VIDEO_HZ), self._floor)
        hole = self._floor > 0 and now - self._floor > 2 * MAX_DURATION
        time = self._floor - MIN_PICTURE_TICKS + self.duration() if hole else now  # where the last one says it ends
        self._floor = now + MIN_PICTURE_TICKS
        return time, now - time + MAX_DURATION * 5 // 4

    def duration(self) -> int:
        """What to declare for a picture: 1.25 × the longest of the last 30 intervals, 40–200 ms.

        Chromium drops pictures up to the next key frame when the real interval is over twice the declared
        one.
        """
        longest = max(self._intervals, default=MIN_DURATION)
        return max(MIN_DURATION, min(MAX_DURATION, longest * 5 // 4))

    def media_us(self, rtp_time: int) -> int | None:
        """Media time of a sender's timestamp, None before the first picture."""
        return None if self._last is None else (rtp_time + self._shift) * 1_000_000 // VIDEO_HZ

    def _jumped(self, rtp_time: int, arrived_us: int) -> bool:
        by_sender_us = (rtp_time - self._last_rtp) * 1_000_000 // VIDEO_HZ
        return abs(by_sender_us - (arrived_us - self._last_arrived_us)) > JUMP_US

    def _slew(self, ticks: int) -> None:
        self._allowance = min(abs(self._due), self._allowance + max(0, ticks) * SLEW_PER_TICK)
        step = int(self._allowance)
        if step:
            self._allowance -= step
            signed = step if self._due > 0 else -step
            self._shift += signed
            self._due -= signed


class Placed(msgspec.Struct, frozen=True, gc=False):
    """Where a sound packet goes: at `time`, behind a hole of `hole` ticks that starts at `hole_from`; `stepped`: a
    correction made it, so the pictures go on there."""

    time: int
    duration: int
    hole_from: int
    hole: int
    stepped: bool


class SoundClock:
    """Places sound packets back to back; a correction lengthens or shortens what packets declare."""

    def __init__(self, offset_us: int, start_us: int) -> None:
        self._offset_us = offset_us
        self.end = _ticks(start_us, AUDIO_HZ)
        self._shift: int | None = None
        self._last_rtp = 0
        self._last_arrived_us = 0
        self._due = 0
        self._allowance = 0.0
        self._begun = False
        self._stepped = False

    def place(self, rtp_time: int, ticks: int, arrived_us: int) -> Placed | None:
        """Where a packet of `ticks` goes; None when that time has already been sent."""
        arrival = _ticks(arrived_us + self._offset_us, AUDIO_HZ)
        if self._shift is None or self._jumped(rtp_time, arrived_us):
            self._shift, self._due = arrival - rtp_time, 0
        self._last_rtp, self._last_arrived_us = rtp_time, arrived_us
        lead = rtp_time + self._shift - self.end
        if lead < -SOUND_SLACK:
            return None
        time = rtp_time + self._shift if lead > SOUND_SLACK else self.end
        duration = ticks + self._slew(ticks)
        hole_from, self.end = self.end, time + duration
        self._shift = self.end - (rtp_time + ticks)
        hole, stepped = time - hole_from if self._begun else 0, self._stepped
        self._begun, self._stepped = True, False
        return Placed(time, duration, hole_from, hole, stepped)

    def fill_to(self, time: int, step: int) -> range:
        """Times of silent packets of `step` ticks that carry the track up to `time`."""
        count = max(0, (time - self.end) // step)
        times = range(self.end, self.end + count * step, step)
        self.end += count * step
        self._begun = self._begun or count > 0
        return times

    def aim(self, error_us: int) -> None:
        """Corrects by `error_us` (positive: sound belongs later): slewed, or in one step beyond 200 ms."""
        if self._shift is None:
            return
        if abs(error_us) > STEP_US:
            self._shift += _ticks(error_us, AUDIO_HZ)
            self._due, self._stepped = 0, True
        else:
            self._due = _ticks(error_us, AUDIO_HZ)

    def media_us(self, rtp_time: int) -> int | None:
        """Media time of a sender's timestamp, None before the first packet."""
        return None if self._shift is None else (rtp_time + self._shift) * 1_000_000 // AUDIO_HZ

    def _jumped(self, rtp_time: int, arrived_us: int) -> bool:
        by_sender_us = (rtp_time - self._last_rtp) * 1_000_000 // AUDIO_HZ
        return abs(by_sender_us - (arrived_us - self._last_arrived_us)) > JUMP_US

    def _slew(self, ticks: int) -> int:
        self._allowance = min(abs(self._due), self._allowance + ticks * SLEW_PER_TICK)
        step = int(self._allowance)
        self._allowance -= step
        signed = step if self._due > 0 else -step
        self._due -= signed
        return signed


def _ticks(us: int, hz: int) -> int:
    return us * hz // 1_000_000
