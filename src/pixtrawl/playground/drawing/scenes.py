"""Scenes of made-up pictures: hills, sea, city, flowers, forest, desert.

A scene gets a canvas, random numbers and a palette; it paints from the sky to the front and
returns where something may stand: (x, y of the ground, height), as shares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from pixtrawl.playground.drawing.canvas import Canvas, Grid, ridge
from pixtrawl.playground.drawing.palettes import Color, Palette, mixed

Place = tuple[float, float, float]
Scene = Callable[[Canvas, np.random.Generator, Palette], Place]


def _open_sky(
    canvas: Canvas, rng: np.random.Generator, palette: Palette, lowest: float
) -> tuple[float, float]:
    """Draw the sky with sun or moon, stars at night; return the place of the sun."""
    sun = float(rng.uniform(0.12, 0.88)), float(rng.uniform(0.12, max(0.14, lowest)))
    canvas.sky(rng, palette, sun, float(rng.uniform(0.35, 0.8)))
    if palette.night:
        canvas.stars(rng, 140, 0.8)
    radius = float(rng.uniform(0.035, 0.085))
    canvas.disc(*sun, radius, palette.sun)
    return sun


def _cover(depth: float) -> float:
    """Return how deep a layer need be painted: the next one covers it, save the last (depth 1)."""
    return 1.0 if depth >= 1.0 else 0.2


def _at(line: Grid, x: float) -> float:
    return min(0.97, float(line[min(len(line) - 1, int(x * len(line)))]))


def hills(canvas: Canvas, rng: np.random.Generator, palette: Palette) -> Place:
    """Draw ridges behind ridges, paler with distance; rock or meadow, firs on some."""
    _open_sky(canvas, rng, palette, 0.4)
    layers = int(rng.integers(4, 7))
    first, rough = float(rng.uniform(0.36, 0.52)), float(rng.uniform(0.25, 1.0))
    line: Grid = np.zeros(canvas.width, np.float32)
    for number in range(layers):
        depth = number / (layers - 1)
        height = first + (0.9 - first) * depth**1.1
        swing = 0.10 * (1 - 0.55 * depth) * (0.5 + rough)
        line = height + swing * ridge(rng, canvas.width, rough * (1 - 0.7 * depth))
        if depth > 0.5 and rng.random() < 0.55:
            line = line - _firs(rng, canvas.width, 0.03 + 0.05 * depth)
        color = mixed(mixed(palette.horizon, palette.far, 0.35 + 0.65 * depth), palette.near, depth)
        canvas.land(line, color, mixed(color, palette.horizon, 0.35 * (1 - depth)), _cover(depth))
    x = float(rng.uniform(0.2, 0.8))
    return x, _at(line, x) + 0.01, float(rng.uniform(0.24, 0.36))


def _firs(rng: np.random.Generator, width: int, tallest: float) -> Grid:
    """Return the heights of a row of firs over the ground, a share of the picture's height."""
    count = int(rng.integers(26, 60))
    x = np.arange(width, dtype=np.float32) / width
    centres = np.sort(rng.random(count))
    tall = rng.uniform(0.35, 1.0, count) * tallest
    nearest = np.clip(np.searchsorted(centres, x), 1, count - 1)
    out = np.zeros(width, np.float32)
    for offset in (-1, 0):
        tree = nearest + offset
        away = np.abs(x - centres[tree])
        out = np.maximum(out, tall[tree] * (1 - away / (tall[tree] * 0.22)))
    return out.astype(np.float32)


def sea(canvas: Canvas, rng: np.random.Generator, palette: Palette) -> Place:
    """Draw a low sun over the water, an island or two, a shore in front of some."""
    horizon = float(rng.uniform(0.48, 0.66))
    sun = _open_sky(canvas, rng, palette, horizon - 0.04)
    for number in range(int(rng.integers(0, 3))):
        x = np.arange(canvas.width) / canvas.width
        centre, wide = rng.uniform(0, 1), rng.uniform(0.12, 0.4)
        rise = np.exp(-(((x - centre) / wide) ** 2)) * rng.uniform(0.05, 0.17)
        line = horizon + 0.002 - rise * (1 + 0.25 * ridge(rng, canvas.width, 0.8))
        color = mixed(palette.horizon, palette.far, 0.55 + 0.4 * number)
        canvas.land(line.astype(np.float32), color, mixed(color, palette.near, 0.25), 0.0)
    canvas.water(rng, horizon, palette, sun[0])
    shore = 0.92 + 0.025 * ridge(rng, canvas.width, 0.3) - 0.06 * rng.random()
    canvas.land(shore.astype(np.float32), mixed(palette.near, palette.far, 0.2), palette.near)
    standing = float(rng.uniform(0.15, 0.85))
    return standing, _at(shore, standing) + 0.01, float(rng.uniform(0.34, 0.5))


