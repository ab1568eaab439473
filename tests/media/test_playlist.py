"""Playlists, line for line, and who has to wait for what."""

from __future__ import annotations

import re

import pytest

from livesale.kernel.refusals import Refusal
from livesale.media.captions import cue
from livesale.media.packager import Part
from livesale.media.playlist import ADVANCE_PARTS, TARGET_S, Window, multivariant
from tests.media.hosts import PPS, Host
from tests.media.test_h264 import CHROMIUM_360P
from tests.media.test_packager import Taken, aired

EPOCH_MS = 1_795_651_200_000  # 2026-11-26T00:00:00Z

GOLDEN = """\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:5
#EXT-X-DISCONTINUITY-SEQUENCE:5
#EXT-X-MAP:URI="17-5.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-26T00:00:05.000Z
#EXT-X-PART:DURATION=0.50000,URI="17-5.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.50000,URI="17-5.1.m4s"
#EXT-X-PART:DURATION=0.50000,URI="17-5.2.m4s"
#EXT-X-PART:DURATION=0.50000,URI="17-5.3.m4s"
#EXTINF:2.00000,
17-5.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-26T00:00:07.000Z
#EXT-X-PART:DURATION=0.50000,URI="17-6.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="17-6.1.m4s"
"""
BROKEN = """\
#EXTINF:0.04167,
17-6.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="17-6.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-26T00:00:15.000Z
#EXT-X-PART:DURATION=0.50000,URI="17-7.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="17-7.1.m4s"
"""


def rounded(parts: list[Part]) -> Window:
    """A window of these parts."""
    window = Window("17", EPOCH_MS)
    for part in parts:
        window.add(part)
    return window


def broadcast() -> Window:
    """Two and a half seconds, as the playlist above tells them: 33.3 ms pictures make parts of 15."""
    return rounded([part for part in aired(4).parts if (part.segment, part.index) <= (6, 0)])


def code(window: Window, segment: int | None, part: int | None) -> str:
    with pytest.raises(Refusal) as refused:
        window.has(segment, part)
    return refused.value.code


def test_golden_playlist() -> None:
    """A live playlist has exactly these lines."""
    assert broadcast().text() == GOLDEN


def test_golden_break() -> None:
    """A host who comes back ten seconds later: a discontinuity, another init, and the date goes on by the broadcast."""
    ring = Taken()
    Host(ring, sound=False).run(2.04)
    Host(ring, sound=False).run(0.6, start_ms=10_000)
    window = rounded([part for part in ring.parts if part.segment < 8])
    assert window.text().endswith(BROKEN)


def test_the_end_is_told() -> None:
    """An ended playlist says so and hints at nothing; nobody waits any more."""
    window = broadcast()
    window.end()
    assert window.text().endswith("#EXT-X-ENDLIST\n")
    assert "PRELOAD" not in window.text()
    assert window.has(99, 0)


def test_golden_multivariant() -> None:
    """One variant, with what its tracks are and how much they take."""
    assert multivariant("live.m3u8", ("avc1.42c020", "opus"), (1280, 720), (1_500_000, 1_200_000)) == (
        "#EXTM3U\n#EXT-X-VERSION:9\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=1500000,AVERAGE-BANDWIDTH=1200000,CODECS="avc1.42c020,opus",RESOLUTION=1280x720\n'
        "live.m3u8\n"
    )


def test_who_waits() -> None:
    """What is there is answered; the next parts and the next segment are waited for; a directive must make sense."""
    window = broadcast()  # segment 5 is whole, of segment 6 there is part 0
    assert window.has(None, None)
    assert all(window.has(*asked) for asked in ((4, None), (5, None), (5, 3), (5, 4), (6, 0)))
    assert not any(window.has(*asked) for asked in ((6, None), (6, 1), (6, ADVANCE_PARTS), (7, None), (7, 0)))
    assert code(window, None, 0) == code(window, 6, 1 + ADVANCE_PARTS) == code(window, 8, None) == "malformed"


