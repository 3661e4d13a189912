"""Transformations of a picture for training; none by default.

Apart from `fit`, which carries it out, because whoever asks for it need not load decoders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from pixtrawl.errors import UsageError

__all__ = [
    "EXTENSIONS", "MAX_SIDE_PX", "RESIZE_MODES", "BadPictureError", "Picture", "Transform",
    "parse_encode", "parse_resize",
]  # fmt: skip

# The names and meanings of img2dataset's resize modes.
RESIZE_MODES: Final = ("no", "border", "keep_ratio", "keep_ratio_largest", "center_crop")
ENCODINGS: Final = ("jpg", "png", "webp", "avif")
EXTENSIONS: Final = {
    "jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif", "bmp": "bmp",
    "tiff": "tif",
}  # fmt: skip
MAX_SIDE_PX: Final = 16_383  # of WebP; JPEG ends at 65,535

_DEFAULT_MODE: Final = "keep_ratio_largest"
_QUALITY: Final = {"jpg": 95, "webp": 90, "avif": 80}


class BadPictureError(Exception):
    """A file that cannot be exported; the message says why, without its name."""


class Picture(Struct, frozen=True):
    """A picture as it is exported."""

    data: bytes
    extension: str  # without a dot
    format: str
    width: int
    height: int


class Transform(Struct, frozen=True, kw_only=True):
    """The transformation of each picture. The default keeps the bytes.

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
        if self.mode != "no" and not 1 <= self.size <= MAX_SIDE_PX:
            raise UsageError(f"--resize must be between 1 and {MAX_SIDE_PX} pixels")
        if self.encode is not None and self.encode not in ENCODINGS:
            raise UsageError(f"unknown encoding {self.encode!r} (one of {', '.join(ENCODINGS)})")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError("--quality must be between 1 and 100")
        if self.quality is not None and self.encode == "png":
            raise UsageError("--quality has no meaning for png, which loses nothing")
        if self.flatten is not None and not _is_colour(self.flatten):
            raise UsageError(f"--flatten: {self.flatten!r} is no colour (try white)")

    @property
    def keeps_bytes(self) -> bool:
        """Whether files are exported unchanged."""
        return self.mode == "no" and self.encode is None and self.flatten is None

    def extension(self, format_: str) -> str:
        """Return the exported extension of a picture of this format."""
        if self.encode:
            return self.encode
        extension = EXTENSIONS.get(format_, format_)
        return extension if self.keeps_bytes or extension in ENCODINGS else "png"

    def format(self, format_: str) -> str:
        """Return the exported format of a picture of this format."""
        extension = self.extension(format_)
        return format_ if self.keeps_bytes else {"jpg": "jpeg"}.get(extension, extension)

    def quality_of(self, extension: str) -> int:
        """Return the encoding quality for this extension; 0 where the format has none."""
        return self.quality or _QUALITY.get(extension, 0)

    def plain(self) -> Mapping[str, Any]:
        """Return all fields as plain values; `Transform(**plain)` is equal."""
        return asdict(self)


def parse_resize(text: str | None, mode: str | None = None) -> tuple[str, int]:
    """Parse mode and size: `256`, `border:256` or `256:border`; `no` and 0 for None.

    `mode` is one that was given beside it. Raises UsageError.
    """
    size = text.strip() if text else ""
    if ":" in size:
        first, _, second = size.partition(":")
        size, inline = (first, second) if first.isdigit() else (second, first)
        if mode not in {None, inline}:
            raise UsageError(f"--resize says {inline}, --resize-mode {mode}")
        mode = inline
    if not size:
        if mode not in {None, "no"}:
            raise UsageError("--resize-mode needs --resize N")
        return "no", 0
    if not size.isascii() or not size.isdigit() or not int(size):
        raise UsageError(f"--resize: {size!r} is not a whole number (examples: 256, border:256)")
    return mode or _DEFAULT_MODE, int(size)


def parse_encode(text: str | None) -> str | None:
    """Return `jpg` for `JPEG`, and None for nothing."""
    word = (text or "").strip().lower()
    return {"jpeg": "jpg"}.get(word, word) or None


def _is_colour(text: str) -> bool:
    from PIL import ImageColor  # half of this module's cost, and hardly anyone asks

    try:
        ImageColor.getrgb(text)
    except ValueError:
        return False
    return True
