"""The fragmenter's laws, without any network: what frames go in, what fragments come out."""

from __future__ import annotations

import io
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesale.media import fmp4, opus
from livesale.media.frames import AUDIO, VIDEO, VIDEO_HZ, EncodedFrame
from livesale.media.h264 import split_annex_b
from livesale.media.jitter import AUDIO_GIVE_UP_US, VIDEO_GIVE_UP_US, JitterBuffer
from livesale.media.receiver import EncodedReceiver
from livesale.media.segmenter import Segmenter
from tests.media.host import OFFSET_US, PPS, SETS, START_US, TONE, Host, Kept
from tests.media.test_h264 import CHROMIUM_360P, CHROMIUM_540P


def rises(times: list[int]) -> bool:
    return all(before < after for before, after in pairwise(times))


def sound_gaps_ms(ring: Kept) -> list[float]:
    """Holes between sound fragments, in ms."""
    spans = [fmp4.sample_of(one.data)[:2] for one in ring.of(AUDIO)]
    return [
        (after[0] - before[0] - before[1]) / 48
        for before, after in pairwise(spans)
        if after[0] != before[0] + before[1]
    ]


def test_media_time_is_time_since_the_broadcast_began() -> None:
    """The first picture lies where it arrived: 5 s after the epoch, and both tracks start there."""
    host = Host()
    host.run(3)

    assert host.ring.of(VIDEO)[0].time_us == 5_000_000
    assert abs(host.ring.of(AUDIO)[0].time_us - 5_000_000) <= 20_000
    assert host.ring.of(VIDEO)[-1].time_us == pytest.approx(5_000_000 + 89 * 33_333, abs=100)
    assert sound_gaps_ms(host.ring) == []


def test_nothing_goes_out_before_a_key_frame() -> None:
    """Pictures and sound before the first key frame are dropped, and a key frame is asked for."""
    host = Host()
    host.picture(0)
    host.sound(0)
    host.picture(33)
    assert host.ring.made == []
    assert host.asked == 2

    host.picture(66, key=True)
    host.sound(70)
    assert [one.track for one in host.ring.made] == [VIDEO, AUDIO]
    assert [init.track for init in host.ring.inits] == [VIDEO, AUDIO]


def test_after_a_gap_only_a_key_frame_goes_on() -> None:
    """A picture behind a hole is never sent; sound goes on."""
    host = Host()
    host.picture(0, key=True)
    host.picture(33, gap=True)
    host.picture(66)
    host.sound(70)
    host.picture(100, key=True)

    assert [(one.key, one.time_us) for one in host.ring.of(VIDEO)] == [(True, 5_000_000), (True, 5_100_000)]
    assert len(host.ring.of(AUDIO)) == 1
    assert host.asked == 2


def test_new_parameter_sets_make_a_new_generation() -> None:
    """A change of size gives the picture a new init and generation at its key frame; sound goes on."""
    host = Host()
    host.picture(0, key=True)
    host.sound(10)
    host.picture(33, key=True, sets=(CHROMIUM_360P, PPS))
    host.sound(30)
    host.picture(66)

    assert [(init.track, init.generation) for init in host.ring.inits] == [(VIDEO, 1), (AUDIO, 1), (VIDEO, 2)]
    assert host.ring.inits[2].mse_type == 'video/mp4; codecs="avc1.42c01f"'
    assert [(one.generation, one.sequence) for one in host.ring.of(VIDEO)] == [(1, 0), (2, 0), (2, 1)]
    assert [(one.generation, one.sequence) for one in host.ring.of(AUDIO)] == [(1, 0), (1, 1)]


def test_parameter_sets_and_delimiters_stay_out_of_samples() -> None:
    """NAL types 7, 8 and 9 are in the init, not in samples."""
    host = Host()
    host.picture(0, key=True, sets=(b"\x09\xf0", *SETS))
    assert fmp4.sample_of(host.ring.of(VIDEO)[0].data)[2] == bytes((0, 0, 0, 31, 0x65)) + bytes(30)


@pytest.mark.parametrize(("sets", "why"), [((), "unknown"), ((CHROMIUM_540P,), "half"), ((b"\x67\x42", PPS), "broken")])
def test_a_key_frame_without_usable_parameter_sets_is_not_sent(sets: tuple[bytes, ...], why: str) -> None:
    """Without a sound SPS and PPS nothing can be decoded: ask again instead."""
    host = Host()
    host.picture(0, key=True, sets=sets)
    assert host.ring.made == []
    assert host.asked == 1


