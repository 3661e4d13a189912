"""Recognise drawn junk by its look: human checks, captchas, "image removed" tiles, logos. Pure.

Works on the 64x64 thumbnail and the measures that inspection returns; checks made of photographs
are measured by the decoder (`images.junk.layout`). Thresholds were fixed on one half of drawn
variants and photographs, and are reported on other layouts (docs/quality.md): precision comes
first. Most photographs are passed by their entropy alone. What URL and alt text say
(`images.junk.names`) is a second witness: it never decides alone, but less of the look then does.
"""

from __future__ import annotations

import re
from typing import Final

from pixtrawl.images.junk.ink import (
    CAPTCHA_PX,
    InkLayout,
    ink_layout,
    is_ruled,
    shading,
    slant,
    tones,
)
from pixtrawl.images.junk.layout import GRID_CHECK
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
_NAMED_BITS: Final = 4.0  # with a witness: photographs are above
_TILE_PX: Final = (80, 512)  # longer side
_NAMED_TILE_PX: Final = 1024
_LOGO_PX: Final = 100  # shorter side: below it a letter looks the same
_CAPTCHA_SHAPES: Final = (1.8, 4.5)  # width by height
_CAPTCHA_BITS: Final = 6.5
_CAPTCHA_SLANT: Final = 0.27  # charts of bars and rulings have 0.1 to 0.2
_CAPTCHA_INK: Final = 0.85  # letters or lines have colours of their own
_CAPTCHA_TONE: Final = 0.25  # drawings have larger areas of one tone
_FAINT_SLANT: Final = 0.2  # where most is ground
_TILE_SLANT: Final = 0.52  # words have 0.1 to 0.3, line art 0.55 and more
_ONE_INK: Final = 0.985  # things with shades, charts and most drawings have less
_NAMED_INK: Final = 0.9
_DRAWN_SHADING: Final = 0.35  # garments have 0.5 and more
_LOGO_INK: Final = 0.7  # pies and rings have several colours, and less
_LOGO_SHADING: Final = 0.15  # things in one colour have 0.17 and more
_CENTRED: Final = 4.0  # columns of 64, between the middles of sign and words
_BESIDE: Final = 9.0  # the same where a logo's parts overlap

Ruling = tuple[Reason, str]


def drawn_junk(
    info: ImageInfo, width: int, height: int, query: str, named: Reason | None = None
) -> Ruling | None:
    """Return the reason and detail if the picture is drawn junk; None for all others.

    Args:
        info: the result of inspection.
        width: as shown, in pixels.
        height: as shown, in pixels.
        query: words that the picture was found by; who asks for a logo gets it.
        named: the kind of junk that URL or alt text name it as, if any.
    """
    layout_kind = info.measures.get("human_check", 0.0)
    if layout_kind and not _CHECK_WORDS.search(query):
        name = "a grid of tiles" if layout_kind == GRID_CHECK else "a picture with a slider"
        return Reason.HUMAN_CHECK, f"{name} to solve, {width}x{height}"
    bits = info.measures.get("entropy", 8.0)
    detail = f"{bits:.1f} bits, {width}x{height}"
    is_small = height <= CAPTCHA_PX[0] and width <= CAPTCHA_PX[1]
    if is_small and named is Reason.HUMAN_CHECK and not _CHECK_WORDS.search(query):
        return Reason.HUMAN_CHECK, f"small, and named a captcha, {detail}"
    most = _NAMED_BITS if named else _TILE_BITS
    if not info.thumb or bits > _CAPTCHA_BITS or (bits > most and not is_small):
        return None
    layout = ink_layout(info.thumb)
    slanting = slant(layout.square, width / height)
    if not _CHECK_WORDS.search(query):
        if bits < _PAGE_BITS and _is_check_page(layout, info, min(width, height)):
            return Reason.HUMAN_CHECK, f"a page with a line or two, {detail}"
        if is_small and _is_captcha(layout, info, width / height, slanting):
            return Reason.HUMAN_CHECK, f"letters under lines, {detail}"
    if not _LOGO_WORDS.search(query):
        return _tile_or_logo(layout, info, (width, height), slanting, named, detail)
    return None


def _tile_or_logo(
    layout: InkLayout, info: ImageInfo, size: tuple[int, int], slanting: float,
    named: Reason | None, detail: str,
) -> Ruling | None:  # fmt: skip
    bits = info.measures.get("entropy", 8.0)
    longer, is_large = max(size), min(size) >= _LOGO_PX
    single = info.measures.get("one_ink", 0.0) >= _ONE_INK
    if bits < _TILE_BITS and _TILE_PX[0] <= longer <= _TILE_PX[1] and single:
        if slanting <= _TILE_SLANT and _is_tile(layout, info):
            return Reason.PLACEHOLDER, f"a small tile with a few words, {detail}"
        if _has_sign_and_words(layout, _CENTRED):
            return Reason.PLACEHOLDER, f"a small tile with a sign and words, {detail}"
    if named is Reason.PLACEHOLDER and longer <= _NAMED_TILE_PX and _may_be_tile(layout, info):
        return Reason.PLACEHOLDER, f"a few tones, and named as no picture, {detail}"
    if bits < _LOGO_BITS and is_large and _is_logo(layout, info):
        return Reason.ICON, f"a logo, {detail}"
    if bits < _TILE_BITS and is_large and single and _has_sign_and_words(layout, _BESIDE):
        return Reason.ICON, f"a sign and a name, {detail}"
    if named is Reason.ICON and _may_be_logo(layout, single=single):
        return Reason.ICON, f"a few tones, and named a logo, {detail}"
    return None


