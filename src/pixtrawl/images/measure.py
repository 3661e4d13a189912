"""Quality measures of one picture, as numbers in a fixed order; cheap enough to take of every one.

All are taken of the small grey picture that decoding leaves (shorter side 64 to about 128 px), so
that two sizes of one photograph measure alike.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.images.decode import Decoded
from pixtrawl.images.phash import Look

__all__ = ["measure"]

_STEEP: Final = 48  # of 255, between neighbours


def measure(decoded: Decoded, square: np.ndarray[Any, Any], look: Look) -> tuple[float, ...]:
    """The values of `record.MEASURES`; `square` is the 64x64 thumbnail that `look` was taken of."""
    grey = decoded.grey.astype(np.int16)
    across = np.abs(grey[:, 1:] - grey[:, :-1]) > _STEEP
    red, green, blue = decoded.colour() if look.flat and decoded.colour else (0.0, 0.0, 0.0)
    return (
        float(square.mean()) / 255.0,
        look.deviation / 255.0,
        _entropy(square),
        _laplacian_variance(grey),
        float(np.count_nonzero(across)) / max(across.size, 1),
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
    )


def _entropy(square: np.ndarray[Any, Any]) -> float:
    counts = np.bincount(square.ravel(), minlength=256)
    shares = counts[counts > 0] / square.size
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # no minus zero


def _laplacian_variance(grey: np.ndarray[Any, Any]) -> float:
    if min(grey.shape) < 3:
        return 0.0
    centre = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre
    return float(laplacian.var(dtype=np.float32))
