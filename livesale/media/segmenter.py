"""The fragmenter: frames of one publisher in, fragments with a time that only grows into the ring.

Its laws stand in FRAGMENTS.md. Pure but for the ring it writes to.
"""

from __future__ import annotations

from collections.abc import Callable

from livesale.media import fmp4, h264, opus
from livesale.media.frames import AUDIO, AUDIO_HZ, VIDEO, VIDEO_HZ, EncodedFrame
from livesale.media.ring import Fragment, Init, Ring
from livesale.media.still import still
from livesale.media.timing import PictureClock, Placed, SoundClock

FRAME_US = 33_333
HOLE_LIMIT = AUDIO_HZ * 400 // 1000  # longer holes stay holes, but a correction's: the picture has one too
PATIENCE_US = 400_000  # sound this far behind the picture would stall it: silence goes on in its place
SOUND_BEHIND_US = 100_000  # how far behind the picture that silence stays, so that returning sound finds room
NO_PICTURE_US = 3_000_000  # sound that goes on for so long without a picture gets a still one
STILL_EVERY_US = 200_000
SKEW_LIMIT_US = 2_000_000  # sender reports that disagree by more than this with arrival are wrong

_NOT_IN_SAMPLES = frozenset({h264.SPS, h264.PPS, h264.DELIMITER})


