"""Drawings of turned and poured things: mugs, bowls, pots, vases, bottles, glasses, candles, lamps, plants.
"""

from __future__ import annotations

import math

from livesale.catalog.demo.canvas import (
    Canvas,
    Colour,
    Point,
    across,
    box,
    colour,
    darker,
    down,
    ellipse,
    flat,
    lathe,
    lighter,
    mixed,
    round_body,
    smooth,
    turned,
)

WOOD = colour("#b98352")
STEEL = colour("#b9bcc0")
LEAF = colour("#5f7f52")


def mug(canvas: Canvas, base: str, rim: str, x: float = 400, bottom: float = 650, size: float = 1.0) -> None:
    """A straight mug with its ear on the right and a glazed rim."""
    body, edge = colour(base), colour(rim)
    half, tall = 118 * size, 250 * size
    top = bottom - tall
    canvas.shadow(x, bottom, half * 1.05, 26 * size)
    ear = smooth(
        [
            (x + half * 0.9, top + tall * 0.2),
            (x + half * 1.6, top + tall * 0.22),
            (x + half * 1.66, top + tall * 0.62),
            (x + half * 0.88, top + tall * 0.78),
        ]
    )
    canvas.line(ear, 27 * size, darker(body, 0.26))
    canvas.line([(px - 3, py - 4) for px, py in ear], 13 * size, lighter(body, 0.1))
    profile = [(top, half), (bottom - tall * 0.3, half * 0.98), (bottom - 16 * size, half * 0.9)]
    canvas.fill(lathe(x, [*profile, (bottom + 8 * size, half * 0.76)]), round_body(body))
    _opening(canvas, x, top, half, 30 * size, edge, darker(edge, 0.55))
    canvas.shine(box(x - half * 0.68, top + tall * 0.2, x - half * 0.5, top + tall * 0.72, 20), 0.34)


def bowl(canvas: Canvas, base: str, inside: str, x: float = 400, y: float = 650, size: float = 1.0) -> None:
    """A wide bowl on a small foot."""
    body, wide = colour(base), 215 * size
    top = y - 165 * size
    canvas.shadow(x, y, 130 * size, 26 * size)
    profile = [(top, wide), (top + 70 * size, wide * 0.86), (y - 25 * size, wide * 0.45)]
    canvas.fill(lathe(x, [*profile, (y, wide * 0.4), (y + 8 * size, wide * 0.38)]), round_body(body))
    _opening(canvas, x, top, wide, 52 * size, lighter(body, 0.2), colour(inside))
    canvas.shine(ellipse(x - wide * 0.3, top + 22 * size, wide * 0.32, 8 * size), 0.3)


def pot(canvas: Canvas, base: str, lid: bool = True) -> None:
    """A cast-iron pot with two ears and a domed lid."""
    body = colour(base)
    canvas.shadow(400, 665, 225, 34)
    for side in (-1, 1):
        ear = smooth(
            [
                (400 + side * 205, 455),
                (400 + side * 262, 448),
                (400 + side * 262, 492),
                (400 + side * 205, 498),
            ]
        )
        canvas.line(ear, 20, darker(body, 0.3))
    canvas.fill(lathe(400, [(425, 218), (560, 222), (640, 206), (672, 168)]), round_body(body))
    if lid:
        canvas.fill(
            lathe(400, [(322, 24), (342, 104), (382, 186), (418, 226), (432, 226)]), round_body(body, 0.45)
        )
        canvas.fill(ellipse(400, 432, 226, 20, 0, 180), flat(darker(body, 0.42)), 0.65)
        canvas.fill(
            lathe(400, [(276, 30), (292, 34), (306, 18), (326, 22)]), round_body(colour("#c9a25c"), 0.6)
        )
        canvas.shine(ellipse(310, 372, 62, 14), 0.42, 8)
    else:
        _opening(canvas, 400, 425, 218, 44, lighter(body, 0.15), darker(body, 0.55))
    canvas.shine(box(258, 470, 282, 600, 20), 0.3, 7)


