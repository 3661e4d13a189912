"""Garments drawn here, seeded: silhouettes that no package ships, in other colours and prints.

A garment is a map of parts (body, sleeves or straps, print) with light and shade. It lies on white,
light grey, a studio's gradient, a floor, or is worn by a figure. Families differ by the hue of
everything, the hue of one part, the dye of the body, and its grey; printed ones by the print and
its hue.
"""

from __future__ import annotations

import colorsys
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bench.dedup_prints import print_mask

_SIDE = 480
_BODY, _PART, _PRINT, _SKIN = 1, 2, 3, 4
Variants = dict[str, list[Image.Image]]
Outline = list[tuple[float, float]]

# Outlines in shares of the canvas: of the body, and of the part that may have another colour.
_SHAPES: dict[str, tuple[list[Outline], list[Outline]]] = {
    "hoodie": (
        [
            [(0.32, 0.22), (0.68, 0.22), (0.7, 0.86), (0.3, 0.86)],
            [(0.4, 0.1), (0.6, 0.1), (0.66, 0.25), (0.34, 0.25)],
        ],
        [
            [(0.32, 0.23), (0.2, 0.32), (0.14, 0.8), (0.23, 0.82), (0.3, 0.42)],
            [(0.68, 0.23), (0.8, 0.32), (0.86, 0.8), (0.77, 0.82), (0.7, 0.42)],
        ],
    ),
    "shirt": (
        [
            [
                (0.3, 0.18),
                (0.42, 0.15),
                (0.5, 0.21),
                (0.58, 0.15),
                (0.7, 0.18),
                (0.69, 0.85),
                (0.31, 0.85),
            ]
        ],
        [
            [(0.3, 0.18), (0.14, 0.34), (0.23, 0.44), (0.31, 0.36)],
            [(0.7, 0.18), (0.86, 0.34), (0.77, 0.44), (0.69, 0.36)],
        ],
    ),
    "dress": (
        [[(0.4, 0.3), (0.6, 0.3), (0.62, 0.46), (0.8, 0.92), (0.2, 0.92), (0.38, 0.46)]],
        [
            [
                (0.39, 0.1),
                (0.44, 0.1),
                (0.5, 0.2),
                (0.56, 0.1),
                (0.61, 0.1),
                (0.6, 0.31),
                (0.4, 0.31),
            ]
        ],
    ),
    "trousers": (
        [
            [
                (0.34, 0.16),
                (0.66, 0.16),
                (0.72, 0.93),
                (0.55, 0.93),
                (0.5, 0.36),
                (0.45, 0.93),
                (0.28, 0.93),
            ]
        ],
        [[(0.34, 0.08), (0.66, 0.08), (0.66, 0.17), (0.34, 0.17)]],
    ),
    "cap": (
        [
            [
                (0.22, 0.6),
                (0.25, 0.42),
                (0.36, 0.3),
                (0.5, 0.26),
                (0.62, 0.3),
                (0.72, 0.42),
                (0.74, 0.6),
            ]
        ],
        [[(0.6, 0.57), (0.76, 0.57), (0.95, 0.68), (0.92, 0.72), (0.6, 0.66)]],
    ),
    "shoe": (
        [
            [
                (0.08, 0.62),
                (0.12, 0.36),
                (0.3, 0.34),
                (0.44, 0.46),
                (0.78, 0.54),
                (0.93, 0.66),
                (0.92, 0.72),
                (0.08, 0.72),
            ]
        ],
        [[(0.07, 0.71), (0.93, 0.71), (0.94, 0.79), (0.07, 0.79)]],
    ),
    "bag": (
        [[(0.2, 0.4), (0.8, 0.4), (0.86, 0.88), (0.14, 0.88)]],
        [
            [
                (0.32, 0.41),
                (0.36, 0.16),
                (0.64, 0.16),
                (0.68, 0.41),
                (0.63, 0.41),
                (0.6, 0.2),
                (0.4, 0.2),
                (0.37, 0.41),
            ]
        ],
    ),
    "coat": (
        [[(0.36, 0.12), (0.64, 0.12), (0.72, 0.94), (0.28, 0.94)]],
        [
            [(0.36, 0.13), (0.22, 0.24), (0.15, 0.7), (0.24, 0.71), (0.33, 0.38)],
            [(0.64, 0.13), (0.78, 0.24), (0.85, 0.7), (0.76, 0.71), (0.67, 0.38)],
        ],
    ),
    "skirt": (
        [[(0.36, 0.25), (0.64, 0.25), (0.84, 0.82), (0.16, 0.82)]],
        [[(0.36, 0.16), (0.64, 0.16), (0.64, 0.26), (0.36, 0.26)]],
    ),
    "sock": (
        [
            [
                (0.4, 0.22),
                (0.6, 0.22),
                (0.6, 0.6),
                (0.82, 0.76),
                (0.78, 0.88),
                (0.6, 0.88),
                (0.4, 0.72),
            ]
        ],
        [[(0.39, 0.08), (0.61, 0.08), (0.61, 0.23), (0.39, 0.23)]],
    ),
}
_PRINTED = ("hoodie", "shirt", "dress", "bag", "coat", "skirt")
GROUNDS = ("white", "light grey", "studio", "floor", "worn")
_PATTERNS = ("plain", "striped", "checked", "dotted", "print", "print")
_GREYS = ((0.1, "black"), (0.3, "dark"), (0.55, "grey"), (0.93, "white"))
_DYES = (
    (0.0, 0.8, 0.75), (0.06, 0.85, 0.9), (0.14, 0.8, 0.95), (0.36, 0.7, 0.5), (0.5, 0.7, 0.6),
    (0.6, 0.75, 0.75), (0.63, 0.65, 0.33), (0.78, 0.6, 0.55), (0.92, 0.45, 0.92), (0.07, 0.6, 0.4),
)  # fmt: skip


