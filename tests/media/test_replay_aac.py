"""Replays with AAC: the same pictures at the same times, and sound that is whole wherever a player begins."""

from __future__ import annotations

import io
import math
import struct
from pathlib import Path

import av
import pytest

from livesale.media.aac import FRAME, AacTrack
from livesale.media.chunks import Sample, samples_in
from livesale.media.frames import AUDIO, AUDIO_HZ, VIDEO
from livesale.media.recording import takes_in, vod
from livesale.media.replay_aac import LEAD_IN, aac_file, aac_playlist
from tests.media.hosts import Host
from tests.media.test_packager import Taken
from tests.media.test_recording import packets, record, show

PACKET = 960


def tone(seconds: float) -> list[Sample]:
    """Opus packets of a rising tone, in the media clock."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_HZ, "stereo", "s16"
    encoder.open()
    found = []
    for number in range(round(seconds * AUDIO_HZ / PACKET)):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=PACKET)
        times = (number * PACKET + at for at in range(PACKET))
        wave = b"".join(struct.pack("<hh", *[round(9_000 * math.sin(t * (0.03 + t / 2e7)))] * 2) for t in times)
        frame.planes[0].update(wave)
        frame.sample_rate, frame.pts = AUDIO_HZ, number * PACKET
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return [Sample(AUDIO, number * PACKET, PACKET, True, data) for number, data in enumerate(found)]


def heard(frames: list[Sample], config: bytes) -> dict[int, bytes]:
    """What a decoder makes of each frame but its first, by time."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config
    sounds = {}
    for one in frames:
        for frame in decoder.decode(av.Packet(one.data)):
            sounds[one.time] = bytes(frame.planes[0])[: frame.samples * 4]
    sounds.pop(frames[0].time, None)
    return sounds


def test_frames_lie_on_one_grid() -> None:
    """Encoded from any packet on, frames have the same times, one behind the other, and a decoder finds the same sound in
    them as in those that were encoded from the beginning."""
    packets_ = tone(2)
    whole = AacTrack(0)
    config = bytes(whole._encoder.extradata or b"")
    expected = heard([one for packet in packets_ for one in whole.take(packet)], config)
    for first in (1, 7, 24):
        track = AacTrack(0)
        made = [one for packet in packets_[first:] for one in track.take(packet)] + track.finish()
        assert [one.time for one in made] == [made[0].time + FRAME * number for number in range(len(made))]
        assert made[0].time % FRAME == 0
        assert made[0].time - first * PACKET < FRAME
        settled = {at: sound for at, sound in heard(made, config).items() if at > (first + LEAD_IN) * PACKET and at in expected}
        assert settled
        for at, sound in settled.items():
            assert loudness(sound, expected[at]) < 0.1 * loudness(expected[at], bytes(len(sound))), at


def loudness(one: bytes, other: bytes) -> float:
    """The mean distance of two sounds' samples."""
    pairs = list(zip(memoryview(one).cast("f"), memoryview(other).cast("f"), strict=True))
    return sum(abs(a - b) for a, b in pairs) / len(pairs)


def test_every_segment_has_its_pictures_and_its_sound(tmp_path: Path) -> None:
    """The playlist is that of the recording, with other names; pictures are the same bytes at the same times; sound has no
    frame twice and none missing but across a hole. Each name gives the same bytes again, and any other gives nothing."""
    record(tmp_path, show().parts)
    takes = takes_in(tmp_path)
    lines, own = aac_playlist(tmp_path, 5).splitlines(), vod(takes, 5).splitlines()
    said = [line for line in own if line.startswith("#") and "BYTERANGE" not in line]
    assert [line for line in lines if line.startswith("#") and "EXT-X-MAP" not in line] == said
    for take in takes:
        stem = take.file.removesuffix(".mp4")
        names = [line for line in lines if line.startswith(f"{stem}-aac-")]
        found = [one for name in names for one in samples_in(aac_file(tmp_path, name) or b"")]
        recorded = samples_in((tmp_path / take.file).read_bytes()[take.init_size :])
        assert [one for one in found if one.track == VIDEO] == [one for one in recorded if one.track == VIDEO]
        sound, opus = ([one for one in each if one.track == AUDIO] for each in (found, recorded))
        assert all(after.time == before.end for before, after in zip(sound, sound[1:], strict=False))
        assert abs(sound[0].time - opus[0].time) < FRAME
        assert 0 <= sound[-1].end - opus[-1].end < 2 * FRAME
    name = next(line for line in lines if line.endswith(".m4s"))
    before = aac_file(tmp_path, name)
    aac_file.cache_clear()
    assert aac_file(tmp_path, name) == before
    assert [aac_file(tmp_path, other) for other in ("index.json", name.replace("00000.m4s", "99999.m4s"))] == [None, None]


def test_ffmpeg_plays_it(tmp_path: Path) -> None:
    """FFmpeg finds as many pictures as were on air, decodes AAC sound of the same length, and each segment by itself."""
    ring = Taken()
    Host(ring).run(7)
    ring.packager.finish()
    record(tmp_path, ring.parts)
    served = tmp_path / "served"
    served.mkdir()
    text = aac_playlist(tmp_path, 0)
    (served / "apple.m3u8").write_text(text)
    init = next(line.split('"')[1] for line in text.splitlines() if line.startswith("#EXT-X-MAP"))
    names = [line for line in text.splitlines() if line.endswith(".m4s")]
    for name in (init, *names):
        (served / name).write_bytes(aac_file(tmp_path, name) or b"")
    counts = packets(str(served / "apple.m3u8"))
    assert counts["video"] == len(ring.of(VIDEO))
    with av.open(str(served / "apple.m3u8")) as file:
        assert {stream.codec_context.name for stream in file.streams} == {"h264", "aac"}
        sound_s = sum(frame.samples for frame in file.decode(audio=0)) / AUDIO_HZ
    assert sound_s == pytest.approx(len(ring.of(AUDIO)) * 0.02, abs=0.1)
    for name in names:
        with av.open(io.BytesIO((served / init).read_bytes() + (served / name).read_bytes())) as file:
            assert sum(1 for _ in file.decode(audio=0)) > 40
