"""The packager's laws (HLS.md): every sample once, true durations, nothing overlaps, cuts where players can begin."""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise

import av
from hypothesis import given, settings
from hypothesis import strategies as st

from livesale.media.chunks import init_size, micros, read_chunks, samples_in
from livesale.media.fmp4 import sample_of
from livesale.media.frames import AUDIO, VIDEO
from livesale.media.packager import HOLE_US, LONGEST_SEGMENT_US, PART_US, SEGMENT_US, Packager, Part
from livesale.media.ring import Fragment, Init
from tests.media.hosts import PPS, Host, Kept
from tests.media.test_h264 import CHROMIUM_360P


class Taken(Kept):
    """A ring that needs no loop and hands everything to a packager at once; `parts` are what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []
        self.packager = Packager(self.parts.append)

    def put_init(self, init: Init) -> None:
        super().put_init(init)
        self.packager.take(init)

    def put(self, fragment: Fragment, end_us: int) -> None:
        super().put(fragment, end_us)
        self.packager.take([fragment])

    def samples(self, track: int) -> list[bytes]:
        """The sample bytes of the hub's fragments."""
        return [bytes(sample_of(one.data)[2]) for one in self.of(track)]


def aired(seconds: float = 7) -> Taken:
    ring = Taken()
    Host(ring).run(seconds)
    ring.packager.finish()
    return ring


def check(ring: Taken) -> None:
    """What holds for whatever went in."""
    for track in (VIDEO, AUDIO):
        made = [one for part in ring.parts for one in part.samples if one.track == track]
        assert [one.data for one in made] == ring.samples(track)  # every sample exactly once, in order
        late = [one.time - sample_of(fragment.data)[0] for one, fragment in zip(made, ring.of(track), strict=True)]
        assert all(ticks == 0 or (track == VIDEO and ticks > 0) for ticks in late)  # later only: a still that fills a hole
        assert all(before.end <= after.time for before, after in pairwise(made))  # nothing overlaps
    for part in ring.parts:
        assert samples_in(part.data) == sorted(part.samples, key=lambda one: one.track)
        pictures = sum(one.track == VIDEO for one in part.samples)
        heard_us = sum(micros(AUDIO, one.duration) for one in part.samples if one.track == AUDIO)
        # Longer is only one picture that stood for long, or sound with a hole in it.
        assert part.end_us - part.start_us <= PART_US or pictures == 1 or (not pictures and heard_us <= PART_US)
    for before, after in pairwise(ring.parts):
        assert before.end_us == after.start_us or (before.stretch is not after.stretch and before.end_us <= after.start_us)
        assert (after.segment, after.index) == (
            (before.segment + 1, 0) if before.closes else (before.segment, before.index + 1)
        )
        assert after.stretch.number == before.stretch.number + (before.stretch is not after.stretch)
        assert before.closes or before.stretch is after.stretch
    for first, last in segments(ring.parts):
        # Longer by what the last picture stands for, at most: nobody knows that when the part before it is cut.
        assert last.end_us - first.start_us <= LONGEST_SEGMENT_US + HOLE_US + 250_000
    for stretch in {part.stretch.number: part.stretch for part in ring.parts}.values():
        pictures = [one for part in ring.parts if part.stretch is stretch for one in part.samples if one.track == VIDEO]
        for before, after in pairwise(pictures):
            if micros(VIDEO, after.time - before.time) <= HOLE_US:
                assert before.end == after.time  # each picture stands exactly until the next


def segments(parts: list[Part]) -> list[tuple[Part, Part]]:
    """First and last part of each segment."""
    starts = [part for part in parts if part.index == 0]
    ends = [part for part in parts if part.closes]
    return list(zip(starts, ends, strict=True))


def test_parts_and_segments_are_cut_where_players_can_begin() -> None:
    """Segments begin with the first key frame after 2 s, parts last 425 to 500 ms but for a segment's last."""
    ring = aired()
    check(ring)
    lengths = [last.end_us - first.start_us for first, last in segments(ring.parts)]
    assert all(SEGMENT_US <= length < SEGMENT_US + 40_000 for length in lengths[:-1])
    assert len(lengths) == 4
    assert all(part.independent == (part.index == 0) for part in ring.parts)
    assert all(part.end_us - part.start_us >= 0.85 * PART_US for part in ring.parts if not part.closes)
    assert {part.stretch.codecs for part in ring.parts} == {("avc1.42c020", "opus")}
    assert ring.parts[0].segment == ring.parts[0].stretch.number == 5  # its media time in seconds


def test_a_part_is_one_picture_late() -> None:
    """The part of pictures 0 to 14 is there with picture 15, not before: only then the last one's duration is known."""
    ring = Taken()
    host = Host(ring, sound=False)
    for number in range(15):
        host.picture(number * 100 / 3, key=number == 0)
    assert ring.parts == []
    host.picture(500)
    assert [len(part.samples) for part in ring.parts] == [15]


def test_ffmpeg_decodes_as_many_as_went_in() -> None:
    """What one part after another makes up is a file FFmpeg reads whole, sound and picture, to the last packet."""
    ring = aired(3)
    data = ring.parts[0].stretch.init + b"".join(part.data for part in ring.parts)
    with av.open(io.BytesIO(data)) as file:
        kinds = Counter(packet.stream.type for packet in file.demux() if packet.size)
    assert kinds == {"video": len(ring.of(VIDEO)), "audio": len(ring.of(AUDIO))}


