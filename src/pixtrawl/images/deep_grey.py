"""Scale greys of 16 and 32 bits to 8 bits; Pillow's `convert` clips them at 255, to white."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["deep_scale"]


def deep_scale(image: Any) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Return the function that maps the values of a deep grey picture (modes I, I;16, F) to 8 bits.

    16 bits keep their upper half. Files of 32 bits do not state their range, so it is taken from
    the largest value: 1 (floating point only), 255, 65,535, or that value itself.
    """
    if image.mode.startswith("I;16"):
        return lambda values: (values >> 8).astype(np.uint8)
    extrema: Any = image.getextrema()
    most = float(np.nan_to_num(extrema[1], nan=255.0, posinf=65535.0))
    if image.mode == "F" and most <= 1.0:
        top = 1.0
    else:
        top = next((bound for bound in (255.0, 65535.0) if most <= bound), most)

    def scaled(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        within = np.nan_to_num(np.clip(values.astype(np.float32) * (255.0 / top), 0, 255))
        reduced: np.ndarray[Any, Any] = within.astype(np.uint8)
        return reduced

    return scaled
