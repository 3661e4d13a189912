"""Tell which of two files was made from the other by enlarging or shrinking it.

Patches of both are resized to each other with the usual kernels. The coefficients of the file that
was made lie within half a step of quantisation of what the other's pixels give. A larger file of
which that is true has nothing that the smaller one has not. A smaller file was made from the larger
one only if the steps are filled evenly, too: a soft picture that was enlarged and then compressed
finely agrees better than quantisation allows when it is shrunk again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.originals.compression import SOURCE, Step, steps_of, terms_of
from pixtrawl.portrait import BLOCK_PX, PATCH_PX, PATCHES, Portrait

__all__ = ["by_resizing"]

Array = np.ndarray[Any, Any]

_LEAST_SCALE: Final = 1.02
_SAME_ASPECT: Final = 0.02
_TRIED_PATCHES: Final = (4, 2, 6)  # from which the kernel is chosen: the middle and two corners
_NOT_ZERO: Final = 0.75  # of the step, in the file itself; and as predicted:
_NOT_ZERO_PREDICTED: Final = 0.5
_SLACK: Final = 1.0  # grey levels beyond half a step: rounding to pixels
_ROUNDING: Final = 0.3  # variance of the same
_MOST_OFF: Final = 6.0  # steps: one edited block must not outweigh all others
_LEAST_TERMS: Final = 60
# Of the coefficients, what no quantisation explains. Fixed on 24 photographs: copies have 0.04 at
# the most, larger originals 0.13 at the least, enlarged copies that were sharpened 0.1 to 0.8.
_BEYOND_ENLARGED: Final = 0.06
_SURELY_ENLARGED: Final = 0.02
_BEYOND_ORIGINAL: Final = 0.35
_BEYOND_SHRUNK: Final = 0.05
# The same of the better blocks alone: colours at their ends move all coefficients of some blocks.
# Half of 77 + 87 photographs: enlarged copies have 0.073 and 1.67 at the most, 98 in 100 of them
# 0.044 and 1.31; of originals of smaller copies 98 in 100 have 0.08 and 1.69 at the least.
_BEST_BLOCKS: Final = 0.7
_LEAST_TERMS_OF_BLOCK: Final = 4
_LEAST_BLOCKS: Final = 8
_BEYOND_OF_BEST: Final = 0.05
_SPREAD_OF_BEST: Final = (0.8, 1.35)
_MOST_SPREAD: Final = 5.0  # of all blocks
_LESS_EVEN: Final = 0.15
_CLEARLY_LESS: Final = 0.5  # of what is beyond, where either may have been made from the other
# Of the variance that quantisation gives. Files made from the other have 1.0 to 1.5.
_SPREAD_ENLARGED: Final = 3.0
_LEAST_SPREAD: Final = 0.7  # of the better blocks; enlarged copies have 0.83 at the least
_SPREAD_SHRUNK: Final = (0.97, 1.7)


class _Kernel(Struct, frozen=True):
    weight: Callable[[Array], Array]
    reach_px: float


def _cubic(a: float) -> Callable[[Array], Array]:
    def weight(off: Array) -> Array:
        x = np.abs(off)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        return np.where(x < 1, near, np.where(x < 2, (((x - 5) * x + 8) * x - 4) * a, 0.0))

    return weight


def _lanczos(off: Array) -> Array:
    return np.where(np.abs(off) < 3, np.sinc(off) * np.sinc(off / 3), 0.0)


_LINEAR: Final = _Kernel(lambda off: np.maximum(0.0, 1 - np.abs(off)), 1.0)
_BOX: Final = _Kernel(lambda off: ((off > -0.5) & (off <= 0.5)).astype(np.float64), 0.5)
_KERNELS: Final = (
    _BOX,  # nearest neighbours where it enlarges
    _LINEAR,
    _Kernel(_cubic(-0.5), 2.0),
    _Kernel(_cubic(-0.75), 2.0),
    _Kernel(_lanczos, 3.0),
)


class _Derivation(Struct, frozen=True):
    """How well a file's coefficients follow from the other file."""

    terms: int
    beyond: float  # share that no quantisation explains
    spread: float  # of what is left, as a multiple of what quantisation gives
    beyond_of_best: float = 1.0  # the same of the blocks that follow best
    spread_of_best: float = math.inf

    def off_even(self) -> float:
        """Return how far the spread is from that of quantisation: steps are filled evenly by it."""
        return abs(math.log(self.spread_of_best + 1e-6))


def by_resizing(large: Portrait, small: Portrait) -> Step:
    """Find out that one was made from the other by resizing it as a whole, and nothing else."""
    if not all((large.patches, small.patches, large.steps, small.steps)):
        return None
    bigger, other = (large, small) if large.width > small.width else (small, large)
    across, down = bigger.width / other.width, bigger.height / other.height
    if down < _LEAST_SCALE or abs(across / down - 1) > _SAME_ASPECT:
        return None
    enlarged = _best_fit(bigger, other)
    if enlarged.terms < _LEAST_TERMS:
        return None
    # What is nearer than quantisation leaves it was itself quantised: the other is made from it.
    too_near = enlarged.spread_of_best < _LEAST_SPREAD and not bigger.is_lossless
    fits = _is_enlarged(enlarged) and not too_near
    if fits and enlarged.beyond <= _SURELY_ENLARGED:
        return other is large, SOURCE
    if not fits and not too_near and enlarged.beyond < _BEYOND_ORIGINAL:
        return None
    shrunk, (least, most) = _best_fit(other, bigger), _SPREAD_SHRUNK
    evenly = (other.is_lossless or least <= shrunk.spread) and shrunk.spread <= most
    is_shrunk = shrunk.terms >= _LEAST_TERMS and shrunk.beyond <= _BEYOND_SHRUNK and evenly
    if fits:  # a soft picture may agree either way
        from_bigger = is_shrunk and shrunk.beyond < enlarged.beyond * _CLEARLY_LESS
        from_bigger = from_bigger and shrunk.off_even() < enlarged.off_even() + _LESS_EVEN
        return (bigger if from_bigger else other) is large, SOURCE
    return (bigger is large, SOURCE) if is_shrunk else None


