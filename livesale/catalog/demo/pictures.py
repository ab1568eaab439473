"""Pictures of the demo shop: `picture(sku)`, files of all of them, and the frames of the demo's programme."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from PIL import Image

from livesale.catalog.demo.canvas import Canvas
from livesale.catalog.demo.drawings import DRAWINGS, SAND
from livesale.catalog.demo.flatlays import parcel
from livesale.catalog.demo.programme import prepare, programme_frame
from livesale.catalog.feed import FeedReport, read_feed

__all__ = ["demo_feed", "feed_bytes", "picture", "prepare", "programme_frame", "render_all"]

WEBP_QUALITY = 88


def feed_bytes() -> bytes:
    """The demo shop's product feed."""
    return files("livesale.catalog.demo").joinpath("feed.xml").read_bytes()


def demo_feed() -> FeedReport:
    """The demo shop's feed, read."""
    return read_feed(feed_bytes())


@lru_cache(maxsize=64)
def picture(sku: str) -> Image.Image:
    """The 800 × 800 picture of an article; a wrapped parcel when it is not the demo's. Do not draw on it."""
    ground, zoom, drawing = DRAWINGS.get(sku, (SAND, 1.15, parcel))
    canvas = Canvas(*ground, zoom)
    drawing(canvas)
    return canvas.finished()


def render_all(folder: Path) -> list[Path]:
    """Write `SKU.webp` for every article into `folder`; what is there already is left alone. Blocking,
    seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for sku in DRAWINGS:
        target = folder / f"{sku}.webp"
        if not target.exists():
            unfinished = target.with_suffix(".part")
            picture(sku).save(unfinished, "WEBP", quality=WEBP_QUALITY, method=4)
            unfinished.rename(target)
            written.append(target)
    return written
