"""Nearly uniform pictures, which no hash distinguishes: compared pixel by pixel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.model import ImageInfo

__all__ = ["Flat"]

Array = np.ndarray[Any, Any]

_FLAT_ASPECT: Final = 0.01
_MAX_MEAN_STEP: Final = 8.0  # of 255, between mean greys


class Flat(Struct, frozen=True, eq=False):
    """A nearly uniform picture: grey thumbnail, mean colour, aspect ratio."""

    thumb: Array
    colour: Array  # 0..255
    aspect: float
    mean: float  # of the thumbnail: rules out most others without comparing pixels

    @classmethod
    def of(cls, info: ImageInfo) -> Flat:
        names = ("mean_red", "mean_green", "mean_blue")
        width, height = info.width, info.height
        if info.orientation >= 5:
            width, height = height, width
        thumb = np.frombuffer(info.thumb, dtype=np.uint8).astype(np.int16)
        return cls(
            thumb,
            np.array([255 * info.measures.get(name, 0.0) for name in names]),
            width / max(height, 1),
            float(thumb.mean()) if thumb.size else 0.0,
        )

    def step(self, other: Flat) -> int:
        """Return the largest difference in grey or colour, 0..255.

        256 where the aspect ratios differ, or the mean greys by more than `_MAX_MEAN_STEP`.
        """
        if abs(self.aspect - other.aspect) > _FLAT_ASPECT * max(self.aspect, other.aspect):
            return 256
        if abs(self.mean - other.mean) > _MAX_MEAN_STEP:
            return 256
        if self.thumb.shape != other.thumb.shape:
            return 256
        grey = np.abs(self.thumb - other.thumb).max(initial=0)
        return int(np.ceil(max(float(grey), float(np.abs(self.colour - other.colour).max()))))
