"""What takes the place of a microphone or a camera that sends nothing: silence, and a still picture."""

from __future__ import annotations

import io
from itertools import pairwise

import av
import pytest

from livesale.media import fmp4, opus
from livesale.media.frames import AUDIO, VIDEO, VIDEO_HZ
from tests.media.hosts import Host, rises, sound_gaps_ms


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


def test_a_microphone_that_opens_late_joins_the_silence_before_it() -> None:
    """Silence stands in for a microphone from the first picture on; its first packet leaves no hole behind that."""
    host = Host()
    host.run(3, mute=(0, 1_000))
    assert sound_gaps_ms(host.ring) == []


def test_a_show_without_sound_has_one_track() -> None:
    """An offer without audio gives no audio init and no silence."""
    host = Host(sound=False)
    host.run(2)
    assert {init.track for init in host.ring.inits} == {VIDEO}
    assert host.ring.of(AUDIO) == []


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