def saucepan(canvas: Canvas, base: str) -> None:
    """A steel saucepan with a long wooden handle."""
    body = colour(base)
    canvas.shadow(345, 650, 190, 30)
    canvas.fill(
        turned(box(510, 452, 760, 486, 16), (510, 470), -7), down(lighter(WOOD, 0.2), WOOD, darker(WOOD, 0.3))
    )
    canvas.fill(
        turned(box(505, 456, 560, 484, 6), (510, 470), -7), down(lighter(STEEL, 0.3), darker(STEEL, 0.3))
    )
    canvas.fill(lathe(345, [(430, 185), (610, 185), (648, 172), (658, 150)]), round_body(body, 0.75))
    _opening(canvas, 345, 430, 185, 38, lighter(body, 0.5), darker(body, 0.4))
    canvas.shine(box(222, 470, 240, 610, 12), 0.55)
    canvas.shine(box(258, 474, 265, 606, 6), 0.4, 3)


def vase(canvas: Canvas, base: str, twigs: str) -> None:
    """A bellied vase with a few twigs in it."""
    body = colour(base)
    _twigs(canvas, colour(twigs))
    canvas.shadow(400, 680, 120, 26)
    profile = [(392, 50), (420, 44), (470, 92), (550, 132), (630, 112), (676, 74), (684, 70)]
    canvas.fill(lathe(400, profile), round_body(body))
    _opening(canvas, 400, 392, 50, 12, lighter(body, 0.2), darker(body, 0.6))
    canvas.shine(ellipse(336, 545, 12, 56), 0.4, 7)


def bottle(
    canvas: Canvas, glass: str, label: str, accent: str, stout: bool = False, drink: str | None = None
) -> None:
    """A bottle with a paper label; `stout` for spirits, slender for wine."""
    tone, paper, ink = colour(glass), colour(label), colour(accent)
    half, shoulder = (112, 360) if stout else (82, 330)
    neck, top = (34, 232) if stout else (27, 150)
    canvas.shadow(400, 690, half * 1.1, 24)
    outline = lathe(
        400,
        [
            (top, neck),
            (shoulder - 70, neck),
            (shoulder, half * 0.82),
            (shoulder + 50, half),
            (660, half),
            (692, half * 0.9),
        ],
    )
    canvas.fill(outline, round_body(tone, 0.5))
    if drink is not None:
        liquid = lathe(
            400,
            [(shoulder + 40, half * 0.86), (shoulder + 80, half - 12), (660, half - 12), (680, half - 24)],
        )
        canvas.fill(liquid, round_body(colour(drink), 0.5), 0.85)
    canvas.fill(lathe(400, [(top - 46, neck + 3), (top + 26, neck + 4)], False), round_body(ink, 0.3))
    canvas.fill(box(400 - half, 455, 400 + half, 610), across(*_paper(paper)))
    canvas.line([(400 - half * 0.6, 490), (400 + half * 0.6, 490)], 3, ink, 0.9)
    canvas.line([(400 - half * 0.6, 578), (400 + half * 0.6, 578)], 3, ink, 0.9)
    canvas.fill(ellipse(400, 534, 26, 26), flat(ink))
    canvas.fill(turned(box(390, 524, 410, 544), (400, 534), 45), flat(paper))
    canvas.shine(box(400 - half * 0.74, shoulder + 30, 400 - half * 0.6, 640, 8), 0.4, 4)


def glasses(canvas: Canvas, drink: str) -> None:
    """Two stemmed glasses, one behind the other."""
    for x, bottom, size in ((500, 640, 0.9), (330, 690, 1.0)):
        _glass(canvas, x, bottom, size, colour(drink))


