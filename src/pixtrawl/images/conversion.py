"""Convert a picture that Pillow has loaded to 8 bits a channel for inspection, and shrink it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PIL import Image

from pixtrawl.images.deep_grey import deep_scale

__all__ = ["coloured", "on_white", "shrunk"]

_STRIP_PIXELS: Final = 4_000_000  # larger pictures are shrunk strip by strip, to save memory


def shrunk(image: Any, mode: str, factor: int) -> Any:
    """Return an RGB or RGBA picture with a shorter side of 64 to 127 px, or less if it had less."""
    width, height = image.size
    rows = max(_STRIP_PIXELS // (width * factor), 1) * factor
    # Range of the whole picture: by its own range each strip would get a different brightness.
    scale = deep_scale(image) if image.mode.startswith(("I", "F")) else None
    if rows >= height:
        return _converted(image, mode, scale).reduce(factor)
    strips = [
        _converted(image.crop((0, top, width, min(top + rows, height))), mode, scale).reduce(factor)
        for top in range(0, height, rows)
    ]
    whole = Image.new(mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def coloured(image: Any) -> Any:
    """Return a loaded picture in mode RGBA if it is transparent in part, otherwise RGB."""
    has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    scale = deep_scale(image) if image.mode.startswith(("I", "F")) else None
    return _converted(image, "RGBA" if has_alpha else "RGB", scale)


def _converted(image: Any, mode: str, scale: Callable[..., Any] | None) -> Any:
    """Convert to 8 bits a channel, deep greys by `scale`: Pillow would clip them to white."""
    if scale is not None:
        image = Image.fromarray(scale(np.asarray(image)))
    elif image.mode == "LAB":
        # Lightness only: a profile conversion needs a library that opens files.
        image = image.getchannel(0)
    return image if image.mode == mode else image.convert(mode)


def on_white(image: Any) -> Any:
    """Composite transparent parts on white, as most viewers do."""
    if image.mode != "RGBA":
        return image
    canvas = Image.new("RGB", image.size, (255, 255, 255))
    canvas.paste(image, mask=image.getchannel(3))
    return canvas
