"""Read the EXIF orientation from an untrusted TIFF structure, and apply it.

Only as much as inspection needs; Pillow's reader costs ten times as much and warns of every oddity.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

__all__ = ["entries", "orientation_of", "upright"]

_ORIENTATION: Final = 0x0112
_MAX_ENTRIES: Final = 512


def entries(exif: bytes, offset: int | None = None) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield (tag, type, count, the 4 value bytes) of one IFD, the first unless `offset` is given.

    Stops where the structure ends or is invalid. `exif` starts at the TIFF header, after any
    leading `Exif` and two zeros.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return
    at: int = struct.unpack_from(order + "I", exif, 4)[0] if offset is None else offset
    if at + 2 > len(exif):
        return
    (count,) = struct.unpack_from(order + "H", exif, at)
    for index in range(min(count, _MAX_ENTRIES)):
        start = at + 2 + 12 * index
        if start + 12 > len(exif):
            return
        tag, kind, number = struct.unpack_from(order + "HHI", exif, start)
        yield tag, kind, number, exif[start + 8 : start + 12]


def orientation_of(exif: bytes) -> int:
    """Return 1 to 8 as EXIF defines it; 1 where it is absent or invalid."""
    if exif.startswith(b"Exif\x00\x00"):
        exif = exif[6:]
    order = "<" if exif[:2] == b"II" else ">"
    for tag, kind, _, value in entries(exif):
        if tag == _ORIENTATION:
            number: int = struct.unpack_from(order + ("I" if kind == 4 else "H"), value)[0]
            return number if 1 <= number <= 8 else 1
    return 1


def upright(pixels: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """Return the picture as a viewer shows it; `pixels` is height x width (x channels). A view."""
    if orientation >= 5:  # 5..8 exchange width and height
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
