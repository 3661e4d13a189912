"""The fine greys and colours of a drawn picture; for the greys it is decoded once more, larger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pixtrawl.fine_greys import COLOUR_SIDE, FINE_SIDE, has_ground, packed
from pixtrawl.images.appearance.chroma import chroma_planes
from pixtrawl.images.formats.exif import upright

if TYPE_CHECKING:
    from pixtrawl.images.decode import Decoded

__all__ = ["packed_fine_greys"]


def packed_fine_greys(square: np.ndarray[Any, Any], decoded: Decoded) -> bytes:
    """Return the greys and colours of a picture whose thumbnail has a ground; empty for others."""
    if decoded.finer is None or not has_ground(square):
        return b""
    greys, extent = decoded.finer()
    # Hamming, which thumbnails are made with, leaves steps in letters where it enlarges.
    enlarged = min(extent) < FINE_SIDE
    filter = Image.Resampling.BILINEAR if enlarged else Image.Resampling.HAMMING
    image = Image.fromarray(np.ascontiguousarray(greys))
    plane = np.asarray(image.resize((FINE_SIDE, FINE_SIDE), filter, (0.0, 0.0, *extent)))
    colours = chroma_planes(decoded.colours, decoded.extent, decoded.turn, COLOUR_SIDE)
    return packed(upright(plane, decoded.turn), colours)