def _is_enlarged(found: _Derivation) -> bool:
    if found.beyond <= _BEYOND_ENLARGED and found.spread <= _SPREAD_ENLARGED:
        return True
    least, most = _SPREAD_OF_BEST
    evenly = least <= found.spread_of_best <= most
    return evenly and found.beyond_of_best <= _BEYOND_OF_BEST and found.spread <= _MOST_SPREAD


def _best_fit(made: Portrait, source: Portrait) -> _Derivation:
    """Return how well `made` is what the other one gives when it is resized and compressed."""
    kernel = min(_KERNELS, key=lambda one: _fit(made, source, one, _TRIED_PATCHES).spread)
    return _fit(made, source, kernel, tuple(range(PATCHES**2)))


def _fit(
    made: Portrait, source: Portrait, kernel: _Kernel, patches: tuple[int, ...]
) -> _Derivation:
    downs, acrosses = _weights(made, source, kernel)
    steps = steps_of(made)
    ours, theirs = _patches(made), _patches(source)
    predicted: list[Array] = []
    found: list[Array] = []
    for at in patches:
        (down, rows), (across, columns) = downs[at // PATCHES], acrosses[at % PATCHES]
        for pixels, into in ((down @ theirs[at] @ across.T, predicted), (ours[at], found)):
            side = PATCH_PX // BLOCK_PX
            blocks = pixels.reshape(side, BLOCK_PX, side, BLOCK_PX).transpose(0, 2, 1, 3)
            into.append(blocks[rows][:, columns].reshape(-1, BLOCK_PX, BLOCK_PX))
    expected, actual = terms_of(np.concatenate(predicted)), terms_of(np.concatenate(found))
    usable = (np.abs(actual) > _NOT_ZERO * steps) | (np.abs(expected) > _NOT_ZERO_PREDICTED * steps)
    usable[:, 0] = False  # brightness
    count = int(usable.sum())
    if not count:
        return _Derivation(0, 1.0, math.inf)
    off = np.abs(actual - expected)
    beyond = ((off > steps / 2 + _SLACK) & usable).sum(axis=1)
    power = np.where(usable, np.minimum(off, _MOST_OFF * steps) ** 2, 0).sum(axis=1)
    usual = np.where(usable, steps**2 / 12 + _ROUNDING, 0).sum(axis=1)
    of_all = float(beyond.sum()) / count, float(power.sum() / usual.sum())
    terms = usable.sum(axis=1)
    some = terms >= _LEAST_TERMS_OF_BLOCK
    if some.sum() < _LEAST_BLOCKS:
        return _Derivation(count, *of_all)
    terms, beyond, power, usual = terms[some], beyond[some], power[some], usual[some]
    best = np.argsort(power / usual)[: int(_BEST_BLOCKS * some.sum())]
    of_best = float(beyond[best].sum() / terms[best].sum()), power[best].sum() / usual[best].sum()
    return _Derivation(count, *of_all, of_best[0], float(of_best[1]))


def _patches(one: Portrait) -> Array:
    return np.frombuffer(one.patches, np.uint8).reshape(-1, PATCH_PX, PATCH_PX).astype(np.float32)


Weights = tuple[Array, Array]  # of the other's pixels for each pixel, and which blocks are whole


def _weights(made: Portrait, source: Portrait, kernel: _Kernel) -> tuple[list[Weights], ...]:
    sizes = ((made.height, source.height), (made.width, source.width))
    starts = zip(made.patch_starts(), source.patch_starts(), strict=True)
    return tuple(
        [_of_axis(*both, *size, _KERNELS.index(kernel)) for both in zip(*of_axis, strict=True)]
        for size, of_axis in zip(sizes, starts, strict=True)
    )


@lru_cache(maxsize=256)
def _of_axis(start: int, of_source: int, size: int, source_size: int, kernel: int) -> Weights:
    """Return what resizing a line does between two patches."""
    weight, reach = _KERNELS[kernel].weight, _KERNELS[kernel].reach_px
    scale = source_size / size
    wide = max(1.0, scale)  # kernels grow where they shrink, so that nothing is skipped
    middles = (start + np.arange(PATCH_PX) + 0.5) * scale
    columns = of_source + np.arange(PATCH_PX) + 0.5
    weights = weight((columns - middles[:, None]) / wide)
    total = weights.sum(axis=1, keepdims=True)
    first, last = middles - reach * wide, middles + reach * wide
    whole: Array = (first >= of_source) | (of_source == 0)
    whole &= (last <= of_source + PATCH_PX) | (of_source + PATCH_PX >= source_size)
    whole &= total[:, 0] > 1e-3
    normal = (weights / np.where(total > 1e-3, total, 1.0)).astype(np.float32)
    of_blocks: Array = np.asarray(whole.reshape(-1, BLOCK_PX).all(axis=1))
    return normal, of_blocks
