"""Some rows of a picture at full size, in grey: traces of an enlargement show in no smaller one.

The usual decode of a JPEG is an eighth of its size. A header that states fewer rows makes libjpeg
stop there, so that the rows cost what lies above them and no more.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import simplejpeg
from PIL import Image

from pixtrawl.images.conversion import on_white, shrunk
from pixtrawl.images.formats.jpeg import JpegHead, frame_header_at

__all__ = ["ROWS", "rows_of_jpeg", "rows_of_loaded"]

Array = np.ndarray[Any, Any]

ROWS: Final = 32
"""How many rows are returned: the bits of a word, which `upscale` keeps signs in."""

_BAND: Final = 4 * ROWS
_MOST_PX: Final = 300_000  # down to the last of the rows: a bound of the cost
_STEEPEST: Final = 32  # of 255: one strong edge must not outweigh all others
_BUSY: Final = 0.6  # of the detail of the busiest rows is enough: rows further up cost less
_PLAIN: Final = frozenset({"L", "P", "RGB", "RGBA"})
_BLOCK: Final = 8


def rows_of_jpeg(data: bytes, head: JpegHead, small: Array) -> Array | None:
    """Return `ROWS` rows of a file that was decoded to `small`; None where they do not decode."""
    at = frame_header_at(head)
    if at is None or head.height < ROWS:
        return None
    top, end = _busy_rows(small, head.width, head.height)
    count = min(head.height, end + _BLOCK)  # the last block lacks what lies below it
    shorter = data[: at + 5] + struct.pack(">H", count) + data[at + 7 :]
    try:
        grey = simplejpeg.decode_jpeg(shorter, "GRAY", fastdct=True, strict=False)
    except ValueError:
        return None
    return _spread(grey[top:end, :, 0])


def rows_of_loaded(image: Any, mode: str, small: Array) -> Array | None:
    """Return `ROWS` rows of a picture that Pillow has loaded; None where there are not as many."""
    width, height = image.size
    if height < ROWS:
        return None
    top, end = _busy_rows(small, width, height)
    cut = image.crop((0, top, width, end))
    if image.mode in _PLAIN:  # before the conversion, which then has a quarter to do
        cut = cut.resize((width, ROWS), Image.Resampling.NEAREST)
    return _spread(np.asarray(on_white(shrunk(cut, mode, 1)).convert("L")))


def _busy_rows(small: Array, width: int, height: int) -> tuple[int, int]:
    """Return the first row of the part to look at and the one after it."""
    if height <= _BAND:
        return 0, height
    wide = small.astype(np.int16)
    detail = np.minimum(np.abs(wide[:, 1:] - wide[:, :-1]), _STEEPEST).mean(axis=1)
    scale = height / len(detail)
    lines = max(1, round(_BAND / scale))
    within = max(lines, int(max(_BAND, _MOST_PX / width) / scale))
    sums = np.concatenate(([0.0], np.cumsum(detail[:within])))
    windows = sums[lines:] - sums[:-lines]
    first = int(np.flatnonzero(windows >= _BUSY * windows.max())[0])
    top = min(int(first * scale), height - _BAND) // _BLOCK * _BLOCK
    return top, top + _BAND


def _spread(band: Array) -> Array:
    """Return rows that lie apart: neighbouring ones say the same."""
    spread: Array = band[np.arange(ROWS) * len(band) // ROWS]
    return spread
