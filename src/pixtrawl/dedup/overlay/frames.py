"""Tell a frame around a picture from more of the picture: what lies outside the shared part.

The scene goes on beyond the line: lines of pixels on both sides of it resemble each other as much
as lines inside do. At a frame they do not, and it is plain (a border, a mat, a letter box, a
polaroid, a title bar) or has less detail than the picture (blurred padding). Weights of these
signs were fitted by logistic regression on half of the photographs of `bench.best_copy`. Padding
that these signs take for more of the scene is found by what it was made of (`own_padding`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.overlay.own_padding import MOST_LOG_ODDS, own_padding_log_odds

__all__ = ["Surroundings", "around", "steepness"]

Array = np.ndarray[Any, Any]

_LEAST_LINES: Final = 2  # thinner strips are within the error of the overlay
_LEAST_INSIDE: Final = 12
_MOST_OF_A_SIDE: Final = 4.0  # log odds: one strip does not outweigh all others
_PLAIN_STEP: Final = 3  # grey levels around the median of a line that count as one colour
_LEAST_BAR: Final = 5  # lines
_WHOLE: Final = 0.98  # of a line, of one colour
_BARE_LINES: Final = 0.25  # of a bar, without words
_SAME_INSIDE: Final = 0.6  # of the pixels just inside
_INTERCEPT: Final = -3.61
_WEIGHTS: Final = np.array(
    # of the difference across the line; likeness across it and inside; detail along the lines just
    # outside and of the whole strip, as shares of that inside; plain pixels outside and inside;
    # the steepest step, as a share of the usual one and by itself; detail inside
    (0.197, -2.018, 1.906, -0.831, -1.167, 1.918, 0.063, 0.744, 0.459, -0.74)
)


class Surroundings(Struct, frozen=True):
    """Shares of the whole area, 0..1; both 0 where too little lies outside."""

    frame: float
    content: float


def around(
    plane: Array,
    box: tuple[float, float, float, float],
    least: float,
    aspect: float = 1.0,
    inside: Array | None = None,
) -> Surroundings:
    """Judge what lies outside of `box` (left, right, top, bottom; 0..1) in a square grey plane.

    Less than `least` of the area counts as nothing. A picture framed on one side is on all.
    `aspect` is width / height of the picture that the plane shows, `inside` what is in the box as
    a plane of its own, if there is one.
    """
    left, right, top, bottom = (min(1.0, max(0.0, value)) for value in box)
    outside = 1 - max(0.0, right - left) * max(0.0, bottom - top)
    if outside <= least:
        return Surroundings(0.0, 0.0)
    odds = 0.0
    for lines, at in _sides(plane.astype(np.float32), (left, right, top, bottom)):
        if _is_bar(lines, at):
            return Surroundings(outside, 0.0)
        found = _INTERCEPT + float(_WEIGHTS @ _features(lines, at))
        odds += max(-_MOST_OF_A_SIDE, min(_MOST_OF_A_SIDE, found))
    if odds == 0.0:  # all too thin
        return Surroundings(0.0, 0.0)
    if -MOST_LOG_ODDS < odds <= 0:
        odds += own_padding_log_odds(plane, (left, right, top, bottom), aspect, inside)
    return Surroundings(outside, 0.0) if odds > 0 else Surroundings(0.0, outside)


def steepness(plane: Array) -> Array:
    """Return the mean absolute slope at each pixel, in grey levels."""
    slopes = np.zeros_like(plane)
    slopes[:, 1:-1] += np.abs(plane[:, 2:] - plane[:, :-2]) / 2
    slopes[1:-1] += np.abs(plane[2:] - plane[:-2]) / 2
    return slopes


def _sides(plane: Array, box: tuple[float, float, float, float]) -> Iterator[tuple[Array, int]]:
    """Yield the lines of each side from the outside in, and the index at which the box begins."""
    side = plane.shape[0]
    left, right, top, bottom = (round(value * side) for value in box)
    down, across = plane[:, left:right], plane[top:bottom].T
    for lines, at in (
        (down, top),
        (down[::-1], side - bottom),
        (across, left),
        (across[::-1], side - right),
    ):
        enough = at >= _LEAST_LINES and side - at >= _LEAST_INSIDE
        if enough and lines.shape[1] >= _LEAST_INSIDE:
            yield lines, at


def _is_bar(lines: Array, at: int) -> bool:
    """Return whether the strip has one colour except for words on it, unlike the picture beside it.

    A clear sky continues inside; no scene has whole lines of one colour on both sides of other
    lines.
    """
    if at < _LEAST_BAR:
        return False
    strip = lines[: at - 1]  # the line at the border is mixed of both
    colour = np.median(strip)
    plain = (np.abs(strip - colour) < _PLAIN_STEP).mean(axis=1) >= _WHOLE
    inside = float((np.abs(lines[at + 1 : at + 4] - colour) < _PLAIN_STEP).mean())
    is_framed = bool(plain[0] and plain[-1] and plain.mean() >= _BARE_LINES)
    return is_framed and inside <= _SAME_INSIDE


def _features(lines: Array, at: int) -> Array:
    """Return the features that `_WEIGHTS` weigh; the border is before line `at`, give or take 1."""
    inside, side = lines[at : at + 24], lines.shape[0]
    near = lines[max(0, at - 4) : max(1, at - 1)]
    first = 0 if at >= 3 else 1
    across = max(_difference(lines[max(0, at - 3 + n)], lines[at + n]) for n in range(first, 3))
    last = min(18, side - at - 3)
    usual = float(
        np.median([_difference(lines[at + n], lines[at + n + 3]) for n in range(1, last)])
    )
    steps = np.abs(np.diff(lines, axis=0)).mean(axis=1)
    steepest = float(steps[max(0, at - 2) : at + 2].max())
    usual_step = float(np.median(steps[at + 2 : at + 22]))
    likenesses = [
        _likeness(lines[at + n], lines[at + n + 4]) for n in range(1, min(14, side - at - 4), 3)
    ]
    detail = _detail(inside[1:])
    return np.array(
        (
            _log_ratio(across, usual, 1.0),
            _likeness(lines[max(0, at - 3)], lines[at + 1]),
            float(np.median(likenesses)),
            _log_ratio(_detail(near), _detail(inside[1:5]), 0.4),
            _log_ratio(_detail(lines[: max(1, at - 1)]), detail, 0.4),
            _plain(near),
            _plain(inside[1:4]),
            _log_ratio(steepest, usual_step, 0.5),
            float(np.log(steepest + 1)),
            float(np.log(detail + 0.4)),
        )
    )


def _difference(one: Array, other: Array) -> float:
    return float(np.abs(one - other).mean())


def _likeness(one: Array, other: Array) -> float:
    """Return the correlation of two lines; near 0 where either is plain."""
    a, b, noise = one - one.mean(), other - other.mean(), 25.0 * one.size
    return float((a @ b) / np.sqrt((a @ a + noise) * (b @ b + noise)))


def _detail(lines: Array) -> float:
    return float(np.abs(np.diff(lines, axis=1)).mean())


def _plain(lines: Array) -> float:
    """Return the share of pixels that have the colour of their line."""
    return float((np.abs(lines - np.median(lines, axis=1)[:, None]) < _PLAIN_STEP).mean())


def _log_ratio(value: float, usual: float, noise: float) -> float:
    return float(np.log((value + noise) / (usual + noise)))
