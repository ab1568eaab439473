"""A small drawing kit: filled outlines with light on them, drawn at twice the size and scaled down for clean
edges.

Points are in units of an 800 × 800 picture. Everything is an outline; a `Paint` fills its bounding box with
light and shade. Nothing is random, so a picture is the same on every machine with the same Pillow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageFilter

SIZE = 800
SCALE = 2
TABLE_Y = 590

Point = tuple[float, float]
Colour = tuple[int, int, int]
Paint = Callable[[int, int], Image.Image]


def colour(code: str) -> Colour:
    """`#d9381e` as red, green, blue."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0–1) of `other`."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def lighter(base: Colour, share: float) -> Colour:
    """Towards warm white."""
    return mixed(base, (255, 252, 244), share)


def darker(base: Colour, share: float) -> Colour:
    """Towards warm black."""
    return mixed(base, (34, 24, 18), share)


def flat(base: Colour) -> Paint:
    """One colour."""
    return lambda width, height: Image.new("RGB", (width, height), base)


def across(*stops: Colour) -> Paint:
    """Colours from left to right, evenly spaced."""
    return lambda width, height: _stops(stops).resize((width, height), Image.Resampling.BILINEAR)


def down(*stops: Colour) -> Paint:
    """Colours from top to bottom, evenly spaced."""
    return lambda width, height: (
        _stops(stops).transpose(Image.Transpose.ROTATE_270).resize((width, height), Image.Resampling.BILINEAR)
    )


def round_body(base: Colour, gloss: float = 0.35) -> Paint:
    """A turned body lit from the left: soft edge, light at a quarter, shade on the right, a little light
    back.
    """
    return across(
        darker(base, 0.25),
        lighter(base, gloss * 0.5),
        lighter(base, gloss),
        base,
        darker(base, 0.16),
        darker(base, 0.34),
        darker(base, 0.42),
        darker(base, 0.3),
    )


def ellipse(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360) -> list[Point]:
    """Points of an ellipse, or of a part of it (degrees, clockwise from the right)."""
    steps = max(8, round(abs(end - start) / 4))
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


def box(left: float, top: float, right: float, bottom: float, radius: float = 0) -> list[Point]:
    """A rectangle with rounded corners."""
    r = min(radius, (right - left) / 2, (bottom - top) / 2)
    if r <= 0:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    return [
        *ellipse(right - r, top + r, r, r, -90, 0),
        *ellipse(right - r, bottom - r, r, r, 0, 90),
        *ellipse(left + r, bottom - r, r, r, 90, 180),
        *ellipse(left + r, top + r, r, r, 180, 270),
    ]


def smooth(points: Sequence[Point], closed: bool = False, steps: int = 12) -> list[Point]:
    """A Catmull-Rom curve through `points`."""
    count = len(points)
    spans = count if closed else count - 1
    curve: list[Point] = []
    for span in range(spans):
        p0, p1, p2, p3 = (_neighbour(points, span + offset, closed) for offset in (-1, 0, 1, 2))
        curve += [_catmull(p0, p1, p2, p3, step / steps) for step in range(steps)]
    return curve if closed else [*curve, points[-1]]


def lathe(x: float, profile: Sequence[tuple[float, float]], curved: bool = True) -> list[Point]:
    """The outline of a turned body on the axis `x`: `profile` is (y, half width) from top to bottom."""
    right = [(x + half, y) for y, half in profile]
    right = smooth(right) if curved else right
    bottom, half = profile[-1]
    # Seen from slightly above, the front of a round foot bulges towards us.
    foot = ellipse(x, bottom, half, half * 0.11, 0, 180)
    return [*right, *foot, *((2 * x - px, py) for px, py in reversed(right))]