def test_chunks_are_found_again_up_to_the_last_whole_one() -> None:
    """Of a file that breaks off anywhere, every chunk before the break is found, with its time and its tracks."""
    ring = aired(2)
    init = ring.parts[0].stretch.init
    whole = init + b"".join(part.data for part in ring.parts)
    for size in (len(whole), len(whole) - 1, len(whole) - len(ring.parts[-1].data) + 9, len(init) + 3):
        file = io.BytesIO(whole[:size])
        begin = init_size(file, size)
        assert begin == len(init)
        found = list(read_chunks(file, begin, size))
        ends = [each.offset + each.size for each in found]
        assert ends == [end for end in _ends(init, ring.parts) if end <= size]
        assert all(VIDEO in each.spans for each in found)
    assert init_size(io.BytesIO(init[:-1]), len(init) - 1) is None


def _ends(init: bytes, parts: list[Part]) -> list[int]:
    ends, at = [], len(init)
    for part in parts:
        at += len(part.data)
        ends.append(at)
    return ends


def test_a_new_size_begins_a_new_stretch() -> None:
    """New parameter sets: the stretch before is given out whole, the next one has its own init; time goes on."""
    ring = Taken()
    host = Host(ring)
    host.run(2.5)
    host.picture(2500, key=True, sets=(CHROMIUM_360P, PPS))
    host.picture(2533)
    ring.packager.finish()
    check(ring)
    assert [part.stretch.size for part in ring.parts][-1] == (640, 360)
    assert len({part.stretch.number for part in ring.parts}) == 2


def test_a_host_that_comes_back_is_a_new_stretch() -> None:
    """Another connection on the same ring, 10 s later: its own init and numbers, no overlap."""
    ring = Taken()
    Host(ring).run(3)
    Host(ring).run(3, start_ms=13_000)
    ring.packager.finish()
    check(ring)
    assert len({part.stretch.number for part in ring.parts}) == 2


def test_sound_without_pictures_goes_on() -> None:
    """A camera that stands still, not for long enough for a picture of ours: sound goes out meanwhile in parts of its own."""
    ring = Taken()
    host = Host(ring)
    host.run(3)
    for number in range(140):
        host.sound(3000 + number * 20)
    given = ring.parts[-1]
    assert given.end_us >= 5_000_000 + 5_000_000  # 3 s with pictures and 2 of the 2.8 without
    assert not given.independent
    host.run(3, start_ms=5800)
    ring.packager.finish()
    check(ring)


def test_a_still_for_a_camera_that_is_off_begins_where_sound_has_gone() -> None:
    """The fragmenter's still reaches back to the last picture, for players that wait there; here that time is given out
    already: its stretch begins behind it, and the camera's return is one more."""
    ring = Taken()
    host = Host(ring)
    host.run(3)
    for number in range(300):
        host.sound(3000 + number * 20)
    host.run(3, start_ms=9000)
    ring.packager.finish()
    check(ring)
    pictures = [[one for one in part.samples if one.track == VIDEO] for part in ring.parts]
    stills = [part for part, shown in zip(ring.parts, pictures, strict=True) if shown and part.stretch.number == 6]
    assert {part.stretch.number for part in ring.parts} == {5, 6, 7}
    assert stills[0].start_us >= 5_000_000 + 5_500_000
    assert stills[0].independent


def test_a_black_out_begins_a_new_stretch() -> None:
    """Neither picture nor sound for 5 s: players go on behind it without a hole."""
    ring = Taken()
    host = Host(ring)
    host.run(3)
    host.run(3, start_ms=8000)
    ring.packager.finish()
    check(ring)
    assert len({part.stretch.number for part in ring.parts}) == 2


def test_video_only_and_audio_only() -> None:
    """A host without sound, or without pictures, gets an init of the one track and parts cut by it."""
    silent = Taken()
    Host(silent, sound=False).run(5)
    silent.packager.finish()
    check(silent)
    assert {part.stretch.codecs for part in silent.parts} == {("avc1.42c020",)}

    source, radio = aired(5), Taken()
    for init in source.inits:
        if init.track == AUDIO:
            radio.put_init(init)
    for fragment in source.of(AUDIO):
        radio.put(fragment, fragment.time_us)
    radio.packager.finish()
    check(radio)
    assert {part.stretch.codecs for part in radio.parts} == {("opus",)}
    assert all(part.independent for part in radio.parts)
    assert [last.end_us - first.start_us for first, last in segments(radio.parts)][:-1] == [SEGMENT_US] * 2


steps = st.lists(
    st.tuples(
        st.sampled_from(["picture", "sound", "key", "loss", "hole", "still", "mute", "size", "again"]),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_whatever_comes(acts: list[tuple[str, int]]) -> None:
    """Any mixture of jitter, losses, holes, still cameras, mutes, new sizes and reconnects keeps the laws."""
    ring = Taken()
    host = Host(ring)
    at_ms, sets = 0.0, None
    for act, number in acts:
        if act == "size":
            sets = None if sets else (CHROMIUM_360P, PPS)
        elif act == "again":
            host = Host(ring)
            at_ms += number * 20
        elif act == "hole":
            at_ms += number * 100
        for step in range(number):
            at_ms += 20 + (step * number) % 7
            pictures = act not in ("still", "sound")
            if pictures:
                key = act == "key" or (step == 0 and act in ("size", "again", "hole"))
                options = {"sets": sets} if sets else {}
                host.picture(at_ms, key=key, gap=act == "loss" and step == 0, late_ms=number % 5, **options)
            if act not in ("mute", "picture"):
                host.sound(at_ms, late_ms=(number * 7) % 40)
    ring.packager.finish()
    check(ring)