def _mask(outlines: list[Outline]) -> np.ndarray:
    large = Image.new("L", (2 * _SIDE, 2 * _SIDE))
    draw = ImageDraw.Draw(large)
    for outline in outlines:
        draw.polygon([(2 * _SIDE * x, 2 * _SIDE * y) for x, y in outline], fill=255)
    soft = large.filter(ImageFilter.MedianFilter(9)).resize((_SIDE, _SIDE))
    return np.asarray(soft, dtype=np.float32) / 255


def _folds(rng: np.random.Generator) -> np.ndarray:
    """Light and shade about 1: soft folds, a little cloth."""
    found = np.zeros((_SIDE, _SIDE), dtype=np.float32)
    for cells, strength in ((5, 0.22), (14, 0.12), (120, 0.04)):
        noise = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        rough = Image.fromarray(noise).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        found += strength * np.asarray(rough)
    return np.clip(1 + found, 0.45, 1.5)


def _pattern(kind: str) -> np.ndarray:
    y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    if kind == "striped":
        return ((y * 14) % 1 < 0.4).astype(np.float32)
    if kind == "checked":
        return 0.5 * (((y * 9) % 1 < 0.5).astype(np.float32) + ((x * 9) % 1 < 0.5))
    return ((((x * 12) % 1 - 0.5) ** 2 + ((y * 12) % 1 - 0.5) ** 2) < 0.07).astype(np.float32)


def _rgb(hsv: tuple[float, float, float]) -> np.ndarray:
    return 255 * np.array(colorsys.hsv_to_rgb(hsv[0] % 1, hsv[1], hsv[2]), dtype=np.float32)


