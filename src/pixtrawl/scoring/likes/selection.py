"""Which images of a pool are kept: the best N, without those that clearly do not fit. Pure.

The limit below which an image clearly does not fit comes from the distribution of the query's own
scores: its lower outliers, and where the scores fall into two groups well apart, the lower group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.scoring.outliers import lowest_usual

__all__ = ["PoolSelection", "limit_of", "select"]

_FEWEST: Final = 8  # scores from which groups can be found
_APART: Final = 4.5  # distance of two groups' means in standard deviations within them
_LARGEST_LOW: Final = 0.75  # share of the lower group beyond which it is what the query brings
_SMALLEST_LOW: Final = 0.02


class PoolSelection(Struct, frozen=True):
    """Indices of the images to keep, of clear misfits, and of those that others outdo."""

    kept: tuple[int, ...]
    misfits: tuple[int, ...]
    surplus: tuple[int, ...]
    limit: float | None  # score below which an image is a misfit; None: too few to say


def limit_of(scores: Sequence[float]) -> float | None:
    """Return the score below which an image clearly does not fit; None with too few scores."""
    usual = lowest_usual(scores)
    split = _split(np.sort(np.asarray(scores, dtype=np.float64)))
    limits = [one for one in (usual, split) if one is not None]
    return max(limits) if limits else None


def _split(ordered: np.ndarray) -> float | None:
    """Return the middle of the gap between two groups that are well apart (Otsu); else None."""
    count = len(ordered)
    if count < _FEWEST:
        return None
    sums, squares = np.cumsum(ordered), np.cumsum(ordered**2)
    low = np.arange(1, count)
    high = count - low
    mean_low, mean_high = sums[:-1] / low, (sums[-1] - sums[:-1]) / high
    best = int((low * high * (mean_high - mean_low) ** 2).argmax())
    within = squares[-1] - low[best] * mean_low[best] ** 2 - high[best] * mean_high[best] ** 2
    spread = float(np.sqrt(max(within, 0.0) / count))
    share = low[best] / count
    if not _SMALLEST_LOW <= share <= _LARGEST_LOW:
        return None
    if mean_high[best] - mean_low[best] < _APART * max(spread, 1e-6):
        return None
    return float((ordered[best] + ordered[best + 1]) / 2)


def select(
    scores: Sequence[float | None], wanted: int | None, *, sure: frozenset[int] = frozenset(),
    merits: Sequence[float | None] | None = None, limit: float | None = None,
    spared: frozenset[int] = frozenset(),
) -> PoolSelection:  # fmt: skip
    """Choose from a pool.

    Args:
        scores: of each image; None: it could not be scored, and comes after all that fit.
        wanted: the number to keep, at most; None: all that fit.
        sure: indices of images that a person wants: kept first, whatever their score.
        merits: the order among those that fit, the largest first; None: by the scores.
        limit: score below which an image does not fit; None: from the scores.
        spared: indices of images that fit whatever their score.
    """
    known = [one for one in scores if one is not None]
    limit = limit_of(known) if limit is None else limit
    order_by = scores if merits is None else merits
    misfits = tuple(
        at for at, one in enumerate(scores)
        if one is not None and limit is not None and one < limit and at not in sure | spared
    )  # fmt: skip
    out = set(misfits)

    def merit(at: int) -> tuple[bool, float, int]:
        value = order_by[at]
        return (at not in sure, -value if value is not None else 2.0, at)

    order = sorted((at for at in range(len(scores)) if at not in out), key=merit)
    count = len(order) if wanted is None else wanted
    return PoolSelection(tuple(order[:count]), misfits, tuple(order[count:]), limit)
