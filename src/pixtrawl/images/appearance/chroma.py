"""The colours of a picture on a grid of 16x16: 512 bytes that distinguish colour variants.

Each cell holds its mean Cb and Cr (JPEG's colour differences, -128..127), which are zero for all
greys and do not change with brightness alone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PIL import Image

from pixtrawl.images.formats.exif import upright

__all__ = ["CHROMA_BYTES", "CHROMA_SIDE", "GREY", "chroma_grid", "chroma_planes"]

CHROMA_SIDE: Final = 16
CHROMA_BYTES: Final = 2 * CHROMA_SIDE * CHROMA_SIDE
GREY: Final = bytes(CHROMA_BYTES)  # of a file without colours

_TO_CHROMA: Final = np.array(
    [[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float32
)


def chroma_grid(
    colours: np.ndarray[Any, Any] | None, extent: tuple[float, float], turn: int = 1
) -> bytes:
    """Return the mean Cb of 16 x 16 cells, then their mean Cr, as signed bytes.

    Args:
        colours: height x width x 3, RGB; None for a picture in greys.
        extent: (across, down) the part of the array that is picture.
        turn: the EXIF orientation to apply.
    """
    if colours is None:
        return GREY
    planes = chroma_planes(colours, extent, turn, CHROMA_SIDE)
    return bytes(np.rint(planes).astype(np.int8).tobytes())


def chroma_planes(
    colours: np.ndarray[Any, Any] | None, extent: tuple[float, float], turn: int, side: int
) -> np.ndarray[Any, Any]:
    """Return the mean Cb and Cr (-128..127) of `side` x `side` cells; zero for a file in greys."""
    if colours is None:
        return np.zeros((2, side, side), dtype=np.float32)
    cells = Image.fromarray(colours).resize(
        (side, side), Image.Resampling.BILINEAR, (0.0, 0.0, *extent)
    )
    planes = _TO_CHROMA @ np.asarray(cells, dtype=np.float32).reshape(-1, 3).T
    grid = planes.clip(-128, 127).reshape(2, side, side)
    return np.stack([upright(plane, turn) for plane in grid])
