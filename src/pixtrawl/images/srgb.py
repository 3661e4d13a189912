"""Conversion to sRGB, which training code assumes of every picture."""

from __future__ import annotations

import io
import threading
from functools import lru_cache

from PIL import Image, ImageCms

__all__ = ["to_srgb"]

_local = threading.local()


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB; ignores a profile that is damaged or of another colour space."""
    if profile and image.mode in {"L", "LA", "RGB", "RGBA", "CMYK"} and not _is_srgb(profile):
        alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
        colours = image.convert(image.mode[:-1]) if alpha is not None else image
        transform = _conversion(profile, colours.mode)
        if transform is not None:
            colours = ImageCms.applyTransform(colours, transform) or colours
            if image.mode in {"L", "LA"}:
                colours = colours.convert("L")
            if alpha is not None:
                colours.putalpha(alpha)
            return colours
    return image.convert("RGB") if image.mode == "CMYK" else image


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes) -> bool:
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True  # unreadable: nothing to convert from
    return name.strip().lower().startswith("srgb") or name.strip() == "c2"  # a compact sRGB


def _conversion(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform, cached per thread: littlecms transforms are not thread-safe."""
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
