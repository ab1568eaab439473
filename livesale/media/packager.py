"""The packager: the ring's fragments in, parts out, for HLS and the recorder. Pure; its laws stand in HLS.md.

A picture is held until the next has come, so that its duration is the true one; so every part is one picture late. A part
has the samples of 500 ms at most; a segment begins with the first key frame after two seconds. A stretch is what plays
without a break: another begins with every new init segment, and where neither picture nor sound came for a second.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from livesale.media.chunks import Sample, chunk, codecs_of, micros, movie, picture_size
from livesale.media.fmp4 import sample_of
from livesale.media.frames import AUDIO, HZ, VIDEO
from livesale.media.ring import Fragment, Init, Item

PART_US = 500_000
SEGMENT_US = 2_000_000  # a segment ends at the first key frame from here on
LONGEST_SEGMENT_US = 4_000_000  # without a key frame it ends here, and the next begins with a picture like any other
HOLE_US = 1_000_000  # a picture that stands for longer is given out as far as it has been shown


class Stretch(msgspec.Struct, frozen=True):
    """What has one init segment and plays without a break: `init` is that of all its tracks' `inits`."""

    number: int
    inits: tuple[Init, ...]
    init: bytes
    codecs: tuple[str, ...]
    size: tuple[int, int] | None


class Part(msgspec.Struct, frozen=True, gc=False):
    """Part `index` of segment `segment`; media time in µs. `closes`: it is the segment's last.

    `independent`: a decoder can start with it. `samples` are what `data` (moof+mdat) holds.
    """

    stretch: Stretch
    segment: int
    index: int
    start_us: int
    end_us: int
    independent: bool
    closes: bool
    samples: tuple[Sample, ...]
    data: bytes


def stretch_of(number: int, inits: tuple[Init, ...]) -> Stretch:
    """The stretch whose tracks have these init segments."""
    codecs = tuple(codecs_of(init.mse_type) for init in inits)
    size = next((picture_size(init.data) for init in inits if init.track == VIDEO), None)
    return Stretch(number, inits, movie([init.data for init in inits]), codecs, size)


