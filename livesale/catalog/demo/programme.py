"""The demo's programme: teleshopping pictures of one product, cheap enough to be made live beside everything
else.

All that holds still is drawn once per product; a frame copies it and pastes the moving window of the
picture, the clock's digits, the lamp and the bar: 0.6 ms of CPU for 1280 × 720 (measured over 300 frames,
one core).
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache
from typing import Protocol

from PIL import Image, ImageDraw, ImageFont

from livesale.catalog.demo.canvas import Colour, colour
from livesale.kernel.money import Money, minor_digits

PAPER, INK, QUIET, HAIRLINE = (colour(code) for code in ("#faf7f2", "#1c1917", "#78716c", "#e4ddd1"))
SIGNAL = colour("#d9381e")
PAN_SHARE = 0.08  # how much of the picture lies outside the window
PAN_PERIOD_S = 17.0
BAR_PERIOD_S = 30.0
STAGES_KEPT = 12  # each about 8 MB at 720p
LONGEST_TITLE_LINES = 4

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Shown(Protocol):
    """What a frame needs of a product: `FeedProduct` and `Product` both have it."""

    @property
    def sku(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def price(self) -> Money: ...


def programme_frame(
    product: Shown, elapsed_s: float, width: int = 1280, height: int = 720, price: Money | None = None
) -> Image.Image:
    """The RGB frame of `product` after `elapsed_s` seconds on air; `price`: today's, when not the feed's.

    The same arguments give the same picture. The first frame of a product takes a few 100 ms (draw it ahead
    with `prepare`, off the event loop). Made for 16:9, from 320 × 180 up.
    """
    return _stage(product.sku, product.title, price or product.price, width, height).at(elapsed_s)


def prepare(product: Shown, width: int = 1280, height: int = 720, price: Money | None = None) -> None:
    """Draw what holds still, so that the product's first frame is as quick as the others. Blocking."""
    _stage(product.sku, product.title, price or product.price, width, height)


@lru_cache(maxsize=STAGES_KEPT)
def _stage(sku: str, title: str, price: Money, width: int, height: int) -> _Stage:
    return _Stage(sku, title, price, width, height)


