"""Colours of made-up pictures: one table of light for each dominant colour, slightly varied."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

Color = tuple[int, int, int]

COLORS: Final = (
    "red", "orange", "yellow", "green", "teal", "blue",
    "purple", "pink", "brown", "gray", "black", "white",
)  # fmt: skip
"""Dominant colours that a picture may have."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture, red, green and blue from 0 to 255."""

    zenith: Color  # sky at the top
    horizon: Color  # sky at the bottom
    sun: Color
    far: Color  # the most distant land
    near: Color  # the closest
    bloom: Color  # flowers, windows, sails
    night: bool = False


def _palette(*colors: str, night: bool = False) -> Palette:
    zenith, horizon, sun, far, near, bloom = (_color(color) for color in colors)
    return Palette(zenith, horizon, sun, far, near, bloom, night)


def _color(code: str) -> Color:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


_TABLE: Final = {
    "red": _palette("5b1a3d", "ff7a4f", "fff0c8", "b8455a", "2b0f22", "ff4a3d"),
    "orange": _palette("3f5d95", "ffb36b", "fff3d0", "c98468", "3a2130", "ff9230"),
    "yellow": _palette("8fbfd8", "fff0ba", "fffbe8", "d9bd78", "5d5a24", "ffd21f"),
    "green": _palette("79b9dc", "e6f5dc", "fffbe0", "93c3a2", "174a2c", "f6f3e6"),
    "teal": _palette("0d6e88", "b4f0e2", "fffbe8", "58a9ad", "06383f", "ff9d76"),
    "blue": _palette("1d5cab", "cfe9fa", "ffffff", "7aa5cf", "11304f", "ffe27a"),
    "purple": _palette("2b1c58", "d68fd0", "ffe9d6", "8464ae", "1d1138", "d9a2ff"),
    "pink": _palette("7f8fd2", "ffc5cf", "fff5ec", "d38fa9", "4b2345", "ff86b0"),
    "brown": _palette("9fb2b8", "f0d9b4", "fff4da", "b58a63", "3c2415", "e06a35"),
    "gray": _palette("6d7b87", "dde3e6", "ffffff", "9aa6ae", "2c343a", "c8d3d8"),
    "black": _palette("070d22", "2f4068", "f4f1da", "24345a", "05070f", "ffd27a", night=True),
    "white": _palette("a9c8e2", "f5fafd", "ffffff", "d3e1ec", "6f8798", "ff6f61"),
}


def palette_of(color: str, rng: np.random.Generator) -> Palette:
    """Return the palette of a dominant colour, its hues and lightness moved a little."""
    base = _TABLE[color]
    hue, light = float(rng.uniform(-0.025, 0.025)), float(rng.uniform(0.9, 1.08))
    moved = {
        field.name: _moved(getattr(base, field.name), hue, light)
        for field in fields(base)
        if field.name != "night"
    }
    return Palette(**moved, night=base.night)


def _moved(color: Color, hue: float, light: float) -> Color:
    h, level, s = colorsys.rgb_to_hls(*(c / 255 for c in color))
    red, green, blue = colorsys.hls_to_rgb((h + hue) % 1, min(1.0, level * light), s)
    return round(red * 255), round(green * 255), round(blue * 255)


def mixed(a: Color, b: Color, share: float) -> Color:
    """Return `a` mixed with a share (0..1) of `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue
