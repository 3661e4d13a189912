"""Tell a frame around a picture from more of the picture: what lies outside the shared part.

A frame begins with a step along the whole line, and is plain (a border, a letter box, a polaroid, a
title bar) or has far less detail than the picture (blurred padding). More of the scene goes on as
before. A plain area that begins without a step, such as sky, is neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from msgspec import Struct

__all__ = ["Surroundings", "around", "steepness"]

Array = np.ndarray[Any, Any]

_LEAST_PX: Final = 1.5  # thinner strips are within the error of the overlay
_PLAIN_STEP: Final = 8  # grey levels around the median that count as one colour
_LINES: Final = 20  # rows beside the line that show what step is usual
_CERTAIN_STEP: Final = 4.0


class Surroundings(Struct, frozen=True):
    """Shares of the whole area, 0..1."""

    frame: float
    content: float


class _Strip(Struct, frozen=True):
    area: float  # share of the picture
    plain: float  # share of its pixels of one colour
    detail: float  # steepness, as a multiple of that inside
    step: float  # at the line, as a multiple of that beside it
    thick_px: int

    @property
    def is_neutral(self) -> bool:
        return self.plain > 0.85 and self.step < 1.6 and self.detail > 0.1

    @property
    def is_frame(self) -> bool:
        if self.is_neutral:
            return False
        plain = self.step > 1.9 and (self.plain > 0.5 or self.detail < 0.35)
        faint = self.detail < 0.3 and self.step > 1.2 and self.thick_px >= 3
        blurred = self.detail < 0.15 and self.thick_px >= 6
        hard = self.step > _CERTAIN_STEP and (self.plain > 0.3 or self.detail < 0.6)
        return plain or faint or blurred or hard


def around(plane: Array, box: tuple[float, float, float, float], least: float) -> Surroundings:
    """Judge what lies outside of `box` (left, right, top, bottom; 0..1) in a square grey plane.

    Less than `least` of the area counts as nothing.
    """
    left, right, top, bottom = (min(1.0, max(0.0, value)) for value in box)
    if 1 - max(0.0, right - left) * max(0.0, bottom - top) <= least:
        return Surroundings(0.0, 0.0)
    strips = list(_strips(plane.astype(np.float32), (left, right, top, bottom)))
    frame = sum(strip.area for strip in strips if strip.is_frame)
    content = sum(strip.area for strip in strips if not (strip.is_frame or strip.is_neutral))
    if any(strip.is_frame and strip.step > _CERTAIN_STEP for strip in strips):
        return Surroundings(frame + content, 0.0)  # a picture framed on one side is on all
    return Surroundings(frame, content)


def steepness(plane: Array) -> Array:
    """Return the mean absolute slope at each pixel, in grey levels."""
    slopes = np.zeros_like(plane)
    slopes[:, 1:-1] += np.abs(plane[:, 2:] - plane[:, :-2]) / 2
    slopes[1:-1] += np.abs(plane[2:] - plane[:-2]) / 2
    return slopes


def _strips(plane: Array, box: tuple[float, float, float, float]) -> Iterator[_Strip]:
    side = plane.shape[0]
    left, right, top, bottom = (round(value * side) for value in box)
    slopes = steepness(plane)
    inner = slopes[top + 2 : bottom - 2, left + 2 : right - 2]
    usual = float(inner.mean() if inner.size else 0.0) + 0.5
    down, across = plane[:, left:right], plane[top:bottom].T
    for strip, beyond, lines, at, inside_is_after in (
        (plane[:, :left], slopes[:, : max(0, left - 2)], across, left, True),
        (plane[:, right:], slopes[:, right + 2 :], across, right, False),
        (plane[:top], slopes[: max(0, top - 2)], down, top, True),
        (plane[bottom:], slopes[bottom + 2 :], down, bottom, False),
    ):
        thick = at if inside_is_after else side - at
        if thick < _LEAST_PX or not lines.size:
            continue
        plain = float((np.abs(strip - np.median(strip)) < _PLAIN_STEP).mean())
        detail = float(beyond.mean()) / usual if beyond.size else 0.0
        step = _step(lines, at, inside_is_after)
        yield _Strip(strip.size / plane.size, plain, detail, step, thick)


def _step(lines: Array, at: int, inside_is_after: bool) -> float:
    """Return the step across the line before row `at`, as a multiple of the usual one inside."""
    steps = np.abs(np.diff(lines, axis=0)).mean(axis=1)
    here = steps[max(0, at - 2) : at + 2]
    beside = steps[at + 2 : at + 2 + _LINES] if inside_is_after else steps[: max(0, at - 4)]
    beside = beside if inside_is_after else beside[-_LINES:]
    if not here.size:
        return 0.0
    return float(here.max()) / (float(np.median(beside)) + 1 if beside.size else 1.0)
