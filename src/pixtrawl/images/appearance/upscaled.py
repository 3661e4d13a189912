"""Estimate by how much a picture was enlarged before it was published, from some rows alone.

Interpolation of a row from `before` pixels to more mirrors its spectrum, with the sign turned and
fainter, about the frequency `before`: cosine terms as far above as below it then have opposite
signs more often than chance has it. This holds for every linear kernel and survives
compression and sharpening; an original out of focus, which has little energy up there either, has
no such mirror. Nearest neighbours at broken factors are no linear filter. They repeat columns,
which makes the steps from column to column periodic with the scale (A. C. Gallagher, "Detection of
linear and cubic interpolation in JPEG compressed images", 2005).

Blocks of a JPEG mirror the spectrum, too, about eighths of the width. Where originals show that, a
mirror does not count, so that enlargements by exactly 8/7, 4/3 and 8/5 are not found.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.fft

from pixtrawl.images.full_rows import ROWS

__all__ = ["LEAST_COLUMNS", "may_be_upscaled", "upscale"]

Array = np.ndarray[Any, Any]

LEAST_COLUMNS: Final = 130

# Logistic regression on JPEGs of half of the photographs, originals and enlargements of one size
# weighing the same. At this limit half of the originals pass, and of the enlargements that rows
# would show 7 of 10 by 1.3, 9 of 10 by 2.
_OF_QUALITY, _OF_BITS, _OF_STEPS, _OF_SCALE = 0.09, -2.03, 2.06, -0.44
_LEAST_ODDS: Final = 10.5

_MOST_FACTOR: Final = 4.4
_LEAST_FACTOR: Final = 1.08
_REACH: Final = 0.06  # of the frequency: how far to both sides of it terms are compared
_LEAST_REACH, _MOST_REACH = 6, 32
_OF_CHANCE: Final = 0.5  # standard deviation of signs that are independent
_CLEAR: Final = 5.3  # standard deviations
# How clearly originals have it at each eighth, beside a share of how clearly they have it at 5/8.
_OF_BLOCKS: Final = np.array((0.0, 0.0, 6.0, 6.0, 2.0, 99.0, 99.0, 99.0, 99.0))
_SHOWN, _OF_SHOWN = 5, 0.4
_EVERY_FINE: Final = 4  # row
_FINE: Final = 0.62  # 4 of 10 originals have more, 2 of 100 of what is found
_LOPSIDED: Final = 0.15
_BLOCKS_PX: Final = 2.0

_EVERY: Final = 2  # row
_STEEPEST: Final = 24  # of 255: one strong edge must not outweigh all others
_AROUND: Final = 17  # columns that one is compared with
_EVEN: Final = np.full(_AROUND, 1 / _AROUND)
_LEAST_STEP: Final = 1.5  # grey levels: in smooth shades rounding makes the steps
_FLAT: Final = 0.3  # grey levels
_SLOWEST: Final = 0.17  # cycles a column: slower ones are of the picture
_NEAR_BLOCKS: Final = 2.5  # bins
_PIECE: Final = 64  # columns over which a broken factor hardly drifts
_WINDOW: Final = np.hanning(_PIECE)
_LEAST_DEPTH: Final = 0.15  # of the usual step
_NO_STEPS: Final = (1.0, 0.0)
_DEEP: Final = 0.3  # of the usual step: other kernels have less
_PERIODIC: Final = 9.0  # of the usual power


def may_be_upscaled(quality: float, bits_a_pixel: float, step: float, scale: float) -> bool:
    """Return whether a JPEG has so few bits for its detail that its rows are worth decoding.

    `step` is the mean one between neighbouring columns of the picture made `scale` times smaller.
    """
    return (
        _OF_QUALITY * quality
        + _OF_BITS * math.log(bits_a_pixel + 1e-3)
        + _OF_STEPS * math.log(step + 0.5)
        + _OF_SCALE * math.log(scale)
    ) > _LEAST_ODDS


def upscale(rows: Array, *, thorough: bool) -> float:
    """Return the factor, 1.0 where there is no trace.

    `rows` are `ROWS` whole rows of a picture in grey, as many columns wide as its file. They lie a
    few pixels apart: neighbouring ones say the same. Where not `thorough`, those are left out that
    have so much fine detail that a trace is unlikely.
    """
    if len(rows) < ROWS or rows.shape[1] < LEAST_COLUMNS:
        return 1.0
    rows = rows[:ROWS]
    steps = _steps(rows)
    stepped, depth = _stepped(steps)
    mirrored = _mirrored(rows) if thorough or _may_be_mirrored(rows, steps) else None
    # Steps mirror the spectrum as well, but about other frequencies; other kernels leave shallow
    # ones, of which it is less clear whether they are of the factor or its alias.
    return round(stepped if mirrored is None or depth > _DEEP else mirrored, 2)


def _steps(rows: Array) -> Array:
    """Return the mean step from each column to the next."""
    apart = np.diff(rows[::_EVERY].astype(np.int16), axis=1)
    np.abs(apart, out=apart)
    np.minimum(apart, _STEEPEST, out=apart)
    steps: Array = np.add.reduce(apart, axis=0, dtype=np.int16) / len(apart)
    return steps


def _may_be_mirrored(rows: Array, steps: Array) -> bool:
    """Return whether fine detail is weak beside coarse, or every other column repeats the last."""
    some = rows[::_EVERY_FINE].astype(np.int16)
    fine = np.abs(np.diff(some, n=2, axis=1)).mean()
    coarse = np.abs(some[:, 4:] - some[:, :-4]).mean()
    if fine <= _FINE * (coarse + 0.1):
        return True
    odd, even = float(steps[1::2].mean()), float(steps[::2].mean())
    return abs(odd - even) > _LOPSIDED * (odd + even)


class _Mirrors(NamedTuple):
    """The values that depend on the width alone: many pictures have the same."""

    # Columns looked at: transforms of lengths with large factors take four times as long.
    quick: int
    before: Array  # widths that these may have had
    compared: Array  # by distance and such a width: 1 where terms so far to both sides are compared
    terms: Array  # how many are compared, of all rows
    turn: Array  # from the Fourier transform of folded columns to the cosine transform


@lru_cache(maxsize=64)
def _layout(width: int) -> _Mirrors:
    quick = next(length for length in range(width, 0, -1) if _is_quick(length))
    before = np.arange(max(_MOST_REACH, int(quick / _MOST_FACTOR)), int(quick / _LEAST_FACTOR))
    reach = np.clip((before * _REACH).astype(int), _LEAST_REACH, _MOST_REACH)
    reach = np.minimum(reach, quick - 1 - before)
    return _Mirrors(
        quick,
        before,
        (np.arange(1, _MOST_REACH + 1)[:, None] <= reach).astype(np.uint8),
        ROWS * reach,
        np.exp(-0.5j * math.pi / quick * np.arange(quick // 2 + 1)),
    )


def _is_quick(length: int) -> bool:
    for factor in (2, 3, 5, 7, 11):
        while length % factor == 0:
            length //= factor
    return length == 1


def _mirrored(rows: Array) -> float | None:
    """Return the factor of an enlargement by a linear kernel, or by a whole number."""
    layout = _layout(rows.shape[1])
    words = _sign_words(rows[:, : layout.quick], layout.turn)
    # Of a part of the columns the width before need not be whole; halves are near enough.
    halves = (0,) if layout.quick == rows.shape[1] else (0, 1)
    clearest, factor = max(_clearest(words, layout, half) for half in halves)
    return factor if clearest >= _CLEAR else None


def _clearest(words: Array, layout: _Mirrors, half: int) -> tuple[float, float]:
    """Return how clear the clearest mirror is, and its factor; `half` is added to widths."""
    before = layout.before + half / 2
    clear = _turned_about(words, layout, half)
    eighths = before * 8 / layout.quick
    near = np.abs(eighths - np.rint(eighths)) * layout.quick / 8 <= _BLOCKS_PX
    nearest, hidden = np.rint(eighths[near]).astype(int), clear[near]
    shown = float(hidden[nearest == _SHOWN].max(initial=0.0))
    clear[near] = hidden - _OF_BLOCKS[nearest] - _OF_SHOWN * shown
    at = int(clear.argmax())
    return float(clear[at]), layout.quick / float(before[at])


def _sign_words(rows: Array, turn: Array) -> Array:
    """Return the signs of the cosine transform (DCT-II) of each row, a word of bits a frequency."""
    width = rows.shape[1]
    # Even columns, then odd ones backwards: the cosine transform is then a turned Fourier one.
    middle, mirrored = (width + 1) // 2, (width - 1) // 2
    folded = np.empty((8, width))
    positive = np.empty((8, width), np.bool_)
    words = np.empty((width, ROWS // 8), np.uint8)
    for byte in range(ROWS // 8):  # all at once would not stay in the cache
        some = rows[8 * byte : 8 * byte + 8]
        folded[:, :middle] = some[:, ::2]
        folded[:, middle:] = some[:, 1::2][:, ::-1]
        terms = np.fft.rfft(folded, axis=1)
        terms *= turn
        np.greater(terms.real, 0, out=positive[:, : turn.size])
        np.less(terms.imag[:, mirrored:0:-1], 0, out=positive[:, width - mirrored :])
        words[:, byte] = np.packbits(positive, axis=0)[0]
    found: Array = words.view(np.uint32)[:, 0]
    return found


def _turned_about(words: Array, layout: _Mirrors, half: int) -> Array:
    """Return how clearly signs are opposite about each frequency, in standard deviations."""
    first, count = int(layout.before[0]), layout.before.size
    padded = np.concatenate((words, np.zeros(_MOST_REACH, np.uint32)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, count)
    above = windows[first + 1 : first + 1 + _MOST_REACH]
    below = windows[first - _MOST_REACH + half : first + half][::-1]
    opposite = np.bitwise_count(above ^ below)
    opposite *= layout.compared
    excess = np.add.reduce(opposite, axis=0, dtype=np.uint16) - layout.terms / 2
    excess /= np.sqrt(layout.terms)
    excess -= _median(excess)
    # Rows resemble each other, so chance spreads more than for rows apart.
    found: Array = excess / max(1.4826 * _median(np.abs(excess)), _OF_CHANCE)
    return found


def _median(values: Array) -> float:
    """Return the upper median: `numpy.median` takes 30 us more."""
    return float(np.partition(values, values.size // 2)[values.size // 2])


@lru_cache(maxsize=64)
def _bins(length: int) -> tuple[Array, Array, Array]:
    """Return a window, the frequency of each term, and 1 where it is neither slow nor of blocks."""
    cycles = np.arange(length // 2 + 1) / length
    of_blocks = np.abs(cycles * 8 - np.rint(cycles * 8)) * length / 8 < _NEAR_BLOCKS
    is_seen = (~of_blocks & (cycles >= _SLOWEST)).astype(np.float64)
    return np.hanning(length), cycles, is_seen


def _stepped(steps: Array) -> tuple[float, float]:
    """Return the factor of an enlargement by nearest neighbours, and how deep its steps are."""
    if steps.mean() < _LEAST_STEP:
        return _NO_STEPS
    around = np.convolve(steps, _EVEN, "same")
    relative = steps / (around + _FLAT) - 1
    length = relative.size
    window, cycles, is_seen = _bins(length)
    power = np.abs(np.fft.rfft(relative * window))
    seen = power * is_seen
    at = int(seen.argmax())
    if seen[at] < _PERIODIC * _median(power[power.size // 6 :]):
        return _NO_STEPS
    # Below twofold single columns repeat the last one, and have no step; above it, single ones have
    # one. So the second harmonic makes troughs deeper, or peaks higher.
    pieces = relative[: length // _PIECE * _PIECE].reshape(-1, _PIECE)
    turn = np.exp(-2j * math.pi * cycles[at] * (np.arange(_PIECE) - (_PIECE - 1) / 2))
    first = pieces @ (turn * _WINDOW)
    second = pieces @ (turn**2 * _WINDOW)
    are_peaks = float((first**2 * second.conjugate()).real.sum()) > 0
    depth = float(2 * np.abs(first).mean() / _WINDOW.sum())
    if depth < _LEAST_DEPTH:
        return _NO_STEPS
    return float(1 / cycles[at] if are_peaks else 1 / (1 - cycles[at])), depth