class Garment:
    """One garment on its ground; `drawn` gives it in the colours asked for."""

    def __init__(self, name: str, floors: list[Image.Image], pattern: str = "") -> None:
        rng, noise = random.Random(name), np.random.default_rng(abs(hash_of(name)))
        self._name, self.shape = name, name.split()[0]
        body, part = _SHAPES[self.shape]
        self._parts = {_PART: _mask(part), _BODY: _mask(body)}
        drawn = rng.choice(_PATTERNS)
        self.pattern = pattern or drawn
        if self.pattern == "print":
            self._parts[_PRINT] = print_mask(rng, _SIDE) * self._parts[_BODY]
        elif self.pattern != "plain":
            self._parts[_PRINT] = _pattern(self.pattern) * self._parts[_BODY]
        self._light = _folds(noise)[:, :, None]
        self.ground_kind = rng.choice(GROUNDS)
        self._ground = self._make_ground(rng, floors)
        hue = rng.random()
        self.colours = {
            _BODY: (hue, rng.uniform(0.4, 0.9), rng.uniform(0.35, 0.9)),
            _PART: (
                hue + rng.choice((0, 0, 0.3, 0.5)),
                rng.uniform(0.3, 0.9),
                rng.uniform(0.3, 0.9),
            ),
            _PRINT: rng.choice(((0.0, 0.0, 0.95), (hue + 0.5, 0.7, 0.9), (0.0, 0.0, 0.12))),
        }

    def _make_ground(self, rng: random.Random, floors: list[Image.Image]) -> np.ndarray:
        ground = np.full((_SIDE, _SIDE, 3), 255.0, dtype=np.float32)
        if self.ground_kind == "light grey":
            ground[:] = rng.choice((238, 246, 228))
        elif self.ground_kind in ("studio", "worn"):
            y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE - 0.5
            ground[:] = (225 - 70 * (x**2 + y**2) - 25 * y)[:, :, None]
        elif self.ground_kind == "floor" and floors:
            ground[:] = np.asarray(rng.choice(floors).resize((_SIDE, _SIDE)), dtype=np.float32)
        if self.ground_kind == "worn":
            layer = Image.fromarray(ground.astype(np.uint8))
            draw = ImageDraw.Draw(layer)
            skin = rng.choice(((224, 172, 140), (120, 78, 55), (241, 205, 180)))
            for box in ((0.42, 0.0, 0.58, 0.18), (0.38, 0.7, 0.48, 1.0), (0.53, 0.7, 0.63, 1.0)):
                draw.ellipse(tuple(_SIDE * v for v in box), fill=skin)
            ground = np.asarray(layer, dtype=np.float32)
        return ground

    def drawn(self, **changes: tuple[float, float, float]) -> Image.Image:
        """Changes: `body`, `part`, `print`, each (hue, saturation, value) 0..1."""
        places = {"body": _BODY, "part": _PART, "print": _PRINT}
        colours = self.colours | {places[key]: hsv for key, hsv in changes.items()}
        pixels = self._ground.copy()
        for part in (_PART, _BODY, _PRINT):
            if part in self._parts:
                mask = self._parts[part][:, :, None]
                pixels += mask * (self._light * _rgb(colours[part]) - pixels)
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

    def with_other_prints(self, count: int) -> list[Image.Image]:
        own, found = self._parts[_PRINT], []
        for n in range(count):
            other = random.Random(f"{self._name} other print {n}")
            self._parts[_PRINT] = print_mask(other, _SIDE) * self._parts[_BODY]
            found.append(self.drawn())
        self._parts[_PRINT] = own
        return found

    def printed(self) -> Variants:
        """The garment with other prints, and with its own in other colours."""
        hue = self.colours[_BODY][0]
        inks = [(hue + s, 0.75, 0.85) for s in (0.15, 0.32, 0.5, 0.68, 0.85)]
        return {
            "another print": self.with_other_prints(5),
            "hue of the print": [self.drawn(print=ink) for ink in inks],
        }

    def variants(self) -> Variants:
        hue, strength, value = self.colours[_BODY]
        part = self.colours[_PART]
        steps = (0.0, 0.12, 0.3, 0.5, 0.72)
        whole = [
            self.drawn(body=(hue + s, strength, value), part=(part[0] + s, *part[1:]))
            for s in steps
        ]
        return {
            "hue of all": whole,
            "hue of the body": [self.drawn(body=(hue + s, strength, value)) for s in steps],
            "hue of a part": [self.drawn(part=(part[0] + s, *part[1:])) for s in steps],
            "another dye": [self.drawn(body=dye, part=dye) for dye in _DYES[::2]],
            "black to white": [self.drawn(body=(0, 0, v), part=(0, 0, v)) for v, _ in _GREYS],
        }


def hash_of(name: str) -> int:
    return random.Random(name).getrandbits(62)


def wardrobe(each: int, floors: list[Image.Image]) -> list[tuple[str, Garment]]:
    names = [f"{shape} {number}" for shape in _SHAPES for number in range(each)]
    return [(name, Garment(name, floors)) for name in names]


def printed(each: int, floors: list[Image.Image]) -> list[tuple[str, Garment]]:
    names = [f"{shape} with a print {number}" for shape in _PRINTED for number in range(each)]
    return [(name, Garment(name, floors, "print")) for name in names]


def recoloured_in_part(image: Image.Image, degrees: tuple[int, ...]) -> list[Image.Image]:
    """A photograph, and the same with the hue of its most frequent colour turned.

    Empty where no colour covers a twentieth to a half of it.
    """
    hsv = np.asarray(image.convert("HSV")).astype(int)
    vivid = (hsv[:, :, 1] > 70) & (hsv[:, :, 2] > 50)
    if not vivid.any():
        return []
    counts = np.bincount(hsv[:, :, 0][vivid] // 16, minlength=16)
    middle = 16 * int(counts.argmax()) + 8
    apart = np.abs((hsv[:, :, 0] - middle + 128) % 256 - 128)
    mask = vivid & (apart < 18)
    soft = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MedianFilter(7))
    share = float((np.asarray(soft) > 128).mean())
    if not 0.05 < share < 0.5:
        return []
    weights = np.asarray(soft, dtype=np.float32)[:, :, None] / 255
    found, before = [image], np.asarray(image, dtype=np.float32)
    for angle in degrees:
        turned = hsv.copy()
        turned[:, :, 0] = (turned[:, :, 0] + round(angle * 256 / 360)) % 256
        after = np.asarray(Image.fromarray(turned.astype(np.uint8), "HSV").convert("RGB"))
        mixed = before + weights * (after.astype(np.float32) - before)
        found.append(Image.fromarray(mixed.astype(np.uint8)))
    return found
