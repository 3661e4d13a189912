"""Files opened with Pillow so that damage to metadata alone keeps no picture from being shown.

A wrong checksum in a time stamp, or a text field that does not unpack, concerns no pixel: every
browser shows such a file. Pillow refuses some of them, as it opens the file or as it turns the
picture upright, so everything that opens a kept file opens it here.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Final

from PIL import Image

from pixtrawl.images import exif
from pixtrawl.images.png_chunks import SIGNATURE, without_damaged_metadata

__all__ = ["TRANSPOSE", "open_picture", "orientation_of", "upright"]

TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation; 1 needs nothing."""

_ORIENTATION: Final = 0x0112


def open_picture(source: Path | str | bytes, formats: tuple[str, ...] | None = None) -> Image.Image:
    """The picture of a kept file, not yet decoded; a context manager, as Pillow's own.

    Args:
        source: the file's path, or its bytes.
        formats: Pillow's names of the formats that may be read; all of them without.

    Raises what `PIL.Image.open` raises: OSError, of which UnidentifiedImageError is one.
    """
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(without_damaged_metadata(source)), formats=formats)
    with open(source, "rb") as file:  # noqa: PTH123 - a path or its text
        head = file.read(len(SIGNATURE))
        if head == SIGNATURE:
            data = without_damaged_metadata(head + file.read())
            return Image.open(io.BytesIO(data), formats=formats)
    return Image.open(source, formats=formats)


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation that is still to be applied, 1 to 8; 1 where it is absent or unreadable.

    Pillow has turned a TIFF once it is loaded, and then says 1.
    """
    raw = image.info.get("exif")
    if isinstance(raw, bytes):
        return exif.orientation_of(raw)  # which stops quietly where the structure makes no sense
    try:
        stated = image.getexif().get(_ORIENTATION, 1)  # of a TIFF's tag, XMP or a text chunk
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error):
        return 1
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1


def upright(image: Image.Image) -> Image.Image:
    """The picture as a viewer shows it; loads it. Raises what decoding raises."""
    image.load()
    turn = TRANSPOSE.get(orientation_of(image))
    return image if turn is None else image.transpose(turn)