def candle(canvas: Canvas, wax: str, jar: str) -> None:
    """A candle burning in a tinted glass."""
    canvas.glow(400, 360, 330, (255, 222, 150), 0.75)
    canvas.shadow(400, 660, 135, 28)
    canvas.fill(lathe(400, [(430, 132), (640, 132), (668, 112)]), round_body(colour(jar), 0.4))
    canvas.fill(lathe(400, [(490, 120), (630, 120), (648, 104)]), round_body(colour(wax), 0.5), 0.9)
    canvas.fill(ellipse(400, 490, 120, 24), flat(lighter(colour(wax), 0.55)))
    canvas.line([(400, 492), (400, 458)], 5, (60, 44, 34))
    flame = smooth([(400, 366), (426, 430), (400, 464), (374, 430)], closed=True)
    canvas.fill(flame, down(colour("#ffb13d"), colour("#ffdf8a"), colour("#fff6d8")))
    canvas.line(ellipse(400, 430, 132, 26), 3, lighter(colour(jar), 0.6), 0.8)
    canvas.fill(box(322, 552, 478, 618, 4), across(*_paper(colour("#f4ead8"))))
    canvas.line([(350, 578), (450, 578)], 3, darker(colour(jar), 0.3))
    canvas.line([(370, 594), (430, 594)], 3, darker(colour(jar), 0.3))
    canvas.shine(box(286, 450, 298, 640, 6), 0.5, 4)


def lamp(canvas: Canvas, shade: str, foot: str) -> None:
    """A table lamp, lit."""
    cloth, base = colour(shade), colour(foot)
    canvas.glow(400, 300, 400, (255, 226, 160), 0.85)
    canvas.shadow(400, 700, 120, 24)
    profile = [(400, 14), (440, 22), (500, 78), (570, 96), (640, 62), (676, 90), (702, 92)]
    canvas.fill(lathe(400, profile), round_body(base, 0.4))
    canvas.shine(ellipse(352, 560, 9, 40), 0.4, 6)
    top, bottom = 158, 410
    cone = [(300, top), (500, top), (576, bottom), (224, bottom)]
    canvas.fill(
        cone,
        across(darker(cloth, 0.06), lighter(cloth, 0.5), lighter(cloth, 0.62), cloth, darker(cloth, 0.2)),
    )
    canvas.fill(ellipse(400, bottom, 176, 24), flat(lighter(cloth, 0.72)))
    canvas.glow(400, bottom, 120, (255, 244, 205), 0.8)
    canvas.line([(224, bottom), *ellipse(400, bottom, 176, 24, 180, 0)], 4, darker(cloth, 0.2), 0.8)
    canvas.fill(ellipse(400, top, 100, 12), flat(lighter(cloth, 0.35)))


def pendant(canvas: Canvas, metal: str) -> None:
    """A bell-shaped lamp hanging over the table."""
    base = colour(metal)
    canvas.line([(400, 0), (400, 190)], 5, (52, 42, 36))
    canvas.glow(400, 520, 330, (255, 230, 170), 0.85)
    profile = [(180, 18), (200, 34), (250, 46), (300, 110), (380, 196), (438, 214)]
    canvas.fill(lathe(400, profile), round_body(base, 0.5))
    canvas.fill(ellipse(400, 438, 214, 34), flat(colour("#fff0c9")))
    canvas.fill(ellipse(400, 446, 44, 30), flat((255, 252, 240)))
    canvas.line(ellipse(400, 438, 214, 34), 5, darker(base, 0.3))
    canvas.shine(smooth([(330, 292), (258, 372), (232, 418), (250, 380), (322, 300)], closed=True), 0.45, 6)
    canvas.glow(400, 690, 260, (255, 240, 200), 0.6)


def plant(canvas: Canvas, pot_tone: str, leaves: str, upright: bool = False) -> None:
    """A potted plant: arching leaves, or upright swords."""
    clay, green = colour(pot_tone), colour(leaves)
    canvas.shadow(400, 690, 125, 26)
    angles = (-24, 20, -13, 11, -5, 3) if upright else (-66, 62, -46, 44, -26, 27, -9, 10)
    for place, angle in enumerate(angles):
        tone = mixed(darker(green, 0.22), lighter(green, 0.16), place / len(angles))
        _leaf(
            canvas,
            (400 + angle * 0.5, 510),
            angle,
            (330 if upright else 300) + place * 9,
            26 if upright else 42,
            tone,
        )
    canvas.fill(lathe(400, [(540, 118), (660, 96), (694, 84)], False), round_body(clay))
    canvas.fill(lathe(400, [(496, 134), (544, 130)], False), round_body(lighter(clay, 0.08)))
    canvas.fill(ellipse(400, 496, 134, 22), flat(darker(clay, 0.3)))
    canvas.fill(ellipse(400, 499, 118, 17), flat(colour("#4a3527")))
    for angle in (-38, 36, -14, 16):
        _leaf(
            canvas,
            (400 + angle, 506),
            angle * 1.3,
            210 if not upright else 260,
            24 if upright else 34,
            lighter(green, 0.12),
        )


