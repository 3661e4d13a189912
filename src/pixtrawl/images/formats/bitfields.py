"""Decode BMPs with channel masks of any width; Pillow supports only the common layouts."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

__all__ = ["decode_bitfields"]

_BITFIELDS: Final = 3
_MIN_HEADER: Final = 54


def decode_bitfields(data: bytes) -> np.ndarray[Any, Any] | None:
    """Return height x width x 3 (uint8), or None where `data` is not such a BMP.

    The caller must have checked the pixel cap and that all rows are present.
    """
    if len(data) < _MIN_HEADER + 12:
        return None
    (offset,) = struct.unpack_from("<I", data, 10)
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression != _BITFIELDS or bits not in (16, 32) or width <= 0 or height == 0:
        return None
    masks = struct.unpack_from("<III", data, _MIN_HEADER)
    if not all(masks):
        return None
    stride = (width * bits + 31) // 32 * 4
    rows = np.frombuffer(data, np.uint8, stride * abs(height), offset).reshape(-1, stride)
    words = rows[:, : width * bits // 8].copy().view(f"<u{bits // 8}").astype(np.uint32)
    channels = []
    for mask in masks:
        shift = (mask & -mask).bit_length() - 1
        most = mask >> shift
        channels.append(((words & mask) >> shift).astype(np.float32) * (255.0 / most))
    pixels = np.stack(channels, axis=2).astype(np.uint8)
    return pixels[::-1] if height > 0 else pixels