class Packager:
    """One show's packager, from the moment this process holds the show; `give` gets each part as it is cut.

    Numbers of segments and stretches begin at the media time in seconds: whoever takes a show over goes on with higher
    ones without knowing the last.
    """

    def __init__(self, give: Callable[[Part], None]) -> None:
        self._give = give
        self._inits: dict[int, Init] = {}
        self._announced: dict[int, Init] = {}  # of the next stretch, which begins with what comes next
        self._waiting: dict[int, tuple[Fragment, int]] = {}  # of each track what has no duration yet, and its time in µs
        self._lead = VIDEO  # the track by which parts are cut
        self._open: list[Sample] = []  # whole samples of the lead for the next part
        self._beside: list[Sample] = []  # whole sound samples that go with the pictures to come
        self._tracks: frozenset[int] = frozenset()  # of the stretch, known when its first part is cut
        self._stretch: Stretch | None = None
        self._begins_us: int | None = None  # where the open part begins; None: nothing has come in this stretch
        self._segment_us = 0
        self._given: dict[int, int] = {}  # of each track, up to where it has been given out, in its clock
        self._segment = self._number = -1
        self._index = self._parts = 0

    def take(self, item: Item) -> None:
        """Takes what a ring tells its followers."""
        if isinstance(item, Init):
            self._announced[item.track] = item
        else:
            for fragment in item:
                self._fragment(fragment)

    def finish(self, following: Fragment | None = None) -> None:
        """The stretch is over: what waits is given out, the last samples as long as they declare to be.

        `following` is what the next stretch begins with: a picture ends there at the latest.
        """
        if self._begins_us is None:
            return
        for track in list(self._waiting):
            same = following is not None and following.track == track
            self._complete(track, following if same else None, last=True)
        if not self._open:
            self._follow_sound(over=True)
        last = self._open[-1]
        self._cut(micros(last.track, last.end), closes=True, whole=True)
        # A still that stands in for the camera fills the time back to the last picture, where sound has gone out by now.
        self._given[VIDEO] = max(self._given.get(VIDEO, 0), self._begins_us * HZ[VIDEO] // 1_000_000)
        self._stretch, self._begins_us, self._tracks = None, None, frozenset()

    def _fragment(self, fragment: Fragment) -> None:
        track = fragment.track
        if self._announced or self._breaks(track, fragment.time_us):
            self.finish(fragment)
            self._inits |= self._announced
            self._announced = {}
        if track not in self._inits:
            return
        time_us = max(fragment.time_us, micros(track, self._given.get(track, 0)))
        if self._begins_us is None:
            self._begin(time_us)
        self._complete(track, fragment)
        if track == AUDIO and self._lead == VIDEO and self._pictures_stand(time_us):
            self._follow_sound()
        elif track == VIDEO and self._lead == AUDIO:
            self._follow_pictures()
        self._waiting[track] = fragment, time_us
        if track == self._lead:
            self._cut_before(time_us, fragment.key)

    def _breaks(self, track: int, time_us: int) -> bool:
        """Whether the stretch ends before this sample: its track is new to it, or nothing at all came for a while."""
        if self._stretch is not None and track not in self._tracks:
            return True
        newest_us = max((at_us for _, at_us in self._waiting.values()), default=time_us)
        return time_us - newest_us > HOLE_US

    def _begin(self, time_us: int) -> None:
        self._lead = VIDEO if VIDEO in self._inits else AUDIO
        self._begins_us = self._segment_us = time_us
        if self._segment < 0:
            self._segment = time_us // 1_000_000
        self._number = self._number + 1 if self._number >= 0 else time_us // 1_000_000
        self._index = 0

    def _complete(self, track: int, following: Fragment | None, *, last: bool = False) -> None:
        """The waiting sample of a track is over: a picture when the next one comes, sound and a `last` one when it says."""
        if track not in self._waiting:
            return
        waiting, _ = self._waiting.pop(track)
        time, declared, data = sample_of(waiting.data)
        end = time + declared
        if following is not None:
            after = sample_of(following.data)[0]
            end = after if track == VIDEO and not last else min(end, after)
        time = max(time, self._given.get(track, 0))
        self._given[track] = end = max(end, time + 1)
        self._add(Sample(track, time, end - time, waiting.key, bytes(data)))

    def _add(self, sample: Sample) -> None:
        if sample.track != self._lead:
            self._beside.append(sample)
            return
        assert self._begins_us is not None
        if self._open and micros(sample.track, sample.end) - self._begins_us > PART_US:
            self._cut(micros(sample.track, sample.time))
        self._open.append(sample)

    def _pictures_stand(self, time_us: int) -> bool:
        assert self._begins_us is not None
        since_us = self._waiting[VIDEO][1] if VIDEO in self._waiting else self._begins_us
        return time_us - since_us > HOLE_US

    def _follow_sound(self, *, over: bool = False) -> None:
        """No picture for a while: the last one as long as it declares to be, and parts are cut by sound from here.

        `over`: the stretch is, so the last sound stays for the part that closes it.
        """
        self._complete(VIDEO, None)
        if self._open:
            self._cut(micros(VIDEO, self._open[-1].end))
        self._lead = AUDIO
        waited, self._beside = self._beside, []
        for sample in waited:
            self._add(sample)
            if not (over and sample is waited[-1]):
                self._cut_before(micros(AUDIO, sample.end), sample.key)

    def _follow_pictures(self) -> None:
        if self._open:
            self._cut(micros(AUDIO, self._open[-1].end))
        self._lead = VIDEO

    def _cut_before(self, time_us: int, key: bool) -> None:
        """Cuts where the lead's next sample begins, if it begins a segment or would make the part too long."""
        if not self._open or self._begins_us is None:
            return
        last = self._open[-1]
        then_us = time_us + micros(last.track, last.duration)
        starts = key and (self._lead == VIDEO or VIDEO not in self._tracks)
        closes = (starts and time_us - self._segment_us >= SEGMENT_US) or then_us - self._segment_us > LONGEST_SEGMENT_US
        if closes or then_us - self._begins_us > PART_US:
            self._cut(time_us, closes=closes)

    def _cut(self, end_us: int, *, closes: bool = False, whole: bool = False) -> None:
        """Gives out the open part, with the sound before its end (`whole`: all sound)."""
        assert self._begins_us is not None
        sound = [one for one in self._beside if whole or micros(AUDIO, one.time) < end_us]
        self._beside = self._beside[len(sound) :]
        samples = (*self._open, *sound)
        stretch = self._stretch or self._settle(samples)
        independent = bool(self._open) and self._open[0].key and (self._lead == VIDEO or VIDEO not in self._tracks)
        data = chunk(self._parts, samples)
        end_us = max(end_us, self._begins_us)
        part = Part(
            stretch, self._segment, self._index, self._begins_us, end_us, independent, closes, samples, data
        )  # fmt: skip
        self._open = []
        self._begins_us, self._parts, self._index = end_us, self._parts + 1, self._index + 1
        if closes:
            self._segment, self._index, self._segment_us = self._segment + 1, 0, end_us
        self._give(part)

    def _settle(self, samples: tuple[Sample, ...]) -> Stretch:
        """The stretch whose first part has these samples: it has the tracks that have come by now."""
        self._tracks = frozenset(one.track for one in (*samples, *self._beside)) | frozenset(self._waiting)
        self._stretch = stretch_of(self._number, tuple(self._inits[track] for track in sorted(self._tracks)))
        return self._stretch
