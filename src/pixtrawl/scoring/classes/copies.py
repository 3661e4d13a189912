"""Groups of near copies with one label, by the cosines of nearest images. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from pixtrawl.scoring.models.interface import Vectors

__all__ = ["copies_of", "groups_of"]

_NEAR: Final = 0.1  # of the usual distance of neighbours
_LEAST_DISTANCE: Final = 1e-6
_MOST_OF_GROUP: Final = 24
_MOST_OF_LABEL: Final = 0.5


def copies_of(indices: np.ndarray, cosines: Vectors, own: np.ndarray) -> np.ndarray:
    """Return the number of each image's group of near copies; most images are alone in theirs.

    Copies are images of one label whose distance (1 - cosine) is a tenth of what is usual between
    neighbours. So it needs no scale, which each model has of its own. A larger group than 24,
    or than half of its label, is none: images of so little variety are what the label shows.

    Args:
        indices: of the nearest images of each, the nearest first.
        cosines: of each of them.
        own: number of the label of each image.
    """
    total = len(own)
    alone = np.arange(total)
    if not indices.size:
        return alone
    usual = float(np.median(1 - cosines[:, -1]))
    limit = max(_NEAR * usual, _LEAST_DISTANCE)
    near = (1 - cosines <= limit) & (own[indices] == own[:, None])
    groups = alone.copy()
    one, place = np.nonzero(near)
    other = indices[one, place]
    while True:  # the least number spreads along the pairs
        least = groups.copy()
        np.minimum.at(least, one, groups[other])
        np.minimum.at(least, other, groups[one])
        if (least == groups).all():
            break
        groups = least
    sizes = np.bincount(groups, minlength=total)
    most = np.minimum(_MOST_OF_GROUP, _MOST_OF_LABEL * np.bincount(own)[own])
    return np.where(sizes[groups] > most, alone, groups)


def groups_of(copies: np.ndarray) -> list[np.ndarray]:
    """Return the places of each group of more than one."""
    order = np.argsort(copies, kind="stable")
    starts = np.flatnonzero(np.diff(copies[order], prepend=-1))
    return [one for one in np.split(order, starts[1:]) if len(one) > 1]
