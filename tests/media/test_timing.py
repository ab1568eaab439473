"""Where samples lie in time: durations, lip sync, clocks that drift or jump."""

from __future__ import annotations

import pytest

from livesale.media import fmp4
from livesale.media.frames import AUDIO, VIDEO, EncodedFrame
from tests.media.hosts import SETS, START_US, Host, sound_gaps_ms


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


@pytest.mark.parametrize("late_ms", [300, 900, 1_700])
def test_pictures_that_come_later_than_the_sound_leave_no_hole_in_it(late_ms: int) -> None:
    """A slow machine's pictures are a second or two late, and reports then put the sound so much later: silence lies
    between, since the pictures go on there, and a player has one buffered range."""
    host = Host()
    for number in range(200):
        if number % 2 == 0:
            host.picture(20 * number, key=number % 50 == 0, late_ms=late_ms)
        host.sound(20 * number + late_ms)
        if number == 100:
            host.segmenter.sender_report(VIDEO, 10**15, 1 << 33)
            host.segmenter.sender_report(AUDIO, 10**15, 1 << 34)
    assert sound_gaps_ms(host.ring) == []
    ahead_us = host.ring.of(AUDIO)[-1].time_us - host.ring.of(VIDEO)[-1].time_us
    assert ahead_us == pytest.approx(late_ms * 1000, abs=45_000)


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
