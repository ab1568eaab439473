"""Recordings: what lies on disk after the end, after a crash, after a takeover, and on a full disk."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import av
import pytest

from livesale.media import recorder as recorders
from livesale.media.captions import cue
from livesale.media.chunks import samples_in
from livesale.media.frames import AUDIO, VIDEO
from livesale.media.packager import Part
from livesale.media.recorder import Recorder
from livesale.media.recording import Timeline, recorded_until_us, takes_in, vod
from livesale.media.remux import remux
from livesale.media.replays import finish, read_index
from tests.media.hosts import PPS, Host
from tests.media.test_h264 import CHROMIUM_360P
from tests.media.test_packager import Taken

# A studio's process in short: records parts as they come and says of each that it has handed it over.
CHILD = """
import sys, time
from pathlib import Path
from livesale.media.recorder import Recorder
from tests.media.test_packager import aired
recorder = Recorder(Path(sys.argv[1]), 17)
for part in aired(60).parts:
    recorder.take(part)
    print(part.end_us, flush=True)
    time.sleep(0.005)
"""


def record(folder: Path, parts: list[Part], number: int = 17, **options: int) -> Recorder:
    recorder = Recorder(folder, number, **options)
    for part in parts:
        recorder.take(part)
    recorder.finish()
    recorder.join()
    return recorder


def show(*, pause_ms: int = 10_000) -> Taken:
    """Three seconds, a pause, a second in another size."""
    ring = Taken()
    Host(ring).run(3)
    host = Host(ring)
    for number in range(30):
        host.picture(3000 + pause_ms + number * 100 / 3, key=number == 0, sets=(CHROMIUM_360P, PPS))
        host.sound(3000 + pause_ms + number * 20)
    ring.packager.finish()
    return ring


def test_every_sample_is_on_disk_once(tmp_path: Path) -> None:
    """The files hold each sample that was on air, with the duration it had; each file plays by itself."""
    ring = show()
    record(tmp_path, ring.parts)
    takes = takes_in(tmp_path)
    assert [take.file for take in takes] == ["000000000017-00000005.mp4", "000000000017-00000006.mp4"]
    found = []
    for take in takes:
        data = (tmp_path / take.file).read_bytes()
        for piece in take.pieces:
            found += samples_in(data[piece.offset : piece.offset + piece.size])
        with av.open(io.BytesIO(data)) as file:
            assert sum(1 for packet in file.demux() if packet.size) == len(samples_in(data[take.init_size :]))
    for track in (VIDEO, AUDIO):
        assert [one for one in found if one.track == track] == [
            one for part in ring.parts for one in part.samples if one.track == track
        ]


def test_a_killed_studio_loses_a_second_at_most(tmp_path: Path) -> None:
    """kill -9 in the middle: all but the last parts are there, and the file plays, even with half a part at its end."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as child:
        assert child.stdout is not None
        handed_us = [int(child.stdout.readline()) for _ in range(25)][-1]
        child.send_signal(signal.SIGKILL)
    (take,) = takes_in(tmp_path)
    assert handed_us - take.end_us <= 1_000_000
    path = tmp_path / take.file
    with path.open("ab") as file:
        file.write(b"\0\0\1\0moof half a part")
    assert takes_in(tmp_path) == [take]
    with av.open(str(path)) as file:
        kinds = Counter(packet.stream.type for packet in file.demux() if packet.size)
    assert kinds["video"] > 0.9 * 30 * (take.end_us - take.start_us) / 1_000_000


def test_a_takeover_goes_on_in_a_file_of_its_own(tmp_path: Path) -> None:
    """The next studio's parts follow; what the fenced one still wrote after that is left out."""
    ring = Taken()
    host = Host(ring)
    host.run(6)
    ring.packager.finish()
    record(tmp_path, ring.parts)
    assert recorded_until_us(tmp_path) == ring.parts[-1].end_us
    second = Taken()
    Host(second).run(3, start_ms=4000)
    second.packager.finish()
    record(tmp_path, second.parts, number=23)
    takes = takes_in(tmp_path)
    assert [take.studio for take in takes] == ["000000000017", "000000000023"]
    assert takes[0].end_us <= takes[1].start_us == 9_000_000


