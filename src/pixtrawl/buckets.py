"""Aspect buckets: the training resolution whose shape is nearest to a picture's. Pure.

Trainers of image generators batch pictures of one shape. The buckets are those of SDXL (appendix I
of the paper): about 1024 x 1024 pixels, sides in steps of 64 from 512 to 2048. Trainers with
buckets of their own compute them anew; the column is for looking at a set and choosing from it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

__all__ = ["BUCKETS", "aspect_of"]

# Longer sides by shorter side.
_LONGER: Final = {
    512: (2048, 1984, 1920, 1856), 576: (1792, 1728, 1664), 640: (1600, 1536),
    704: (1472, 1408, 1344), 768: (1344, 1280), 832: (1216, 1152), 896: (1152, 1088),
    960: (1088, 1024), 1024: (1024,),
}  # fmt: skip
BUCKETS: Final = tuple(
    sorted(
        {
            side
            for short, longer in _LONGER.items()
            for long in longer
            for side in ((short, long), (long, short))
        }
        - {(704, 1344)}  # the list of the paper has it in one direction only
    )
)


@lru_cache(maxsize=4096)
def aspect_of(width: int, height: int) -> tuple[float, str]:
    """Return width by height (4 digits) and the nearest bucket, "1152x896"; 0.0 and "" unknown.

    Nearest by the logarithm of the ratio, so that wide and tall are treated alike; of equals the
    one with more pixels.
    """
    if width <= 0 or height <= 0:
        return 0.0, ""
    ratio = width / height

    def distance(side: tuple[int, int]) -> tuple[float, int]:
        return round(abs(math.log(ratio * side[1] / side[0])), 9), -side[0] * side[1]

    best = min(BUCKETS, key=distance)
    return round(ratio, 4), f"{best[0]}x{best[1]}"
