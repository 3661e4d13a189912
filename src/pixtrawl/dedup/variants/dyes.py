"""Tell one thing in two dyes on the same light ground: navy or beige, red or brown, another sleeve.

On a ground that is light, without a tint and the same in both, an edit has changed either the
strength of all colours at once (saturation, greys), and then brightness stays, or the tone of all
channels (gamma, contrast, brightness), which leaves the ground white. Every such edit is tried on
the cells of one picture; where even the best leaves a large error, the dye is another one. The same
holds where both brightness and strength of colour change, or black becomes white. Pictures whose
ground has a tint, or another grey, are left to the other rules: sepia and white balance tint it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.overlay.shared_part import INNER_CELLS, SharedPart
from pixtrawl.dedup.variants.planes import TO_RGB, TO_YCC, saturated, steps_between, ycc_cells
from pixtrawl.dedup.variants.solid_dyes import solid_cells, unexplained_where_solid

__all__ = ["are_other_dyes", "light_grounds"]

Array = np.ndarray[Any, Any]

_LIGHT: Final = 200  # of 255: a ground that tones leave nearly as it is
_SAME_GREY: Final = 4
_NEAR_GREY: Final = 3
_GROUND: Final = 0.18  # share of the pixels
_TINT: Final = 1.5  # mean Cb and Cr of a ground without a tint
_THING: Final = (6.0, 3.0)  # grey and Cb or Cr by which a cell is not ground
_LEAST_CELLS: Final = 8
_MOVED: Final = 5.0  # of 255: a tone that changes the ground by more is not tried
_GAMMAS: Final = (1.0, 0.55, 0.65, 0.75, 0.85, 0.93, 1.08, 1.18, 1.3, 1.5, 1.75, 2.0)
_LINES: Final = tuple(
    (gain, offset)
    for gain in (1.1, 1.2, 1.3, 1.4, 1.55)
    for offset in (0.0, -0.05, -0.1, -0.2, -0.3, -0.45)
    if gain + offset >= 1.0
)
_CURVES: Final = np.array(
    [(gamma, 1.0, 0.0) for gamma in _GAMMAS] + [(1.0, *line) for line in _LINES],
    dtype=np.float32,
)  # gamma, gain, offset; the first leaves all as it is
_STRENGTHS: Final = np.array((1.25, 1.45, 1.6, 1.8, 2.1, 2.5), dtype=np.float32)  # saturation
_BY_TONE: Final = (0.8, 1.25)  # range of it where a tone has changed too
_EXPLAINED: Final = 0.8  # share of the cells: others may lie under a mark
_NOISE: Final = 4.0  # of 255, of compression and scaling
_OF_CHANGE: Final = 0.2  # cells mix a thing and its ground, and clipping is by pixel
_SHIFT: Final = 0.2  # cells, by which overlays may be off
_LAID: Final = 1.3  # times what a copy may leave, in overlays
_OUTLINE: Final = 12  # of 255, by which a pixel is not ground
_SAME_OUTLINE: Final = 0.93  # share of the pixels of either thing that are in both
_COLOURED: Final = 12.0  # mean length of Cb and Cr; greys have below 3
_FADED: Final = 0.45  # share of the strength that a tone leaves: 0.5 and more in 98 of 100
_DARKER: Final = 12.0  # median of the grey: saturation alone changes it by less
_NO_TONE: Final = 56.0  # 52 is the largest change by gamma, contrast and brightness


class _Thing(Struct, frozen=True, eq=False):
    """One picture's cells that are not ground: Y (0..255), Cb and Cr (-128..127)."""

    cells: Array
    ground: float


def are_other_dyes(part: SharedPart, *, exact: bool) -> bool:
    """Return whether no edit turns the colours of one thing into those of the other.

    `exact` states that the pictures are aligned to a fraction of a cell. Otherwise, and where the
    outlines are not the same, the error that a small shift explains is subtracted at edges.
    """
    grounds, both = light_grounds(part), ycc_cells(part)
    if grounds is None or both is None:
        return False
    our_ground, their_ground = grounds
    ours, theirs = both
    off_ground = [
        np.abs(cells - np.array([ground, 0, 0], dtype=np.float32))[INNER_CELLS]
        for cells, ground in ((ours, our_ground), (theirs, their_ground))
    ]
    plain = (off_ground[0][:, 0] <= _NEAR_GREY) & (off_ground[1][:, 0] <= _NEAR_GREY)
    if not plain.any() or max(float(one[plain, 1:].mean()) for one in off_ground) > _TINT:
        return False
    largest = np.maximum(*off_ground)
    grey_step, colour_step = _THING
    thing = (largest[:, 0] > grey_step) | (largest[:, 1:].max(axis=1) > colour_step)
    if int(thing.sum()) < _LEAST_CELLS:
        return False
    exact = exact and _have_one_outline(part, our_ground, their_ground)
    slack = np.zeros(int(thing.sum()), dtype=np.float32)
    if not exact:
        slack = _SHIFT * np.maximum(steps_between(ours), steps_between(theirs))[INNER_CELLS][thing]
    one = _Thing(ours[INNER_CELLS][thing], float(our_ground))
    other = _Thing(theirs[INNER_CELLS][thing], float(their_ground))
    if _are_far_apart(one.cells, other.cells):
        return True
    if exact:
        solid = solid_cells(part, thing)
        inside = one.cells[solid[thing]], other.cells[solid[thing]]
        if unexplained_where_solid(*inside, (our_ground, their_ground)) > 1.0:
            return True
    residual = min(_unexplained(one, other, slack), _unexplained(other, one, slack))
    return residual > (1.0 if exact else _LAID)


