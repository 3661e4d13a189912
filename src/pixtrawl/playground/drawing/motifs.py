"""The objects in a scene: chosen by the words of the query, or at random.

Each motif draws itself upright into a square of side 1, its foot at the lower edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from pixtrawl.playground.drawing.canvas import Canvas
from pixtrawl.playground.drawing.palettes import Color, Palette, mixed

_SMOOTH: Final = 2  # drawn this many times larger, then reduced
_MAX_SIDE: Final = 480  # pixels
Point = tuple[float, float]


class Pen:
    """Draws in shares of the side of a square sprite."""

    def __init__(self, side: int, palette: Palette) -> None:
        self.side = side
        self.palette = palette
        self.ink = mixed(palette.near, (8, 8, 14), 0.55)
        self.image = Image.new("RGBA", (side, side))
        self._draw = ImageDraw.Draw(self.image)

    def shape(self, points: Sequence[Point], color: Color | None = None) -> None:
        """Draw a filled polygon."""
        self._draw.polygon([(x * self.side, y * self.side) for x, y in points], color or self.ink)

    def oval(self, box: tuple[float, float, float, float], color: Color | None = None) -> None:
        """Draw a filled ellipse: left, top, right, bottom."""
        left, top, right, bottom = (value * self.side for value in box)
        self._draw.ellipse((left, top, right, bottom), color or self.ink)

    def stroke(self, points: Sequence[Point], width: float, color: Color | None = None) -> None:
        """Draw a thick line with round ends."""
        line = [(x * self.side, y * self.side) for x, y in points]
        self._draw.line(line, color or self.ink, max(1, round(width * self.side)), joint="curve")
        r = width * self.side / 2
        for x, y in (line[0], line[-1]):
            self._draw.ellipse((x - r, y - r, x + r, y + r), color or self.ink)

    def box(
        self, left: float, top: float, right: float, bottom: float, color: Color | None = None
    ) -> None:
        """Draw a filled rectangle."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], color)


def _curve(*knots: Point) -> list[Point]:
    """Return a Bezier curve (de Casteljau) from the first knot to the last."""
    t = np.linspace(0, 1, 20)[:, None]
    curves = [np.array([knot]) for knot in knots]
    while len(curves) > 1:
        curves = [a * (1 - t) + b * t for a, b in itertools.pairwise(curves)]
    return [(float(x), float(y)) for x, y in curves[0]]


def cat(pen: Pen) -> None:
    """Draw a tabby that sits and looks on."""
    coat = mixed((190, 138, 88), pen.ink, 0.3)
    stripe = mixed(coat, pen.ink, 0.55)
    pen.stroke(_curve((0.60, 0.95), (0.90, 1.0), (0.92, 0.70), (0.80, 0.60)), 0.06, stripe)
    pen.oval((0.30, 0.46, 0.68, 1.02), coat)
    pen.oval((0.35, 0.36, 0.60, 0.80), coat)
    for y in (0.56, 0.66, 0.76):
        pen.stroke(_curve((0.52, y), (0.60, y + 0.01), (0.63, y + 0.06)), 0.022, stripe)
        pen.stroke(_curve((0.42, y), (0.36, y + 0.01), (0.34, y + 0.06)), 0.022, stripe)
    pen.oval((0.33, 0.17, 0.61, 0.43), coat)
    pen.shape([(0.335, 0.30), (0.345, 0.07), (0.46, 0.20)], coat)
    pen.shape([(0.605, 0.30), (0.595, 0.07), (0.48, 0.20)], coat)
    for x in (0.43, 0.47, 0.51):
        pen.stroke([(x, 0.19), (x, 0.235)], 0.016, stripe)
    for x in (0.395, 0.50):
        pen.oval((x, 0.265, x + 0.05, 0.315), (236, 214, 96))
        pen.oval((x + 0.018, 0.268, x + 0.034, 0.312), (12, 12, 12))
    pen.shape([(0.45, 0.345), (0.49, 0.345), (0.47, 0.37)], (70, 40, 40))