def test_parameter_sets_from_the_offer_do() -> None:
    """A publisher that sends its parameter sets in the SDP only is understood."""
    ring = Kept()
    segmenter = Segmenter(ring, OFFSET_US, lambda: None, parameter_sets=SETS)
    segmenter.frame(EncodedFrame(VIDEO, 0, True, (b"\x65" + bytes(9),), START_US))
    assert len(ring.made) == 1


@pytest.mark.parametrize(("away_ms", "offset_us"), [(500, OFFSET_US), (0, OFFSET_US - 60_000_000)])
def test_a_reconnecting_host_goes_on_behind_what_was_sent(away_ms: int, offset_us: int) -> None:
    """A new connection gets new generations and times behind the last, even if its clock lags by a minute."""
    ring = Kept()
    Host(ring).run(3)
    last_us = ring.end_us
    again = Host(ring, offset_us=offset_us)
    again.run(1, start_ms=3_000 + away_ms)

    fresh = [one for one in ring.made if one.generation == 2]
    assert {one.track for one in fresh} == {VIDEO, AUDIO}
    assert min(one.time_us for one in fresh) >= last_us + 33_000
    video = [one for one in fresh if one.track == VIDEO]
    sound = [one for one in fresh if one.track == AUDIO]
    assert abs(video[-1].time_us - sound[-1].time_us) < 60_000
    assert rises([one.time_us for one in ring.of(VIDEO)])
    assert rises([one.time_us for one in ring.of(AUDIO)])


def test_a_short_hole_in_the_sound_is_filled_with_silence() -> None:
    """Up to 400 ms without sound are filled packet by packet."""
    host = Host()
    host.run(3, mute=(1_000, 1_380))
    silent = [one for one in host.ring.of(AUDIO) if one.data.endswith(opus.SILENCE)]
    assert len(silent) == 19
    assert sound_gaps_ms(host.ring) == []


def test_a_dead_microphone_does_not_stop_the_picture() -> None:
    """Without any sound for 3 s silence keeps up with the picture, and the sound that returns is in step."""
    host = Host()
    host.run(6, mute=(1_000, 4_000))

    spans = [fmp4.sample_of(one.data) for one in host.ring.of(AUDIO)]
    assert sum(span[1] for span in spans) / 48_000 == pytest.approx(6, abs=0.15)
    assert all(gap <= 20 for gap in sound_gaps_ms(host.ring))
    tones = [one.time_us for one in host.ring.of(AUDIO) if not one.data.endswith(opus.SILENCE)]
    assert tones[-1] == pytest.approx(5_000_000 + 5_980_000, abs=25_000)


def test_a_show_without_sound_has_one_track() -> None:
    """An offer without audio gives no audio init and no silence."""
    host = Host(sound=False)
    host.run(2)
    assert {init.track for init in host.ring.inits} == {VIDEO}
    assert host.ring.of(AUDIO) == []


def test_declared_durations_follow_the_longest_interval() -> None:
    """A picture declares 1.25 × the longest of the last 30 intervals, within 40–200 ms."""
    host = Host()
    for number in range(40):
        host.picture(number * 100 / 3, key=number == 0)
    assert {fmp4.sample_of(one.data)[1] for one in host.ring.of(VIDEO)[2:]} == {3_750}

    host.picture(39 * 100 / 3 + 120)
    assert fmp4.sample_of(host.ring.of(VIDEO)[-1].data)[1] == 120 * 90 * 5 // 4
    host.picture(39 * 100 / 3 + 1_500)
    assert fmp4.sample_of(host.ring.of(VIDEO)[-1].data)[1] == 18_000


@pytest.mark.parametrize("error_ms", [80, -80])
def test_sender_reports_pull_the_sound_into_step(error_ms: int) -> None:
    """Sound that arrived late or early by 80 ms is slewed by 1 ms a second until lips and voice agree."""
    host = Host()
    host.run(1, sound_late_ms=error_ms)
    for second in range(1, 120):
        host.segmenter.sender_report(VIDEO, 10**15 + second * 1_000_000, (1 << 33) + second * 90_000)
        host.segmenter.sender_report(AUDIO, 10**15 + second * 1_000_000, (1 << 34) + second * 48_000)
        host.run(1, start_ms=second * 1000, sound_late_ms=error_ms)

    def lag_ms() -> float:
        return (host.ring.of(AUDIO)[-1].time_us - 5_000_000 - 119_980_000) / 1000

    assert abs(lag_ms()) < 15
    steps = [fmp4.sample_of(one.data)[1] for one in host.ring.of(AUDIO)]
    assert all(abs(step - 960) <= 2 for step in steps)