def test_a_part_beyond_the_last_is_the_first_of_the_next() -> None:
    """Part 4 of a segment that turned out to have 4 (0 to 3) means part 0 of the next, and waits for that."""
    window = rounded([part for part in aired(4).parts if part.segment == 5])
    assert window.has(5, 3)
    assert not window.has(5, 4)


def test_names_stand_for_bytes() -> None:
    """A segment is its parts, one after another; what comes next is waited for; anything else is not there."""
    window = broadcast()
    parts = [window.file(f"17-5.{index}.m4s") for index in range(4)]
    assert window.file("17-5.m4s") == b"".join(part or b"" for part in parts)
    assert window.file("17-5.mp4")[4:8] == b"ftyp"  # type: ignore[index]
    assert window.file("17-6.1.m4s") is None
    for name in ("17-6.m4s", "17-6.2.m4s", "17-5.4.m4s", "16-5.m4s", "17-4.mp4", "17-5.m4v", "x", "17-5.0.mp4"):
        with pytest.raises(Refusal) as refused:
            window.file(name)
        assert refused.value.code == "not_found"


def test_the_window_moves() -> None:
    """A long show is told of its last 24 s; sequence numbers grow with what is left out; what was left out just now can
    still be fetched."""
    window = rounded(aired(90).parts)
    text = window.text()
    first = int(re.findall(r"MEDIA-SEQUENCE:(\d+)", text)[0])
    listed = [int(number) for number in re.findall(r"^17-(\d+)\.m4s$", text, re.M)]
    assert listed == list(range(first, first + len(listed)))
    assert 20 <= 2 * len(listed) <= 6 * TARGET_S
    assert window.file(f"17-{first - 1}.m4s")
    with pytest.raises(Refusal):
        window.file("17-5.m4s")


def test_every_part_of_a_new_size_has_its_own_init() -> None:
    """Of two sizes in one show each is named where it begins."""
    ring = Taken()
    host = Host(ring)
    host.run(2.5)
    for number in range(40):
        host.picture(2500 + number * 33, key=number == 0, sets=(CHROMIUM_360P, PPS))
    text = rounded(ring.parts).text()
    assert re.findall(r"EXT-X-(DISCONTINUITY$|MAP)", text, re.M) == ["MAP", "DISCONTINUITY", "MAP"]


def test_captions_stand_in_the_segment_that_is_open() -> None:
    """A line typed while segment 6 is open stands in its file, in its language, and nowhere else; late ones begin there."""
    parts = aired(6).parts
    window = rounded([part for part in parts if (part.segment, part.index) <= (6, 0)])
    window.say(cue("Zu spät <b>& doch</b>", "de", 6_000))
    window.say(cue("Look at this", "en", 7_250))
    for part in parts:
        if (part.segment, part.index) > (6, 0):
            window.add(part)
    assert window.langs == ["de", "en"]
    assert window.file("17-5.de.vtt") == b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
    assert (window.file("17-6.de.vtt") or b"").decode() == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
        "\n00:00:07.000 --> 00:00:08.000\nZu spät &lt;b&gt;&amp; doch&lt;/b&gt;\n"
    )
    assert b"00:00:07.250 --> 00:00:09.250\nLook at this\n" in (window.file("17-6.en.vtt") or b"")
    assert [line for line in window.captions("de").splitlines() if line.endswith(".vtt")] == [
        f"17-{number}.de.vtt" for number in (5, 6, 7)
    ]
    told = multivariant("live.m3u8", ("avc1.42c020",), None, (1, 1), window.langs)
    assert 'LANGUAGE="en",AUTOSELECT=YES,DEFAULT=NO,FORCED=NO,URI="captions-en.m3u8"' in told
    assert 'SUBTITLES="captions"\nlive.m3u8\n' in told
