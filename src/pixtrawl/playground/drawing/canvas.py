"""Drawing primitives of scenes: skies, ridges, discs, water, light and grain.

Positions are shares of width and height (0..1, from the top left), so that a composition is the
same at every size. Each tool is one or two calls into Pillow on the part that it changes: a scene
of 640 x 480 takes 3 to 6 ms.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from pixtrawl.playground.drawing.palettes import Color, Palette, mixed

Grid = NDArray[np.float32]

_TERMS: Final = 24
_GRID: Final = 64  # side of a field before it is enlarged, pixels
_KNOTS: Final = 200  # points of a ridge, joined by straight lines
_COUNT: Final = np.arange(_KNOTS)
_STEPS: Final = 18  # of a gradient on land
_SMOOTH: Final = 4  # shapes are drawn this many times larger


@lru_cache(maxsize=8)
def _cosines(terms: int, size: int) -> Grid:
    x = (np.arange(size) + 0.5) * np.pi / size
    return np.cos(np.arange(terms)[:, None] * x[None, :]).astype(np.float32)


def surface(rng: np.random.Generator, fall: float = 1.15, stretch: float = 1.0) -> Grid:
    """Return a smooth random 64 x 64 surface, mean 0 and deviation 1.

    `fall`: how fast waves weaken as they get shorter; `stretch` above 1 draws it out sideways.
    """
    k = np.arange(_TERMS)
    weight = (1.0 / (1.0 + np.hypot(k[:, None], k[None, :] * stretch)) ** fall).astype(np.float32)
    signs = rng.choice([-1.0, 1.0], weight.shape)
    terms = (signs * rng.uniform(0.55, 1.45, weight.shape) * weight).astype(np.float32)
    terms[0, 0] = 0
    basis = _cosines(_TERMS, _GRID)
    out: Grid = basis.T @ terms @ basis
    out /= np.float32(max(float(out.std()), 1e-6))
    return out


def ridge(rng: np.random.Generator, width: int, rough: float, waves: int = 32) -> Grid:
    """Return `width` heights of a random line, deviation 1; `rough` is 0 (dunes) to 1 (rock)."""
    k = np.arange(1, waves + 1, dtype=np.float32)
    size = rng.normal(0, 1, waves) / k ** (2.2 - 1.1 * rough)
    phase = rng.uniform(0, 2 * np.pi, waves).astype(np.float32)
    x = np.linspace(0, 2.6, _KNOTS, dtype=np.float32)
    line = size @ np.sin(k[:, None] * x[None, :] + phase[:, None])
    line /= max(float(np.hypot.reduce(size)) / 1.41, 1e-6)
    heights: Grid = np.interp(np.arange(width) * ((_KNOTS - 1) / width), _COUNT, line).astype(
        np.float32
    )
    return heights


class Canvas:
    """A picture in the making."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("RGB", size)
        self.width, self.height = size

    def sky(
        self,
        rng: np.random.Generator,
        palette: Palette,
        sun: tuple[float, float],
        clouds: float,
    ) -> None:
        """Fill the whole canvas: a gradient, the sun's glow and, by `clouds` (0..1), clouds."""
        y, x = np.mgrid[0:_GRID, 0:_GRID].astype(np.float32) / _GRID
        zenith, horizon, light = (
            np.array(color, np.float32) for color in (palette.zenith, palette.horizon, palette.sun)
        )
        down = np.clip(y * 1.5, 0, 1)[..., None] ** 1.3
        air = zenith + (horizon - zenith) * down
        away = np.hypot((x - sun[0]) * self.width / self.height, y - sun[1])
        glow = np.exp(-away * (6.0 if palette.night else 3.2))[..., None] * 0.8
        air += (light - air) * glow
        shape = np.clip(surface(rng, 1.5, 0.45).T * 0.9 - 1.1 + 1.6 * clouds, 0, 1)[..., None]
        lit = np.clip(0.5 + 0.35 * surface(rng, 1.3, 0.5).T, 0, 1)[..., None]
        shade = zenith * 0.55 + horizon * 0.45
        air += (shade + (light - shade) * lit - air) * shape * (0.35 if palette.night else 0.75)
        small = Image.fromarray(np.clip(air, 0, 255).astype(np.uint8))
        self.image = _enlarged(small, (self.width, self.height))

    def land(self, heights: Grid, top: Color, bottom: Color, deep: float = 1.0) -> None:
        """Fill everything below `heights` (a share of the height for each column), smoothly edged.

        `deep`: how far below its lowest point, where something else will cover the rest.
        """
        line = heights * self.height
        first = max(0, int(line.min()) - 1)
        last = min(self.height, int(line.max()) + 2)
        foot = min(self.height, int(last + deep * self.height))
        if foot <= first:
            return
        steep = 255 / np.sqrt(1 + np.gradient(line) ** 2).astype(np.float32)
        depth = (np.arange(first, last, dtype=np.float32)[:, None] + 1 - line) * steep
        edge = Image.fromarray(np.clip(depth, 0, 255).astype(np.uint8))
        steps = min(_STEPS, foot - first)
        for step in range(steps):  # flat strips: a tenth of the time of a gradient as a picture
            color = mixed(top, bottom, step / steps)
            upper, lower = (first + (foot - first) * n // steps for n in (step, step + 1))
            seam = min(max(last, upper), lower)
            if upper < seam:
                mask = edge.crop((0, upper - first, self.width, seam - first))
                self.image.paste(color, (0, upper, self.width, seam), mask)
            if seam < lower:
                self.image.paste(color, (0, seam, self.width, lower))

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Draw a round body; `radius` as a share of the shorter side."""
        r = max(2, round(radius * min(self.width, self.height)))
        mask = Image.new("L", (2 * r * _SMOOTH, 2 * r * _SMOOTH))
        ImageDraw.Draw(mask).ellipse((0, 0, *mask.size), fill=255)
        self.stamp(mask.reduce(_SMOOTH), x, y, color, down=0.5)

    def stamp(self, mask: Image.Image, x: float, y: float, color: Color, down: float = 1.0) -> None:
        """Draw `mask` in `color`, centred at `x`; `down` of its height lies above `y`."""
        left = round(x * self.width - mask.width / 2)
        top = round(y * self.height - mask.height * down)
        self.image.paste(color, (left, top, left + mask.width, top + mask.height), mask)

    def stars(self, rng: np.random.Generator, count: int, lowest: float) -> None:
        """Draw points of light above `lowest`."""
        pen = ImageDraw.Draw(self.image)
        size = max(1, self.height // 360)
        places = rng.random((count, 3))
        for x, y, shine in places:
            left, top = int(x * self.width), int(y * y * lowest * self.height)
            level = int(110 + 145 * shine)
            pen.rectangle(
                (left, top, left + size - 1, top + size - 1),
                fill=(level, level, min(255, level + 12)),
            )

    def water(self, rng: np.random.Generator, horizon: float, palette: Palette, sun: float) -> None:
        """Draw a sea from `horizon` down: what is above it, mirrored, rippled and darker."""
        first = min(self.height - 2, max(1, round(horizon * self.height)))
        rows = self.height - first
        depth = np.arange(rows) / rows
        calm = np.asarray(self.image)[:first]
        sway = rng.normal(0, 1, rows + 8)
        sway = np.convolve(sway, np.ones(5) / 5, "same")[:rows] * (2 + 26 * depth)
        take = np.clip(first - 1 - np.arange(rows) * first / rows * 0.9 + sway, 0, first - 1)
        mirrored = calm[take.astype(np.intp)]
        tint = np.array(mixed(palette.zenith, palette.near, 0.45), np.float32)
        share = (0.28 + 0.34 * depth)[:, None]
        table_add, keep = tint * share, (256 * (1 - share)).astype(np.uint16)
        body = ((mirrored * keep[:, :, None]) >> 8) + table_add[:, None, :].astype(np.uint16)
        self.image.paste(Image.fromarray(body.astype(np.uint8)), (0, first))
        self._glitter(rng, first, palette, sun)

    def _glitter(self, rng: np.random.Generator, first: int, palette: Palette, sun: float) -> None:
        pen = ImageDraw.Draw(self.image)
        rows = self.height - first
        for part, side, length in rng.random((90, 3)):
            y = first + int(rows * part**1.7)
            reach = (0.01 + 0.10 * part) * self.width
            x = sun * self.width + (side - 0.5) * 3.2 * reach
            long = reach * (0.15 + 0.6 * length)
            color = mixed(palette.sun, palette.horizon, float(side * 0.8))
            pen.line(
                (x - long, y, x + long, y), fill=color, width=max(1, int(self.height * part / 160))
            )

    def light(self, rng: np.random.Generator, strength: float, grain: float) -> None:
        """Add uneven light and a film's grain, both in grey levels (standard deviation)."""
        field = np.clip(128 + strength * surface(rng, 0.55), 0, 255).astype(np.uint8)
        size = (self.width, self.height)
        layer = _enlarged(Image.fromarray(field), size)
        if grain:
            layer = ImageChops.add(layer, _grain(grain, size), 1, -128)
        self.image = ImageChops.add(self.image, Image.merge("RGB", (layer,) * 3), 1, -128)


def _enlarged(small: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Smooth at half the cost of a bicubic step to the full size."""
    middle = small.resize((3 * _GRID, 3 * _GRID), Image.Resampling.BICUBIC)
    return middle.resize(size, Image.Resampling.BILINEAR)


@lru_cache(maxsize=16)
def _grain(deviation: float, size: tuple[int, int]) -> Image.Image:
    rng = np.random.Generator(np.random.PCG64(7))
    noise = np.clip(128 + rng.normal(0, deviation, size[::-1]), 0, 255)
    return Image.fromarray(noise.astype(np.uint8))
