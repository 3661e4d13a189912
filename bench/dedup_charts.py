"""Charts drawn without a library for charts, seeded: other themes and kinds than matplotlib's.

A chart has a frame (kind, theme, size, names) and data. Families differ by data, by labels (title,
names of the axes and of the bars, at the same data), by the hue of everything or of one series, and
by kind.
"""

from __future__ import annotations

import colorsys
import random
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

KINDS = ("bar", "hbar", "stacked", "line", "lines", "area", "pie", "ring", "scatter", "bubble",
         "heat map", "steps")  # fmt: skip
_WORDS = (
    "Revenue", "Visitors", "Rain", "Energy", "Exports", "Births", "Latency", "Yield", "Traffic",
    "Salaries", "Prices", "Accidents", "Members", "Output", "Ratings", "Storage",
)  # fmt: skip
_NAMES = ("North", "South", "East", "West", "Jan", "Feb", "Mar", "Apr", "May", "Q1", "Q2", "Q3",
          "Oslo", "Lima", "Rome", "Kyiv", "Cats", "Dogs", "Tea", "Milk")  # fmt: skip
Variants = dict[str, list[Image.Image]]
Colour = tuple[int, int, int]


class Theme(NamedTuple):
    paper: Colour
    plot: Colour
    ink: Colour
    grid: Colour | None
    frame: bool


_THEMES = (
    Theme((255, 255, 255), (255, 255, 255), (40, 40, 40), (225, 225, 225), False),
    Theme((255, 255, 255), (235, 235, 240), (60, 60, 70), (255, 255, 255), False),
    Theme((32, 34, 40), (32, 34, 40), (225, 225, 225), (60, 64, 72), False),
    Theme((250, 246, 236), (250, 246, 236), (70, 60, 50), None, True),
    Theme((255, 255, 255), (255, 255, 255), (0, 0, 0), None, True),
)