def dog(pen: Pen) -> None:
    """Draw a golden retriever, seen from the side."""
    coat = mixed((224, 168, 92), pen.ink, 0.22)
    dark = mixed(coat, pen.ink, 0.35)
    for x in (0.26, 0.60):
        pen.shape([(x - 0.045, 0.60), (x + 0.05, 0.60), (x + 0.03, 1.0), (x - 0.03, 1.0)], dark)
    pen.stroke(_curve((0.17, 0.52), (0.02, 0.45), (0.06, 0.30), (0.04, 0.22)), 0.07, coat)
    pen.oval((0.14, 0.42, 0.52, 0.74), coat)
    pen.oval((0.34, 0.38, 0.68, 0.74), coat)
    pen.shape([(0.50, 0.46), (0.62, 0.20), (0.78, 0.26), (0.68, 0.62)], coat)
    pen.oval((0.58, 0.14, 0.80, 0.36), coat)
    pen.shape([(0.70, 0.20), (0.92, 0.25), (0.92, 0.33), (0.72, 0.35)], coat)
    pen.oval((0.89, 0.235, 0.94, 0.285), (24, 20, 20))
    pen.oval((0.70, 0.205, 0.735, 0.24), (24, 20, 20))
    pen.oval((0.56, 0.17, 0.67, 0.40), dark)
    for x in (0.19, 0.53):
        pen.shape([(x - 0.045, 0.60), (x + 0.05, 0.60), (x + 0.03, 1.0), (x - 0.03, 1.0)], coat)


def train(pen: Pen) -> None:
    """Draw a steam engine with its smoke."""
    smoke = mixed(pen.palette.horizon, (250, 250, 250), 0.5)
    for x, y, r in (
        (0.70, 0.36, 0.05),
        (0.61, 0.27, 0.075),
        (0.47, 0.20, 0.10),
        (0.28, 0.14, 0.12),
    ):
        pen.oval((x - r, y - r, x + r, y + r), smoke)
    pen.box(0.02, 0.93, 0.98, 0.96)
    pen.box(0.36, 0.56, 0.86, 0.78)
    pen.oval((0.80, 0.56, 0.92, 0.78))
    pen.box(0.12, 0.44, 0.38, 0.84)
    pen.box(0.08, 0.40, 0.42, 0.46, mixed(pen.ink, pen.palette.bloom, 0.5))
    pen.box(0.18, 0.52, 0.32, 0.65, pen.palette.bloom)
    pen.shape([(0.70, 0.58), (0.68, 0.40), (0.80, 0.40), (0.78, 0.58)])
    pen.oval((0.50, 0.50, 0.60, 0.62))
    pen.shape([(0.86, 0.80), (0.98, 0.94), (0.84, 0.94)])
    for x, r in ((0.22, 0.10), (0.44, 0.10), (0.62, 0.065), (0.77, 0.065)):
        pen.oval((x - r, 0.94 - 2 * r, x + r, 0.94))
        pen.oval((x - r / 3, 0.94 - r * 4 / 3, x + r / 3, 0.94 - r * 2 / 3), pen.palette.far)


def lighthouse(pen: Pen) -> None:
    """Draw a striped tower with its light on."""
    white, red = mixed((250, 248, 240), pen.palette.horizon, 0.25), (196, 52, 44)
    beam = mixed(pen.palette.sun, (255, 255, 255), 0.3)
    pen.shape([(0.5, 0.155), (0.02, 0.08), (0.02, 0.20)], beam)
    edges = np.linspace(0.24, 0.94, 7)
    for number, (top, bottom) in enumerate(itertools.pairwise(edges)):
        wide = [0.055 + 0.07 * (y - 0.24) / 0.7 for y in (top, bottom)]
        corners = [
            (0.5 - wide[0], top),
            (0.5 + wide[0], top),
            (0.5 + wide[1], bottom),
            (0.5 - wide[1], bottom),
        ]
        pen.shape([(float(x), float(y)) for x, y in corners], red if number % 2 == 0 else white)
    pen.shape([(0.53, 0.24), (0.555, 0.24), (0.625, 0.94), (0.57, 0.94)], mixed(red, pen.ink, 0.6))
    pen.box(0.42, 0.215, 0.58, 0.245)
    pen.box(0.455, 0.115, 0.545, 0.22, beam)
    pen.shape([(0.44, 0.12), (0.5, 0.04), (0.56, 0.12)], red)
    pen.shape([(0.16, 1.0), (0.30, 0.92), (0.70, 0.91), (0.88, 1.0)])


