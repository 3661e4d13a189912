"""Mirrored and turned copies: the other orientations of a picture and their hashes.

Mirroring along an axis changes the sign of each second DCT coefficient, and a quarter turn
transposes them: the hashes of all eight orientations follow from the coefficients of one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from pixtrawl.dedup.overlay.aligned import bits_of, pixels_of, terms_of
from pixtrawl.dedup.overlay.shared_part import CELLS, CHROMA_BYTES
from pixtrawl.model import ImageInfo

__all__ = ["WAYS", "turned", "turned_hashes", "turned_info"]

Array = np.ndarray[Any, Any]

# How each orientation but the first is called, in the order of `turned` and `turned_hashes`.
_M, _T = "mirrored", "turned"
WAYS: Final = ("", _M, _M, _T, _M, _T, _T, _M)
_ODD: Final = np.where(np.arange(1, 17) % 2, np.float32(-1), np.float32(1))
_SIGNS: Final = np.stack(
    [down * across for down in (np.ones((16, 1), np.float32), _ODD[:, None])
     for across in (np.ones((1, 16), np.float32), _ODD[None, :])]
)  # fmt: skip


def turned(square: Array, way: int) -> Array:
    """Return one of the eight orientations of a square picture (... x n x n); 0 is the picture."""
    other = square.swapaxes(-1, -2) if way & 4 else square
    if way & 2:
        other = other[..., ::-1, :]
    if way & 1:
        other = other[..., ::-1]
    return np.ascontiguousarray(other)


def turned_info(info: ImageInfo, way: int) -> ImageInfo:
    """Return the image info of an orientation, with its own thumbnail and colours.

    Its hashes stay those of the picture as it is: see `turned_hashes`.
    """
    chroma = b""
    if len(info.chroma) == CHROMA_BYTES:
        planes = np.frombuffer(info.chroma, dtype=np.int8).reshape(2, CELLS, CELLS)
        chroma = turned(planes, way).tobytes()
    return replace(
        info, thumb=turned(pixels_of(info.thumb), way).tobytes(), chroma=chroma, fine=b""
    )


def turned_hashes(squares: Array) -> Array:
    """Return the hashes (n x 8 x 32 bytes) of all orientations of n x 64 x 64 pictures."""
    blocks = terms_of(squares)
    both = np.stack([blocks, blocks.swapaxes(-1, -2)], axis=1)
    return np.packbits(bits_of(both[:, :, None] * _SIGNS).reshape(-1, 8, 256), axis=-1)
