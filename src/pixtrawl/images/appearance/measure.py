"""Quality measures of one picture, as numbers in a fixed order; cheap enough for every picture.

All but the colour measures use the small grey picture that decoding returns (shorter side 64 to
about 128 px), so that two sizes of one photograph get similar values.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from pixtrawl.images.appearance.upscaled import LEAST_COLUMNS, may_be_upscaled, upscale
from pixtrawl.images.decode import Decoded
from pixtrawl.images.junk.ink import CAPTCHA_PX, one_ink
from pixtrawl.images.junk.layout import human_check
from pixtrawl.images.phash import SIDE, Look, moments

__all__ = ["measure"]

_FEW_TONES_BITS: Final = 4.0  # photographs have more
_STEEP: Final = 48  # of 255, between neighbouring pixels


def measure(decoded: Decoded, square: np.ndarray[Any, Any], look: Look) -> tuple[float, ...]:
    """Return the values of `record.MEASURES`; `square` is the 64x64 thumbnail of `look`."""
    grey = decoded.grey.astype(np.int16)
    across = grey[:, 1:] - grey[:, :-1]
    np.abs(across, out=across)
    steep = int(np.count_nonzero(across > _STEEP))
    entropy = _entropy(square)
    red, green, blue = _mean_colour(decoded) if look.flat else (0.0, 0.0, 0.0)
    return (
        look.mean / 255.0,
        look.deviation / 255.0,
        entropy,
        _laplacian_variance(grey),
        steep / max(across.size, 1),
        look.gradient,
        decoded.jpeg_quality,
        float(decoded.has_alpha),
        decoded.alpha_mean,
        float(decoded.is_gray),
        float(decoded.has_exif),
        float(decoded.animated),
        red,
        green,
        blue,
        human_check(decoded.grey) if decoded.turn == 1 else 0.0,  # cameras turn, dialogs do not
        one_ink(decoded.colours) if _may_be_drawn(decoded, entropy) else 0.0,
        _upscale(decoded, across),
    )


def _upscale(decoded: Decoded, across: np.ndarray[Any, Any]) -> float:
    """Return the factor; rows are decoded only where the file may be an enlargement."""
    if decoded.rows is None or decoded.width < LEAST_COLUMNS:
        return 1.0
    scale = decoded.height / decoded.extent[1]
    if decoded.jpeg_quality and not may_be_upscaled(
        decoded.jpeg_quality, decoded.bits_a_pixel, float(across.mean()), scale
    ):
        return 1.0
    rows = decoded.rows()
    # Other formats take several times as long to decode as this does.
    return 1.0 if rows is None else upscale(rows, thorough=not decoded.jpeg_quality)


def _may_be_drawn(decoded: Decoded, entropy: float) -> bool:
    """Return whether it has few tones, or is as small and wide as a captcha."""
    if entropy < _FEW_TONES_BITS:
        return True
    return decoded.height <= CAPTCHA_PX[0] and decoded.width <= CAPTCHA_PX[1]


def _mean_colour(decoded: Decoded) -> tuple[float, float, float]:
    if decoded.colours is None:
        grey = float(decoded.grey.mean()) / 255.0
        return grey, grey, grey
    red, green, blue = (float(value) / 255.0 for value in decoded.colours.mean(axis=(0, 1)))
    return red, green, blue


# k log2 k, so that the entropy of a histogram is a look-up and a sum.
_TERMS: Final = np.arange(SIDE * SIDE + 1) * np.log2(np.maximum(np.arange(SIDE * SIDE + 1), 1))


def _entropy(square: np.ndarray[Any, Any]) -> float:
    """Return the entropy of a 64x64 thumbnail's grey values, 0..8 bits."""
    counts = np.bincount(square.ravel())
    return max(0.0, math.log2(square.size) - float(_TERMS[counts].sum()) / square.size)


def _laplacian_variance(grey: np.ndarray[Any, Any]) -> float:
    if min(grey.shape) < 3:
        return 0.0
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1]
    laplacian += grey[1:-1, :-2]
    laplacian += grey[1:-1, 2:]
    laplacian -= grey[1:-1, 1:-1] << 2
    return moments(laplacian)[1]
