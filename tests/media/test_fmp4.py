"""The muxer's boxes, byte for byte."""

from __future__ import annotations

import io

import av
import pytest

from livesale.media import fmp4, h264
from livesale.media.frames import AUDIO, VIDEO
from tests.media.test_h264 import CHROMIUM_540P

PPS = b"\x68\xce\x3c\x80"
CONTAINERS = {"moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"}

VIDEO_TREE = (
    "ftyp(24) moov[mvhd(108) trak[tkhd(92) mdia[mdhd(32) hdlr(38) minf[vmhd(20) dinf[dref(28)] "
    "stbl[stsd(144) stts(16) stsc(16) stco(16) stsz(20)]]]] mvex[trex(32)]]"
)
AUDIO_TREE = (
    "ftyp(24) moov[mvhd(108) trak[tkhd(92) mdia[mdhd(32) hdlr(38) minf[smhd(16) dinf[dref(28)] "
    "stbl[stsd(71) stts(16) stsc(16) stco(16) stsz(20)]]]] mvex[trex(32)]]"
)


def tree(data: bytes) -> str:
    """The boxes of `data` with their sizes."""
    found = []
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8].decode()
        assert 8 <= size <= len(data) - at
        inside = data[at + 8 : at + size]
        found.append(f"{kind}[{tree(inside)}]" if kind in CONTAINERS else f"{kind}({size})")
        at += size
    return " ".join(found)


def video_init() -> bytes:
    return fmp4.video_init(h264.parse_sps(CHROMIUM_540P), CHROMIUM_540P, PPS)


def test_golden_box_trees() -> None:
    """Inits and fragments have exactly these boxes of these sizes."""
    assert tree(video_init()) == VIDEO_TREE
    assert tree(fmp4.audio_init()) == AUDIO_TREE
    fragment = fmp4.fragment(VIDEO, 0, 1, 2, True, b"x" * 10)
    assert tree(fragment) == "moof[mfhd(16) traf[tfhd(16) tfdt(20) trun(32)]] mdat(18)"


def test_golden_fragment() -> None:
    """A fragment's bytes: 100 of moof, then the sample as it is."""
    assert (
        fmp4.fragment(AUDIO, 6, 0x1_0000_0002, 960, True, b"opus").hex()
        == (
            "000000646d6f6f66"
            "000000106d66686400000000" + "00000007"
            "0000004c74726166"
            "0000001074666864" + "00020000" + "00000002"
            "0000001474666474" + "01000000" + "0000000100000002"
            "000000207472756e" + "00000701" + "00000001" + "0000006c" + "000003c0" + "00000004" + "02000000"
            "0000000c6d646174"
        )
        + b"opus".hex()
    )


@pytest.mark.parametrize("track", [VIDEO, AUDIO])
def test_a_fragment_tells_its_time_duration_and_sample(track: int) -> None:
    """Recorder and HLS find in a fragment what went into it."""
    data = fmp4.fragment(track, 3, 1 << 33, 4_500, False, b"sample")

    time, duration, sample = fmp4.sample_of(data)

    assert (time, duration, bytes(sample)) == (1 << 33, 4_500, b"sample")


def test_ffmpeg_reads_what_the_init_says() -> None:
    """FFmpeg finds the codec, the size and the channels in our inits."""
    sample = fmp4.video_sample([b"\x65" + bytes(40)])
    with av.open(io.BytesIO(video_init() + fmp4.fragment(VIDEO, 0, 90_000, 3_000, True, sample))) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.width, context.height) == ("h264", 960, 540)
    sound = b"".join(fmp4.fragment(AUDIO, n, n * 960, 960, True, b"\xf8\xff\xfe") for n in range(5))
    with av.open(io.BytesIO(fmp4.audio_init() + sound)) as file:
        stream = file.streams.audio[0]
        assert (stream.codec_context.name, stream.codec_context.channels) == ("opus", 2)
        assert [packet.pts for packet in file.demux(stream) if packet.size] == [0, 960, 1920, 2880, 3840]


def test_the_mse_type_comes_from_the_parameter_set() -> None:
    """The type is what the stream is, not what the offer said."""
    assert fmp4.video_mse_type(h264.parse_sps(CHROMIUM_540P)) == 'video/mp4; codecs="avc1.42c020"'
