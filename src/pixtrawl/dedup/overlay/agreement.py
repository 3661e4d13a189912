"""Tell a copy that bears marks from another picture: block by block, most of both must agree.

A logo, large letters or a caption change the hash of a whole picture (by 40 to 80 of 256 bits), but
only the blocks of 8 x 8 pixels that they cover. Each block of the overlay is compared by its
correlation, which no change of tone lowers. Blocks without detail are left out. Marks lie near the
edge, so nearly all of the middle has to agree; different things on one ground, such as product
shots of one studio, differ there.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.overlay.aligned import SIDE, sampled, shared_points

__all__ = ["Agreement", "agreement_in_place", "agreement_of"]

Array = np.ndarray[Any, Any]

_BLOCKS: Final = 8  # along each axis
_STEP: Final = SIDE // _BLOCKS
_NOISE: Final = 4.0  # variance, in squared grey levels, of compression and interpolation
_DETAIL: Final = 25.0  # variance from which a block says anything
_ALIKE: Final = 0.8  # correlation
_LEAST_BLOCKS: Final = 20  # with detail, of 64
_LEAST_MIDDLE: Final = 8  # of 24
_LEAST_SHARE: Final = 0.45  # words above and below cover up to half
_LEAST_OF_MIDDLE: Final = 0.85
_PROMISING: Final = 0.3  # share before the exact place is found


def _middle() -> Array:
    inner = np.zeros((_BLOCKS, _BLOCKS), dtype=bool)
    inner[2:-2, 1:-1] = True
    return inner.ravel()


_MIDDLE: Final = _middle()


class Agreement(Struct, frozen=True):
    """How many blocks with detail there are, and which share of them agrees."""

    blocks: int
    share: float
    blocks_of_middle: int
    share_of_middle: float

    @property
    def is_copy(self) -> bool:
        """Whether what differs may be marks laid over one of two copies."""
        enough = self.blocks >= _LEAST_BLOCKS and self.blocks_of_middle >= _LEAST_MIDDLE
        return enough and self.share >= _LEAST_SHARE and self.share_of_middle >= _LEAST_OF_MIDDLE

    @property
    def is_promising(self) -> bool:
        """Whether both may agree once the exact place is found."""
        return self.blocks >= _LEAST_BLOCKS and self.share_of_middle >= _PROMISING


_NOTHING: Final = Agreement(0, 0.0, 0, 0.0)


def agreement_in_place(one: Array, other: Array) -> Agreement:
    """Compare two 64 x 64 pictures as they are."""
    return _compared(one.astype(np.float32), other.astype(np.float32))


def agreement_of(large: Array, small: Array, place: Array) -> Agreement:
    """Compare what both show under the affine map from the small picture to the large one."""
    points = shared_points(place, SIDE)
    if points is None:
        return _NOTHING
    x, y, at_x, at_y = points
    large, small = large.astype(np.float32), small.astype(np.float32)
    return _compared(sampled(small, x, y), sampled(large, at_x, at_y))


def _compared(one: Array, other: Array) -> Agreement:
    ours, theirs = _centred(one), _centred(other)
    our_power, their_power = np.vecdot(ours, ours) / _STEP**2, np.vecdot(theirs, theirs) / _STEP**2
    product = np.vecdot(ours, theirs) / _STEP**2
    alike = product > _ALIKE * np.sqrt((our_power + _NOISE) * (their_power + _NOISE))
    detailed = np.maximum(our_power, their_power) > _DETAIL
    count, of_middle = int(detailed.sum()), int((detailed & _MIDDLE).sum())
    alike &= detailed
    return Agreement(
        count,
        int(alike.sum()) / max(count, 1),
        of_middle,
        int((alike & _MIDDLE).sum()) / max(of_middle, 1),
    )


def _centred(plane: Array) -> Array:
    """Return blocks x pixels, each block without its mean."""
    blocks = plane.reshape(_BLOCKS, _STEP, _BLOCKS, _STEP).swapaxes(1, 2).reshape(_BLOCKS**2, -1)
    centred: Array = blocks - blocks.mean(axis=1, keepdims=True)
    return centred
