"""A recording as one seekable MP4, by stream copy: nothing is decoded, 40 s take about 70 ms.

The stretches follow one another as in the replay (recording.py). Where the host's picture changed its size, the new
parameter sets go into the key frames: one track has one sample description, and players read them there too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from livesale.media.chunks import Sample, micros, parameter_sets, samples_in
from livesale.media.frames import AUDIO, HZ, VIDEO
from livesale.media.recording import Take

KINDS = {VIDEO: "video", AUDIO: "audio"}


def remux(folder: Path, takes: list[Take], target: Path) -> None:
    """Writes `target` from the takes in `folder`; it is there whole or not at all."""
    draft = target.with_name(f".{target.name}.new")
    first_sets: bytes | None = None
    with av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        streams = _streams(folder, takes, container)
        at_us, ends = 0, dict.fromkeys(streams, 0)
        for take in takes:
            sets = parameter_sets(_init(folder, take))
            first_sets = first_sets or sets
            prefix = sets if sets != first_sets else b""
            for sample in _samples(folder, take):
                packet = _packet(sample, streams[sample.track], take.start_us - at_us, prefix)
                # A stretch's sound may outlast its pictures by a moment: time must grow all the same.
                packet.pts = packet.dts = max(packet.pts or 0, ends[sample.track])
                ends[sample.track] = packet.pts + 1
                container.mux(packet)
            at_us += take.end_us - take.start_us
    draft.rename(target)


def _streams(folder: Path, takes: list[Take], container: av.container.OutputContainer) -> dict[int, av.stream.Stream]:
    """An output stream for each track of any take, described by the first that has it."""
    found: dict[int, av.stream.Stream] = {}
    for take in takes:
        with (folder / take.file).open("rb") as file:
            head = file.read(take.pieces[0].offset + take.pieces[0].size)
        with av.open(io.BytesIO(head)) as source:
            for track, kind in KINDS.items():
                stream = next((each for each in source.streams if each.type == kind), None)
                if stream is not None and track not in found:
                    found[track] = container.add_stream_from_template(stream)
        if len(found) == len(KINDS):
            break
    return found


def _samples(folder: Path, take: Take) -> Iterator[Sample]:
    with (folder / take.file).open("rb") as file:
        for piece in take.pieces:
            file.seek(piece.offset)
            samples = samples_in(file.read(piece.size))
            yield from sorted(samples, key=lambda one: micros(one.track, one.time))


def _packet(sample: Sample, stream: av.stream.Stream, shift_us: int, prefix: bytes) -> av.Packet[Any]:
    hz = HZ[sample.track]
    packet = av.Packet((prefix if sample.track == VIDEO and sample.key else b"") + sample.data)
    packet.stream = stream
    packet.time_base = Fraction(1, hz)
    packet.pts = max(0, sample.time - shift_us * hz // 1_000_000)
    packet.duration = sample.duration
    packet.is_keyframe = sample.key
    return packet


def _init(folder: Path, take: Take) -> bytes:
    with (folder / take.file).open("rb") as file:
        return file.read(take.init_size)
