"""Tell another picture from a copy where grey hashes cannot: another colour, other data in a chart.

Used for pairs that match already, by hash or after alignment, so that only copies pay for it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import Overlay, lay_over, pixels_of
from pixtrawl.dedup.overlay.shared_part import (
    Appearance,
    SharedPart,
    agree_as_wholes,
    have_same_tone,
    shared_part,
)
from pixtrawl.dedup.variants.colours import are_other_colours
from pixtrawl.dedup.variants.dyes import are_other_dyes
from pixtrawl.dedup.variants.graphics import are_other_data, are_other_things, has_plain_ground
from pixtrawl.dedup.variants.hues import have_turned_hues
from pixtrawl.dedup.variants.pixel_dyes import are_pixels_dyed
from pixtrawl.dedup.variants.pixel_inks import are_pixels_recoloured
from pixtrawl.dedup.variants.prints import have_other_prints
from pixtrawl.dedup.variants.recoloured import are_inks_recoloured, is_thing_recoloured
from pixtrawl.dedup.variants.words import have_other_words

__all__ = ["Appearance", "agree_as_wholes", "differ"]

_LAID_OVER: Final = 60  # bits, up to which an overlay is exact
_IN_PLACE: Final = 0.012  # of a side: corners that an overlay moves by less have not moved
_CORNERS: Final = np.array([(x, y, 1.0) for x in (0, 1) for y in (0, 1)], dtype=np.float32)


def differ(ours: Appearance, theirs: Appearance, overlay: Overlay | None = None) -> bool:
    """Return whether two matched pictures show another colour, other data or other words.

    `overlay` aligns the first with the second; without it they are aligned as wholes. Pictures
    without thumbnails count as copies; without colours, only their greys are compared.
    """
    return _differ_in_small(ours, theirs, overlay) or have_other_words(ours, theirs, overlay)


def _differ_in_small(ours: Appearance, theirs: Appearance, overlay: Overlay | None) -> bool:
    part = shared_part(ours, theirs, overlay)
    if part is None:
        return False
    plain = has_plain_ground(part)
    if are_other_colours(part, plain_ground=plain):
        return True
    exact = part.whole or (overlay is not None and _is_in_place(overlay))
    if _are_dyed_in_place(ours, theirs, part, overlay) or (exact and have_other_prints(part)):
        return True
    if not plain:
        return _differ_on_any_ground(part, exact)
    dyed = are_other_dyes(part, exact=exact) or (exact and are_inks_recoloured(part))
    if not dyed and not _differ_in_parts(part, exact):
        return False
    if overlay is not None:
        return True
    # A crop of a fiftieth still matches by hash, and would differ at every edge.
    laid = _laid_over(ours, theirs)
    if laid is None:
        return True
    part = shared_part(ours, theirs, laid)
    exact = _is_in_place(laid)
    if part is None or _differ_in_parts(part, exact):
        return True
    return dyed and (exact or are_other_dyes(part, exact=False))


def _are_dyed_in_place(
    ours: Appearance, theirs: Appearance, part: SharedPart, overlay: Overlay | None
) -> bool:
    """Return whether two drawn pictures, one laid over the other as it is, have other colours."""
    if part.our_hues is None or (part.whole and not _are_pixels_off(part)):
        return False
    laid = overlay or _laid_over(ours, theirs)
    if laid is None or not _is_in_place(laid):
        return False
    if part.whole or overlay is not None:
        return part.whole or _are_pixels_off(part)
    part_in_place = shared_part(ours, theirs, laid)
    return part_in_place is not None and _are_pixels_off(part_in_place)


def _are_pixels_off(part: SharedPart) -> bool:
    return are_pixels_dyed(part) or are_pixels_recoloured(part)


def _differ_on_any_ground(part: SharedPart, exact: bool) -> bool:
    if have_turned_hues(part, plain_ground=False, exact=exact):
        return True
    # A thing may leave little of a light ground.
    if exact and (are_other_dyes(part, exact=True) or is_thing_recoloured(part)):
        return True
    return have_same_tone(part) and are_other_things(part)


def _differ_in_parts(part: SharedPart, exact: bool) -> bool:
    return are_other_data(part) or have_turned_hues(part, plain_ground=True, exact=exact)


def _laid_over(ours: Appearance, theirs: Appearance) -> Overlay | None:
    overlay = lay_over(pixels_of(ours.thumb), pixels_of(theirs.thumb), 0, True)
    return None if overlay.place is None or overlay.distance > _LAID_OVER else overlay


def _is_in_place(overlay: Overlay) -> bool:
    if overlay.place is None:
        return False
    there = _CORNERS @ overlay.place.reshape(2, 3).T
    return float(np.abs(there - _CORNERS[:, :2]).max()) < _IN_PLACE