class _Stage:
    """One product's set: the still parts, and the places where something moves."""

    def __init__(self, sku: str, title: str, price: Money, width: int, height: int) -> None:
        from livesale.catalog.demo.pictures import (
            picture,
        )  # pictures offers programme_frame to its users, too

        self._unit = height / 720
        self._window = min(height, round(width * 0.5625))
        large = round(max(self._window, height) * (1 + PAN_SHARE))
        self._picture = picture(sku).resize((large, large), Image.Resampling.LANCZOS)
        self._left = self._window + round(48 * self._unit)
        self._right = width - round(48 * self._unit)
        self._height = height
        self._base = Image.new("RGB", (width, height), PAPER)
        self._draw_still(title, price)
        self._digits = {sign: self._text_image(sign, 34, INK) for sign in "0123456789:"}
        self._lamps = [self._lamp(step / 8) for step in range(9)]
        self._bar = Image.new(
            "RGB", (max(1, self._right - self._left), max(2, round(4 * self._unit))), SIGNAL
        )

    def at(self, elapsed_s: float) -> Image.Image:
        """The frame after `elapsed_s` seconds."""
        frame = self._base.copy()
        frame.paste(self._picture.crop(self._pan(elapsed_s)), (0, 0))
        self._paste_clock(frame, elapsed_s)
        pulse = (1 + math.cos(elapsed_s * math.tau / 2)) / 2
        frame.paste(self._lamps[round(pulse * 8)], (self._left, round(52 * self._unit)))
        share = (elapsed_s % BAR_PERIOD_S) / BAR_PERIOD_S
        bar = self._bar.crop((0, 0, max(1, round(self._bar.width * share)), self._bar.height))
        frame.paste(bar, (self._left, round(628 * self._unit)))
        return frame

    def _pan(self, elapsed_s: float) -> tuple[int, int, int, int]:
        spare_x, spare_y = self._picture.width - self._window, self._picture.height - self._height
        angle = elapsed_s * math.tau / PAN_PERIOD_S
        x = round(spare_x * (0.5 + 0.5 * math.sin(angle)))
        y = round(spare_y * (0.5 + 0.4 * math.cos(angle * 0.7)))
        return x, y, x + self._window, y + self._height

    def _paste_clock(self, frame: Image.Image, elapsed_s: float) -> None:
        minutes, seconds = divmod(int(max(0.0, elapsed_s)), 60)
        advance = self._digits["0"].width
        x, y = self._left, round(650 * self._unit)
        for sign in f"{minutes:02d}:{seconds:02d}":
            digit = self._digits[sign]
            frame.paste(digit, (x + (advance - digit.width) // 2 if sign != ":" else x, y))
            x += advance if sign != ":" else digit.width

    def _draw_still(self, title: str, price: Money) -> None:
        draw, unit = ImageDraw.Draw(self._base), self._unit
        self._write(draw, "ON AIR", round(self._left + 34 * unit), 47, 26, SIGNAL)
        self._write(draw, "Haus & Herd", self._left, 112, 24, QUIET)
        line = round(1.5 * unit) or 1
        draw.line((self._left, round(156 * unit), self._right, round(156 * unit)), HAIRLINE, line)
        y = 184.0
        for text in self._wrapped(shown(title)):
            self._write(draw, text, self._left, y, 50, INK)
            y += 62
        whole, _, currency = sum_shown(price).partition(" ")
        size = 92 if len(whole) <= 7 else 60
        self._write(draw, whole, self._left, 478, size, SIGNAL, bold=True)
        after = self._left + self._font(size).getlength(whole) + 18 * unit
        self._write(draw, currency, round(after), 478 + size * 0.52, 34, SIGNAL)
        self._write(draw, "incl. VAT", self._left, 584, 20, QUIET)
        track = round(628 * unit)
        draw.rectangle((self._left, track, self._right - 1, track + max(2, round(4 * unit)) - 1), HAIRLINE)
        self._write(draw, "payment sandbox - demo", round(self._right - 230 * unit), 662, 20, QUIET)

    def _wrapped(self, text: str) -> list[str]:
        font, lines = self._font(50), [""]
        for word in text.split():
            joined = f"{lines[-1]} {word}".strip()
            if font.getlength(joined) <= self._right - self._left or not lines[-1]:
                lines[-1] = joined
            else:
                lines.append(word)
        return lines if len(lines) <= LONGEST_TITLE_LINES else [*lines[: LONGEST_TITLE_LINES - 1], "..."]

    def _write(
        self,
        draw: ImageDraw.ImageDraw,
        text: str,
        x: int,
        y: float,
        size: float,
        ink: Colour,
        bold: bool = False,
    ) -> None:
        stroke = max(1, round(1.6 * self._unit)) if bold else 0
        place = (x, round(y * self._unit))
        draw.text(place, text, ink, self._font(size), stroke_width=stroke, stroke_fill=ink)

    def _font(self, size: float) -> Font:
        return ImageFont.load_default(max(6.0, size * self._unit))

    def _text_image(self, text: str, size: float, ink: Colour) -> Image.Image:
        font = self._font(size)
        image = Image.new(
            "RGB", (math.ceil(font.getlength(text)) + 1, round(size * 1.3 * self._unit) + 1), PAPER
        )
        ImageDraw.Draw(image).text((0, 0), text, ink, font)
        return image

    def _lamp(self, brightness: float) -> Image.Image:
        side = max(4, round(20 * self._unit))
        tone = tuple(
            round(p + (s - p) * (0.25 + 0.75 * brightness)) for p, s in zip(PAPER, SIGNAL, strict=True)
        )
        lamp = Image.new("RGB", (side * 4, side * 4), PAPER)
        ImageDraw.Draw(lamp).ellipse((0, 0, side * 4 - 1, side * 4 - 1), tone)
        return lamp.resize((side, side), Image.Resampling.LANCZOS)


def shown(text: str) -> str:
    """`text` in the letters the built-in face has (ASCII): accents go, ß becomes ss, the rest is left out."""
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("–", "-").replace("’", "'"))
    return folded.encode("ascii", "ignore").decode()


def sum_shown(price: Money) -> str:
    """`59.90 EUR`."""
    digits = minor_digits(price.currency)
    whole, rest = divmod(price.amount, 10**digits)
    return f"{whole}{f'.{rest:0{digits}d}' if digits else ''} {price.currency}"
