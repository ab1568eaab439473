"""Drawings of things that lie, hang or are folded: knives, boards, pans, cloths, cushions, books, clocks,
baskets.
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

STEEL = colour("#c4c8cb")
BRASS = colour("#c39a4e")
CENTRE = (400.0, 400.0)


def knife(canvas: Canvas, handle: str, long: float = 1.0, serrated: bool = False) -> None:
    """A kitchen knife lying aslant."""
    tone = colour(handle)
    tip = 400 - 330 * long
    curve = smooth([(tip + 190, 452), (tip + 90, 438), (tip + 30, 416), (tip, 390)])
    teeth = [(430.0 - step * 12, 452.0 - (step % 2) * 9) for step in range(round((240 - tip) / 12))]
    edge = [*(teeth if serrated else [(430.0, 454.0)]), *curve]
    blade = [(430.0, 384.0), *edge, (tip + 60, 384)]
    grip = [
        (430.0, 378.0),
        (690, 374),
        (722, 392),
        (724, 424),
        (698, 438),
        (640, 430),
        (560, 436),
        (430, 440),
    ]
    canvas.cast(_slanted(blade), 0.4)
    canvas.fill(_slanted(blade), down(darker(STEEL, 0.3), lighter(STEEL, 0.4), STEEL, lighter(STEEL, 0.7)))
    canvas.line(_slanted([(430, 437), (tip + 120, 436)]), 2, lighter(STEEL, 0.9), 0.8)
    canvas.cast(_slanted(smooth(grip, closed=True)), 0.45)
    canvas.fill(_slanted(smooth(grip, closed=True)), down(lighter(tone, 0.28), tone, darker(tone, 0.35)))
    canvas.fill(_slanted(box(424, 374, 448, 446, 4)), down(lighter(STEEL, 0.4), darker(STEEL, 0.25)))
    for x in (500, 580, 655):
        canvas.fill(_slanted(ellipse(x, 406, 8, 8)), flat(lighter(BRASS, 0.2)))


def board(canvas: Canvas, wood: str, round_: bool = False) -> None:
    """A cutting board with its grain and a hole to hang it by."""
    tone = colour(wood)
    outline = ellipse(400, 440, 250, 250) if round_ else box(210, 190, 590, 690, 38)
    neck = box(362, 70, 438, 240, 36)
    for part in (neck, outline):
        canvas.cast(part, 0.42, 18)
    for part in (neck, outline):
        canvas.fill(
            part, across(lighter(tone, 0.2), tone, darker(tone, 0.1), lighter(tone, 0.06), darker(tone, 0.12))
        )
    for place in range(9):
        x = 236 + place * 41
        reach = math.sqrt(max(0, 250**2 - (x - 400) ** 2)) - 14 if round_ else 236
        if reach > 20:
            wave = [
                (x + 7 * math.sin(step * 0.9 + place), 440 - reach + step * reach / 5) for step in range(11)
            ]
            canvas.line(smooth(wave), 2.4, darker(tone, 0.3), 0.35)
    canvas.fill(ellipse(400, 116, 16, 16), flat(darker(tone, 0.6)))


def skillet(canvas: Canvas, iron: str) -> None:
    """A frying pan seen from above."""
    tone = colour(iron)
    arm = turned(box(376, 560, 424, 800, 22), CENTRE, -38)
    canvas.cast(arm, 0.4, 18)
    canvas.fill(arm, across(lighter(tone, 0.22), tone, darker(tone, 0.4)))
    canvas.cast(ellipse(370, 370, 252, 252), 0.5, 22)
    canvas.fill(ellipse(370, 370, 252, 252), across(lighter(tone, 0.35), tone, darker(tone, 0.3)))
    canvas.fill(ellipse(370, 370, 234, 234), across(darker(tone, 0.5), darker(tone, 0.2)))
    canvas.fill(ellipse(374, 376, 206, 206), across(lighter(tone, 0.12), tone, darker(tone, 0.25)))
    canvas.shine(ellipse(300, 290, 92, 46, 0, 360), 0.2, 26)
    canvas.fill(turned(ellipse(400, 772, 11, 15), CENTRE, -38), flat(darker(tone, 0.7)))
    for angle in (35, 47, 59):  # a sprig of thyme, so that the size can be seen
        _sprig(
            canvas,
            370 + 110 * math.cos(math.radians(angle)),
            370 + 110 * math.sin(math.radians(angle)),
            angle,
        )


def cloths(canvas: Canvas, tones: tuple[str, ...], stripe: str) -> None:
    """A stack of folded cloths."""
    canvas.shadow(400, 668, 245, 30)
    high = 330 / len(tones)
    for place, tone in enumerate(tones):
        base = colour(tone)
        bottom = 668 - place * high
        inset = (place % 2) * 9 + place * 3
        fold = box(165 + inset, bottom - high + 3, 632 - inset, bottom, high * 0.48)
        canvas.fill(fold, down(lighter(base, 0.3), base, darker(base, 0.2)))
        for part in (0.36, 0.64):
            y = bottom - high * part
            canvas.line([(190 + inset, y), (626 - inset, y)], 2.5, darker(base, 0.35), 0.55)
        for x in (500, 520, 540):
            canvas.line([(x, bottom - high + 5), (x, bottom - 3)], 6, colour(stripe), 0.75)
        canvas.shine(box(190 + inset, bottom - high + 9, 450, bottom - high + 15, 3), 0.35, 4)


def towel(canvas: Canvas, tone: str, stripe: str) -> None:
    """A tea towel hanging from a peg."""
    base = colour(tone)
    canvas.fill(
        box(120, 128, 680, 164, 14), down(lighter(colour("#b98352"), 0.25), darker(colour("#b98352"), 0.25))
    )
    left = smooth([(262, 172), (250, 330), (262, 500), (246, 700)])
    right = smooth([(556, 704), (544, 500), (554, 330), (540, 172)])
    canvas.cast([*left, *right], 0.32, 18)
    canvas.fill([*left, *right], across(*_folds(base)))
    for y in (570, 600, 640):
        wave = [(258 + step * 29.5, y + 5 * math.sin(step * 1.3)) for step in range(11)]
        canvas.line(smooth(wave), 16 if y == 600 else 7, colour(stripe), 0.85)
    for x in (272, 530):
        canvas.fill(ellipse(x, 150, 15, 15), round_body(BRASS, 0.6))


def cushion(canvas: Canvas, tone: str, motif: str) -> None:
    """A plump cushion with a leaf pattern."""
    base, accent = colour(tone), colour(motif)
    canvas.shadow(400, 680, 235, 34)
    outline = smooth(
        [(190, 232), (400, 258), (612, 228), (600, 450), (622, 672), (400, 656), (180, 676), (204, 450)],
        closed=True,
    )
    canvas.fill(
        outline, across(lighter(base, 0.1), lighter(base, 0.3), base, darker(base, 0.12), darker(base, 0.3))
    )
    for row in range(4):
        for column in range(4):
            x, y = 268 + column * 88, 326 + row * 88
            for lean in (-32, 32):
                canvas.fill(turned(ellipse(x, y - 14, 10, 27), (x, y + 12), lean), flat(accent), 0.8)
    canvas.shine(ellipse(310, 340, 80, 110), 0.2, 30)
    canvas.line([*outline, outline[0]], 5, darker(base, 0.3), 0.5)


def book(canvas: Canvas, cover: str, accent: str) -> None:
    """A cookbook standing a little open."""
    base, ink = colour(cover), colour(accent)
    canvas.shadow(410, 690, 190, 26)
    canvas.fill(
        [(560, 186), (612, 210), (612, 672), (560, 690)], across(colour("#e9dfcb"), colour("#cbbd9f"))
    )
    for step in range(6):
        canvas.line(
            [(566 + step * 8, 192 + step * 4), (566 + step * 8, 686 - step * 3)], 1.5, colour("#b3a486"), 0.6
        )
    canvas.fill(box(220, 186, 564, 692, 6), across(lighter(base, 0.12), base, darker(base, 0.12)))
    canvas.fill(box(220, 186, 252, 692, 4), across(darker(base, 0.34), darker(base, 0.1)))
    canvas.fill(ellipse(408, 400, 104, 104), flat(lighter(ink, 0.1)))
    canvas.line(ellipse(408, 400, 84, 84), 4, base, 0.8)
    canvas.fill(ellipse(408, 408, 44, 50), round_body(mixed(ink, (190, 60, 40), 0.7)))
    canvas.line(smooth([(408, 362), (414, 344), (430, 334)]), 6, colour("#5f7f52"))
    for y, half in ((560, 100), (590, 66)):
        canvas.line([(408 - half, y), (408 + half, y)], 9, ink, 0.95)


def clock(canvas: Canvas, frame: str, face: str) -> None:
    """A wall clock at ten past ten."""
    wood, paper = colour(frame), colour(face)
    canvas.cast(ellipse(400, 390, 252, 252), 0.42, 22)
    canvas.fill(ellipse(400, 390, 252, 252), across(lighter(wood, 0.25), wood, darker(wood, 0.35)))
    canvas.fill(ellipse(400, 390, 222, 222), across(darker(paper, 0.08), lighter(paper, 0.3), paper))
    for hour in range(12):
        inner = 178 if hour % 3 == 0 else 192
        canvas.line(
            [_around(inner, hour * 30), _around(206, hour * 30)], 9 if hour % 3 == 0 else 5, darker(wood, 0.5)
        )
    for reach, angle, width in ((118, 305, 13), (168, 60, 9)):
        canvas.cast([_around(0, 0), _around(reach, angle), _around(reach, angle + 2)], 0.25, 6)
        canvas.line([_around(-24, angle), _around(reach, angle)], width, (43, 36, 31))
    canvas.line([_around(-34, 178), _around(184, 178)], 4, colour("#d9381e"))
    canvas.fill(ellipse(400, 390, 13, 13), flat(colour("#d9381e")))


def basket(canvas: Canvas, straw: str, lining: str) -> None:
    """A woven basket with two handles."""
    tone = colour(straw)
    for side in (-1, 1):
        ear = smooth(
            [
                (400 + side * 130, 352),
                (400 + side * 150, 268),
                (400 + side * 206, 268),
                (400 + side * 212, 352),
            ]
        )
        canvas.line(ear, 19, darker(tone, 0.25))
        canvas.line([(px - 2, py - 3) for px, py in ear], 8, lighter(tone, 0.2))
    canvas.shadow(400, 670, 205, 34)
    canvas.fill(lathe(400, [(350, 232), (480, 242), (600, 214), (672, 176)]), round_body(tone))
    for row in range(9):
        y = 384 + row * 34
        half = 230 - max(0, row - 3) ** 2 * 1.9
        for column in range(15):
            x = 400 - half + (column + 0.5 + (row % 2) * 0.5) * half * 2 / 16
            dash = smooth([(x - half * 0.055, y + 4), (x, y + 13), (x + half * 0.055, y + 4)])
            canvas.line(dash, 7, darker(tone, 0.38), 0.55)
    canvas.fill(ellipse(400, 350, 232, 42), flat(lighter(tone, 0.12)))
    canvas.fill(
        ellipse(400, 354, 214, 33),
        across(darker(colour(lining), 0.35), colour(lining), darker(colour(lining), 0.1)),
    )


def spoons(canvas: Canvas, crock: str) -> None:
    """Wooden spoons and a whisk in a stoneware crock."""
    woods = ("#b98352", "#d2a873", "#8a5a35", "#c69763")
    for place, (x, lean, tall) in enumerate(((338, -15, 330), (382, -5, 390), (432, 6, 360), (474, 17, 320))):
        tone = colour(woods[place])
        centre = (x, 500)
        canvas.line(turned([(x, 520), (x, 520 - tall)], centre, lean), 17, tone)
        head = turned(
            ellipse(x, 500 - tall, 40, 60) if place != 1 else box(x - 34, 430 - tall, x + 34, 560 - tall, 24),
            centre,
            lean,
        )
        canvas.cast(head, 0.18, 8)
        canvas.fill(head, across(lighter(tone, 0.3), tone, darker(tone, 0.28)))
    canvas.shadow(400, 690, 125, 26)
    base = colour(crock)
    canvas.fill(lathe(400, [(440, 132), (600, 134), (670, 126), (694, 112)]), round_body(base))
    canvas.fill(ellipse(400, 440, 132, 26, 0, 180), flat(lighter(base, 0.2)))
    canvas.line(ellipse(400, 440, 132, 26, 0, 180), 9, lighter(base, 0.3))
    for y in (520, 540):
        canvas.line(ellipse(400, y, 133, 16, 0, 180), 6, darker(base, 0.35), 0.7)
    canvas.shine(box(296, 480, 314, 640, 10), 0.4, 6)


def tray(canvas: Canvas, wood: str, cup: str) -> None:
    """A round tray with two cups, seen from above."""
    tone, clay = colour(wood), colour(cup)
    canvas.cast(ellipse(400, 400, 290, 290), 0.45, 24)
    canvas.fill(ellipse(400, 400, 290, 290), across(lighter(tone, 0.25), tone, darker(tone, 0.25)))
    canvas.fill(
        ellipse(400, 400, 266, 266), across(darker(tone, 0.3), darker(tone, 0.05), lighter(tone, 0.1))
    )
    for x, y, side, drink in ((292, 342, -1, "#5b3a24"), (500, 462, 1, "#a9773f")):
        canvas.cast(ellipse(x, y, 92, 92), 0.45, 14)
        ear = [(76, 30), (126, 40), (122, 84), (62, 66)]
        canvas.line(smooth([(x + side * px, y + py) for px, py in ear]), 17, darker(clay, 0.2))
        canvas.fill(ellipse(x, y, 92, 92), across(lighter(clay, 0.35), clay, darker(clay, 0.22)))
        canvas.fill(ellipse(x, y, 76, 76), across(darker(clay, 0.35), darker(clay, 0.1)))
        canvas.fill(
            ellipse(x + 2, y + 3, 68, 68), across(darker(colour(drink), 0.15), lighter(colour(drink), 0.18))
        )
        canvas.shine(ellipse(x - 26, y - 24, 22, 12), 0.35, 7)


def parcel(canvas: Canvas) -> None:
    """A wrapped parcel: what is shown for a product we have no picture of."""
    paper, ribbon = colour("#c9a777"), colour("#f1e6d2")
    canvas.shadow(400, 660, 220, 34)
    canvas.fill(box(190, 360, 610, 660, 8), across(lighter(paper, 0.2), paper, darker(paper, 0.2)))
    canvas.fill(
        [(190, 362), (240, 306), (652, 306), (610, 362)], down(lighter(paper, 0.4), lighter(paper, 0.12))
    )
    canvas.fill([(610, 362), (652, 306), (652, 596), (610, 658)], flat(darker(paper, 0.36)))
    canvas.fill(box(380, 360, 424, 660), across(ribbon, darker(ribbon, 0.12)))
    canvas.fill([(380, 362), (428, 306), (472, 306), (424, 362)], flat(lighter(ribbon, 0.3)))
    for side in (-1, 1):
        loop = smooth(
            [(418, 330), (418 + side * 84, 262), (418 + side * 112, 316), (418 + side * 40, 338)], closed=True
        )
        canvas.fill(loop, across(lighter(ribbon, 0.4), darker(ribbon, 0.2)))


def _slanted(points: list[Point]) -> list[Point]:
    return turned(points, CENTRE, -24)


def _around(radius: float, degrees: float) -> Point:
    angle = math.radians(degrees - 90)
    return 400 + radius * math.cos(angle), 390 + radius * math.sin(angle)


def _folds(base: Colour) -> tuple[Colour, ...]:
    light, shade = lighter(base, 0.22), darker(base, 0.16)
    return shade, light, base, shade, light, base, light, shade, base, darker(base, 0.24)


def _sprig(canvas: Canvas, x: float, y: float, degrees: float) -> None:
    green = colour("#7d9465")
    stem = turned([(x - 44, y), (x + 44, y)], (x, y), degrees + 20)
    canvas.line(stem, 3, darker(green, 0.2))
    for step in range(-3, 4):
        for side in (-1, 1):
            leaf = turned(ellipse(x + step * 13, y + side * 9, 8, 4), (x, y), degrees + 20)
            canvas.fill(leaf, across(lighter(green, 0.2), green))