def city(canvas: Canvas, rng: np.random.Generator, palette: Palette) -> Place:
    """Draw three rows of houses against the sky, windows lit in the closest ones."""
    _open_sky(canvas, rng, palette, 0.35)
    for depth in (0.0, 0.5, 1.0):
        ground = 0.62 + 0.26 * depth
        tops = _skyline(rng, canvas.width, ground, 0.28 - 0.06 * depth)
        color = mixed(mixed(palette.horizon, palette.far, 0.5), palette.near, 0.15 + 0.8 * depth)
        canvas.land(tops, color, mixed(color, palette.near, 0.35), _cover(depth))
        if depth:
            _windows(canvas, rng, tops, mixed(palette.bloom, palette.sun, 0.3), depth)
    quay = np.full(canvas.width, 0.92, np.float32)
    canvas.land(quay, mixed(palette.near, palette.far, 0.18), palette.near)
    return float(rng.uniform(0.2, 0.8)), 0.93, float(rng.uniform(0.2, 0.3))


def _skyline(rng: np.random.Generator, width: int, ground: float, tall: float) -> Grid:
    """Return the heights of houses, from left to right; a few have a spire."""
    edges = np.cumsum(rng.uniform(0.025, 0.085, 60))
    heights = ground - tall * rng.beta(1.4, 1.6, 60) * rng.uniform(0.6, 1.5, 60)
    x = np.arange(width) / width
    house = np.minimum(np.searchsorted(edges, x), 59)
    spire = np.where(rng.random(60) < 0.15, 0.07, 0.0)[house]
    middle = (edges - np.diff(edges, prepend=0) / 2)[house]
    point = np.clip(1 - np.abs(x - middle) / 0.004, 0, 1)
    return (heights[house] - spire * point).astype(np.float32)


def _windows(
    canvas: Canvas, rng: np.random.Generator, tops: Grid, color: Color, depth: float
) -> None:
    pen = ImageDraw.Draw(canvas.image)
    step = 0.013 + 0.009 * depth
    columns, rows = int(1 / step) - 1, int(0.45 / (step * 1.6))
    x, y = (np.arange(columns) + 0.3) * step, 0.5 + (np.arange(rows) * 1.6 + 0.3) * step
    lit = rng.random((columns, rows)) < rng.uniform(0.2, 0.45)
    roof = np.maximum(*(tops[((x + more) * len(tops)).astype(int)] for more in (0, step * 0.45)))
    lit &= y[None, :] > roof[:, None] + 0.012
    wide, high = max(1.0, step * 0.42 * canvas.width), max(1.0, step * 0.75 * canvas.height)
    for column, row in np.argwhere(lit).tolist():
        left, top = int(x[column] * canvas.width), int(y[row] * canvas.height)
        pen.rectangle((left, top, left + wide, top + high), fill=color)


def flowers(canvas: Canvas, rng: np.random.Generator, palette: Palette) -> Place:
    """Draw a meadow under the sky, blossoms small at the back and large in front."""
    _open_sky(canvas, rng, palette, 0.25)
    meadow: Color = mixed((92, 150, 60), palette.far, 0.4)
    if palette.night:
        meadow = mixed(meadow, palette.near, 0.7)
    back = 0.4 + 0.05 * ridge(rng, canvas.width, 0.2)
    canvas.land(back, mixed(meadow, palette.horizon, 0.55), meadow)
    front = 0.52 + 0.04 * ridge(rng, canvas.width, 0.1)
    canvas.land(front, mixed(meadow, palette.horizon, 0.2), mixed(meadow, (18, 46, 20), 0.72))
    heart = mixed(palette.sun, (120, 70, 20), 0.35)
    other = mixed(palette.bloom, palette.sun, float(rng.uniform(0.25, 0.7)))
    stamp = _blossom(rng, int(rng.integers(5, 10)))
    for near in np.sort(rng.beta(0.9, 1.3, 30)):
        radius = (0.012 + 0.085 * near**1.4) * float(rng.uniform(0.8, 1.2))
        x, y = float(rng.uniform(-0.02, 1.02)), 0.52 + 0.42 * float(near)
        color = other if rng.random() < 0.4 else palette.bloom
        _plant(canvas, stamp, (x, y, radius), (color, heart, mixed(meadow, (14, 40, 16), 0.6)))
    return float(rng.uniform(0.2, 0.8)), 0.62, float(rng.uniform(0.16, 0.26))


