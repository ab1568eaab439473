"""NAL units out of RTP, and what parameter sets say, against bytes real encoders wrote."""

from __future__ import annotations

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from livesale.media import h264
from livesale.media.h264 import Picture

CHROMIUM_540P = bytes.fromhex("6742c0208c8d407808bf735060606078442350")  # as its OpenH264 wrote them
CHROMIUM_360P = bytes.fromhex("6742c01f8c8d405017fcb35060606078442350")
FFMPEG_720P = bytes.fromhex("6742c01fda014016ec044000000300400000078a3c60ca80")


@pytest.mark.parametrize(
    ("sps", "picture"),
    [
        (CHROMIUM_540P, Picture(960, 540, "avc1.42c020")),
        (CHROMIUM_360P, Picture(640, 360, "avc1.42c01f")),
        (FFMPEG_720P, Picture(1280, 720, "avc1.42c01f")),
    ],
)
def test_golden_parameter_sets(sps: bytes, picture: Picture) -> None:
    """Size and codec string are read from the sequence parameter sets that Chromium and x264 write."""
    assert h264.parse_sps(sps) == picture


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (1918, 1078), (360, 640), (96, 54)])
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_size_and_profile_of_what_x264_writes(width: int, height: int, profile: str) -> None:
    """Cropping and the longer header of the high profiles are understood, for any even size."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.framerate = width, height, "yuv420p", 30
    codec.options = {"profile": profile, "preset": "medium"}
    frame = av.VideoFrame.from_image(Image.new("RGB", (width, height)))
    stream = b"".join(bytes(packet) for packet in (*codec.encode(frame), *codec.encode(None)))
    sps = next(nal for nal in h264.split_annex_b(stream) if h264.nal_type(nal) == h264.SPS)

    picture = h264.parse_sps(sps)

    assert (picture.width, picture.height) == (width, height)
    assert picture.codec.startswith({"baseline": "avc1.42", "main": "avc1.4d", "high": "avc1.64"}[profile])


@given(st.binary(max_size=64))
def test_rubbish_is_no_parameter_set(data: bytes) -> None:
    """Any bytes give a picture of possible size or ValueError, nothing else."""
    try:
        picture = h264.parse_sps(b"\x67" + data)
    except ValueError:
        return
    assert 16 <= picture.width <= 16_384


def fragmented(nal: bytes, size: int) -> list[bytes]:
    """`nal` as FU-A payloads of `size` bytes each."""
    body = nal[1:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    indicator = nal[0] & 0xE0 | h264.FU_A
    return [
        bytes((indicator, nal[0] & 0x1F | 0x80 * (i == 0) | 0x40 * (i == len(parts) - 1))) + part
        for i, part in enumerate(parts)
    ]


@given(st.lists(st.binary(min_size=30, max_size=90), min_size=1, max_size=5), st.integers(10, 25))
def test_a_frame_comes_out_of_its_payloads_as_it_went_in(bodies: list[bytes], size: int) -> None:
    """Single units, aggregates and fragments together give back the units in order."""
    nals = [bytes((0x65,)) + body for body in bodies]
    sets = [CHROMIUM_540P, b"\x68\xce\x3c\x80"]
    aggregate = b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in sets)
    payloads = [aggregate, nals[0], *(part for nal in nals for part in fragmented(nal, size))]

    assert h264.depacketize(payloads) == (*sets, nals[0], *nals)


@given(st.lists(st.binary(max_size=12), max_size=6))
def test_malformed_payloads_are_refused(payloads: list[bytes]) -> None:
    """Any payloads give units or ValueError, nothing else."""
    try:
        nals = h264.depacketize(payloads)
    except ValueError:
        return
    assert all(nals)


def test_a_fragment_without_its_end_is_refused() -> None:
    """Half a unit is never handed on."""
    parts = fragmented(b"\x65" + bytes(range(60)), 20)
    for missing in (0, len(parts) - 1):
        with pytest.raises(ValueError, match="lacks"):
            h264.depacketize([part for index, part in enumerate(parts) if index != missing])


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (CHROMIUM_540P, True),
        (b"\x78\x00\x13" + CHROMIUM_540P, True),
        (b"\x7c\x85\x00", False),
        (b"\x61\x00", False),
    ],
)
def test_where_a_key_frame_starts(payload: bytes, starts: bool) -> None:
    """A key frame starts with its sequence parameter set, alone or aggregated."""
    assert h264.starts_key_frame(payload) is starts
