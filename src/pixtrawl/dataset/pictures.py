"""Load files of a data set as pictures, all by the conversion of `images.pixels`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from pixtrawl.errors import PictureError
from pixtrawl.images.pixels import GROUND, rgb, thumbnail
from pixtrawl.model import Sample
from pixtrawl.transform import BadPictureError

__all__ = ["GROUND", "decoded", "picture_of", "thumbnail_of", "thumbnails"]


def picture_of(path: Path | str, *, ground: str = GROUND) -> Image.Image:
    """Return a file as an upright 8-bit sRGB picture in mode RGB, transparent parts on `ground`.

    Raises:
        PictureError: the file does not decode.
        OSError: the file is gone or cannot be read.
    """
    return decoded(Path(path).read_bytes(), str(path), ground=ground)


def decoded(data: bytes, shown: str, *, ground: str = GROUND) -> Image.Image:
    """Return the picture of `picture_of` of a file's bytes; `shown` names it in errors."""
    try:
        return rgb(data, ground=ground)
    except BadPictureError as error:
        raise PictureError(f"{shown}: {error}") from error


def thumbnail_of(sample: Sample, size_px: int, *, ground: str = GROUND) -> Image.Image:
    """Return the picture of `picture_of`, scaled down to fit a square of `size_px`.

    Raises:
        PictureError: the file does not decode.
        OSError: the file is gone or cannot be read.
    """
    data = sample.read()
    try:
        return thumbnail(data, size_px, ground=ground)
    except BadPictureError as error:
        raise PictureError(f"{sample.file_name}: {error}") from error


def thumbnails(samples: Iterable[Sample], size_px: int) -> Iterator[Image.Image | None]:
    """Yield the thumbnail of each sample's file; None where it is gone or does not decode."""
    for sample in samples:
        try:
            yield thumbnail_of(sample, size_px)
        except (OSError, PictureError):
            yield None