def turned(points: Sequence[Point], centre: Point, degrees: float) -> list[Point]:
    """`points` turned clockwise about `centre`."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = centre
    return [(x + (px - x) * cos - (py - y) * sin, y + (px - x) * sin + (py - y) * cos) for px, py in points]


class Canvas:
    """One picture being drawn: light from the upper left on a wall and a table, then whatever is put there.

    Without a `wall` the table is seen from above. `zoom` enlarges the middle of the finished picture.
    """

    def __init__(self, wall: str | None, table: str, zoom: float = 1.0) -> None:
        self._image = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE))
        self._zoom = zoom
        if wall is None:
            self._lay(colour(table))
        else:
            self._stand(wall, table)

    def _lay(self, top: Colour) -> None:
        self.fill(box(0, 0, SIZE, SIZE), down(lighter(top, 0.2), top, darker(top, 0.06)))
        self.glow(240, 180, 520, (255, 250, 236), 0.5)

    def _stand(self, wall: str, table: str) -> None:
        shade, top = colour(wall), colour(table)
        self.fill(box(0, 0, SIZE, TABLE_Y), down(lighter(shade, 0.28), shade, darker(shade, 0.04)))
        self.fill(box(0, TABLE_Y, SIZE, SIZE), down(darker(top, 0.07), top, lighter(top, 0.16)))
        self.fill(box(0, TABLE_Y - 1, SIZE, TABLE_Y + 1), flat(darker(top, 0.16)), 0.5)
        self.glow(250, 200, 430, (255, 250, 236), 0.55)

    def fill(self, points: Sequence[Point], paint: Paint, opacity: float = 1.0) -> None:
        """Fill the outline."""
        left, top, right, bottom = _bounds(points)
        size = right - left, bottom - top
        mask = Image.new("L", size, 0)
        moved = [(px * SCALE - left, py * SCALE - top) for px, py in points]
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * opacity))
        self._image.paste(paint(*size), (left, top), mask)

    def line(self, points: Sequence[Point], width: float, base: Colour, opacity: float = 1.0) -> None:
        """A stroke with round ends, drawn as an outline (Pillow's own thick lines are jagged on curves)."""
        half, outline = width / 2, _ribbon(points, width / 2)
        left, top, right, bottom = _bounds(outline, half)
        mask = Image.new("L", (right - left, bottom - top), 0)
        draw = ImageDraw.Draw(mask)
        for part in (outline, ellipse(*points[0], half, half), ellipse(*points[-1], half, half)):
            draw.polygon(
                [(px * SCALE - left, py * SCALE - top) for px, py in part], fill=round(255 * opacity)
            )
        self._image.paste(base, (left, top), mask)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.42) -> None:
        """What a body standing at `x, y` takes from the table's light, falling to the right."""
        self._blurred(
            ellipse(x + rx * 0.16, y + ry * 0.1, rx * 1.12, ry * 1.25), 22, (58, 40, 28), strength * 0.7
        )
        self._blurred(ellipse(x + rx * 0.04, y, rx * 0.97, ry * 0.75), 7, (44, 28, 20), strength)

    def cast(self, points: Sequence[Point], strength: float = 0.3, blur: float = 14) -> None:
        """The soft shadow of an outline lying flat or hanging close to the wall."""
        self._blurred([(px + 9, py + 13) for px, py in points], blur, (52, 36, 26), strength)

    def glow(self, x: float, y: float, radius: float, base: Colour, strength: float) -> None:
        """Light that fades outwards."""
        side = round(radius * 2 * SCALE)
        fade = Image.radial_gradient("L").resize((side, side), Image.Resampling.BILINEAR)
        # Pillow's radial gradient reaches 255 beyond the inscribed circle; only the part inside may shine.
        mask = fade.point([max(0, round((180 - level) / 180 * 255 * strength)) for level in range(256)])
        corner = round((x - radius) * SCALE), round((y - radius) * SCALE)
        self._image.paste(base, corner, mask)

    def shine(self, points: Sequence[Point], strength: float = 0.5, blur: float = 5) -> None:
        """A soft reflection."""
        self._blurred(points, blur, (255, 253, 247), strength)

    def finished(self) -> Image.Image:
        """The picture, 800 × 800."""
        half = SIZE * SCALE / 2 / self._zoom
        x, y = SIZE * SCALE / 2, SIZE * SCALE / 2 + (SIZE * SCALE / 2 - half) * 0.45
        frame = (x - half, y - half, x + half, y + half)
        return self._image.resize((SIZE, SIZE), Image.Resampling.LANCZOS, frame)

    def _blurred(self, points: Sequence[Point], blur: float, base: Colour, strength: float) -> None:
        left, top, right, bottom = _bounds(points, blur * 5)
        # A blur hides detail anyway: at half the size it costs a quarter.
        mask = Image.new("L", ((right - left) // 2, (bottom - top) // 2), 0)
        moved = [((px * SCALE - left) / 2, (py * SCALE - top) / 2) for px, py in points]
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE / 2)).resize((right - left, bottom - top))
        whole = Image.new("L", self._image.size, 0)
        whole.paste(mask, (left, top))
        self._image.paste(base, (0, 0), whole)


def _stops(stops: Sequence[Colour]) -> Image.Image:
    ramp = Image.new("RGB", (64, 1))
    for place in range(64):
        position = place / 63 * (len(stops) - 1)
        index = min(int(position), max(0, len(stops) - 2))
        following = stops[min(index + 1, len(stops) - 1)]
        ramp.putpixel((place, 0), mixed(stops[index], following, position - index))
    return ramp


def _bounds(points: Sequence[Point], margin: float = 0) -> tuple[int, int, int, int]:
    xs, ys = [px for px, _ in points], [py for _, py in points]
    left, top = math.floor((min(xs) - margin) * SCALE), math.floor((min(ys) - margin) * SCALE)
    right, bottom = math.ceil((max(xs) + margin) * SCALE), math.ceil((max(ys) + margin) * SCALE)
    return left, top, max(right, left + 2), max(bottom, top + 2)


def _ribbon(points: Sequence[Point], half: float) -> list[Point]:
    sides: list[tuple[Point, Point]] = []
    for place, (px, py) in enumerate(points):
        before, after = points[max(0, place - 1)], points[min(len(points) - 1, place + 1)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = math.hypot(dx, dy) or 1.0
        nx, ny = -dy / length * half, dx / length * half
        sides.append(((px + nx, py + ny), (px - nx, py - ny)))
    return [one for one, _ in sides] + [other for _, other in reversed(sides)]


def _neighbour(points: Sequence[Point], index: int, closed: bool) -> Point:
    return points[index % len(points)] if closed else points[max(0, min(index, len(points) - 1))]


def _catmull(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def at(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (
            2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
        )

    return at(p0[0], p1[0], p2[0], p3[0]), at(p0[1], p1[1], p2[1], p3[1])
