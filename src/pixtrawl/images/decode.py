"""Full decode under a pixel cap: reads the whole coded stream, returns a small picture.

JPEG is decoded by libjpeg-turbo in strict mode at the smallest DCT scale that keeps 64 pixels on
both sides: it reads every entropy-coded bit, detects all truncation and all 20-bit damage, and
costs half of a full decode (in colour an eighth more than in grey). A fixed scale of 1/8 would
leave small pictures too small for the hash.
Pillow loads everything else completely, frame by frame, restricted to one format.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import simplejpeg
from msgspec import Struct
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from pixtrawl.fine_greys import FINE_SIDE
from pixtrawl.images.conversion import on_white, shrunk
from pixtrawl.images.formats import exif, jpeg
from pixtrawl.images.formats.bitfields import decode_bitfields
from pixtrawl.images.formats.cost_limits import CostLimits
from pixtrawl.images.full_rows import rows_of_jpeg, rows_of_loaded
from pixtrawl.images.opening import open_picture
from pixtrawl.images.phash import SIDE
from pixtrawl.model import Reason

if TYPE_CHECKING:
    from pixtrawl.images.rendition import RenditionMaker
    from pixtrawl.transform import Picture

__all__ = ["PLUGINS", "Decoded", "Finer", "RefusedError", "decode"]

# Plugins are imported here, before the sandbox limits are set; only these can open a file.
PLUGINS: Final = {
    "jpeg": (JpegImagePlugin, "JPEG"),
    "png": (PngImagePlugin, "PNG"),
    "webp": (WebPImagePlugin, "WEBP"),
    "gif": (GifImagePlugin, "GIF"),
    "avif": (AvifImagePlugin, "AVIF"),
    "bmp": (BmpImagePlugin, "BMP"),
    "tiff": (TiffImagePlugin, "TIFF"),
    "mpo": (MpoImagePlugin, "MPO"),
}
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the seccomp filter forbids threads in a decoder
Image.MAX_IMAGE_PIXELS = None  # the cap below is checked before anything is decoded

_FRAMES_STATED: Final = frozenset({"PNG", "WEBP", "AVIF"})  # Pillow knows before it decodes
_REDUCED_RESOLUTION: Final = 1  # bit of TIFF tag NewSubfileType
_OPTIONAL_TIFF_CODECS: Final = frozenset(
    {34712, 34925, 50001, 50002, 52546}
)  # J2K, LZMA, WebP, JXL
_EXTRANEOUS: Final = re.compile(r"(\d+) extraneous bytes before marker 0xd9")


class RefusedError(Exception):
    """The file is not a picture that can be kept."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


Finer = tuple[np.ndarray[Any, Any], tuple[float, float]]  # greys and extent, as `Decoded`


class Decoded(Struct):
    """The result of a full decode. `grey` is small: at least 64 px a side where the file is.

    Its last row and column may be partial: `extent` is the exact size of the picture in pixels of
    `grey` (an error of a hundredth of a side changes 30 bits of the hash).
    """

    grey: np.ndarray[Any, Any]
    colours: np.ndarray[Any, Any] | None  # RGB, of the size of `grey`; None for a file in greys
    extent: tuple[float, float]  # across, down
    width: int  # as stored
    height: int
    frames: int = 1
    animated: bool = False
    orientation: int = 1  # EXIF, as the file states it
    turn: int = 1  # the orientation still to be applied to `grey`
    has_exif: bool = False
    has_alpha: bool = False
    alpha_mean: float = 1.0
    is_gray: bool = False
    jpeg_quality: float = 0.0
    bits_a_pixel: float = 0.0  # of a JPEG's coded data
    picture_at: int = 0  # offset of a JPEG's first scan; 0: unknown
    rendition: Picture | None = None  # made from the same decode, where requested
    finer: Callable[[], Finer] | None = None  # decodes again, larger; None: too costly
    rows: Callable[[], np.ndarray[Any, Any] | None] | None = None  # some at full size, in grey


def decode(
    format: str,
    data: bytes,
    max_pixels: int,
    renderer: RenditionMaker | None = None,
    limits: CostLimits = CostLimits(),
) -> Decoded:
    """Decode all of `data`, a file of a kept `format`.

    Raises:
        RefusedError: too many pixels, scans or frames, cut short, or damaged.
        MemoryError: the picture needs more memory than this process may use.
    """
    if format == "jpeg":
        return _jpeg(data, max_pixels, renderer, limits)
    try:
        return _pillow(PLUGINS[format][1], data, max_pixels, renderer, limits)
    except RefusedError as refused:
        if format == "bmp" and "bitfields" in refused.detail:
            return _masked_bmp(data, max_pixels)
        raise