class Segmenter:
    """One publisher's connection: a new generation of the ring's show.

    `offset_us`: media time minus monotonic time (from the broadcast's epoch). `want_key()` asks the sender
    for a key frame. `sound`, `picture`: such a track was agreed on. `parameter_sets`: SPS and PPS known from
    the offer, if any.
    """

    def __init__(
        self,
        ring: Ring,
        offset_us: int,
        want_key: Callable[[], None],
        *,
        sound: bool = True,
        picture: bool = True,
        parameter_sets: tuple[bytes, ...] = (),
    ) -> None:
        self.picture: h264.Picture | None = None
        self._ring = ring
        self._want_key = want_key
        self._sound = sound
        self._offset_us = offset_us
        self._pictures = PictureClock(offset_us)
        self._sounds = SoundClock(offset_us, 0)
        self._sets: dict[int, bytes] = {}
        self._announced: dict[int, bytes] = {}
        self._generation = {VIDEO: 0, AUDIO: 0}
        self._sequence = {VIDEO: 0, AUDIO: 0}
        self._wants_key = True
        self._picture_us: int | None = None if picture else -NO_PICTURE_US  # when the last came, or the first sound
        self._still_us = 0
        self._silent = False  # silence stands in for the microphone
        self._reports: dict[int, tuple[int, int]] = {}  # track → (NTP µs, unwrapped RTP time)
        self._learn(parameter_sets)

    @property
    def on_air(self) -> bool:
        """Whether pictures go out: a key frame has come and nothing is missing since, or a still stands in for them."""
        return not self._wants_key or self._still_us > 0

    def frame(self, frame: EncodedFrame) -> None:
        """Takes the next frame of either track."""
        if frame.track == VIDEO:
            self._picture_us = frame.arrived_us
            self._picture(frame)
            return
        self._keep_picture_up(frame.arrived_us)
        if self._generation[AUDIO]:
            self._packet(frame)

    def sender_report(self, track: int, ntp_us: int, rtp_time: int) -> None:
        """Takes a sender report: the wall clock `ntp_us` of the (unwrapped) `rtp_time`."""
        self._reports[track] = (ntp_us, rtp_time)
        if len(self._reports) == 2:
            self._align()

    def _picture(self, frame: EncodedFrame) -> None:
        self._learn(frame.units)
        if frame.gap:
            self._wants_key = True
        if self._wants_key and not frame.key:
            self._want_key()
            return
        if frame.key and not self._announce(frame.arrived_us):
            self._want_key()
            return
        self._wants_key, self._still_us = False, 0
        time = self._pictures.place(frame.rtp_time, frame.arrived_us)
        self._put(VIDEO, time, self._pictures.duration(), frame.key, _sample(frame.units))
        self._keep_sound_up(time * 1_000_000 // VIDEO_HZ)

    def _keep_picture_up(self, now_us: int) -> None:
        """A player stands still where the picture is missing: a still takes the place of a camera that is off."""
        if self._picture_us is None:
            self._picture_us = now_us
        if now_us - self._picture_us < NO_PICTURE_US or now_us - self._still_us < STILL_EVERY_US:
            return
        sets, self._sets = self._sets, {}
        self._learn(still())
        if self._announce(now_us):
            time, duration = self._pictures.stand_in(now_us)
            self._put(VIDEO, time, duration, True, _sample(still()))
            self._still_us, self._wants_key = now_us, True
        self._sets = sets

    def _learn(self, units: tuple[bytes, ...]) -> None:
        for unit in units:
            if h264.nal_type(unit) in (h264.SPS, h264.PPS):
                self._sets[h264.nal_type(unit)] = unit

    def _announce(self, arrived_us: int) -> bool:
        """Before a key frame: a new init when its parameter sets are new. False when they are not usable."""
        if len(self._sets) < 2:
            return False
        if self._sets == self._announced:
            return True
        sps, pps = self._sets[h264.SPS], self._sets[h264.PPS]
        try:
            self.picture = h264.parse_sps(sps)
        except ValueError:
            return False
        first = not self._announced
        self._announced = dict(self._sets)
        generation = self._ring.generation + 1
        data = fmp4.video_init(self.picture, sps, pps)
        self._put_init(Init(VIDEO, generation, fmp4.video_mse_type(self.picture), data))
        if first:
            self._begin(generation, arrived_us)
        return True

    def _begin(self, generation: int, arrived_us: int) -> None:
        """The first key frame sets the origin of both tracks, never before what has been sent."""
        start_us = max(arrived_us + self._offset_us, self._ring.end_us + FRAME_US if self._ring.end_us else 0)
        offset_us = start_us - arrived_us
        self._pictures = PictureClock(offset_us)
        self._sounds = SoundClock(offset_us, start_us)
        if self._sound:
            self._put_init(Init(AUDIO, generation, fmp4.AUDIO_MSE_TYPE, fmp4.audio_init()))

    def _put_init(self, init: Init) -> None:
        self._generation[init.track] = init.generation
        self._sequence[init.track] = 0
        self._ring.put_init(init)

    def _packet(self, frame: EncodedFrame) -> None:
        try:
            ticks = opus.packet_ticks(frame.units[0])
        except ValueError:
            return
        placed = self._sounds.place(frame.rtp_time, ticks, frame.arrived_us)
        if placed is None:
            return
        self._silent = False
        self._fill(placed)
        self._put(AUDIO, placed.time, placed.duration, True, frame.units[0])

    def _fill(self, placed: Placed) -> None:
        if 0 < placed.hole <= HOLE_LIMIT or placed.stepped:
            last = placed.time - opus.SILENCE_TICKS
            for time in range(placed.hole_from, last + 1, opus.SILENCE_TICKS):
                self._put(AUDIO, time, opus.SILENCE_TICKS, True, opus.SILENCE)

    def _keep_sound_up(self, picture_us: int) -> None:
        """A player stands still where sound is missing: silence takes the place of a dead microphone."""
        behind_us = picture_us - self._sounds.end * 1_000_000 // AUDIO_HZ
        if not self._sound or behind_us < (SOUND_BEHIND_US if self._silent else PATIENCE_US):
            return
        self._silent = True
        up_to = (picture_us - SOUND_BEHIND_US) * AUDIO_HZ // 1_000_000
        for time in self._sounds.fill_to(up_to, opus.SILENCE_TICKS):
            self._put(AUDIO, time, opus.SILENCE_TICKS, True, opus.SILENCE)

    def _align(self) -> None:
        """Lip sync: the same wall-clock moment must fall on the same media time in both tracks (law 3)."""
        picture_ntp_us, picture_rtp = self._reports[VIDEO]
        sound_ntp_us, sound_rtp = self._reports[AUDIO]
        picture_us, sound_us = self._pictures.media_us(picture_rtp), self._sounds.media_us(sound_rtp)
        if picture_us is None or sound_us is None:
            return
        error_us = (picture_us - picture_ntp_us) - (sound_us - sound_ntp_us)
        if abs(error_us) < SKEW_LIMIT_US:
            self._sounds.aim(error_us)

    def _put(self, track: int, time: int, duration: int, key: bool, sample: bytes) -> None:
        hz = VIDEO_HZ if track == VIDEO else AUDIO_HZ
        sequence = self._sequence[track]
        self._sequence[track] = sequence + 1
        data = fmp4.fragment(track, sequence, time, duration, key, sample)
        time_us = time * 1_000_000 // hz
        made = Fragment(track, key, self._generation[track], sequence, time_us, data)
        self._ring.put(made, time_us + duration * 1_000_000 // hz)


def _sample(units: tuple[bytes, ...]) -> bytes:
    return fmp4.video_sample(nal for nal in units if h264.nal_type(nal) not in _NOT_IN_SAMPLES)
