"""Tell other data or another garment from a copy in pictures on a plain ground: charts, cut-outs.

The hash of a chart shows its frame and axes, whatever the bars are. So both pictures are aligned,
one is changed by the tone (gamma, contrast, offset) that fits the other best, and a difference over
a block of 6 x 6 pixels (of 64 x 64) then means other content. Only tones that edits make are tried:
none turns a black thing white and keeps its white ground. Edges and corners are left out, where
logos and caption bars lie, and so are letters laid over a picture: they lighten or darken few
places, and none as far as the ground, which a missing bar does. Photographs are compared less
strictly.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import INNER_CELLS, SharedPart
from pixtrawl.dedup.variants.planes import box_means

__all__ = ["are_other_data", "are_other_things", "has_plain_ground", "is_on_plain_ground"]

Array = np.ndarray[Any, Any]

_GROUND: Final = 0.45  # share of pixels at one grey: 0.29 in one photograph of ten
_NEAR_GREY: Final = 3  # of 255
_BLOCK: Final = 6  # pixels a side
_LARGEST: Final = 0.09  # of the range, mean of a block: 98 of 100 edits have less
_LARGEST_OF_PHOTOGRAPHS: Final = 0.12  # of the range, mean size of what differs
_TONES: Final = np.array(
    [
        (gamma, gain)
        for gamma in (0.55, 0.65, 0.78, 0.9, 1.0, 1.12, 1.3, 1.55, 1.9)
        for gain in (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.22, 1.36, 1.5)
    ],
    dtype=np.float32,
)
_CHANGED: Final = 0.04  # of the range
_MARKED: Final = 0.25  # share of the pixels
_ONE_WAY: Final = 0.95
_COVER: Final = 0.65
_EDGE: Final = 6  # pixels, of caption bars
_CORNER: Final = 14  # of logos
_LETTERS: Final = 12  # of large letters above and below photographs
_LOGO: Final = 18  # of logos and boxes at their sides
_CLEARLY: Final = 0.08  # of the range
_BOTH_WAYS: Final = 0.15  # share of what differs clearly
_SOLID: Final = 0.07  # of the range, all over a block
_EVENLY: Final = 0.4  # least of the largest in a block; letters leave gaps
_DARKENED: Final = -0.3
_LIFTED: Final = 0.06  # of black; less contrast about the mean lifts it by more


def has_plain_ground(part: SharedPart) -> bool:
    """Return whether most of either picture is of one grey."""
    return any(is_on_plain_ground(pixels) for pixels in (part.ours, part.theirs))


def is_on_plain_ground(pixels: Array) -> bool:
    """Return whether most of a picture is of one grey."""
    return _ground_share(pixels.ravel()) >= _GROUND


def are_other_data(part: SharedPart) -> bool:
    """Return whether both differ in a block, whatever tone is given to one of them."""
    one, other = _in_one_tone(part)
    if _worst_block((one - other).reshape(SIDE, SIDE)) <= _LARGEST:
        return False
    return not _is_marked(one, other)


def are_other_things(part: SharedPart) -> bool:
    """Return whether the middles of two photographs of one tone show different things.

    Letters are laid over a picture one way, lighter or darker, and are thin.
    """
    one, other = _in_one_tone(part)
    difference = (one - other).reshape(SIDE, SIDE)
    means = box_means(np.abs(difference), _BLOCK)
    means[~_MIDDLE] = 0.0
    if float(means.max()) <= _LARGEST_OF_PHOTOGRAPHS:
        return False
    middle = difference[_LETTERS:-_LETTERS]
    changed = middle[np.abs(middle) > _CLEARLY]
    if min(float((changed > 0).mean()), float((changed < 0).mean())) > _BOTH_WAYS:
        return True
    windows = np.lib.stride_tricks.sliding_window_view(np.abs(difference), (_BLOCK, _BLOCK))
    blocks = windows[_MIDDLE]
    least, most = blocks.min(axis=(1, 2)), blocks.max(axis=(1, 2))
    return bool(((least > _SOLID) & (least > _EVENLY * most)).any())


def _in_one_tone(part: SharedPart) -> tuple[Array, Array]:
    """Return the pixels of both (0..1), after one of them was given the tone of the other."""
    ours, theirs, our_cells, their_cells = (
        np.clip(greys / 255, 0.0, 1.0)
        for greys in (
            part.ours,
            part.theirs,
            part.ours_cells[INNER_CELLS],
            part.theirs_cells[INNER_CELLS],
        )
    )
    forward, forward_error = _toned(our_cells, their_cells, ours)
    backward, backward_error = _toned(their_cells, our_cells, theirs)
    return (theirs, forward) if forward_error <= backward_error else (ours, backward)


def _is_marked(one: Array, other: Array) -> bool:
    """Return whether letters laid over one picture are the whole difference, as in a watermark.

    They let the picture shine through or are thinner than a pixel. Where other data end is ground.
    """
    difference = one - other
    changed = np.abs(difference) > _CHANGED
    if changed.mean() > _MARKED:
        return False
    difference = difference[changed]
    if max(float((difference > 0).mean()), float((difference < 0).mean())) < _ONE_WAY:
        return False
    lighter, darker = np.maximum(one, other)[changed], np.minimum(one, other)[changed]
    is_light = float(np.median(one)) > 0.5  # of the ground, which is most of the picture
    room = 1.0 - darker if is_light else lighter
    cover = (lighter - darker) / np.maximum(room, _CHANGED)
    return float(np.quantile(cover, _ONE_WAY)) <= _COVER


def _ground_share(pixels: Array) -> float:
    counts = np.bincount(pixels.astype(np.uint8), minlength=256)
    most = int(counts.argmax())
    about = counts[max(most - _NEAR_GREY, 0) : most + _NEAR_GREY + 1]
    return float(about.sum()) / len(pixels)


def _toned(cells: Array, wanted: Array, pixels: Array) -> tuple[Array, float]:
    """Return `pixels` in the tone that brings `cells` nearest to `wanted`, and the mean error.

    All values are 0..1.
    """
    gamma, gain = _TONES[:, :1], _TONES[:, 1:]
    changed = gain * cells**gamma
    highest = np.maximum(_LIFTED, (1 - gain) * cells.mean())
    offset = np.median(wanted - changed, axis=1, keepdims=True)
    offset = np.clip(offset, _DARKENED, highest)
    clipped = np.clip(changed + offset, 0.0, 1.0)
    offset = np.clip(offset + (wanted - clipped).mean(axis=1, keepdims=True), _DARKENED, highest)
    errors = np.abs(wanted - np.clip(changed + offset, 0.0, 1.0)).mean(axis=1)
    best = int(errors.argmin())
    toned = gain[best] * pixels ** gamma[best] + offset[best]
    return np.clip(toned, 0.0, 1.0), float(errors[best])


def _worst_block(difference: Array) -> float:
    return float(np.abs(box_means(difference, _BLOCK)[_COUNTED]).max())


def _counted() -> Array:
    """Return which blocks, by their first pixels, lie neither at an edge nor in a corner."""
    starts = np.arange(SIDE - _BLOCK + 1)
    inside = (starts >= _EDGE) & (starts + _BLOCK <= SIDE - _EDGE)
    beside = (starts + _BLOCK / 2 < _CORNER) | (starts + _BLOCK / 2 > SIDE - _CORNER)
    counted: Array = np.outer(inside, inside) & ~np.outer(beside, beside)
    return counted


def _in_middle() -> Array:
    """Return which blocks lie in the middle of a photograph, far from marks at all four sides."""
    starts = np.arange(SIDE - _BLOCK + 1)
    down, across = (
        (starts >= edge) & (starts + _BLOCK <= SIDE - edge) for edge in (_LETTERS, _LOGO)
    )
    middle: Array = np.outer(down, across)
    return middle


_COUNTED: Final = _counted()
_MIDDLE: Final = _in_middle()
