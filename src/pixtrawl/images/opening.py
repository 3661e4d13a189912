"""Open files with Pillow so that damage to metadata alone is not an error.

A wrong checksum in a time stamp, or a text field that does not decompress, affects no pixel: every
browser shows such a file. Pillow refuses some of them, when it opens the file or applies the
orientation, so everything that opens a kept file does it here.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from pixtrawl.images.formats import exif
from pixtrawl.images.formats.png_chunks import without_damaged_metadata

__all__ = ["READABLE", "TRANSPOSE", "open_picture", "orientation_of"]

TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition that turns a picture upright, by EXIF orientation; 1 needs none."""

READABLE: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Pillow's names of the formats that a data set keeps."""


def open_picture(data: bytes, formats: tuple[str, ...] = READABLE) -> Image.Image:
    """Open a kept file's bytes, without decoding them yet; a context manager, as Pillow's own.

    Args:
        data: the whole file.
        formats: Pillow's names of the formats that may be read.

    Raises:
        OSError: what `PIL.Image.open` raises; UnidentifiedImageError is one.
    """
    return Image.open(io.BytesIO(without_damaged_metadata(data)), formats=formats)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation still to be applied to a loaded picture, 1 to 8.

    1 where it is absent or invalid. Only an EXIF block counts, as in browsers and in inspection;
    Pillow would also read XMP and text chunks. Pillow turns a TIFF while loading it.
    """
    raw = image.info.get("exif")
    return exif.orientation_of(raw) if isinstance(raw, bytes) else 1
