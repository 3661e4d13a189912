"""Tell whether the larger of two copies was enlarged from a picture like the smaller one.

The scale between both is known, so the traces of interpolation are looked for where they must be: a
peak of the resampling spectrum at the aliased scale, and a lack of energy above the smaller
picture's Nyquist frequency. The weights were fitted by logistic regression on 66 photographs
(enlarged by 1.1-2.3 and shrunk to 0.4-0.9 by five filters, sharpened or not, seven JPEG qualities,
soft originals); see docs/near-duplicates.md for what they find.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from pixtrawl.portrait import PEAKS, TERMS, Portrait

__all__ = ["enlargement_log_odds"]

Array = np.ndarray[Any, Any]

_UNKNOWN: Final = -5.0  # log odds where a picture is too small for a spectrum, or drawn
_FEW_TONES: Final = 4
_DRAWN: Final = 0.75  # share of pixels with one of the commonest tones
_INTERCEPT: Final = 0.574
_OF_PEAK: Final = 2.196
_OF_PEAK_SEEN: Final = -2.282
_OF_EDGE: Final = -0.896  # energy just below the Nyquist frequency, against the smaller picture
_OF_MIDDLE: Final = -0.489  # in the middle of the shared band: sharpening lifts it
_OF_ABOVE: Final = (0.064, -0.096, 0.275)  # just above it, further up, and at the end
_OF_FALL: Final = 0.106
_OF_SLOPE: Final = 0.187  # of the smaller picture
_OF_FLOOR: Final = -0.006
_OF_GAIN: Final = 0.385  # of the larger picture over the smaller one, in the lower band
_OF_SCALE: Final = -3.485
_OF_QUALITY: Final = 0.15  # a copy is rarely compressed less than what it was made from
_MOST_QUALITY: Final = 8.0
_USUAL_SCALE: Final = 2.3  # enlargements beyond are rare, thumbnails are not
_BEYOND: Final = 4.0
_JPEG_PEAK: Final = 0.006  # peaks of the 8-pixel grid are this near to multiples of 1/8
_SURE_PEAK: Final = 8.0  # originals have 3 at the most where a copy of them puts it
_LEAST_REPEATED: Final = 0.03  # originals have 0.02 at the most
_OF_REPEATED: Final = 0.5  # of the columns that nearest neighbours repeat at a scale
_LOW: Final = 3.0  # bin below which the spectrum shows the window, not the picture
_END: Final = TERMS - 1.0


def enlargement_log_odds(larger: Portrait, smaller: Portrait, scale: float) -> float:
    """Return the log odds that `larger` is an enlargement by `scale` (above 1, linear)."""
    if not larger.spectrum or not smaller.spectrum or _is_drawn(larger):
        return _UNKNOWN
    cut = _END / scale
    big, small = np.asarray(larger.spectrum), np.asarray(smaller.spectrum)
    gain = _band(big, cut * 0.25, cut * 0.6) - _band(small, 8, 19.2)
    end = _band(small, 27, 31)
    peak, visible = _peak_at(larger, scale)
    above = (
        _band(big, cut + 1, cut + 3.5) - end - gain,
        _band(big, cut + 3, cut + 7) - end - gain,
        _band(big, 29, _END) - end - gain,
    )
    odds = (
        _INTERCEPT
        + (_OF_PEAK * math.log(peak + 0.1) + _OF_PEAK_SEEN if visible else 0.0)
        + _OF_EDGE * (_band(big, cut * 0.8, cut * 0.97) - _band(small, 25.6, 31) - gain)
        + sum(weight * value for weight, value in zip(_OF_ABOVE, above, strict=True))
        + _OF_FALL * (_band(big, cut - 9, cut - 4) - _band(big, cut + 1, cut + 5))
        + _OF_SLOPE * (_band(small, 16, 20) - end)
        + _OF_FLOOR * _band(big, 29, _END)
        + _OF_MIDDLE * (_band(big, cut * 0.5, cut * 0.7) - _band(small, 16, 22.4) - gain)
        + _OF_GAIN * gain
        + _OF_SCALE / scale
    )
    quality = smaller.quality - larger.quality
    odds += _OF_QUALITY * max(-_MOST_QUALITY, min(_MOST_QUALITY, quality))
    repeated = larger.repeated > max(_LEAST_REPEATED, _OF_REPEATED * (1 - 1 / scale))
    if repeated or (visible and peak > _SURE_PEAK):
        return max(odds, 1.0)  # whatever the spectrum: nearest neighbours leave as much energy
    return odds - _BEYOND * max(0.0, scale - _USUAL_SCALE)


def _is_drawn(one: Portrait) -> bool:
    """Return whether a few tones make up a picture: its edges look like traces of interpolation."""
    tones = np.sort(np.bincount(np.frombuffer(one.grey, dtype=np.uint8), minlength=256))
    return bool(tones[-_FEW_TONES:].sum() > _DRAWN * tones.sum())


def _peak_at(one: Portrait, scale: float) -> tuple[float, bool]:
    """Return the resampling peak where `scale` puts it, and whether the JPEG grid hides it."""
    frequency = (1 / scale) % 1
    frequency = min(frequency, 1 - frequency)
    hidden = min(abs(frequency - n / 8) for n in range(9)) <= _JPEG_PEAK
    if hidden or not one.peaks:
        return 1.0, False
    at = frequency * 2 * PEAKS
    return max(one.peaks[max(0, int(at - 2)) : int(at + 3)]), True


def _band(spectrum: Array, low: float, high: float) -> float:
    """Return the mean power between two bins, in dB."""
    low, high = max(_LOW, low), min(_END, high)
    return float(np.interp(np.linspace(low, high, 7), np.arange(spectrum.size), spectrum).mean())
