"""Resizing and encoding pictures for an export; nothing is touched unless asked for.

Where pixels are touched, EXIF orientation is applied, the embedded colour profile is converted to
sRGB, 16 bits become 8, and the first frame stands for an animation. JPEG is decoded at half, a
quarter or an eighth of its size where that leaves at least twice the target: libjpeg scales by
powers of two fast and well, while its odd scales (3/8 ...) cost 1-3 dB against a full decode and
are no faster. At twice the target the loss is 0.2-0.5 dB on pictures with a 1/f spectrum.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, ImageColor, UnidentifiedImageError

from pixtrawl.errors import UsageError

__all__ = ["EXTENSIONS", "RESIZE_MODES", "BadPictureError", "Picture", "Transform"]

# The names and meanings of img2dataset's resize modes.
RESIZE_MODES: Final = ("no", "border", "keep_ratio", "keep_ratio_largest", "center_crop")
ENCODINGS: Final = ("jpg", "png", "webp", "avif")
EXTENSIONS: Final = {
    "jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif", "bmp": "bmp",
    "tiff": "tif",
}  # fmt: skip
_READABLE: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_QUALITY: Final = {"jpg": 95, "webp": 90, "avif": 80}
_MAX_PIXELS: Final = 100_000_000
_MAX_SIDE: Final = 16_383  # of WebP; JPEG ends at 65,535
_TURNED: Final = frozenset({5, 6, 7, 8})  # EXIF orientations that exchange width and height
_TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_local = threading.local()


class BadPictureError(Exception):
    """A file that cannot be exported; the message says why, without its name."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is exported."""

    data: bytes
    extension: str  # without a dot
    format: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """What is done to each picture. The default keeps the bytes.

    `size` is in pixels, `quality` 1 to 100 (`jpg` 95, `webp` 90, `avif` 80 unless given).
    """

    mode: str = "no"
    size: int = 0
    upscale: bool = True
    encode: str | None = None
    quality: int | None = None
    flatten: str | None = None  # any colour that Pillow knows: white, #808080

    def __post_init__(self) -> None:
        if self.mode not in RESIZE_MODES:
            raise UsageError(
                f"unknown resize mode {self.mode!r} (one of {', '.join(RESIZE_MODES)})"
            )
        if self.mode != "no" and not 1 <= self.size <= _MAX_SIDE:
            raise UsageError(f"--resize must be between 1 and {_MAX_SIDE} pixels")
        if self.encode is not None and self.encode not in ENCODINGS:
            raise UsageError(f"unknown encoding {self.encode!r} (one of {', '.join(ENCODINGS)})")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError("--quality must be between 1 and 100")
        if self.quality is not None and self.encode == "png":
            raise UsageError("--quality has no meaning for png, which loses nothing")
        if self.flatten is not None:
            try:
                ImageColor.getrgb(self.flatten)
            except ValueError:
                raise UsageError(f"--flatten: {self.flatten!r} is no colour (try white)") from None

    @property
    def keeps_bytes(self) -> bool:
        """Whether files are exported as they are."""
        return self.mode == "no" and self.encode is None and self.flatten is None

    def extension(self, format_: str) -> str:
        """The extension that a picture of this format will have."""
        if self.encode:
            return self.encode
        extension = EXTENSIONS.get(format_, format_)
        return extension if self.keeps_bytes or extension in ENCODINGS else "png"

    def format(self, format_: str) -> str:
        """The format that a picture of this format will have."""
        extension = self.extension(format_)
        return format_ if self.keeps_bytes else {"jpg": "jpeg"}.get(extension, extension)

    def apply(self, data: bytes, format_: str) -> Picture:
        """A file's bytes as they are exported. Raises BadPictureError."""
        extension = self.extension(format_)
        try:
            image = self._pixels(data)
            return self._encoded(image, extension)
        except BadPictureError:
            raise
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            # what Pillow's and libjpeg's readers raise for files that they cannot decode
            raise BadPictureError(f"does not decode ({error})") from error

    def _pixels(self, data: bytes) -> Image.Image:
        with _open(data) as file:
            orientation = file.getexif().get(0x0112, 1)
            profile = file.info.get("icc_profile")
            size = file.size[::-1] if orientation in _TURNED else file.size
            inner = self._inner_size(*size)
            stored = inner[::-1] if orientation in _TURNED else inner
            image = _scaled_jpeg(data, file, stored) or _loaded(file)
        image = _to_srgb(_resized(image, stored), profile)
        if orientation in _TRANSPOSE:
            image = image.transpose(_TRANSPOSE[orientation])
        if self.flatten is not None:
            image = _flattened(image, self.flatten)
        return self._framed(image, size)

    def _inner_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height before cropping or padding; the picture stands upright."""
        if self.mode == "no":
            return width, height
        by_longest = self.mode in {"border", "keep_ratio_largest"}
        side = max(width, height) if by_longest else min(width, height)
        if side <= self.size and not self.upscale:
            return width, height
        scale = self.size / side
        if max(width, height) * scale > _MAX_SIDE:
            raise BadPictureError(f"too long and thin ({width}x{height}) for --resize {self.size}")
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _framed(self, image: Image.Image, before: tuple[int, int]) -> Image.Image:
        if self.mode not in {"border", "center_crop"}:
            return image
        side = max(before) if self.mode == "border" else min(before)
        if side <= self.size and not self.upscale:
            return image
        width, height = image.size
        left, top = (width - self.size) // 2, (height - self.size) // 2
        if self.mode == "center_crop":
            return image.crop((left, top, left + self.size, top + self.size))
        framed = Image.new(image.mode, (self.size, self.size), "white")
        framed.paste(image, (-left, -top))
        return framed

    def _encoded(self, image: Image.Image, extension: str) -> Picture:
        # Pillow would write the file's profile and EXIF, which no longer hold, into the new one.
        image.info.clear()
        quality = self.quality or _QUALITY.get(extension, 0)
        if extension == "jpg":
            data = _jpeg(image, quality)
        else:
            buffer = io.BytesIO()
            options = {"compress_level": 6} if extension == "png" else {"quality": quality}
            if extension == "webp":
                options["method"] = 4
            if extension == "avif":
                options["max_threads"] = 1  # pictures are encoded side by side already
            image.save(buffer, {"webp": "WEBP", "avif": "AVIF", "png": "PNG"}[extension], **options)
            data = buffer.getvalue()
        return Picture(
            data, extension, "jpeg" if extension == "jpg" else extension, image.width, image.height
        )


def _open(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_READABLE)
    except UnidentifiedImageError:
        raise BadPictureError("is no image of a format that can be exported") from None
    if image.width * image.height > _MAX_PIXELS:
        raise BadPictureError(f"has too many pixels ({image.width}x{image.height})")
    return image


def _scaled_jpeg(data: bytes, file: Image.Image, target: tuple[int, int]) -> Image.Image | None:
    """A JPEG decoded no larger than twice the target needs; None where Pillow has to do it."""
    if file.format not in {"JPEG", "MPO"} or file.mode not in {"L", "RGB"}:
        return None
    divisor = 1
    while divisor < 8 and all(
        side >= 4 * divisor * wanted for side, wanted in zip(file.size, target, strict=True)
    ):
        divisor *= 2
    try:
        pixels: np.ndarray[Any, Any] = simplejpeg.decode_jpeg(
            data,
            "GRAY" if file.mode == "L" else "RGB",
            min_width=-(-file.width // divisor),
            min_height=-(-file.height // divisor),
        )
    except ValueError:
        return None  # Pillow reads some that the strict decoder refuses, and says why otherwise
    return Image.fromarray(pixels[:, :, 0] if file.mode == "L" else pixels)


def _loaded(file: Image.Image) -> Image.Image:
    """All pixels, in one of the modes L, LA, RGB, RGBA, CMYK."""
    file.seek(0)
    file.load()
    if file.mode.startswith("I"):
        pixels = np.asarray(file).astype(np.int64)
        return Image.fromarray((pixels.clip(0, 65535) >> 8).astype(np.uint8))
    if "transparency" in file.info or file.mode in {"PA", "La", "RGBa"}:
        return file.convert("RGBA")
    if file.mode in {"L", "LA", "RGB", "RGBA", "CMYK"}:
        return file.copy()
    return file.convert("L" if file.mode == "1" else "RGB")


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    shrinks = image.width >= size[0] and image.height >= size[1]
    # Hamming is as near to exact area averaging as Pillow's box filter is not: that one takes
    # each source pixel wholly or not at all (2 dB worse at these ratios).
    return image.resize(size, Image.Resampling.HAMMING if shrinks else Image.Resampling.LANCZOS)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as sRGB; a profile that is damaged or of another colour space says nothing."""
    if profile and image.mode in {"L", "RGB", "RGBA", "CMYK"} and not _is_srgb(profile):
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        colours = image.convert("RGB") if alpha is not None else image
        transform = _conversion(profile, colours.mode)
        if transform is not None:
            colours = ImageCms.applyTransform(colours, transform) or colours
            if alpha is not None:
                colours.putalpha(alpha)
            return colours.convert("L") if image.mode == "L" else colours
    return image.convert("RGB") if image.mode == "CMYK" else image


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes) -> bool:
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True  # unreadable: nothing to convert from
    return name.strip().lower().startswith("srgb") or name.strip() == "c2"  # a compact sRGB


def _conversion(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Kept for each thread: a littlecms transform caches its last pixel and is not shared."""
    known: dict[tuple[bytes, str], ImageCms.ImageCmsTransform | None]
    known = _local.__dict__.setdefault("conversions", {})
    key = (profile, mode)
    if key not in known:
        if len(known) > 32:
            known.clear()
        try:
            known[key] = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                mode,
                "RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            known[key] = None
    return known[key]


def _flattened(image: Image.Image, colour: str) -> Image.Image:
    if image.mode not in {"LA", "RGBA"}:
        return image
    ground = Image.new("RGBA", image.size, (*ImageColor.getrgb(colour)[:3], 255))
    flat = Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    is_grey = image.mode == "LA" and len(set(ImageColor.getrgb(colour)[:3])) == 1
    return flat.convert("L") if is_grey else flat


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image = _flattened(image, "white")  # JPEG has no transparency
    pixels = np.ascontiguousarray(image)
    if image.mode == "L":
        encoded = simplejpeg.encode_jpeg(pixels[:, :, None], quality, "GRAY", "Gray")
    else:
        encoded = simplejpeg.encode_jpeg(pixels, quality, "RGB", "420")
    return bytes(encoded)