def _jpeg(
    data: bytes, max_pixels: int, renderer: RenditionMaker | None, limits: CostLimits
) -> Decoded:
    head = jpeg.read_head(data)
    if head.overfull:
        raise RefusedError(*limits.too_many("segments before the picture", jpeg.MOST_SEGMENTS))
    if not head.width or not head.scan_at:
        raise RefusedError(Reason.TRUNCATED, "JPEG without a picture")
    _cap(head.width, head.height, max_pixels)
    scans = jpeg.count_scans(data, head, limits.scans)
    if fault := limits.of_scans(scans, head.width * head.height):
        raise RefusedError(*fault)
    if head.components not in (1, 3) or head.precision != 8:
        decoded = _pillow("JPEG", data, max_pixels, renderer, limits)  # CMYK, YCCK, rarer kinds
    else:
        rendered = renderer.of_jpeg(data, head) if renderer is not None else None
        if rendered is not None and rendered.grey is not None:
            grey, colours = rendered.grey, rendered.colours
        else:
            grey, colours = _strict(data, head)
        # The DCT scale used; by the longer side, as the shorter one may be rounded up by much.
        eighths = round(8 * max(grey.shape) / max(head.width, head.height))
        extent = (head.width * eighths / 8, head.height * eighths / 8)
        decoded = Decoded(grey, colours, extent, head.width, head.height)
        decoded.rendition = rendered.picture if rendered is not None else None
        decoded.finer = partial(_strict, data, head, _finer_jpeg)
        decoded.rows = partial(rows_of_jpeg, data, head, grey)
    decoded.orientation = decoded.turn = exif.orientation_of(head.exif)
    decoded.frames = head.frames
    decoded.has_exif = bool(head.exif)
    decoded.is_gray = head.components == 1
    decoded.jpeg_quality = jpeg.quality(head.luma_table)
    decoded.bits_a_pixel = 8 * (len(data) - head.scan_at) / (head.width * head.height)
    decoded.picture_at = head.scan_at
    return decoded


def _turbo(data: bytes, head: jpeg.JpegHead) -> tuple[Any, Any]:
    """Return the small picture in grey and in colour; the latter None where the file has none."""
    pixels: np.ndarray[Any, Any] = simplejpeg.decode_jpeg(
        data, "GRAY" if head.components == 1 else "RGB", fastdct=True, fastupsample=True,
        min_height=SIDE, min_width=SIDE, min_factor=1, strict=True,
    )  # fmt: skip
    if head.components == 1:
        return pixels[:, :, 0], None
    return np.asarray(Image.fromarray(pixels).convert("L")), pixels


def _finer_jpeg(data: bytes, head: jpeg.JpegHead) -> Finer:
    """Return a JPEG's greys at 224 px and more a side, where it has them."""
    pixels: np.ndarray[Any, Any] = simplejpeg.decode_jpeg(
        data, "GRAY", fastdct=True, min_height=FINE_SIDE, min_width=FINE_SIDE, min_factor=1,
    )  # fmt: skip
    eighths = round(8 * pixels.shape[1] / head.width)
    return pixels[:, :, 0], (head.width * eighths / 8, head.height * eighths / 8)