def test_a_full_disk_ends_the_recording_only(tmp_path: Path) -> None:
    """With less room than must stay free nothing is written, the trouble is told, and taking goes on at once."""
    ring = show()
    recorder = record(tmp_path / "show", ring.parts, spare_bytes=1 << 60)
    assert recorder.trouble == "not recorded: the disk is nearly full"
    assert takes_in(tmp_path / "show") == []


def test_a_disk_that_fails_midway_leaves_whole_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails in the middle of a part: the file is cut back to the part before, and plays."""
    ring, writes = show(), []

    def failing(file: int, data: memoryview) -> int:
        writes.append(len(data))
        if len(writes) == 5:
            return written(file, data[: len(data) // 2])
        if len(writes) > 5:
            raise OSError(28, "No space left on device")
        return written(file, data)

    written = os.write
    monkeypatch.setattr(recorders.os, "write", failing)
    recorder = record(tmp_path, ring.parts)
    monkeypatch.undo()
    assert recorder.trouble == "not recorded: No space left on device"
    (take,) = takes_in(tmp_path)
    assert len(take.pieces) == 3
    assert (tmp_path / take.file).stat().st_size == take.pieces[-1].offset + take.pieces[-1].size


def test_a_recording_goes_on_when_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full in the middle of a stretch: the alarm ends with the first part that can be played from once there is room, in a
    file of its own. What was not recorded is a hole: the replay goes on behind it, and FFmpeg plays MP4 and VOD."""
    monkeypatch.setattr(recorders, "AGAIN_AFTER_S", 0.0)
    monkeypatch.setattr(recorders, "SYNC_EVERY_S", 0.0)
    ring = Taken()
    Host(ring).run(20)
    ring.packager.finish()
    free, told = iter([True] * 12 + [False] * 4), []

    def check(recorder: Recorder, wanted_bytes: int) -> None:
        told.append(recorder.trouble)
        if not next(free, True):
            raise OSError(0, "the disk is nearly full")

    monkeypatch.setattr(Recorder, "_check_space", check)
    recorder = record(tmp_path, ring.parts)
    assert set(told) == {"", "not recorded: the disk is nearly full"}
    assert recorder.trouble == ""
    first, second = takes = takes_in(tmp_path)
    lost = [part for part in ring.parts if first.end_us <= part.start_us < second.start_us]
    assert lost
    assert second.pieces[0].key
    assert [piece.start_us for take in takes for piece in take.pieces] == [
        part.start_us for part in ring.parts if part not in lost
    ]
    timeline = Timeline([take.span for take in takes])
    assert timeline.at(lost[0].start_us + 1) == timeline.at(second.start_us) == first.end_us - first.start_us
    kept = [sample for part in ring.parts if part not in lost for sample in part.samples]
    expected = {"video": sum(one.track == VIDEO for one in kept), "audio": sum(one.track == AUDIO for one in kept)}
    remux(tmp_path, takes, tmp_path / "replay.mp4")
    assert packets(str(tmp_path / "replay.mp4")) == expected
    playlist = vod(takes, 0)
    assert playlist.count("#EXT-X-DISCONTINUITY") == 1
    (tmp_path / "index.m3u8").write_text(playlist)
    assert packets(str(tmp_path / "index.m3u8")) == expected


def test_a_recording_waits_for_room_that_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on with more free than must stay free: a disk at its limit would else be tried for seconds at a time."""
    monkeypatch.setattr(recorders, "AGAIN_AFTER_S", 0.0)
    wanted: list[int] = []

    def check(recorder: Recorder, wanted_bytes: int) -> None:
        wanted.append(wanted_bytes)
        raise OSError(0, "the disk is nearly full")

    monkeypatch.setattr(Recorder, "_check_space", check)
    record(tmp_path, show().parts, spare_bytes=1_000)
    assert wanted[:2] == [1_000, 1_000 + recorders.ROOM_BYTES]


def test_a_slow_disk_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for the disk is bounded: beyond that parts are left out, and the stream has never waited. Once the disk
    has caught up the recording goes on behind the hole."""
    monkeypatch.setattr(recorders, "AGAIN_AFTER_S", 0.0)
    monkeypatch.setattr(recorders, "MOST_WAITING_BYTES", 20_000)
    there, written = threading.Event(), os.write

    def stuck(file: int, data: memoryview) -> int:
        there.wait()
        return written(file, data)

    monkeypatch.setattr(recorders.os, "write", stuck)
    ring = Taken()
    Host(ring).run(20)
    ring.packager.finish()
    recorder = Recorder(tmp_path, 17)
    half = len(ring.parts) // 2
    for part in ring.parts[:half]:
        recorder.take(part)
    assert recorder.trouble == "not recorded: the disk is too slow"
    there.set()
    for part in ring.parts[half:]:
        while recorder._taken_bytes != recorder._done_bytes:
            time.sleep(0.001)
        recorder.take(part)
    recorder.finish()
    recorder.join()
    assert recorder.trouble == ""
    first, second = takes_in(tmp_path)
    assert first.end_us < second.start_us
    assert second.end_us == ring.parts[-1].end_us


