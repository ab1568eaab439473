"""The picture of a host that sends sound alone: every way out has a picture track, so that none needs another player.

Encoded once, when it is first needed (about 10 ms): SPS, PPS and one IDR picture.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
from PIL import Image, ImageDraw

from livesale.media import h264

WIDTH, HEIGHT = 640, 360
_GROUND, _BAR = (24, 22, 28), (92, 86, 104)
_BARS = (40, 90, 140, 70, 180, 110, 60, 130, 50)  # heights: a sound wave


@cache
def still() -> tuple[bytes, ...]:
    """The NAL units of the picture."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base = Fraction(1, 5)
    encoder.options = {"profile": "baseline", "tune": "stillimage", "preset": "veryfast", "x264-params": "annexb=1"}
    picture: av.VideoFrame = av.VideoFrame.from_image(_drawn())  # type: ignore[no-untyped-call]
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    units = h264.split_annex_b(b"".join(map(bytes, packets)))
    return tuple(unit for unit in units if h264.nal_type(unit) in (h264.SPS, h264.PPS, h264.IDR))


def _drawn() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    pen = ImageDraw.Draw(image)
    for place, height in enumerate(_BARS):
        left = WIDTH // 2 + (place - len(_BARS) // 2) * 28 - 6
        pen.rounded_rectangle((left, (HEIGHT - height) // 2, left + 12, (HEIGHT + height) // 2), 6, fill=_BAR)
    return image