class Chart:
    """A frame; `drawn` fills it with data."""

    def __init__(self, kind: str, number: int) -> None:
        self.name = f"{kind} {number} drawn"
        rng = random.Random(self.name)
        self.kind, self.theme = kind, rng.choice(_THEMES)
        self.size = rng.choice(((640, 480), (720, 405), (560, 560)))
        self.count, self.series = rng.randint(4, 9), rng.randint(2, 4)
        self.titled, self.legend = rng.random() < 0.8, rng.random() < 0.5
        hue = rng.random()
        self.colours = [
            (
                hue + n * rng.choice((0.13, 0.31, 0.62)),
                rng.uniform(0.45, 0.9),
                rng.uniform(0.5, 0.95),
            )
            for n in range(max(self.count, self.series))
        ]

    def drawn(
        self,
        data: int = 0,
        labels: int = 0,
        hues: list[float] | None = None,
        kind: str = "",
    ) -> Image.Image:
        hues = hues or [0.0] * len(self.colours)
        colours = [
            tuple(round(255 * v) for v in colorsys.hsv_to_rgb((h + turn) % 1, s, v_))
            for (h, s, v_), turn in zip(self.colours, hues, strict=True)
        ]
        width, height = self.size
        image = Image.new("RGB", (2 * width, 2 * height), self.theme.paper)
        draw = ImageDraw.Draw(image)
        box = (0.12 * 2 * width, 0.14 * 2 * height, 0.95 * 2 * width, 0.87 * 2 * height)
        kind = kind or self.kind
        words = random.Random(f"{self.name} labels {labels}")
        rng = random.Random(f"{self.name} data {data}")
        if kind not in ("pie", "ring"):
            self._axes(draw, box, words)
        getattr(self, "_" + _DRAWN_BY[kind])(draw, box, rng, colours, kind)
        if self.titled:
            title = f"{words.choice(_WORDS)} and {words.choice(_WORDS).lower()}"
            title += f" {words.randint(1960, 2030)}"
            draw.text((width, 0.06 * 2 * height), title, self.theme.ink, anchor="mm", font_size=40)
        if self.legend and kind in ("stacked", "lines", "pie", "ring", "area"):
            for n in range(self.series):
                top = box[1] + 10 + 44 * n
                draw.rectangle((box[2] - 180, top, box[2] - 150, top + 30), fill=colours[n])
                text = words.choice(_NAMES)
                draw.text((box[2] - 140, top), text, self.theme.ink, font_size=28)
        return image.resize(self.size, Image.Resampling.LANCZOS)

    def _axes(
        self, draw: ImageDraw.ImageDraw, box: tuple[float, ...], words: random.Random
    ) -> None:
        left, top, right, bottom = box
        theme = self.theme
        draw.rectangle(box, fill=theme.plot, outline=theme.ink if theme.frame else None, width=2)
        top_value = words.choice((10, 50, 100, 400, 2000))
        for n in range(6):
            y = bottom - (bottom - top) * n / 5
            if theme.grid:
                draw.line((left, y, right, y), fill=theme.grid, width=3)
            value = f"{top_value * n / 5:g}"
            draw.text((left - 10, y), value, theme.ink, anchor="rm", font_size=26)
        draw.line((left, bottom, right, bottom), fill=theme.ink, width=3)
        for n in range(self.count):
            x = left + (right - left) * (n + 0.5) / self.count
            draw.text((x, bottom + 26), words.choice(_NAMES), theme.ink, anchor="mm", font_size=26)

    def _bars(self, draw, box, rng, colours, kind) -> None:  # type: ignore[no-untyped-def]
        left, top, right, bottom = box
        wide, high = right - left, bottom - top
        for n in range(self.count):
            at, step = n / self.count, 0.7 / self.count
            if kind == "hbar":
                y = top + high * at
                draw.rectangle(
                    (left, y, left + wide * rng.uniform(0.1, 1), y + high * step), fill=colours[0]
                )
            elif kind == "bar":
                x = left + wide * (at + 0.15 / self.count)
                draw.rectangle(
                    (x, bottom - high * rng.uniform(0.08, 1), x + wide * step, bottom),
                    fill=colours[0],
                )
            else:
                x, y = left + wide * (at + 0.15 / self.count), bottom
                for one in range(self.series):
                    part = high * rng.uniform(0.05, 1) / self.series
                    draw.rectangle((x, y - part, x + wide * step, y), fill=colours[one])
                    y -= part

    def _lines(self, draw, box, rng, colours, kind) -> None:  # type: ignore[no-untyped-def]
        left, top, right, bottom = box
        count = 12 if kind == "steps" else 40
        for one in range(1 if kind in ("line", "steps") else self.series):
            values = np.cumsum([rng.gauss(0, 1) for _ in range(count)])
            values = 0.08 + 0.84 * (values - values.min()) / max(np.ptp(values), 1e-6)
            xs = np.linspace(left, right, count)
            ys = bottom - (bottom - top) * values * (1 - 0.25 * one if kind == "area" else 1)
            points = list(zip(xs.tolist(), ys.tolist(), strict=True))
            if kind == "steps":
                points = [p for a, b in pairwise(points) for p in (a, (b[0], a[1]))]
            if kind == "area":
                draw.polygon([(left, bottom), *points, (right, bottom)], fill=colours[one])
            else:
                draw.line(points, fill=colours[one], width=6, joint="curve")

    def _pies(self, draw, box, rng, colours, kind) -> None:  # type: ignore[no-untyped-def]
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        radius = 0.46 * (box[3] - box[1])
        shares = np.array([rng.uniform(0.3, 2) for _ in range(self.count)])
        ends = 360 * np.cumsum(shares) / shares.sum()
        at = 0.0
        for n, end in enumerate(ends):
            circle = (x - radius, y - radius, x + radius, y + radius)
            draw.pieslice(circle, at - 90, float(end) - 90, fill=colours[n])
            at = float(end)
        if kind == "ring":
            inner = 0.55 * radius
            circle = (x - inner, y - inner, x + inner, y + inner)
            draw.ellipse(circle, fill=self.theme.paper)

    def _points(self, draw, box, rng, colours, kind) -> None:  # type: ignore[no-untyped-def]
        left, top, right, bottom = box
        slope, spread = rng.uniform(-0.8, 0.8), rng.uniform(0.06, 0.25)
        for n in range(90 if kind == "scatter" else 18):
            u = rng.random()
            v = 0.5 + slope * (u - 0.5) + rng.gauss(0, spread)
            x, y = left + (right - left) * u, bottom - (bottom - top) * min(max(v, 0.02), 0.98)
            r = 10 if kind == "scatter" else rng.uniform(12, 70)
            colour = colours[n % self.series]
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def _cells(self, draw, box, rng, colours, kind) -> None:  # type: ignore[no-untyped-def]
        left, top, right, bottom = box
        low, high = np.array(self.theme.plot, float), np.array(colours[0], float)
        for row in range(self.count):
            for column in range(self.count):
                share = rng.random()
                colour = tuple(int(v) for v in low + share * (high - low))
                x, y = (right - left) / self.count, (bottom - top) / self.count
                place = (left + column * x, top + row * y)
                draw.rectangle((*place, place[0] + x, place[1] + y), fill=colour)

    def variants(self) -> Variants:
        steps = (0.0, 0.15, 0.37, 0.6)
        count = len(self.colours)
        one = [[s if n == 0 else 0.0 for n in range(count)] for s in steps]
        found = {
            "other data": [self.drawn(data=n) for n in range(5)],
            "other data and labels": [self.drawn(data=n, labels=n) for n in range(5)],
            "other labels": [self.drawn(labels=n) for n in range(4)],
            "hue of all": [self.drawn(hues=[s] * count) for s in steps],
            "hue of one series": [self.drawn(hues=turns) for turns in one],
        }
        if self.kind in _TWINS:
            found["another kind"] = [self.drawn(), self.drawn(kind=_TWINS[self.kind])]
        return found


_DRAWN_BY = {
    "bar": "bars", "hbar": "bars", "stacked": "bars", "line": "lines", "lines": "lines",
    "area": "lines", "steps": "lines", "pie": "pies", "ring": "pies", "scatter": "points",
    "bubble": "points", "heat map": "cells",
}  # fmt: skip
_TWINS = {"pie": "ring", "line": "area", "bar": "steps", "stacked": "bar", "scatter": "bubble"}


def charts(each: int) -> list[Chart]:
    return [Chart(kind, number) for kind in KINDS for number in range(each)]