def boat(pen: Pen) -> None:
    """Draw a sailing boat."""
    sail = mixed(pen.palette.sun, pen.palette.bloom, 0.35)
    pen.box(0.49, 0.12, 0.51, 0.84)
    pen.shape([(0.53, 0.14), (0.53, 0.78), (0.86, 0.78)], sail)
    pen.shape([(0.47, 0.22), (0.47, 0.78), (0.20, 0.78)], mixed(sail, pen.ink, 0.25))
    pen.shape([(0.14, 0.83), (0.90, 0.83), (0.78, 0.95), (0.26, 0.95)])


def balloon(pen: Pen) -> None:
    """Draw a hot-air balloon, high above its foot."""
    pen.oval((0.22, 0.02, 0.66, 0.50), pen.palette.bloom)
    pen.oval((0.34, 0.02, 0.54, 0.50), mixed(pen.palette.sun, pen.palette.bloom, 0.3))
    pen.shape([(0.27, 0.38), (0.61, 0.38), (0.48, 0.58), (0.40, 0.58)], pen.palette.bloom)
    pen.shape(
        [(0.36, 0.38), (0.52, 0.38), (0.46, 0.58), (0.42, 0.58)],
        mixed(pen.palette.sun, pen.palette.bloom, 0.3),
    )
    pen.box(0.405, 0.61, 0.475, 0.67)


def tree(pen: Pen) -> None:
    """Draw a broad old tree."""
    pen.shape([(0.46, 1.0), (0.48, 0.6), (0.44, 0.45), (0.58, 0.45), (0.53, 0.6), (0.56, 1.0)])
    leaves = mixed((52, 98, 50), pen.ink, 0.45)
    for x, y, r in (
        (0.32, 0.42, 0.17),
        (0.68, 0.40, 0.18),
        (0.50, 0.24, 0.22),
        (0.44, 0.46, 0.17),
        (0.60, 0.50, 0.14),
    ):
        pen.oval((x - r, y - r, x + r, y + r), leaves)


def house(pen: Pen) -> None:
    """Draw a cottage with a lit window."""
    pen.box(0.68, 0.42, 0.75, 0.66)
    pen.shape([(0.14, 0.70), (0.50, 0.42), (0.86, 0.70)], mixed((150, 60, 48), pen.ink, 0.3))
    pen.box(0.22, 0.69, 0.78, 1.0, mixed(pen.palette.horizon, pen.palette.near, 0.3))
    pen.box(0.32, 0.76, 0.44, 0.88, pen.palette.bloom)
    pen.box(0.56, 0.76, 0.68, 1.0)


def mill(pen: Pen) -> None:
    """Draw a windmill."""
    pen.shape(
        [(0.42, 0.42), (0.58, 0.42), (0.66, 1.0), (0.34, 1.0)],
        mixed(pen.palette.horizon, pen.palette.near, 0.45),
    )
    pen.shape([(0.40, 0.44), (0.50, 0.32), (0.60, 0.44)])
    for dx, dy in ((0.30, 0.17), (-0.17, 0.30), (-0.30, -0.17), (0.17, -0.30)):
        pen.stroke([(0.5, 0.42), (0.5 + dx, 0.42 + dy)], 0.016)
        side = (-dy * 0.28, dx * 0.28)
        pen.shape(
            [
                (0.5 + dx * 0.25, 0.42 + dy * 0.25),
                (0.5 + dx, 0.42 + dy),
                (0.5 + dx + side[0], 0.42 + dy + side[1]),
                (0.5 + dx * 0.25 + side[0], 0.42 + dy * 0.25 + side[1]),
            ],
            mixed(pen.palette.sun, pen.ink, 0.2),
        )


