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
        sound = tuple(one for each in part.samples if each.track == AUDIO for one in self._packet(each))
        samples = (*pictures, *sound)
        return replace(part, stretch=self._stretch, samples=samples, data=chunk(part.segment, samples))

    def _begin(self, source: Stretch) -> None:
        self._source = source
        self._decoder = _codec("libopus", "r")
        self._encoder = _codec("aac", "w")
        self._encoder.bit_rate = BITS_PER_S
        self._encoder.format = "fltp"
        self._encoder.open()
        self._next: int | None = None  # where the sound put in so far ends
        self._time = 0  # of the next AAC frame
        self._primed = False
        config = bytes(self._encoder.extradata or b"")
        sound = Init(AUDIO, source.number, 'audio/mp4; codecs="mp4a.40.2"', aac_init(config, BITS_PER_S))
        inits = (sound if init.track == AUDIO else init for init in source.inits)
        self._stretch = stretch_of(source.number, tuple(inits))

    def _packet(self, packet: Sample) -> list[Sample]:
        if self._next is None:
            self._next = self._time = packet.time
        made: list[Sample] = []
        if packet.time - self._next > SLACK:
            made += self._encode(_silence(packet.time - self._next))
        for frame in self._decoder.decode(av.Packet(packet.data)):
            made += self._encode(frame)
        return made

    def _encode(self, frame: av.AudioFrame) -> list[Sample]:
        assert self._next is not None
        frame.pts, frame.time_base = self._next, Fraction(1, AUDIO_HZ)
        self._next += frame.samples
        made: list[Sample] = []
        for packet in self._encoder.encode(frame):
            if self._primed:  # the first frame is the encoder's own lead-in, from before the sound begins
                made.append(Sample(AUDIO, self._time, FRAME, True, bytes(packet)))
                self._time += FRAME
            self._primed = True
        return made


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