def mill(canvas: Canvas, wood: str) -> None:
    """A tall pepper mill and its shorter sister for salt."""
    for x, bottom, size, tone in (
        (320, 690, 1.0, colour(wood)),
        (505, 670, 0.78, lighter(colour(wood), 0.42)),
    ):
        tall = 440 * size
        top = bottom - tall
        canvas.shadow(x, bottom, 78 * size, 18 * size)
        profile = [
            (0, 8),
            (0.05, 38),
            (0.13, 44),
            (0.2, 24),
            (0.26, 58),
            (0.36, 50),
            (0.55, 36),
            (0.78, 56),
            (1, 74),
        ]
        canvas.fill(
            lathe(x, [(top + part * tall, half * size) for part, half in profile]), round_body(tone, 0.45)
        )
        canvas.fill(
            lathe(x, [(top + 0.235 * tall, 50 * size), (top + 0.262 * tall, 58 * size)], False),
            round_body(STEEL, 0.8),
        )
        canvas.fill(ellipse(x, top - 4 * size, 15 * size, 15 * size), round_body(STEEL, 0.9))
        canvas.shine(ellipse(x - 26 * size, top + 0.66 * tall, 6 * size, 70 * size), 0.4, 5)


def carafe(canvas: Canvas, water: str) -> None:
    """A glass carafe with a cork ball, half full."""
    tint = colour(water)
    canvas.shadow(400, 690, 130, 26, 0.3)
    outline = lathe(400, [(230, 62), (300, 46), (400, 62), (520, 122), (640, 138), (690, 122)])
    canvas.fill(outline, across(*_glass_tones(tint)), 0.55)
    canvas.fill(lathe(400, [(500, 106), (560, 128), (640, 132), (682, 116)]), round_body(tint, 0.7), 0.6)
    canvas.fill(ellipse(400, 500, 106, 20), flat(lighter(tint, 0.5)), 0.8)
    canvas.fill(ellipse(400, 206, 58, 56), round_body(colour("#c79a68"), 0.35))
    canvas.line(outline, 4, darker(tint, 0.35), 0.5)
    canvas.shine(
        smooth([(352, 330), (340, 420), (292, 540), (288, 630), (304, 540), (352, 430)], closed=True), 0.75, 4
    )


def kettle(canvas: Canvas, base: str) -> None:
    """A stove kettle with a curved spout and a wooden grip."""
    body = colour(base)
    canvas.shadow(400, 680, 190, 32)
    spout = smooth(
        [(545, 560), (640, 500), (668, 420), (700, 400), (712, 424), (684, 480), (650, 570), (560, 640)],
        closed=True,
    )
    canvas.fill(spout, across(lighter(body, 0.15), darker(body, 0.3)))
    grip = smooth([(250, 420), (262, 270), (400, 214), (538, 270), (550, 420)])
    canvas.line(grip, 18, darker(STEEL, 0.25))
    canvas.line(smooth([(300, 250), (400, 212), (500, 250)]), 34, WOOD)
    canvas.line(smooth([(310, 243), (400, 206), (490, 243)]), 8, lighter(WOOD, 0.35), 0.7)
    canvas.fill(
        lathe(400, [(384, 82), (420, 140), (520, 196), (630, 196), (684, 160)]), round_body(body, 0.5)
    )
    canvas.fill(lathe(400, [(356, 60), (386, 90), (394, 90)]), round_body(lighter(body, 0.1), 0.5))
    canvas.fill(ellipse(400, 344, 20, 18), round_body(WOOD, 0.4))
    canvas.shine(ellipse(282, 520, 18, 72), 0.45, 9)


def _opening(canvas: Canvas, x: float, y: float, rx: float, ry: float, edge: Colour, inside: Colour) -> None:
    canvas.fill(ellipse(x, y, rx, ry), flat(edge))
    rim = max(5.0, rx * 0.035)
    canvas.fill(
        ellipse(x, y + 1, rx - rim, ry - rim * 0.6),
        across(darker(inside, 0.3), inside, lighter(inside, 0.18)),
    )


