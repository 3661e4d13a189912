"""Recognise drawn junk by its look: human checks, captchas, "image removed" tiles, logos. Pure.

Works on the 64x64 thumbnail and the measures that inspection returns; checks made of photographs
are measured by the decoder (`images.check_layout`). Thresholds were fixed on one
half of drawn variants and photographs, and are reported on the other (docs/quality.md): precision
comes first. Most photographs are passed by their entropy alone.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.images.check_layout import GRID_CHECK
from pixtrawl.images.phash import SIDE
from pixtrawl.model import ImageInfo, Reason

__all__ = ["drawn_junk"]

# Who asks for these by name gets them.
_LOGO_WORDS: Final = re.compile(
    r"logo|icon|emblem|symbol|badge|brand|sign\b|signs\b|flag|clip.?art|silhouette|pictogram|emoji"
    r"|cartoon|drawing|diagram|chart|shape|vector|letter|font|captcha|placeholder|minimal",
    re.IGNORECASE,
)
_CHECK_WORDS: Final = re.compile(
    r"captcha|robot|human|screenshot|web.?page|website|dialog|form\b|slider|puzzle|grid|collage|mosaic|tiles|text\b|letter"
    r"|font|handwriting",
    re.IGNORECASE,
)
_PAGE_BITS: Final = 1.5
_TILE_BITS: Final = 2.6
_LOGO_BITS: Final = 2.2
_TILE_PX: Final = 512  # longer side
_CAPTCHA_PX: Final = (160, 420)  # largest height and width
_CAPTCHA_SHAPES: Final = (1.8, 4.5)  # width by height
_CAPTCHA_BITS: Final = 6.5
_CAPTCHA_SLANT: Final = 0.27  # charts of bars and rulings have 0.1 to 0.2
_TILE_SLANT: Final = 0.52  # words have 0.1 to 0.3, line art 0.55 and more
_RULED: Final = 0.9  # of a row or column that is ink, off the frame: an axis, a bar
_FRAME: Final = 4  # rows and columns
_FLAT_SPREAD: Final = 10  # of 255, within a block of 8x8
_INK: Final = 12  # of 255: farther from the ground
_STEEP: Final = 0.364  # tangent of 20 degrees
_EVEN: Final = 3  # of 255, between neighbours of one tone

Ruling = tuple[Reason, str]


class _InkLayout(Struct, frozen=True):
    """How the ink lies on the most frequent grey, in a thumbnail of 64x64."""

    ground: float  # share of pixels near the most frequent grey
    blank: float  # share of blocks of 8x8 without ink
    margins: tuple[int, int, int, int]  # free rows and columns: top, bottom, left, right
    across: float  # changes between ground and ink in a row
    down: float  # and in a column
    square: np.ndarray[Any, Any]  # the thumbnail's grey values
    ink: np.ndarray[Any, Any]  # where it is far from the ground


def drawn_junk(info: ImageInfo, width: int, height: int, query: str) -> Ruling | None:
    """Return the reason and detail if the picture is drawn junk; None for all others.

    Args:
        info: the result of inspection.
        width: as shown, in pixels.
        height: as shown, in pixels.
        query: words that the picture was found by; who asks for a logo gets it.
    """
    layout_kind = info.measures.get("human_check", 0.0)
    if layout_kind and not _CHECK_WORDS.search(query):
        name = "a grid of tiles" if layout_kind == GRID_CHECK else "a picture with a slider"
        return Reason.HUMAN_CHECK, f"{name} to solve, {width}x{height}"
    bits = info.measures.get("entropy", 8.0)
    is_small = height <= _CAPTCHA_PX[0] and width <= _CAPTCHA_PX[1]
    if not info.thumb or bits > _CAPTCHA_BITS or (bits > _TILE_BITS and not is_small):
        return None
    layout = _layout(info.thumb)
    slant = _slant(layout.square, width / height)
    detail = f"{bits:.1f} bits, {width}x{height}"
    if not _CHECK_WORDS.search(query):
        if bits < _PAGE_BITS and _is_check_page(layout, info, min(width, height)):
            return Reason.HUMAN_CHECK, f"a page with a line or two, {detail}"
        if is_small and _is_captcha(layout, info, width / height, slant):
            return Reason.HUMAN_CHECK, f"letters under lines, {detail}"
    if not _LOGO_WORDS.search(query):
        if (
            bits < _TILE_BITS
            and max(width, height) <= _TILE_PX
            and (slant <= _TILE_SLANT and _is_tile(layout, info))
        ):
            return Reason.PLACEHOLDER, f"a small tile with a few words, {detail}"
        if bits < _LOGO_BITS and _is_logo(layout):
            return Reason.ICON, f"a logo, {detail}"
    return None


def _layout(thumb: bytes) -> _InkLayout:
    square = np.frombuffer(thumb, np.uint8).reshape(SIDE, SIDE).astype(np.int16)
    blocks = square.reshape(8, 8, 8, 8)
    spread = blocks.max(axis=(1, 3)) - blocks.min(axis=(1, 3))
    ground = int(np.bincount(square.ravel()).argmax())
    ink = np.abs(square - ground) > _INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    margins = (0, 0, 0, 0)
    if rows.size:
        margins = (
            int(rows[0]), SIDE - 1 - int(rows[-1]), int(columns[0]), SIDE - 1 - int(columns[-1])
        )  # fmt: skip
    return _InkLayout(
        ground=1.0 - float(ink.mean()),
        blank=float((spread <= _FLAT_SPREAD).mean()),
        margins=margins,
        across=float(np.count_nonzero(ink[:, 1:] != ink[:, :-1])) / SIDE,
        down=float(np.count_nonzero(ink[1:] != ink[:-1])) / SIDE,
        square=square,
        ink=ink,
    )


def _tones(square: np.ndarray[Any, Any], ink: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return the share of the ink in even areas, and that within 3 of its most frequent tone.

    Photographs of things are shaded, and pens draw thin strokes: they have little of either.
    """
    inner = ink[1:-1, 1:-1]
    count = int(np.count_nonzero(inner))
    if not count:
        return 0.0, 0.0
    even = np.abs(square[1:-1, 2:] - square[1:-1, :-2]) <= _EVEN
    even &= np.abs(square[2:, 1:-1] - square[:-2, 1:-1]) <= _EVEN
    tones = np.bincount(square[1:-1, 1:-1][inner], minlength=256)
    most = int(np.convolve(tones, np.ones(2 * _EVEN + 1, np.int64)).max())
    return float(np.count_nonzero(even & inner)) / count, most / count


