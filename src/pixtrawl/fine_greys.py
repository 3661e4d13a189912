"""The greys of a drawn picture on 224x224, packed: made by decoders, read by de-duplication.

Letters of ten pixels leave nothing in a thumbnail of 64x64. Charts, pages and screenshots, which
have a ground of one grey, compress to a few kilobytes; other pictures have none.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np

from pixtrawl.model import FINE_BYTES

__all__ = ["FINE_SIDE", "has_ground", "packed", "unpacked"]

Array = np.ndarray[Any, Any]

FINE_SIDE: Final = 224
_STEP: Final = 6  # grey levels: half of it is less than what compression leaves beside letters
_GROUND: Final = 0.3  # share of the thumbnail at one grey: 0.18 in one photograph of ten
_NEAR_GREY: Final = 3  # of 255


def has_ground(square: Array) -> bool:
    """Return whether much of a thumbnail is of one grey."""
    counts = np.bincount(square.ravel(), minlength=256)
    most = int(counts.argmax())
    about = counts[max(most - _NEAR_GREY, 0) : most + _NEAR_GREY + 1]
    return int(about.sum()) >= _GROUND * square.size


def packed(plane: Array) -> bytes:
    """Pack FINE_SIDE x FINE_SIDE greys; empty where that takes more than FINE_BYTES."""
    ground = int(np.bincount(plane.ravel(), minlength=256).argmax())
    steps = np.rint((plane.astype(np.float32) - ground) / _STEP).astype(np.int8)
    data = bytes((ground,)) + zlib.compress(steps.tobytes())
    return data if len(data) <= FINE_BYTES else b""


def unpacked(data: bytes) -> Array | None:
    """Return the greys (float32); None where there are none, or the bytes are not of `packed`."""
    size = FINE_SIDE * FINE_SIDE
    try:
        steps = zlib.decompressobj().decompress(data[1:], size + 1)
    except zlib.error:
        return None
    if len(steps) != size:
        return None
    plane = np.frombuffer(steps, dtype=np.int8).astype(np.float32) * _STEP + data[0]
    greys: Array = np.clip(plane, 0.0, 255.0).reshape(FINE_SIDE, FINE_SIDE)
    return greys