def _paper(tone: Colour) -> tuple[Colour, ...]:
    return darker(tone, 0.1), lighter(tone, 0.25), tone, darker(tone, 0.1), darker(tone, 0.25)


def _glass_tones(tint: Colour) -> tuple[Colour, ...]:
    return darker(tint, 0.2), lighter(tint, 0.7), lighter(tint, 0.5), lighter(tint, 0.62), darker(tint, 0.12)


def _glass(canvas: Canvas, x: float, bottom: float, size: float, drink: Colour) -> None:
    pale = colour("#dfe7e6")
    canvas.shadow(x, bottom, 78 * size, 15 * size, 0.3)
    canvas.fill(ellipse(x, bottom, 78 * size, 15 * size), across(*_glass_tones(pale)), 0.75)
    canvas.fill(
        lathe(x, [(bottom - 210 * size, 9 * size), (bottom - 60 * size, 6 * size), (bottom - 4, 22 * size)]),
        across(*_glass_tones(pale)),
        0.85,
    )
    cup = [
        (bottom - 470 * size, 72 * size),
        (bottom - 380 * size, 98 * size),
        (bottom - 290 * size, 88 * size),
    ]
    cup += [(bottom - 222 * size, 34 * size), (bottom - 205 * size, 8 * size)]
    canvas.fill(lathe(x, cup), across(*_glass_tones(pale)), 0.5)
    wine = [
        (bottom - 345 * size, 93 * size),
        (bottom - 285 * size, 84 * size),
        (bottom - 222 * size, 32 * size),
    ]
    canvas.fill(lathe(x, [*wine, (bottom - 208 * size, 8 * size)]), round_body(drink, 0.35), 0.9)
    canvas.fill(ellipse(x, bottom - 345 * size, 93 * size, 15 * size), flat(lighter(drink, 0.2)), 0.95)
    canvas.line(ellipse(x, bottom - 470 * size, 72 * size, 11 * size), 3, (255, 255, 250), 0.8)
    canvas.shine(ellipse(x - 58 * size, bottom - 350 * size, 8 * size, 56 * size), 0.7, 4)


def _leaf(canvas: Canvas, root: Point, angle: float, long: float, wide: float, tone: Colour) -> None:
    bend = angle * 0.55
    spine = [(0.0, 0.0), (bend * 0.3, -long * 0.4), (bend * 1.1, -long * 0.75), (bend * 2.4, -long * 0.97)]
    widths = (0.25, 1.0, 0.8, 0.0)
    left = [(px - wide * width / 2, py) for (px, py), width in zip(spine, widths, strict=True)]
    right = [(px + wide * width / 2, py) for (px, py), width in zip(spine, widths, strict=True)]
    outline = smooth(left) + smooth(list(reversed(right)))
    placed = turned([(root[0] + px, root[1] + py) for px, py in outline], root, angle * 0.5)
    canvas.cast(placed, 0.16, 8)
    canvas.fill(placed, across(lighter(tone, 0.14), tone, darker(tone, 0.2)))
    vein = turned([(root[0] + px, root[1] + py) for px, py in smooth(spine)], root, angle * 0.5)
    canvas.line(vein, 3, lighter(tone, 0.3), 0.6)


def _twigs(canvas: Canvas, tone: Colour) -> None:
    for lean, tall in ((-96, 290), (-34, 340), (40, 320), (104, 262)):
        stem = smooth(
            [(400 + lean * 0.1, 400), (400 + lean * 0.5, 400 - tall * 0.5), (400 + lean, 400 - tall)]
        )
        canvas.line(stem, 4, darker(LEAF, 0.25))
        for step in range(4, 12):
            px, py = stem[len(stem) * step // 12]
            side = 1 if step % 2 else -1
            bud = turned(
                ellipse(px + side * 20, py - 8, 19, 8),
                (px, py),
                -28 * side + math.degrees(math.atan2(lean, tall)),
            )
            canvas.fill(bud, across(lighter(tone, 0.25), darker(tone, 0.15)))
