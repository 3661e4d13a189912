"""Decode a file's pixels the same way for every output: 8 bits a channel, sRGB, upright.

`to_torch`, `to_hf`, `show`, thumbnails, model input and all exports use these functions, so that a
picture looks the same everywhere. Pillow's own `convert` would clip 16-bit greys to white, reveal
the colours below transparent parts, and ignore orientation and colour profile.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import simplejpeg
from msgspec import Struct
from PIL import Image, ImageColor, UnidentifiedImageError

from pixtrawl.images.deep_grey import deep_scale
from pixtrawl.images.formats import exif, jpeg
from pixtrawl.images.formats.bitfields import decode_bitfields
from pixtrawl.images.opening import TRANSPOSE, open_picture, orientation_of
from pixtrawl.images.srgb import to_srgb
from pixtrawl.transform import BadPictureError

__all__ = [
    "DECODER_ERRORS", "GROUND", "Pixels", "cap", "eight_bit", "flattened", "open_file", "oriented",
    "rgb", "scaled_jpeg", "thumbnail",
]  # fmt: skip

GROUND: Final = "white"
"""The colour behind transparent parts where an output has no transparency, as in browsers."""

DECODER_ERRORS: Final = (
    OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError
)  # fmt: skip
"""The errors that Pillow's and libjpeg's readers raise for files that they cannot decode."""

_MAX_PIXELS: Final = 100_000_000


class Pixels(Struct, frozen=True):
    """A decoded picture, with the orientation and colour profile still to be applied."""

    image: Image.Image
    orientation: int  # EXIF, 1 to 8
    profile: bytes | None  # ICC


def rgb(data: bytes, *, ground: str = GROUND, at_least_px: int | None = None) -> Image.Image:
    """Return the first frame of a file's bytes as an upright sRGB picture in mode RGB.

    Args:
        data: a file of any format that a data set keeps.
        ground: the colour behind transparent parts; any that Pillow knows.
        at_least_px: where a smaller picture will do: a JPEG is then decoded at a half, a quarter or
            an eighth, as long as both sides keep twice this many pixels.

    Raises:
        BadPictureError: the file does not decode, or has too many pixels.
    """
    try:
        pixels = _scaled(data, at_least_px) or _loaded(data)
        image = to_srgb(eight_bit(pixels.image), pixels.profile)
    except DECODER_ERRORS as error:
        raise BadPictureError(f"does not decode ({error})") from error
    image = flattened(oriented(image, pixels.orientation), ground)
    return image if image.mode == "RGB" else image.convert("RGB")


def thumbnail(data: bytes, size_px: int, *, ground: str = GROUND) -> Image.Image:
    """Return the picture of `rgb`, scaled down until it fits into a square of `size_px`.

    Raises:
        BadPictureError: the file does not decode, or has too many pixels.
    """
    image = rgb(data, ground=ground, at_least_px=size_px)
    image.thumbnail((size_px, size_px), Image.Resampling.HAMMING)
    return image


def _scaled(data: bytes, at_least_px: int | None) -> Pixels | None:
    """Decode a JPEG with libjpeg-turbo; None where Pillow has to try."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    head = jpeg.read_head(data)
    if head.components not in (1, 3) or head.precision != 8 or not (head.width and head.scan_at):
        return None
    cap(head.width, head.height)
    target = (at_least_px, at_least_px) if at_least_px else (head.width, head.height)
    image = scaled_jpeg(data, head, target)
    if image is None:
        return None
    return Pixels(image, exif.orientation_of(head.exif), jpeg.profile(data, head))


def _loaded(data: bytes) -> Pixels:
    image = open_file(data)
    with image:
        # Not `getexif()`, which raises on damaged blocks and reads other blocks than inspection.
        # Pillow turns a TIFF while loading it.
        orientation = orientation_of(image)
        return Pixels(image, orientation, image.info.get("icc_profile"))


def open_file(data: bytes) -> Image.Image:
    """Open and load the first frame of a file with Pillow.

    Raises:
        BadPictureError: no format that a data set keeps, or too many pixels.
        OSError, ValueError, SyntaxError, EOFError: the file does not decode.
    """
    try:
        image: Image.Image = open_picture(data)
    except UnidentifiedImageError:
        raise BadPictureError("does not decode: it is no image of a format that is kept") from None
    except OSError:
        masked = decode_bitfields(data) if data.startswith(b"BM") else None
        if masked is None:
            raise
        return Image.fromarray(masked)
    cap(*image.size)
    image.seek(0)
    image.load()
    if image.format == "GIF":  # Pillow enlarges the picture where a frame exceeds the screen
        screen = struct.unpack_from("<HH", data, 6)
        if all(screen) and screen != image.size:
            return image.crop((0, 0, *screen))
    return image


def cap(width: int, height: int) -> None:
    """Raise BadPictureError for a picture of more than 100 million pixels."""
    if width * height > _MAX_PIXELS:
        raise BadPictureError(f"has too many pixels ({width}x{height})")


def scaled_jpeg(data: bytes, head: jpeg.JpegHead, target: tuple[int, int]) -> Image.Image | None:
    """Decode a JPEG of one or three components strictly, no larger than twice the target needs.

    `target` is (width, height) in pixels. Returns None where the strict decoder refuses the file:
    Pillow reads some of them, and gives the reason otherwise.
    """
    divisor = 1
    while divisor < 8 and all(
        side >= 4 * divisor * wanted
        for side, wanted in zip((head.width, head.height), target, strict=True)
    ):
        divisor *= 2
    is_grey = head.components == 1
    try:
        pixels: np.ndarray[Any, Any] = simplejpeg.decode_jpeg(
            data,
            "GRAY" if is_grey else "RGB",
            min_width=-(-head.width // divisor),
            min_height=-(-head.height // divisor),
        )
    except ValueError:
        return None
    return Image.fromarray(pixels[:, :, 0] if is_grey else pixels)


def eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture in one of the modes L, LA, RGB, RGBA, CMYK."""
    mode, key = image.mode, image.info.get("transparency")
    if mode.startswith(("I", "F")):
        return _deep_to_eight(image, key)
    if mode in {"L", "LA", "RGB", "RGBA", "CMYK"} and key is None:
        return image
    if mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        # The transparent colour of a 16-bit PNG, which Pillow has reduced to 8 bits.
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in key)
    if key is not None or mode in {"PA", "La", "RGBa"}:
        return image.convert("RGBA")
    return image.convert("L" if mode == "1" else "RGB")


def _deep_to_eight(image: Image.Image, key: object) -> Image.Image:
    values = np.asarray(image)
    grey = Image.fromarray(deep_scale(image)(values))
    if not isinstance(key, int):
        return grey
    opaque = np.where(values == key, 0, 255).astype(np.uint8)  # PNG's tRNS: one grey is clear
    return Image.merge("LA", (grey, Image.fromarray(opaque)))


def oriented(image: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation of 1 to 8; other values leave the picture unchanged."""
    turn = TRANSPOSE.get(orientation)
    return image if turn is None else image.transpose(turn)


def flattened(image: Image.Image, colour: str) -> Image.Image:
    """Composite a picture with transparency on one colour; return mode L or RGB."""
    if image.mode not in {"LA", "RGBA"}:
        return image
    ground = Image.new("RGBA", image.size, (*ImageColor.getrgb(colour)[:3], 255))
    flat = Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    is_grey = image.mode == "LA" and len(set(ImageColor.getrgb(colour)[:3])) == 1
    return flat.convert("L") if is_grey else flat
