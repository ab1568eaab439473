"""The demo shop: a feed that is read without a fault, a picture for everything in it, frames for its
programme.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from livesale.catalog.demo.drawings import DRAWINGS
from livesale.catalog.demo.pictures import demo_feed, picture, programme_frame, render_all
from livesale.catalog.demo.programme import shown, sum_shown
from livesale.kernel.money import Money

PRICE = Money(1690, "EUR")


@dataclass(frozen=True)
class Article:
    """A product with only what a frame needs."""

    sku: str = "HH-201"
    title: str = "Stoneware Mug, Sage"
    price: Money = PRICE


def test_the_demo_feed_has_no_bad_row() -> None:
    """At least 32 products, all in EUR, some gated by age, none rejected."""
    report = demo_feed()
    assert report.rejected == []
    assert len(report.products) >= 32
    assert {product.price.currency for product in report.products} == {"EUR"}
    assert {product.age_gate for product in report.products} == {None, 16, 18}


def test_every_article_has_its_own_picture() -> None:
    """Each row of the feed has a drawing, named as its image_link says, and no drawing is left over."""
    rows = {product.sku: product.image for product in demo_feed().products}
    assert rows == {sku: f"/pictures/demo/{sku}.webp" for sku in DRAWINGS}


def test_pictures_are_drawn_the_same_every_time() -> None:
    """800 × 800, the same pixels again, and something on it."""
    first = picture("HH-104")
    picture.cache_clear()
    assert (first.size, first.mode) == ((800, 800), "RGB")
    assert differing(first, picture("HH-104")) == 0
    assert max(ImageStat.Stat(first).stddev) > 10


def test_an_unknown_article_is_a_parcel() -> None:
    """A product that is not the demo's still has a picture."""
    assert differing(picture("no-such"), picture("neither")) == 0


def test_files_are_written_once(tmp_path: Path) -> None:
    """`render_all` leaves existing files alone, half-written ones are not there, and WebP can be read back.
    """
    kept = tmp_path / "HH-101.webp"
    for sku in DRAWINGS:
        (tmp_path / f"{sku}.webp").write_bytes(b"already here")
    (tmp_path / "HH-102.webp").unlink()
    assert render_all(tmp_path) == [tmp_path / "HH-102.webp"]
    assert kept.read_bytes() == b"already here"
    assert Image.open(tmp_path / "HH-102.webp").size == (800, 800)
    assert not list(tmp_path.glob("*.part"))


def test_the_programme_moves() -> None:
    """A frame is what was asked for, the same for the same moment, and moves from one moment to the next."""
    frame = programme_frame(Article(), 12.0)
    assert (frame.size, frame.mode) == ((1280, 720), "RGB")
    assert differing(frame, programme_frame(Article(), 12.0)) == 0
    moments = [programme_frame(Article(), 12.0 + step / 20) for step in range(20)]
    assert sum(differing(one, other) > 0 for one, other in pairwise(moments)) >= 15


def test_drawing_on_a_frame_spoils_no_other() -> None:
    """A frame belongs to its caller."""
    programme_frame(Article(), 5.0).paste((0, 0, 0), (0, 0, 1280, 720))
    assert max(ImageStat.Stat(programme_frame(Article(), 5.0)).mean) > 100


def test_any_product_can_be_on_air() -> None:
    """Endless and foreign titles, large sums, odd times and small frames are drawn, not refused."""
    for article in (
        Article(title="x" * 150),
        Article(title="wort " * 30),
        Article(title="日本の茶碗"),
        Article(title=""),
        Article(price=Money(10**12, "JPY")),
    ):
        for elapsed_s in (-1.0, 0.0, 59.999, 86_400.0 * 3):
            assert programme_frame(article, elapsed_s, 640, 360).size == (640, 360)
    assert shown("Größe – Café") == "Grosse - Cafe"
    assert (sum_shown(Money(5, "EUR")), sum_shown(Money(1200, "JPY"))) == ("0.05 EUR", "1200 JPY")


def test_todays_price_is_the_one_shown() -> None:
    """A lower price than the feed's changes the frame."""
    lower = programme_frame(Article(), 1.0, price=Money(990, "EUR"))
    assert differing(programme_frame(Article(), 1.0), lower) > 0


def differing(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures are apart, 0 when they are equal."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).sum)
