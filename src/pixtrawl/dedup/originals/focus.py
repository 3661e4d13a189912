"""Tell a blurred copy from a sharpened one, for two of one size.

The sharper of two is either what a soft copy was blurred from or a sharpened copy itself. Both are
tried on the spectra: a blur takes more the higher the frequency, until nothing is left but what
compression adds; sharpening lifts little at low frequencies, and beyond some frequency all alike.
What explains the other spectrum better is what was done.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.originals.compression import Step
from pixtrawl.portrait import TERMS, Portrait

__all__ = ["by_focus"]

Array = np.ndarray[Any, Any]

_LOW: Final = slice(8, 13)  # of a spectrum: compression alone leaves it as it is
_LEAST_DB: Final = 1.5  # between the spectra there
_MOST_AGAINST_DB: Final = 1.5  # by which the softer one may have more, at any frequency
_LEAST_QUALITY: Final = 40.0  # of a file that may be what the other was sharpened from
_MOST_MISFIT: Final = 0.1
_MOST_OF_BLURRED: Final = 0.05  # words on a picture have power that its copy without them lacks
_FIRST: Final = 3  # bin below which a spectrum shows the window, not the picture
_MOST_OFF_DB: Final = 6.0  # of one bin
# Mean distances of a spectrum from the best of each kind, in dB.
_FITS_DB: Final = 1.3
_BLURRED_BY_DB: Final = 0.3
_SHARPENED_BY_DB: Final = 0.05
_NARROW_PX: Final = 1.3  # standard deviation up to which sharpening undoes what a slight blur does
_NARROW_DB: Final = 0.2  # by which it has to be nearer

_FREQUENCIES: Final = np.arange(TERMS) / (2 * (TERMS - 1))  # cycles a pixel


def _power(db: Array | list[float]) -> Array:
    power: Array = 10 ** (np.asarray(db, dtype=np.float64) / 10)
    return power


_SIGMAS_PX: Final = np.array([0.4, 0.5, 0.6, 0.7, 0.85, 1, 1.2, 1.45, 1.75, 2.1, 2.5, 3, 3.6, 4.3])
_BLURS: Final = np.exp(-2 * (np.pi * _SIGMAS_PX[:, None] * _FREQUENCIES) ** 2)
_AMOUNTS: Final = np.array([0.3, 0.45, 0.6, 0.8, 1, 1.25, 1.5, 1.8, 2.1])  # of an unsharp mask
# Spectra are those of rows and columns: what is done across them changes all frequencies.
_ACROSS: Final = _power([0, 0.4, 0.8, 1.4, 2.2, 3.2])[:, None, None]
_BLURRED: Final = (_BLURS**2 / _ACROSS).reshape(-1, TERMS)
_SHARPENED: Final = (
    (1 + _AMOUNTS[:, None, None] * (1 - _BLURS)).reshape(1, -1, TERMS) ** 2 * _ACROSS[:4]
).reshape(-1, TERMS)
_HANDICAPS_DB: Final = np.tile(
    _NARROW_DB * (_SIGMAS_PX < _NARROW_PX), _ACROSS[:4].size * _AMOUNTS.size
)
_FLOORS: Final = _power([-30, -20, -14, -10, -7, -4, -1, 2, 5, 8, 11, 14, 17, 20, 24, 28])[:, None]
_FALLING: Final = _power([0, -10, -20])[:, None, None] ** (2 * _FREQUENCIES)
_FLOORS_OF_BLURRED: Final = (_FLOORS * _FALLING).reshape(-1, TERMS)
_FLOORS_OF_SHARPENED: Final = np.repeat(_FLOORS[::2], TERMS, axis=1)


def by_focus(large: Portrait, small: Portrait, misfit: float) -> Step:
    """Prefer the one of which the other is a blurred copy, or a sharpened one."""
    if misfit > _MOST_MISFIT or not large.spectrum or not small.spectrum:
        return None
    contrast = 20 * math.log10((_contrast(large) + 0.1) / (_contrast(small) + 0.1))
    ours, theirs = np.asarray(large.spectrum) - contrast, np.asarray(small.spectrum)
    is_large_sharp = bool((ours - theirs)[_LOW].mean() > 0)
    sharp, soft = (ours, theirs) if is_large_sharp else (theirs, ours)
    step = sharp - soft
    if step[_LOW].mean() < _LEAST_DB or step[_FIRST:].min() < -_MOST_AGAINST_DB:
        return None
    as_blur = _distances_db(_power(sharp) * _BLURRED, _FLOORS_OF_BLURRED, soft).min()
    sharpened = _distances_db(_power(soft) * _SHARPENED, _FLOORS_OF_SHARPENED, sharp)
    as_sharpening = (sharpened + _HANDICAPS_DB).min()
    if min(as_blur, as_sharpening) > _FITS_DB:
        return None
    if as_blur < as_sharpening - _BLURRED_BY_DB and misfit <= _MOST_OF_BLURRED:
        return is_large_sharp, "is not blurred"
    quality = small.quality if is_large_sharp else large.quality
    if as_sharpening < as_blur - _SHARPENED_BY_DB and quality >= _LEAST_QUALITY:
        return not is_large_sharp, "is not sharpened"
    return None


def _contrast(one: Portrait) -> float:
    return float(np.frombuffer(one.grey, np.uint8).std())


def _distances_db(made: Array, floors: Array, found: Array) -> Array:
    """Return how far a spectrum is from each of those made, above whichever floor."""
    made, floors, found = (one[..., _FIRST:].astype(np.float32) for one in (made, floors, found))
    off = np.log(made[:, None] + floors)  # in single precision: twice as fast
    off *= np.float32(10 / math.log(10))
    off -= found
    np.minimum(np.abs(off, out=off), _MOST_OFF_DB, out=off)
    nearest: Array = off.mean(axis=-1).min(axis=-1)
    return nearest
