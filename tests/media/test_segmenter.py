"""The fragmenter's laws, without any network: what frames go in, what fragments come out."""

from __future__ import annotations

import io

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesale.media import fmp4
from livesale.media.frames import AUDIO, VIDEO, EncodedFrame
from livesale.media.h264 import split_annex_b
from livesale.media.jitter import AUDIO_GIVE_UP_US, VIDEO_GIVE_UP_US, JitterBuffer
from livesale.media.receiver import EncodedReceiver
from livesale.media.segmenter import Segmenter
from tests.media.hosts import OFFSET_US, PPS, SETS, START_US, TONE, Host, Kept, rises, sound_gaps_ms
from tests.media.test_h264 import CHROMIUM_360P, CHROMIUM_540P


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