def _finer_picture(image: Any, mode: str) -> Finer:
    factor = max(min(image.size) // FINE_SIDE, 1)
    greys = np.asarray(on_white(shrunk(image, mode, factor)).convert("L"))
    return greys, (image.width / factor, image.height / factor)


def _strict(
    data: bytes,
    head: jpeg.JpegHead,
    read: Callable[[bytes, jpeg.JpegHead], tuple[Any, Any]] = _turbo,
) -> tuple[Any, Any]:
    """Decode strictly; retry without metadata and padding where only those may be at fault."""
    try:
        return read(data, head)
    except ValueError as error:
        doubt = str(error)
    if "Premature end" in doubt:
        raise RefusedError(Reason.TRUNCATED, doubt)
    padding = _EXTRANEOUS.search(doubt)
    tidy = jpeg.essential(data, head, int(padding[1]) if padding else 0)
    try:
        return read(tidy, head)
    except ValueError as error:
        raise RefusedError(Reason.CORRUPT, str(error)) from error


def _cap(width: int, height: int, max_pixels: int) -> None:
    if width <= 0 or height <= 0:
        raise RefusedError(Reason.CORRUPT, f"{width}x{height} pixels")
    if width * height > max_pixels:
        raise RefusedError(Reason.TOO_MANY_PIXELS, f"{width}x{height} pixels")


def _pillow(
    name: str, data: bytes, max_pixels: int, renderer: RenditionMaker | None, limits: CostLimits
) -> Decoded:
    try:
        with open_picture(data, (name,)) as image:
            decoded = _load(image, max_pixels, renderer, limits)
            if name == "GIF":  # the logical screen: Pillow enlarges it for frames that exceed it
                screen = struct.unpack_from("<HH", data, 6)
                decoded.width, decoded.height = screen if all(screen) else image.size
            return decoded
    except (RefusedError, MemoryError):
        raise
    except Exception as error:
        # Object addresses would make equal outcomes differ.
        text = re.sub(r"<[^>]*>", "the file", f"{type(error).__name__}: {error}")
        cut = isinstance(error, EOFError) or "truncat" in text.lower()
        raise RefusedError(Reason.TRUNCATED if cut else Reason.CORRUPT, text) from error


def _masked_bmp(data: bytes, max_pixels: int) -> Decoded:
    width, height = struct.unpack_from("<ii", data, 18)
    _cap(width, abs(height), max_pixels)
    pixels = decode_bitfields(data)
    if pixels is None:
        raise RefusedError(Reason.CORRUPT, "BMP with invalid channel masks")
    return _first_frame(Image.fromarray(pixels), width, abs(height))


def _load(
    image: Any, max_pixels: int, renderer: RenditionMaker | None, limits: CostLimits
) -> Decoded:
    _cap(image.width, image.height, max_pixels)
    _refuse_kinds(image)
    if image.format in _FRAMES_STATED:
        fault = limits.of_frames(getattr(image, "n_frames", 1), image.width * image.height)
        if fault:
            raise RefusedError(*fault)
    one_picture = _is_tiled_gif(image)
    width, height = image.size
    turned = _orientation_tag(image)
    image.load()
    decoded = _first_frame(image, width, height)
    decoded.rendition = renderer.of_loaded(image) if renderer is not None else None
    if turned > 1:  # Pillow applied it while loading, and swapped the size
        decoded.orientation = turned
        decoded.width, decoded.height = (height, width) if turned >= 5 else (width, height)
    decoded.frames = getattr(image, "n_frames", 1)
    decoded.animated = decoded.frames > 1 and image.format not in ("TIFF", "MPO", "JPEG")
    for index in range(1, decoded.frames):
        image.seek(index)
        _cap(image.width, image.height, max_pixels)
        image.load()
    if one_picture:
        decoded.frames, decoded.animated = 1, False
    return decoded


def _orientation_tag(image: Any) -> int:
    """Return a TIFF's orientation tag; other formats have it in an EXIF block."""
    stated = image.tag_v2.get(274, 1) if image.format == "TIFF" else 1
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1


def _refuse_kinds(image: Any) -> None:
    """Refuse TIFFs that are raw camera files (first picture a preview) or use rare codecs."""
    if image.format != "TIFF":
        return
    if image.tag_v2.get(254, 0) & _REDUCED_RESOLUTION:
        raise RefusedError(Reason.UNSUPPORTED_FORMAT, "a camera's raw file")
    if image.tag_v2.get(259) in _OPTIONAL_TIFF_CODECS:
        raise RefusedError(Reason.UNSUPPORTED_FORMAT, "TIFF with a codec of its own")


def _is_tiled_gif(image: Any) -> bool:
    """Return whether the frames are tiles of one picture: no timing, first frame not full-size.

    GIFs of more than 256 colours are made that way.
    """
    if image.format != "GIF" or "duration" in image.info or not image.tile:
        return False
    return tuple(image.tile[0][1]) != (0, 0, *image.size)


def _first_frame(image: Any, width: int, height: int) -> Decoded:
    raw = image.info.get("exif") or b""
    orientation = exif.orientation_of(raw)
    has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    factor = max(min(image.size) // SIDE, 1)
    mode = "RGBA" if has_alpha else "RGB"
    small = shrunk(image, mode, factor)
    pixels = np.asarray(small)
    extent = (image.width / factor, image.height / factor)
    seen = on_white(small)
    colours = np.asarray(seen)
    decoded = Decoded(np.asarray(seen.convert("L")), colours, extent, width, height)
    decoded.orientation = decoded.turn = orientation
    decoded.has_exif = bool(raw)
    if getattr(image, "n_frames", 1) == 1:
        decoded.finer = partial(_finer_picture, image, mode)
        decoded.rows = partial(rows_of_loaded, image, mode, decoded.grey)
    decoded.has_alpha = has_alpha
    if has_alpha:
        decoded.alpha_mean = float(pixels[:, :, 3].mean()) / 255.0
    decoded.is_gray = _is_gray(pixels)
    return decoded


def _is_gray(pixels: np.ndarray[Any, Any]) -> bool:
    """Return whether all pixels are grey, up to the rounding of conversions."""
    red, green, blue = (pixels[:, :, at].astype(np.int16) for at in range(3))
    # Pairwise: a reduction over the axis of three takes 0.5 ms more.
    pairs = ((red, green), (green, blue), (red, blue))
    return all(int(np.abs(one - other).max()) <= 2 for one, other in pairs)