def birds(pen: Pen) -> None:
    """Draw a flock in the sky."""
    for x, y, r in (
        (0.20, 0.20, 0.10),
        (0.45, 0.08, 0.08),
        (0.62, 0.26, 0.12),
        (0.86, 0.12, 0.07),
        (0.40, 0.36, 0.07),
    ):
        pen.stroke(
            [
                (x - r, y - r * 0.3),
                (x - r * 0.4, y - r * 0.5),
                (x, y),
                (x + r * 0.4, y - r * 0.5),
                (x + r, y - r * 0.3),
            ],
            0.018,
        )


Motif = Callable[[Pen], None]

_WORDS: Final[dict[str, Motif]] = {
    "cat": cat, "kitten": cat, "dog": dog, "puppy": dog, "retriever": dog, "train": train,
    "locomotive": train, "lighthouse": lighthouse, "boat": boat, "ship": boat, "sail": boat,
    "balloon": balloon, "tree": tree, "house": house, "cottage": house, "mill": mill,
    "windmill": mill, "bird": birds, "birds": birds,
}  # fmt: skip
_AIRBORNE: Final[tuple[Motif, ...]] = (balloon, birds)
_OPEN_LAND: Final = ("hills", "flowers", "desert")
_HOME: Final[dict[Motif, tuple[str, ...]]] = {
    lighthouse: ("sea",), boat: ("sea",), train: ("hills",), cat: _OPEN_LAND, dog: _OPEN_LAND,
    tree: _OPEN_LAND, house: ("hills", "flowers"), mill: ("hills", "flowers"),
}  # fmt: skip
_SCENERY: Final = {
    "mountain": "hills", "mountains": "hills", "hill": "hills", "hills": "hills", "sea": "sea",
    "beach": "sea", "ocean": "sea", "coast": "sea", "lake": "sea", "city": "city",
    "skyline": "city", "street": "city", "building": "city", "flower": "flowers",
    "flowers": "flowers", "meadow": "flowers", "daisy": "flowers", "forest": "forest",
    "wood": "forest", "desert": "desert", "dune": "desert", "dunes": "desert",
}  # fmt: skip
_BY_CHANCE: Final[dict[str, tuple[Motif | None, ...]]] = {
    "hills": (None, balloon, house, birds, tree), "sea": (boat, birds, lighthouse, None),
    "city": (None, balloon, birds), "flowers": (None, None, balloon, mill),
    "forest": (None, birds, None), "desert": (None, balloon, birds),
}  # fmt: skip


def _words(slug: str) -> list[str]:
    return slug.partition(".")[0].split("-")


def motif_of(slug: str) -> Motif | None:
    """Return the motif that a word of the query names."""
    return next((_WORDS[word] for word in _words(slug) if word in _WORDS), None)


def scenes_of(slug: str, every: Sequence[str]) -> Sequence[str]:
    """Return the scenes, out of `every`, that suit the words of the query."""
    named = [_SCENERY[word] for word in _words(slug) if word in _SCENERY]
    motif = motif_of(slug)
    return named or (_HOME.get(motif, every) if motif else every)


def chance_motif(scene: str, rng: np.random.Generator) -> Motif | None:
    """Return something that suits the scene, or nothing."""
    choice = _BY_CHANCE[scene]
    return choice[int(rng.integers(len(choice)))]


def place(
    canvas: Canvas, motif: Motif, palette: Palette, spot: tuple[float, float, float], flip: bool
) -> None:
    """Place `motif` at `spot`: x, y of its foot, height, as shares."""
    x, y, height = spot
    if motif in _AIRBORNE:
        y = 0.36 + 0.5 * height
    side = max(8, round(height * min(canvas.height, canvas.width * 1.1)))
    pen = Pen(min(side, _MAX_SIDE) * _SMOOTH, palette)
    motif(pen)
    sprite = pen.image.reduce(_SMOOTH)
    if side > _MAX_SIDE:
        sprite = sprite.resize((side, side), Image.Resampling.BICUBIC)
    if flip:
        sprite = sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left = round(x * canvas.width - side / 2)
    canvas.image.paste(sprite, (left, round(y * canvas.height) - side), sprite)
