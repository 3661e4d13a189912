"""Finer greys and colours of a drawn picture: packed by decoders, read by de-duplication.

Greys on 224x224, as letters of ten pixels leave nothing in a thumbnail of 64x64, and colours on
64x64, as thin things have no cell of 16x16 for themselves. Charts, pages, cut-outs and screenshots,
which have a ground of one grey, compress to a few kilobytes; other pictures have none.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np

from pixtrawl.model import FINE_BYTES

__all__ = ["COLOUR_SIDE", "FINE_SIDE", "has_ground", "packed", "unpacked", "unpacked_colours"]

Array = np.ndarray[Any, Any]

FINE_SIDE: Final = 224
COLOUR_SIDE: Final = 64  # as thumbnails
_STEP: Final = 6  # grey levels: half of it is less than what compression leaves beside letters
_COLOUR_STEP: Final = 2  # of Cb and Cr
_GROUND: Final = 0.3  # share of the thumbnail at one grey: 0.18 in one photograph of ten
_NEAR_GREY: Final = 3  # of 255
_GREYS: Final = FINE_SIDE * FINE_SIDE
_COLOURS: Final = 2 * COLOUR_SIDE * COLOUR_SIDE


def has_ground(square: Array) -> bool:
    """Return whether much of a thumbnail is of one grey."""
    counts = np.bincount(square.ravel(), minlength=256)
    most = int(counts.argmax())
    about = counts[max(most - _NEAR_GREY, 0) : most + _NEAR_GREY + 1]
    return int(about.sum()) >= _GROUND * square.size


def packed(plane: Array, colours: Array) -> bytes:
    """Pack FINE_SIDE x FINE_SIDE greys, and Cb and Cr (2 x COLOUR_SIDE x COLOUR_SIDE, -128..127).

    Without the greys where both take more than FINE_BYTES; empty where the colours alone do.
    """
    ground = int(np.bincount(plane.ravel(), minlength=256).argmax())
    steps = np.rint((plane.astype(np.float32) - ground) / _STEP).astype(np.int8).tobytes()
    hues = np.rint(colours / _COLOUR_STEP).clip(-64, 63).astype(np.int8).tobytes()
    for part in (steps + hues, hues):
        data = bytes((ground,)) + zlib.compress(part)
        if len(data) <= FINE_BYTES:
            return data
    return b""


def unpacked(data: bytes) -> Array | None:
    """Return the greys (float32); None where there are none, or the bytes are not of `packed`."""
    steps = _inflated(data)
    if len(steps) not in (_GREYS, _GREYS + _COLOURS):
        return None
    plane = np.frombuffer(steps[:_GREYS], dtype=np.int8).astype(np.float32) * _STEP + data[0]
    greys: Array = np.clip(plane, 0.0, 255.0).reshape(FINE_SIDE, FINE_SIDE)
    return greys


def unpacked_colours(data: bytes) -> Array | None:
    """Return Cb and Cr (2 x COLOUR_SIDE x COLOUR_SIDE, float32).

    None where there are none (an older version packed greys alone), or as `unpacked`.
    """
    steps = _inflated(data)
    if len(steps) not in (_COLOURS, _GREYS + _COLOURS):
        return None
    hues = np.frombuffer(steps[-_COLOURS:], dtype=np.int8).astype(np.float32) * _COLOUR_STEP
    return hues.reshape(2, COLOUR_SIDE, COLOUR_SIDE)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data[1:], _GREYS + _COLOURS + 1)
    except zlib.error:
        return b""