def light_grounds(part: SharedPart) -> tuple[int, int] | None:
    """Return the greys (0..255) of both grounds; None unless both are light and nearly the same."""
    ours, theirs = _ground_of(part.ours), _ground_of(part.theirs)
    if ours is None or theirs is None or abs(ours - theirs) > _SAME_GREY:
        return None
    return ours, theirs


def _ground_of(pixels: Array) -> int | None:
    """Return the most frequent grey (0..255); None where it is dark or covers too little."""
    counts = np.bincount(pixels.astype(np.uint8), minlength=256)
    grey = int(counts.argmax())
    about = counts[max(grey - _NEAR_GREY, 0) : grey + _NEAR_GREY + 1]
    return grey if grey >= _LIGHT and about.sum() >= _GROUND * len(pixels) else None


def _have_one_outline(part: SharedPart, our_ground: int, their_ground: int) -> bool:
    ours = np.abs(part.ours - our_ground) > _OUTLINE
    theirs = np.abs(part.theirs - their_ground) > _OUTLINE
    either = int(np.count_nonzero(ours | theirs))
    return int(np.count_nonzero(ours & theirs)) >= _SAME_OUTLINE * either


def _are_far_apart(ours: Array, theirs: Array) -> bool:
    """Return whether brightness changes by more than tones do, or together with saturation."""
    change = abs(float(np.median(theirs[:, 0] - ours[:, 0])))
    weak, strong = sorted(
        float(np.sqrt((cells[:, 1:] ** 2).sum(axis=1).mean())) for cells in (ours, theirs)
    )
    is_dyed = strong >= _COLOURED and weak < _FADED * strong and change > _DARKER
    return is_dyed or change > _NO_TONE


def _unexplained(source: _Thing, target: _Thing, slack: Array) -> float:
    """Return the least error of any edit of `source` towards `target`, over most of the cells.

    In units of the largest error that a copy may have.
    """
    toned, grounds = _toned(source)
    moved = target.ground - grounds
    tried = np.abs(moved) <= _MOVED
    toned, moved = toned[tried], moved[tried]
    colours = toned[:, :, 1:]
    along = (colours * target.cells[:, 1:]).sum(axis=(1, 2))
    strength = along / np.maximum((colours * colours).sum(axis=(1, 2)), 1e-6)
    low = np.full(len(toned), _BY_TONE[0])
    low[0] = 0.0
    strength = np.clip(strength, low, _BY_TONE[1])
    toned[:, :, 1:] = colours * strength[:, None, None]
    toned[:, :, 0] += moved[:, None]
    toned = np.concatenate([toned, saturated(source.cells, _STRENGTHS)])
    change = np.sqrt(((toned - source.cells) ** 2).sum(axis=2).mean(axis=1))
    if strength[0] <= 1:
        change[0] = 0.0  # fading is exact
    off = np.sqrt(((toned - target.cells) ** 2).sum(axis=2))
    kept = max(1, int(_EXPLAINED * len(slack)))
    off = np.sort(np.maximum(off - slack, 0.0), axis=1)[:, :kept]
    errors = np.sqrt((off**2).mean(axis=1))
    return float((errors / (_NOISE + _OF_CHANGE * change)).min())


def _toned(source: _Thing) -> tuple[Array, Array]:
    """Return the cells under each curve, and the ground."""
    gamma, gain, offset = (_CURVES[:, at, None, None] for at in range(3))
    channels = np.clip(source.cells @ TO_RGB.T / 255, 0.0, 1.0)
    toned = 255 * np.clip(gain * channels**gamma + offset, 0.0, 1.0) @ TO_YCC.T
    toned[0] = source.cells
    grounds = np.clip(gain * (source.ground / 255) ** gamma + offset, 0.0, 1.0)
    return toned, 255 * grounds.ravel()
