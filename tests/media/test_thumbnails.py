"""Thumbnails: a key frame becomes a small picture of what it shows."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from livesale.media import fmp4, h264
from livesale.media.chunks import Sample
from livesale.media.frames import VIDEO
from livesale.media.packager import Part, stretch_of
from livesale.media.ring import Init
from livesale.media.thumbnails import EVERY_US, POSTER, Thumbnails, thumbnail
from tests.support.media import until

RED = (200, 30, 30)


def key_frame() -> tuple[bytes, Sample]:
    """Init segment and key frame of a red picture of 640×360."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 640, 360, "yuv420p", Fraction(1, 30)
    encoder.options = {"profile": "baseline", "tune": "zerolatency"}
    frame = av.VideoFrame.from_image(Image.new("RGB", (640, 360), RED))
    data = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    units = list(h264.split_annex_b(data))
    sets = {h264.nal_type(unit): unit for unit in units}
    init = fmp4.video_init(h264.parse_sps(sets[h264.SPS]), sets[h264.SPS], sets[h264.PPS])
    picture = fmp4.video_sample(unit for unit in units if h264.nal_type(unit) not in (h264.SPS, h264.PPS))
    return init, Sample(VIDEO, 0, 3000, True, picture)


def test_a_key_frame_becomes_a_picture() -> None:
    """A JPEG of 480 pixels' width, in the colours of the frame."""
    drawn = thumbnail(*key_frame())
    assert drawn is not None
    image = Image.open(io.BytesIO(drawn))
    assert (image.format, image.size) == ("JPEG", (480, 270))
    assert all(abs(seen - meant) < 12 for seen, meant in zip(image.getpixel((240, 135)), RED, strict=True))


async def test_one_every_ten_seconds(tmp_path: Path) -> None:
    """The first key frame, then one ten seconds of show later; the newest is the poster too. A broken frame is refused."""
    init, key = key_frame()
    stretch = stretch_of(1, (Init(VIDEO, 1, 'video/mp4; codecs="avc1.42c01e"', init),))
    thumbnails = Thumbnails(tmp_path / "show")

    def part(start_us: int, sample: Sample = key) -> Part:
        return Part(stretch, 1, 0, start_us, start_us + 1, True, False, (sample,), b"")

    thumbnails.take(part(5_000_000))
    await until(lambda: (tmp_path / "show" / POSTER).exists())
    thumbnails.take(part(5_000_000 + EVERY_US - 1))
    thumbnails.take(part(5_000_000 + EVERY_US))
    await until(lambda: (tmp_path / "show" / "000000015000.jpg").exists())
    assert sorted(path.name for path in (tmp_path / "show").glob("[0-9]*.jpg")) == ["000000005000.jpg", "000000015000.jpg"]
    with pytest.raises(ValueError, match="Invalid data"):
        thumbnail(init, Sample(VIDEO, 0, 3000, True, b"\0\0\0\2\x65\0"))
