"""Which drawing belongs to which article of the demo shop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from livesale.catalog.demo import flatlays, vessels
from livesale.catalog.demo.canvas import Canvas

Drawing = Callable[[Canvas], None]

SAND = ("#efe3d0", "#d9c3a3")
SAGE = ("#dde2d3", "#cdb594")
ROSE = ("#efdccf", "#d2b08f")
MIST = ("#dbe2e2", "#c9b496")
DUSK = ("#cfc2b0", "#a98a66")
LINEN = (None, "#e9dcc6")
CLAY = (None, "#dcc4ab")

# sku: (wall and table, zoom, drawing)
DRAWINGS: dict[str, tuple[tuple[str | None, str], float, Drawing]] = {
    "HH-101": (LINEN, 1.05, partial(flatlays.skillet, iron="#3b3a3a")),
    "HH-102": (SAND, 1.15, partial(vessels.pot, base="#b4432f")),
    "HH-103": (SAGE, 1.0, partial(vessels.saucepan, base="#c3c5c8")),
    "HH-104": (LINEN, 1.05, partial(flatlays.knife, handle="#5a3a26")),
    "HH-105": (CLAY, 1.05, partial(flatlays.knife, handle="#2d2a28", serrated=True)),
    "HH-106": (LINEN, 1.15, partial(flatlays.knife, handle="#8a3d2a", long=0.72)),
    "HH-107": (LINEN, 1.0, partial(flatlays.board, wood="#b07b49")),
    "HH-108": (CLAY, 1.0, partial(flatlays.board, wood="#8a5a35", round_=True)),
    "HH-109": (SAND, 1.05, partial(flatlays.spoons, crock="#d9cdb8")),
    "HH-110": (SAGE, 1.1, partial(vessels.mill, wood="#7a4b2c")),
    "HH-111": (ROSE, 1.05, partial(vessels.kettle, base="#e5ddcb")),
    "HH-112": (MIST, 1.15, partial(vessels.pot, base="#3f5a63")),
    "HH-201": (SAND, 1.4, partial(vessels.mug, base="#7d9a8c", rim="#efe6d6")),
    "HH-202": (MIST, 1.4, partial(vessels.mug, base="#35506b", rim="#e9e0cf")),
    "HH-203": (SAGE, 1.4, partial(vessels.mug, base="#c7754d", rim="#f3e6cf")),
    "HH-204": (ROSE, 1.35, partial(vessels.bowl, base="#35506b", inside="#e9e0cf")),
    "HH-205": (SAND, 1.35, partial(vessels.bowl, base="#d8cbb5", inside="#7d9a8c")),
    "HH-206": (MIST, 1.1, partial(vessels.carafe, water="#bcd4d6")),
    "HH-207": (DUSK, 1.05, partial(vessels.glasses, drink="#7d2431")),
    "HH-208": (LINEN, 1.05, partial(flatlays.tray, wood="#9a6a3f", cup="#e4d7c0")),
    "HH-301": (SAND, 1.1, partial(vessels.lamp, shade="#ecd9b4", foot="#4f6f68")),
    "HH-302": (DUSK, 1.0, partial(vessels.pendant, metal="#2f4f4a")),
    "HH-303": (DUSK, 1.15, partial(vessels.candle, wax="#f2e3c4", jar="#b07a4c")),
    "HH-304": (SAGE, 1.05, partial(vessels.vase, base="#d8cbb5", twigs="#c9855f")),
    "HH-305": (ROSE, 1.05, partial(vessels.vase, base="#4f6f68", twigs="#e0b563")),
    "HH-306": (MIST, 1.1, partial(flatlays.clock, frame="#9a6a3f", face="#f5eddc")),
    "HH-307": (SAND, 1.1, partial(flatlays.basket, straw="#c9a468", lining="#efe6d6")),
    "HH-308": (ROSE, 1.1, partial(vessels.plant, pot_tone="#c7754d", leaves="#5f8558")),
    "HH-309": (MIST, 1.1, partial(vessels.plant, pot_tone="#e6ddcd", leaves="#4f7a5b", upright=True)),
    "HH-401": (
        SAND,
        1.15,
        partial(flatlays.cloths, tones=("#c9b79a", "#7f9a8f", "#efe6d6", "#b4705a"), stripe="#f6f0e4"),
    ),
    "HH-402": (SAGE, 1.1, partial(flatlays.towel, tone="#f0e8d8", stripe="#b4432f")),
    "HH-403": (MIST, 1.1, partial(flatlays.towel, tone="#cfd8d2", stripe="#35506b")),
    "HH-404": (SAND, 1.1, partial(flatlays.cushion, tone="#c88a5a", motif="#f3e6cf")),
    "HH-405": (ROSE, 1.1, partial(flatlays.cushion, tone="#5f7a70", motif="#e9d9b4")),
    "HH-501": (SAGE, 1.1, partial(flatlays.book, cover="#2f4f4a", accent="#efe0bd")),
    "HH-601": (
        MIST,
        1.05,
        partial(
            vessels.bottle, glass="#cfe0df", label="#f3ead7", accent="#2d5a57", stout=True, drink="#bfd9d4"
        ),
    ),
    "HH-602": (
        DUSK,
        1.05,
        partial(
            vessels.bottle, glass="#8a5a2c", label="#efe0bd", accent="#3b2a20", stout=True, drink="#9a5a22"
        ),
    ),
    "HH-603": (ROSE, 1.0, partial(vessels.bottle, glass="#2d4a35", label="#f3ead7", accent="#7d2431")),
}
