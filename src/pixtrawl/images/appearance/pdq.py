"""PDQ, the published perceptual hash of block lists (Facebook, 2019): 256 bits and a quality.

After the reference: luminance, two passes of a box filter along each axis, 64x64 samples at the
centres of equal cells, 16x16 DCT coefficients against their median. Filter and sampling are linear
and separable, so that one small matrix for each axis does both. All eight turns and mirror images
follow from the same coefficients. `phash` is cheaper and as good, but nobody's list holds it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import simplejpeg

from pixtrawl.images.conversion import on_white
from pixtrawl.images.decode import PLUGINS
from pixtrawl.images.formats import jpeg, sniff
from pixtrawl.images.interface import Pdq
from pixtrawl.images.opening import open_picture
from pixtrawl.images.phash import SIDE, coefficients, median_bits

__all__ = ["HASH_BYTES", "TURNS", "pdq_of", "pdq_of_grey"]

HASH_BYTES: Final = 32
TURNS: Final = 8  # hashes of one picture: as stored first, then turned and mirrored
_LEAST_PX: Final = 5  # smaller pictures have no hash
_ENOUGH_PX: Final = 512  # of a JPEG: reading more moves no bit of a photograph's hash
_STRIP_BYTES: Final = 2**24

Array = np.ndarray[Any, Any]


def pdq_of(data: bytes, max_pixels: int) -> list[Pdq]:
    """Return the hashes of a file's first frame; of two where it is transparent in part.

    Those are the picture on white, as it is shown, and without its transparency, as most hashing
    programs read it. Empty where the file is no picture that can be read. May raise MemoryError.
    """
    name = sniff.sniff(data[: sniff.HEAD_BYTES])
    if name == "jpeg":
        head = jpeg.read_head(data)
        if head.components in (1, 3) and head.precision == 8:
            if head.width * head.height > max_pixels:
                return []
            grey = _jpeg_grey(data)
            if grey is not None:
                return [pdq_of_grey(grey)]
    if name not in PLUGINS:
        return []
    try:
        with open_picture(data, (PLUGINS[name][1],)) as image:
            if image.width * image.height > max_pixels:
                return []
            return [pdq_of_grey(grey) for grey in _greys(image)]
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a plugin raises for a damaged file
        return []


def _jpeg_grey(data: bytes) -> Array | None:
    """Return the luminance at the smallest DCT scale that suffices, or None if it is damaged."""
    try:
        pixels: Array = simplejpeg.decode_jpeg(
            data, "GRAY", min_height=_ENOUGH_PX, min_width=_ENOUGH_PX, min_factor=1, strict=False
        )
    except ValueError:
        return None
    return pixels[:, :, 0]


def _greys(image: Any) -> list[Array]:
    image.load()
    has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    if not has_alpha:
        return [np.asarray(image.convert("RGB").convert("L"))]
    clear = image.convert("RGBA")
    return [np.asarray(one.convert("L")) for one in (on_white(clear), clear.convert("RGB"))]


def pdq_of_grey(grey: Array) -> Pdq:
    """Return the quality and the hashes of a picture's luminance (height x width, 0..255)."""
    height, width = grey.shape
    if min(height, width) < _LEAST_PX:
        return 0, (bytes(HASH_BYTES),) * TURNS
    square = _shrunk(grey)
    block = coefficients(square)
    odd = np.where(np.arange(1, block.shape[0] + 1) % 2, np.float32(-1), np.float32(1))
    hashes = [
        _hash(one * down * across)
        for one in (block, block.T)
        for down in (np.float32(1), odd[:, None])
        for across in (np.float32(1), odd[None, :])
    ]
    return _quality(square), tuple(hashes)


def _shrunk(grey: Array) -> Array:
    """Return 64x64 samples of the filtered picture, as float32."""
    height, width = grey.shape
    if grey.shape == (SIDE, SIDE):
        return grey.astype(np.float32)
    across = _axis(width).T
    rows = max(_STRIP_BYTES // (4 * width), 1)
    half = np.empty((height, SIDE), dtype=np.float32)
    for top in range(0, height, rows):  # a picture of 100 megapixels would be 400 MB of float32
        half[top : top + rows] = grey[top : top + rows].astype(np.float32) @ across
    shrunk: Array = _axis(height) @ half
    return shrunk


@lru_cache(maxsize=16)
def _axis(length: int) -> Array:
    """Return the 64 x `length` matrix of both box filters and the sampling along one axis."""
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    ahead = (window + 2) // 2
    starts = np.maximum(np.arange(length) - (window - ahead), 0)
    ends = np.minimum(np.arange(length) + ahead, length)
    matrix = np.zeros((SIDE, length), dtype=np.float32)
    for at in range(SIDE):
        centre = int((at + 0.5) * length / SIDE)
        first, last = int(starts[centre]), int(ends[centre])
        for one in range(first, last):
            low, high = int(starts[one]), int(ends[one])
            matrix[at, low:high] += 1.0 / ((last - first) * (high - low))
    return matrix


def _quality(square: Array) -> int:
    steps = 0
    for between in (square[1:] - square[:-1], square[:, 1:] - square[:, :-1]):
        steps += int(np.abs(np.trunc(between * 100 / 255)).sum())
    return min(100, steps // 90)


def _hash(block: Array) -> bytes:
    """Return the bits in the order of the usual hexadecimal form: the last coefficient first."""
    return np.packbits(median_bits(block)[::-1]).tobytes()