@pytest.mark.parametrize("error_us", [300_000, -300_000])
def test_a_large_error_is_corrected_in_one_step(error_us: int) -> None:
    """Beyond 200 ms lip sync is restored at once."""
    host = Host()
    host.run(2)
    host.segmenter.sender_report(VIDEO, 10**15, 1 << 33)
    host.segmenter.sender_report(AUDIO, 10**15 + error_us, 1 << 34)
    host.run(1, start_ms=2_000)
    assert host.ring.of(AUDIO)[-1].time_us == pytest.approx(5_000_000 + 2_980_000 + error_us, abs=25_000)


def test_reports_that_cannot_be_are_ignored() -> None:
    """Reports that say the tracks are minutes apart change nothing."""
    host = Host()
    host.run(1)
    host.segmenter.sender_report(VIDEO, 10**15, 1 << 33)
    host.segmenter.sender_report(AUDIO, 5, 1 << 34)
    host.run(1, start_ms=1_000)
    assert host.ring.of(AUDIO)[-1].time_us == pytest.approx(6_980_000, abs=25_000)


@pytest.mark.parametrize("clock", [1.0005, 0.9995])
def test_a_drifting_clock_is_followed(clock: float) -> None:
    """A sender 0.5 ms a second fast or slow stays within 140 ms of now for half an hour, its sound too."""
    host = Host()
    for minute in range(30):
        host.run(60, start_ms=minute * 60_000, clock=clock)
        host.ring.made = host.ring.made[-200:]
        now_us = 5_000_000 + (minute + 1) * 60_000_000
        assert abs(host.ring.of(VIDEO)[-1].time_us - now_us) < 140_000
        assert abs(host.ring.of(AUDIO)[-1].time_us - host.ring.of(VIDEO)[-1].time_us) < 120_000


def test_a_sender_whose_clock_jumps_is_placed_anew_by_arrival() -> None:
    """A timestamp an hour off does not throw the show an hour ahead."""
    host = Host()
    host.picture(0, key=True)
    host.segmenter.frame(EncodedFrame(VIDEO, 1 << 40, True, (*SETS, b"\x65" + bytes(9)), START_US + 50_000))
    assert host.ring.of(VIDEO)[1].time_us == pytest.approx(5_050_000, abs=20)


Packets = list[tuple[int, int, int]]  # kind, how late it is in ms, what happens to it


@given(
    fates=st.lists(st.sampled_from(["ok", "ok", "ok", "lost", "twice", "late"]), min_size=40, max_size=120),
    first_time=st.sampled_from([0, 0xFFFFFFFF - 90_000, 0x7FFFFFFF]),
    first_sequence=st.sampled_from([0, 65_500]),
    key_every=st.integers(1, 20),
)
@settings(max_examples=120, deadline=None)
def test_time_only_grows_whatever_the_network_does(
    fates: list[str], first_time: int, first_sequence: int, key_every: int
) -> None:
    """Reordered, repeated, wrapped or lost: times rise, no number is left out, only a key follows a hole."""
    ring = Kept()
    segmenter = Segmenter(ring, OFFSET_US, lambda: None, parameter_sets=SETS)
    receivers = [bare_receiver(audio) for audio in (False, True)]
    arrivals = []
    for number, fate in enumerate(fates):
        for audio, ms, hz in ((False, 33, 90), (True, 20, 48)):
            times = {"lost": [], "twice": [0, 45], "late": [70]}.get(fate, [0])
            arrivals += [(number * ms + late, audio, number, ms * hz) for late in times]
    for at_ms, audio, number, step in sorted(arrivals):
        receiver = receivers[audio]
        receiver.on_frame = segmenter.frame
        payload = TONE if audio else (b"\x65" if number % key_every == 0 else b"\x61") + number.to_bytes(4, "big")
        now_us = START_US + at_ms * 1000
        frames = receiver._jitter.put(
            (first_sequence + number) & 0xFFFF,
            (first_time + number * step) & 0xFFFFFFFF,
            True,
            payload,
            now_us,
        )
        for assembled in frames:
            frame = receiver._frame(assembled)
            assert frame is not None
            segmenter.frame(frame)

    for track in (VIDEO, AUDIO):
        assert rises([one.time_us for one in ring.of(track)])
        assert [one.sequence for one in ring.of(track)] == list(range(len(ring.of(track))))
    numbers = [int.from_bytes(fmp4.sample_of(one.data)[2][5:9], "big") for one in ring.of(VIDEO)]
    for before, after, one in zip(numbers, numbers[1:], ring.of(VIDEO)[1:], strict=False):
        assert after == before + 1 or one.key