def _blossom(rng: np.random.Generator, petals: int) -> Image.Image:
    """Return a flower head from above, 128 pixels wide, as a mask."""
    mask = Image.new("L", (256, 256))
    pen = ImageDraw.Draw(mask)
    turn, slim = rng.uniform(0, 1), rng.uniform(0.75, 1.1)
    spread = np.linspace(-1, 1, 13) * np.pi * slim / petals
    for petal in range(petals):
        angle = 2 * np.pi * (petal + turn) / petals
        reach = 128 * (1 - 0.75 * (spread / spread[-1]) ** 4)
        points = np.stack(
            [128 + reach * np.cos(angle + spread), 128 + reach * np.sin(angle + spread)]
        )
        tone = 255 - 28 * (petal % 2)
        pen.polygon([(128.0, 128.0), *((float(a), float(b)) for a, b in points.T)], fill=tone)
    return mask.reduce(2)


def _plant(
    canvas: Canvas, head: Image.Image, place: Place, colors: tuple[Color, Color, Color]
) -> None:
    x, y, radius = place
    size = max(3, round(2 * radius * canvas.height))
    pen = ImageDraw.Draw(canvas.image)
    foot = (x + radius * 0.3) * canvas.width, (y + radius * 4) * canvas.height
    top = x * canvas.width, y * canvas.height
    pen.line((*top, *foot), fill=colors[2], width=max(1, size // 12))
    mask = head.resize((size, max(2, size * 7 // 8)), Image.Resampling.BOX)
    canvas.stamp(mask, x, y, colors[0], down=0.5)
    if size > 8:
        canvas.disc(
            x, y, radius * canvas.height / min(canvas.width, canvas.height) * 0.3, colors[1]
        )


def forest(canvas: Canvas, rng: np.random.Generator, palette: Palette) -> Place:
    """Draw rows of firs that come out of the mist."""
    _open_sky(canvas, rng, palette, 0.3)
    for depth in (0.0, 0.3, 0.6, 1.0):
        ground = 0.5 + 0.42 * depth + 0.05 * ridge(rng, canvas.width, 0.3)
        firs = _firs(rng, canvas.width, 0.12 + 0.2 * depth)
        color = mixed(mixed(palette.horizon, palette.far, 0.3 + depth * 0.7), palette.near, depth)
        foot = mixed(color, palette.horizon, 0.55 * (1 - depth))
        canvas.land(ground - firs, color, foot, _cover(depth))
    return float(rng.uniform(0.2, 0.8)), 0.98, float(rng.uniform(0.22, 0.34))


def desert(canvas: Canvas, rng: np.random.Generator, palette: Palette) -> Place:
    """Draw dunes with a lit and a dark side."""
    _open_sky(canvas, rng, palette, 0.3)
    line: Grid = np.zeros(canvas.width, np.float32)
    sand = mixed(palette.far, palette.sun, 0.35)
    for number in range(5):
        depth = number / 4
        line = 0.5 + 0.4 * depth + (0.05 + 0.05 * depth) * ridge(rng, canvas.width, 0.1, 9)
        lit = mixed(mixed(palette.horizon, sand, 0.4 + 0.6 * depth), palette.far, 0.2 * depth)
        shade = mixed(lit, palette.near, 0.22 + 0.3 * depth)
        canvas.land(line, lit, mixed(lit, palette.near, 0.3), _cover(depth))
        crest = line + 0.02 + (0.04 + 0.1 * depth) * np.abs(ridge(rng, canvas.width, 0.1, 7))
        canvas.land(crest.astype(np.float32), shade, mixed(lit, palette.near, 0.2), _cover(depth))
    x = float(rng.uniform(0.2, 0.8))
    return x, _at(line, x) + 0.02, float(rng.uniform(0.22, 0.34))


SCENES: Final[dict[str, Scene]] = {
    "hills": hills, "sea": sea, "city": city,
    "flowers": flowers, "forest": forest, "desert": desert,
}  # fmt: skip
