"""AAC for players that know no Opus in MP4 (Safari): the same parts, their sound encoded anew.

Made only while somebody asks for it: decoding and encoding cost about 2.6 % of a core a show. Not for the event loop:
`convert` takes some ten milliseconds a part.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import av
from av.audio.codeccontext import AudioCodecContext
from msgspec.structs import replace

from livesale.media.chunks import Sample, chunk
from livesale.media.fmp4 import aac_init
from livesale.media.frames import AUDIO, AUDIO_HZ
from livesale.media.packager import Part, Stretch, stretch_of
from livesale.media.ring import Init

BITS_PER_S = 128_000
FRAME = 1024
SLACK = AUDIO_HZ // 50  # Opus may be declared this much longer or shorter than it sounds before the difference is made up


class AacTrack:
    """Opus packets in their order in, AAC frames out. A frame's time is `origin` (default: that of the first packet) and a
    multiple of FRAME, so that two that begin at different packets make the same frames where both have begun."""

    def __init__(self, origin: int | None = None) -> None:
        self._origin = origin
        self._decoder = _codec("libopus", "r")
        self._encoder = _codec("aac", "w")
        self._encoder.bit_rate = BITS_PER_S
        self._encoder.format = "fltp"
        self._encoder.open()
        self._next: int | None = None  # where the sound put in so far ends
        self._skip = 0  # samples before the first frame
        self._time = 0  # of the next AAC frame
        self._primed = False

    def init(self) -> bytes:
        """Its init segment."""
        return aac_init(bytes(self._encoder.extradata or b""), BITS_PER_S)

    def take(self, packet: Sample) -> list[Sample]:
        """The frames that are whole with this packet; the last 21 to 43 ms of sound come later."""
        if self._next is None:
            self._next = packet.time
            self._skip = (self._origin - packet.time) % FRAME if self._origin is not None else 0
            self._time = packet.time + self._skip
        made: list[Sample] = []
        if packet.time - self._next > SLACK:
            made += self._encode(_silence(packet.time - self._next))
        for frame in self._decoder.decode(av.Packet(packet.data)):
            made += self._encode(frame)
        return made

    def finish(self) -> list[Sample]:
        """The frames that are still in the encoder: no packet follows."""
        return [self._frame(bytes(packet)) for packet in self._encoder.encode(None)] if self._primed else []

    def _encode(self, frame: av.AudioFrame) -> list[Sample]:
        assert self._next is not None
        if self._skip:
            skipped = min(self._skip, frame.samples)
            self._skip -= skipped
            self._next += skipped
            if skipped == frame.samples:
                return []
            frame = _behind(frame, skipped)
        frame.pts, frame.time_base = self._next, Fraction(1, AUDIO_HZ)
        self._next += frame.samples
        made: list[Sample] = []
        for packet in self._encoder.encode(frame):
            if self._primed:  # the first frame is the encoder's own lead-in, from before the sound begins
                made.append(self._frame(bytes(packet)))
            self._primed = True
        return made

    def _frame(self, data: bytes) -> Sample:
        made = Sample(AUDIO, self._time, FRAME, True, data)
        self._time += FRAME
        return made


class AacSound:
    """One show's sound as AAC; parts go in in their order. A new stretch begins with a new encoder."""

    def __init__(self) -> None:
        self._source: Stretch | None = None
        self._stretch: Stretch | None = None

    def convert(self, part: Part) -> Part:
        """The part with AAC in place of Opus; its last 21 to 43 ms of sound come with the next one."""
        if part.stretch is not self._source or self._stretch is None:
            self._begin(part.stretch)
        assert self._stretch is not None
        pictures = tuple(one for one in part.samples if one.track != AUDIO)
        sound = tuple(one for each in part.samples if each.track == AUDIO for one in self._track.take(each))
        samples = (*pictures, *sound)
        return replace(part, stretch=self._stretch, samples=samples, data=chunk(part.segment, samples))

    def _begin(self, source: Stretch) -> None:
        self._source = source
        self._track = AacTrack()
        sound = Init(AUDIO, source.number, 'audio/mp4; codecs="mp4a.40.2"', self._track.init())
        inits = (sound if init.track == AUDIO else init for init in source.inits)
        self._stretch = stretch_of(source.number, tuple(inits))


def _codec(name: Literal["libopus", "aac"], mode: Literal["r", "w"]) -> AudioCodecContext:
    codec = av.CodecContext.create(name, mode)
    codec.sample_rate, codec.layout = AUDIO_HZ, "stereo"
    return codec


def _silence(samples: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="fltp", layout="stereo", samples=samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = AUDIO_HZ
    return frame


def _behind(frame: av.AudioFrame, samples: int) -> av.AudioFrame:
    """The frame without its first samples."""
    rest = av.AudioFrame(format=frame.format.name, layout="stereo", samples=frame.samples - samples)
    sample_bytes = frame.format.bytes * (1 if frame.format.is_planar else 2)
    for plane, whole in zip(rest.planes, frame.planes, strict=True):
        kept = bytes(whole)[samples * sample_bytes : frame.samples * sample_bytes]
        plane.update(kept.ljust(plane.buffer_size, b"\0"))
    rest.sample_rate = AUDIO_HZ
    return rest
