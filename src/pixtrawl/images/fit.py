"""Resize and re-encode pictures as a `Transform` says.

Where pixels change, EXIF orientation is applied, the embedded colour profile is converted to sRGB,
16 bits become 8, and of an animation the first frame is used. JPEG is decoded at half, a
quarter or an eighth of its size where that leaves at least twice the target: libjpeg scales by
powers of two fast and well, while its odd scales (3/8 ...) cost 1-3 dB against a full decode and
are no faster. At twice the target the loss is 0.2-0.5 dB on pictures with a 1/f spectrum.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import simplejpeg
from msgspec import Struct
from PIL import Image

from pixtrawl.images.formats import exif, jpeg
from pixtrawl.images.opening import orientation_of
from pixtrawl.images.pixels import (
    DECODER_ERRORS,
    GROUND,
    cap,
    eight_bit,
    flattened,
    open_file,
    oriented,
    scaled_jpeg,
)
from pixtrawl.images.srgb import to_srgb
from pixtrawl.transform import MAX_SIDE_PX, BadPictureError, Picture, Transform

__all__ = ["FitPlan", "finished", "fit", "plan_for_jpeg", "plan_for_loaded"]

_TURNED: Final = frozenset({5, 6, 7, 8})  # EXIF orientations that exchange width and height


class FitPlan(Struct, frozen=True):
    """The sizes and orientation for transforming one picture."""

    before: tuple[int, int]  # width and height, upright
    inner: tuple[int, int]  # before cropping or padding, in the file's orientation
    orientation: int  # EXIF orientation still to be applied
    profile: bytes | None


def fit(transform: Transform, data: bytes, format_: str) -> Picture:
    """Return the picture to export for a file's bytes. Raises BadPictureError."""
    try:
        scaled = _from_jpeg(transform, data) if format_ == "jpeg" else None
        image, plan = scaled or _loaded(transform, data)
        return finished(transform, image, plan, transform.extension(format_))
    except DECODER_ERRORS as error:
        raise BadPictureError(f"does not decode ({error})") from error


def _from_jpeg(transform: Transform, data: bytes) -> tuple[Image.Image, FitPlan] | None:
    """Decode a JPEG at a reduced scale; None where `_loaded` should be tried."""
    head = jpeg.read_head(data)
    plan = plan_for_jpeg(transform, data, head)
    image = scaled_jpeg(data, head, plan.inner) if plan is not None else None
    return None if plan is None or image is None else (image, plan)


def _loaded(transform: Transform, data: bytes) -> tuple[Image.Image, FitPlan]:
    """Load the first frame of a file of any format that can be exported."""
    image = open_file(data)
    with image:
        return image, plan_for_loaded(transform, image)  # Pillow turns a TIFF while loading


def plan_for_loaded(transform: Transform, image: Image.Image) -> FitPlan:
    """Return the plan for a picture that Pillow has loaded. Raises BadPictureError."""
    return _plan(transform, image.size, orientation_of(image), image.info.get("icc_profile"))


def plan_for_jpeg(transform: Transform, data: bytes, head: jpeg.JpegHead) -> FitPlan | None:
    """Return the plan for a JPEG from its head, which saves Pillow's 0.1 ms to open the file.

    None for CMYK, for twelve bits and without a picture. Raises BadPictureError.
    """
    if head.components not in (1, 3) or head.precision != 8 or not (head.width and head.scan_at):
        return None
    cap(head.width, head.height)
    orientation = exif.orientation_of(head.exif)
    return _plan(transform, (head.width, head.height), orientation, jpeg.profile(data, head))


def _plan(
    transform: Transform, size: tuple[int, int], orientation: int, profile: bytes | None
) -> FitPlan:
    is_turned = orientation in _TURNED
    before = size[::-1] if is_turned else size
    inner = _inner_size(transform, *before)
    return FitPlan(before, inner[::-1] if is_turned else inner, orientation, profile)


def finished(transform: Transform, image: Image.Image, plan: FitPlan, extension: str) -> Picture:
    """Return the picture to export for decoded pixels; does not change `image`.

    Raises BadPictureError, and the errors of Pillow's encoders.
    """
    image = to_srgb(_resized(eight_bit(image), plan.inner), plan.profile)
    image = oriented(image, plan.orientation)
    if transform.flatten is not None:
        image = flattened(image, transform.flatten)
    return _encoded(_framed(transform, image, plan.before), transform, extension)


def _inner_size(transform: Transform, width: int, height: int) -> tuple[int, int]:
    """Return width and height of the upright picture before cropping or padding."""
    if transform.mode == "no":
        return width, height
    by_longest = transform.mode in {"border", "keep_ratio_largest"}
    side = max(width, height) if by_longest else min(width, height)
    if side <= transform.size and not transform.upscale:
        return width, height
    scale = transform.size / side
    if max(width, height) * scale > MAX_SIDE_PX:
        raise BadPictureError(f"too long and thin ({width}x{height}) for --resize {transform.size}")
    return max(1, round(width * scale)), max(1, round(height * scale))


def _framed(transform: Transform, image: Image.Image, before: tuple[int, int]) -> Image.Image:
    if transform.mode not in {"border", "center_crop"}:
        return image
    side = max(before) if transform.mode == "border" else min(before)
    if side <= transform.size and not transform.upscale:
        return image
    width, height = image.size
    left, top = (width - transform.size) // 2, (height - transform.size) // 2
    if transform.mode == "center_crop":
        return image.crop((left, top, left + transform.size, top + transform.size))
    framed = Image.new(image.mode, (transform.size, transform.size), "white")
    framed.paste(image, (-left, -top))
    return framed


def _encoded(image: Image.Image, transform: Transform, extension: str) -> Picture:
    quality = transform.quality_of(extension)
    if extension == "jpg":
        data = _jpeg(image, quality)
        return Picture(data, extension, "jpeg", image.width, image.height)
    # A copy without the file's profile and EXIF, which no longer apply: Pillow would write them.
    bare = image.copy()
    bare.info.clear()
    buffer = io.BytesIO()
    options = {"compress_level": 6} if extension == "png" else {"quality": quality}
    if extension == "webp":
        options["method"] = 4
    if extension == "avif":
        options["max_threads"] = 1  # pictures are encoded in parallel already
    bare.save(buffer, {"webp": "WEBP", "avif": "AVIF", "png": "PNG"}[extension], **options)
    return Picture(buffer.getvalue(), extension, extension, image.width, image.height)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    shrinks = image.width >= size[0] and image.height >= size[1]
    # Hamming is close to exact area averaging; Pillow's box filter takes each source pixel wholly
    # or not at all (2 dB worse at these ratios).
    return image.resize(size, Image.Resampling.HAMMING if shrinks else Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image = flattened(image, GROUND)  # JPEG has no transparency
    pixels = np.ascontiguousarray(image)
    if image.mode == "L":
        encoded = simplejpeg.encode_jpeg(pixels[:, :, None], quality, "GRAY", "Gray")
    else:
        encoded = simplejpeg.encode_jpeg(pixels, quality, "RGB", "420")
    return bytes(encoded)
