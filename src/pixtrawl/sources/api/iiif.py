"""IIIF Image API: addresses of one picture in a size of choice."""

from __future__ import annotations

from typing import Final

from pixtrawl.sources.results import ImageResult

FULL: Final = "/full/max/0/default.jpg"  # below an image service: the largest size that it gives


def within(service: str, side_px: int) -> str:
    """Return the address of the picture, scaled to fit a square of `side_px` pixels."""
    return f"{service}/full/!{side_px},{side_px}/0/default.jpg"


def at_width(service: str, width_px: int, whole_px: tuple[int | None, int | None]) -> ImageResult:
    """Return the picture at `width_px` pixels, with its width and height.

    `whole_px` is the size of the original. The result has no size where that is not known or
    narrower than `width_px`: servers do not agree on whether they enlarge.
    """
    url = f"{service}/full/{width_px},/0/default.jpg"
    width, height = whole_px
    if not width or not height or width < width_px:
        return ImageResult(url=url)
    return ImageResult(url=url, width=width_px, height=max(1, round(height * width_px / width)))