def bare_receiver(audio: bool) -> EncodedReceiver:
    """A receiver's reordering and unwrapping without its transport."""
    receiver = EncodedReceiver("audio" if audio else "video", _Transport())  # type: ignore[arg-type]
    receiver._jitter = JitterBuffer(AUDIO_GIVE_UP_US if audio else VIDEO_GIVE_UP_US, frame_per_packet=audio)
    return receiver


class _Transport:
    state = "new"


def test_what_x264_and_libopus_make_decodes_whole() -> None:
    """Real pictures and sounds through the fragmenter: FFmpeg decodes exactly as many as went in."""
    ring = Kept()
    segmenter = Segmenter(ring, OFFSET_US, lambda: None)
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.framerate = 320, 180, "yuv420p", 30
    codec.options = {"tune": "zerolatency", "profile": "baseline", "preset": "ultrafast"}
    picture = av.VideoFrame(320, 180, "yuv420p")
    for number in range(20):
        picture.pts = number
        for packet in codec.encode(picture):
            nals = tuple(split_annex_b(bytes(packet)))
            arrived = START_US + number * 33_333
            segmenter.frame(EncodedFrame(VIDEO, number * 3_000, packet.is_keyframe, nals, arrived))
    data = ring.inits[0].data + b"".join(one.data for one in ring.of(VIDEO))
    with av.open(io.BytesIO(data)) as file:
        frames = list(file.decode(video=0))
    assert len(frames) == 20
    assert [frame.pts for frame in frames] == [5 * 90_000 + number * 3_000 for number in range(20)]


def test_a_host_that_sends_sound_alone_gets_a_still_picture() -> None:
    """Five key frames a second from the first sound on, each declared until the next; all of it decodes."""
    host = Host(picture=False)
    for number in range(100):
        host.sound(number * 20)
    stills = host.ring.of(VIDEO)
    assert len(stills) == 10
    assert host.segmenter.on_air
    assert all(one.key for one in stills)
    times = [one.time_us for one in stills]
    assert all(150_000 < later - earlier < 250_000 for earlier, later in pairwise(times))
    assert abs(stills[0].time_us - host.ring.of(AUDIO)[0].time_us) < 25_000
    data = host.ring.inits[0].data + b"".join(one.data for one in stills)
    with av.open(io.BytesIO(data)) as file:
        assert sum(1 for _ in file.decode(video=0)) == len(stills)


def test_a_camera_that_is_turned_off_is_stood_in_for_without_a_hole() -> None:
    """Sound goes on, the still fills in from the last picture on, and the camera returns with a key frame of its own;
    media time only grows, whatever is declared.
    """
    host = Host()
    host.run(2)
    for number in range(300):
        host.sound(2000 + number * 20)
    before = 60
    stills = host.ring.of(VIDEO)[before:]
    assert stills[0].key
    time, duration, _ = fmp4.sample_of(host.ring.of(VIDEO)[before - 1].data)
    assert stills[0].time_us == (time + duration) * 1_000_000 // VIDEO_HZ  # where the last one says it ends
    host.picture(8000)
    assert host.ring.of(VIDEO)[-1] is stills[-1]
    assert host.asked
    host.run(1, start_ms=8100)
    generations = [init.generation for init in host.ring.inits if init.track == VIDEO]
    assert generations == [1, 2, 3]
    assert len([init for init in host.ring.inits if init.track == AUDIO]) == 1
    back = [one for one in host.ring.of(VIDEO) if one.generation == 3]
    assert (back[0].key, back[0].sequence, len(back)) == (True, 0, 30)
    assert rises([one.time_us for one in host.ring.of(VIDEO)])
    assert sound_gaps_ms(host.ring) == []


def test_a_short_loss_of_the_picture_brings_no_still() -> None:
    """Two seconds without a picture are a bad line, not a camera that is off."""
    host = Host()
    host.run(2)
    for number in range(100):
        host.sound(2000 + number * 20)
    host.run(1, start_ms=4000)
    assert {one.generation for one in host.ring.of(VIDEO)} == {1}