def _is_check_page(layout: _InkLayout, info: ImageInfo, short_px: int) -> bool:
    """Few faint lines of text on a large even page, most of which is empty."""
    return (
        short_px >= 350
        and info.measures.get("contrast", 1.0) <= 0.06
        and layout.blank >= 0.6
        and min(layout.margins) >= 2
        and layout.margins[3] >= 6
        and layout.down >= 1.6 * max(layout.across, 0.3)  # rows of text
        and layout.down >= (1.3 if layout.blank >= 0.8 else 1.6)
    )


def _slant(square: np.ndarray[Any, Any], shape: float) -> float:
    """Return the share of the edges that slant by 20 to 70 degrees, as shown (`shape` wide)."""
    across = (square[1:-1, 2:] - square[1:-1, :-2]) / shape
    down = square[2:, 1:-1] - square[:-2, 1:-1]
    strength = np.hypot(across, down)
    strength[strength < 0.15 * strength.max()] = 0.0
    low, high = np.minimum(np.abs(across), np.abs(down)), np.maximum(np.abs(across), np.abs(down))
    slanting = low > _STEEP * high
    return float(strength[slanting].sum() / max(float(strength.sum()), 1e-6))


def _is_ruled(ink: np.ndarray[Any, Any]) -> bool:
    inner = ink[_FRAME:-_FRAME, _FRAME:-_FRAME]
    return max(float(inner.mean(axis=0).max()), float(inner.mean(axis=1).max())) > _RULED


def _is_captcha(layout: _InkLayout, info: ImageInfo, shape: float, slant: float) -> bool:
    """Strong strokes, slanting both ways, all over a small wide picture on an even ground."""
    return (
        _CAPTCHA_SHAPES[0] <= shape <= _CAPTCHA_SHAPES[1]
        and info.measures.get("edges", 0.0) >= 0.06
        and info.measures.get("sharpness", 0.0) >= 55**2
        and layout.ground >= 0.5
        and layout.across >= 7.0
        and layout.down >= 3.0
        and layout.blank <= 0.45
        and slant >= _CAPTCHA_SLANT
        and not _is_ruled(layout.ink)
    )


def _is_tile(layout: _InkLayout, info: ImageInfo) -> bool:
    """A few words, perhaps with a sign, in the middle of an even ground."""
    top, bottom, left, right = layout.margins
    centred = abs(left - right) <= 2
    framed = centred and abs(top - bottom) <= 4 and min(layout.margins) >= 6
    return (
        info.measures.get("sharpness", 0.0) >= 30**2
        and layout.ground >= (0.84 if framed else 0.74)
        and centred
        and (1.5 if framed else 3.4) <= layout.across <= 9.0
        and 1.0 <= layout.down <= 7.5
    )


def _is_logo(layout: _InkLayout) -> bool:
    """A sign of few tones in the middle of an even ground, with free margins on all sides."""
    if not (
        min(layout.margins) >= 3
        and layout.blank >= 0.45
        and 0.05 <= 1.0 - layout.ground <= 0.37
        and 0.6 <= layout.across <= 3.8
        and 0.6 <= layout.down <= 3.5
    ):
        return False
    solid, tone = _tones(layout.square, layout.ink)
    return solid >= 0.25 and tone >= 0.4
