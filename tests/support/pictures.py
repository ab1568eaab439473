"""Pictures for tests that publish: a moving bar, and the time of their making for `bench.stamps.VIEWER` to read."""

from __future__ import annotations

import time

from PIL import Image, ImageDraw

BAR_PX = 80
PX_PER_S = 240


def moving_bar(t: float) -> Image.Image:
    """The picture of second `t`, 1280×720."""
    picture = Image.new("RGB", (1280, 720), (60, 60, 60))
    left = int(t * PX_PER_S) % 1200
    ImageDraw.Draw(picture).rectangle([left, 0, left + BAR_PX, 720], fill="white")
    return picture


def stamped(_t: float) -> Image.Image:
    """The clock in ms as 32 blocks of a bit, each above its opposite, 1280×720."""
    picture = Image.new("RGB", (1280, 720), (60, 60, 60))
    now, side, draw = int(time.time() * 1000), 40, ImageDraw.Draw(picture)
    for bit in range(32):
        colours = ("white", "black") if now >> bit & 1 else ("black", "white")
        for row, colour in enumerate(colours):
            draw.rectangle([bit * side, row * side, (bit + 1) * side - 1, (row + 1) * side - 1], fill=colour)
    return picture
