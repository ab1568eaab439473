"""Pictures for tests that publish: a white bar that moves one step a picture over a grey ground."""

from __future__ import annotations

from PIL import Image, ImageDraw

BAR_PX = 80
PX_PER_S = 240


def moving_bar(t: float) -> Image.Image:
    """The picture of second `t`, 1280×720."""
    picture = Image.new("RGB", (1280, 720), (60, 60, 60))
    left = int(t * PX_PER_S) % 1200
    ImageDraw.Draw(picture).rectangle([left, 0, left + BAR_PX, 720], fill="white")
    return picture