def _is_check_page(layout: InkLayout, info: ImageInfo, short_px: int) -> bool:
    """Return whether it is a few faint lines of text on a large, mostly empty page."""
    return (
        short_px >= 350
        and info.measures.get("contrast", 1.0) <= 0.06
        and layout.blank >= 0.6
        and min(layout.margins) >= 2
        and layout.margins[3] >= 6
        and layout.down >= 1.6 * max(layout.across, 0.3)  # rows of text
        and layout.down >= (1.3 if layout.blank >= 0.8 else 1.6)
    )


def _is_captcha(layout: InkLayout, info: ImageInfo, shape: float, slanting: float) -> bool:
    """Return whether strokes of several colours slant both ways all over a small wide ground.

    In one colour it may as well be line art.
    """
    edges, steps = info.measures.get("edges", 0.0), info.measures.get("sharpness", 0.0)
    if (
        not _CAPTCHA_SHAPES[0] <= shape <= _CAPTCHA_SHAPES[1]
        or steps < 55**2
        or layout.blank > 0.47
        or info.measures.get("one_ink", 1.0) >= _CAPTCHA_INK
        or tones(layout)[1] > _CAPTCHA_TONE
        or is_ruled(layout.ink)
    ):
        return False
    if (
        edges >= 0.06
        and layout.ground >= 0.5
        and layout.across >= 7.0
        and layout.down >= 3.0
        and slanting >= _CAPTCHA_SLANT
    ):
        return True
    return (
        edges >= 0.04
        and layout.ground >= 0.66
        and layout.across >= 6.0
        and layout.down >= 2.5
        and slanting >= _FAINT_SLANT
    )


def _is_tile(layout: InkLayout, info: ImageInfo) -> bool:
    """Return whether it is a few words, perhaps with a symbol, in the middle of an even ground."""
    top, bottom, left, right = layout.margins
    centred = abs(left - right) <= 2
    framed = centred and abs(top - bottom) <= 4 and min(layout.margins) >= 6
    return (
        info.measures.get("sharpness", 0.0) >= 30**2
        and layout.ground >= (0.84 if framed else 0.74)
        and centred
        and (1.5 if framed else 3.4) <= layout.across <= 9.0
        and 1.0 <= layout.down <= 7.5
        and any(rows.has_words() for rows in layout.rows())
    )


def _has_sign_and_words(layout: InkLayout, apart: float) -> bool:
    """Return whether 2 to 5 parts are stacked in the middle, with words below the first of them.

    `apart` is how far their middles may be from each other, in columns of 64.
    """
    if layout.ground < 0.72 or min(layout.margins) < 2:
        return False
    parts = layout.rows()
    if not 2 <= len(parts) <= 5:
        return False
    middles = [rows.middle for rows in parts]
    return (
        max(middles) - min(middles) <= apart
        and abs(layout.margins[2] - layout.margins[3]) <= 1.3 * apart
        and any(rows.has_words() for rows in parts[1:])
    )


def _is_logo(layout: InkLayout, info: ImageInfo) -> bool:
    """Return whether it is a symbol of few tones on an even ground, with margins on all sides."""
    if not (
        min(layout.margins) >= 3
        and layout.blank >= 0.45
        and 0.05 <= 1.0 - layout.ground <= 0.37
        and 0.6 <= layout.across <= 3.8
        and 0.6 <= layout.down <= 3.5
        and info.measures.get("one_ink", 1.0) >= _LOGO_INK
    ):
        return False
    solid, tone = tones(layout)
    if solid < 0.25 or tone < 0.4:
        return False
    heights = [rows.end - rows.top for rows in layout.rows()]
    return heights[0] >= max(heights) / 2 and shading(layout) <= _LOGO_SHADING  # no title above


def _may_be_tile(layout: InkLayout, info: ImageInfo) -> bool:
    """Return whether it has about one ink without shades: enough where a name says the rest."""
    near_single = info.measures.get("one_ink", 0.0) >= _NAMED_INK
    return near_single and (
        shading(layout) <= _DRAWN_SHADING or any(rows.has_words() for rows in layout.rows())
    )


def _may_be_logo(layout: InkLayout, *, single: bool) -> bool:
    """Return whether it has flat tones on an even ground: enough if its name says "logo"."""
    if layout.ground < 0.4 or shading(layout) > _DRAWN_SHADING:
        return False
    solid, tone = tones(layout)
    return (single and tone >= 0.17) or (solid >= 0.25 and tone >= 0.3)
