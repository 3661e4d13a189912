"""Prints on garments, drawn here, seeded: shapes, words, numbers and stripes of several sizes."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

_WORDS = ("NYC", "SURF", "77", "RIDE", "LOVE", "24", "OSLO", "WILD", "No 5", "HELLO")
Draw = ImageDraw.ImageDraw
# The pen, a word, the middle of the print and half of its size in pixels.
Shape = Callable[[Draw, str, float, float, float], None]


def print_mask(rng: random.Random, side: int) -> np.ndarray:
    """A print on the chest: `side` x `side`, 0..1; a sixth to a third of the canvas wide."""
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    shape, word = rng.choice(_SHAPES), rng.choice(_WORDS)
    x, y = (0.5 + rng.uniform(-0.02, 0.02)) * side, (0.5 + rng.uniform(-0.04, 0.05)) * side
    shape(draw, word, x, y, rng.uniform(0.08, 0.15) * side)
    return np.asarray(image, dtype=np.float32) / 255


def _ring(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), outline=255, width=round(0.45 * r))


def _disc(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=255)


def _square(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    draw.rectangle((x - r, y - r, x + r, y + r), fill=255)


def _star(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    points = []
    for n in range(10):
        angle, radius = np.pi * n / 5, r * (1.15 if n % 2 else 0.5)
        points.append((x + radius * np.sin(angle), y + radius * np.cos(angle)))
    draw.polygon(points, fill=255)


def _triangle(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    draw.polygon([(x, y - r), (x + r, y + 0.8 * r), (x - r, y + 0.8 * r)], fill=255)


def _bars(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    for n in range(3):
        top = y - r + 0.75 * r * n
        draw.rectangle((x - 1.1 * r, top, x + 1.1 * r, top + 0.4 * r), fill=255)


def _cross(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    draw.rectangle((x - r, y - 0.3 * r, x + r, y + 0.3 * r), fill=255)
    draw.rectangle((x - 0.3 * r, y - r, x + 0.3 * r, y + r), fill=255)


def _heart(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    for middle in (x - 0.48 * r, x + 0.48 * r):
        draw.ellipse((middle - 0.52 * r, y - 0.9 * r, middle + 0.52 * r, y + 0.14 * r), fill=255)
    draw.polygon([(x - 0.95 * r, y - 0.2 * r), (x + 0.95 * r, y - 0.2 * r), (x, y + r)], fill=255)


def _waves(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    for n in (-1, 0, 1):
        points = [
            (x - r + 0.1 * r * t, y + 0.6 * r * n + 0.2 * r * float(np.sin(t))) for t in range(21)
        ]
        draw.line(points, fill=255, width=round(0.25 * r))


def _dots(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    for n in range(9):
        left, top = x - r + 0.75 * r * (n % 3), y - r + 0.75 * r * (n // 3)
        draw.ellipse((left, top, left + 0.5 * r, top + 0.5 * r), fill=255)


def _letters(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    draw.text((x, y), word, 255, anchor="mm", font_size=1.1 * r)


def _two_lines(draw: Draw, word: str, x: float, y: float, r: float) -> None:
    for line, top in ((word, y - 0.6 * r), ("CLUB", y + 0.6 * r)):
        draw.text((x, top), line, 255, anchor="mm", font_size=1.1 * r)


_SHAPES: tuple[Shape, ...] = (
    _ring, _disc, _square, _star, _triangle, _bars, _cross, _heart, _waves, _dots, _letters,
    _two_lines,
)  # fmt: skip