def test_a_moment_has_its_place_in_the_replay(tmp_path: Path) -> None:
    """The ten seconds without a host are not in the replay; what was told in them lies where it goes on."""
    record(tmp_path, show().parts)
    timeline = Timeline([take.span for take in takes_in(tmp_path)])
    first = 3_008_333  # the last picture declares 41.7 ms
    assert [timeline.at(5_000_000 + us) for us in (-1, 0, 1_500_000)] == [0, 0, 1_500_000]
    assert timeline.at(5_000_000 + 8_000_000) == first
    assert timeline.at(5_000_000 + 13_000_000 + 500_000) == first + 500_000
    assert timeline.at(99_000_000) == timeline.duration_us
    assert timeline.duration_us == first + 1_008_333


def test_vod_playlist(tmp_path: Path) -> None:
    """Segments are byte ranges of the files that were written live, cut as they were cut live."""
    record(tmp_path, show().parts)
    lines = vod(takes_in(tmp_path), 0).splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in lines
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert [line for line in lines if line.startswith("#EXTINF")] == ["#EXTINF:2.00000,", "#EXTINF:1.00833,", "#EXTINF:1.00833,"]


async def test_ffmpeg_plays_the_vod(tmp_path: Path) -> None:
    """FFmpeg finds as many pictures in the VOD playlist as were on air."""
    ring = Taken()
    Host(ring).run(5)
    ring.packager.finish()
    record(tmp_path, ring.parts)
    (tmp_path / "index.m3u8").write_text(vod(takes_in(tmp_path), 0))
    kinds = await asyncio.to_thread(packets, str(tmp_path / "index.m3u8"))
    assert kinds == {"video": len(ring.of(VIDEO)), "audio": len(ring.of(AUDIO))}


def packets(source: str) -> Counter[str]:
    with av.open(source) as file:
        return Counter(packet.stream.type for packet in file.demux() if packet.size)


def test_one_seekable_file(tmp_path: Path) -> None:
    """The MP4 has every picture and sound, is as long as the replay, and new sizes have their parameter sets with them."""
    ring = show()
    record(tmp_path, ring.parts)
    takes = takes_in(tmp_path)
    target = tmp_path / "replay.mp4"
    remux(tmp_path, takes, target)
    assert packets(str(target)) == {"video": len(ring.of(VIDEO)), "audio": len(ring.of(AUDIO))}
    data = target.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")  # plays while it is still being fetched
    assert data.count(CHROMIUM_360P) == 1
    with av.open(str(target)) as file:
        assert float(file.duration or 0) == pytest.approx(Timeline([take.span for take in takes]).duration_us, abs=50_000)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_captions_go_with_the_recording(tmp_path: Path) -> None:
    """What was said is kept by language, at its place in the replay; half a line at the end is left out."""
    recorder = Recorder(tmp_path, 17)
    for part in show().parts:
        recorder.take(part)
    recorder.say(cue("Guten Abend", "de", 5_500))
    recorder.say(cue("And here we are again", "en", 18_250))
    recorder.finish()
    recorder.join()
    with (tmp_path / recorders.CUES).open("ab") as file:
        file.write(b'{"begins_ms": 12')
    assert finish(tmp_path, 0, 0)
    index = read_index(tmp_path)
    assert index is not None
    assert index.captions == ["de", "en"]
    assert (tmp_path / "captions-de.vtt").read_text() == "WEBVTT\n\n00:00:00.500 --> 00:00:02.500\nGuten Abend\n"
    assert "00:00:03.258 --> 00:00:05.258\nAnd here we are again" in (tmp_path / "captions-en.vtt").read_text()
