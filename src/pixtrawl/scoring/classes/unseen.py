"""A ridge regression on labels, of which each image gets the outputs fitted without it. Pure.

All labels weigh the same. Of the strengths of the regression the greatest is taken whose error is
nearly that of the best: it follows wrong labels least. Near copies with
one label are left out together, or else a wrong picture would be confirmed by its copy. It goes
through the images in blocks, which are never held together as numbers of 64 bits: for 100,000
images those would be 80 MB, several times over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.scoring.models.interface import Vectors

__all__ = ["BLOCK", "unseen"]

BLOCK: Final = 1024  # images at a time: some 5 MB as numbers of 64 bits, several times over

_MANY: Final = 50_000  # images; of more, outputs are kept to three places: 10 MB for 100,000
_NEARLY: Final = 0.05  # of the least error: strengths that do as well
_EXPLAINED: Final = 0.15  # of what the best strength explains, which they may lose at most
_MOST_LEVERAGE: Final = 1 - 1e-6  # a lower bound would let an image's own label through
_GROUP_RIDGE: Final = 1.02  # keeps what is left of a group solvable
_STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # of the mean squared length of rows

Array = np.ndarray[Any, Any]


def unseen(
    rows: Array, order: Array, own: Array, trust: Array, labels: int, copies: Sequence[Array] = ()
) -> tuple[Vectors, float]:
    """Return for each image, in the order given, the outputs of the regression on all others, and
    the sum of squared errors under the best strength.

    Args:
        rows: the vector of each image.
        order: of the images.
        own: number of the label of each image, in that order.
        trust: weight of each image, as in `rows`.
        labels: how many there are.
        copies: groups of images, by their places in that order, of which none tells another.
    """
    given = trust[order]
    sizes = np.bincount(own, given, labels)
    weights = given / np.maximum(sizes, 1e-9)[own]  # labels weigh the same
    weights *= len(rows) / weights.sum()
    fit = _Fit(rows, order, own, weights, labels)
    errors, unexplained = np.zeros(len(_STRENGTHS)), 0.0
    single = np.ones(len(order), bool)
    for group in copies:
        single[group] = False
    for part, turned, targets in fit.blocks():
        counted = given[part] * single[part]
        unexplained += fit.unexplained(given[part], targets)
        for at, strength in enumerate(_STRENGTHS):
            off = fit.outputs(part, turned, targets, strength) - targets
            errors[at] += float(counted @ np.einsum("ij,ij->i", off, off))
    for group in copies:
        for at, strength in enumerate(_STRENGTHS):
            off = fit.together(group, strength) - fit.targets(group)
            errors[at] += float(given[group] @ np.einsum("ij,ij->i", off, off))
    least = float(errors.min())
    more = min(_NEARLY * least, _EXPLAINED * max(unexplained - least, 0))
    good = np.flatnonzero(errors <= least + more)
    best = _STRENGTHS[int(good[-1])]
    found = np.zeros((len(rows), labels), np.float16 if len(rows) > _MANY else np.float32)
    for part, turned, targets in fit.blocks():
        found[part] = fit.outputs(part, turned, targets, best)
    for group in copies:
        found[group] = fit.together(group, best)
    return found, least


class _Fit:
    """The sums of a regression, from which each strength has its outputs."""

    def __init__(self, rows: Array, order: Array, own: Array, weights: Array, labels: int) -> None:
        self._rows, self._order, self._own, self._weights = rows, order, own, weights
        self._labels = labels
        count, width = rows.shape
        total, plain, square = np.zeros(width), np.zeros(width), 0.0
        for part in self._parts():
            block = self._block(part)
            total += weights[part] @ block
            plain += block.sum(axis=0)
            square += float((block * block).sum())
        self._middle = total / count
        # the mean squared length of the rows from their weighted middle
        square += count * float(self._middle @ self._middle) - 2 * float(plain @ self._middle)
        self._scale = square / count
        self._mean = np.bincount(own, weights, labels) / count
        products, crossed = np.zeros((width, width)), np.zeros((width, labels))
        for part in self._parts():
            block = self._block(part) - self._middle
            weighted = block * weights[part, None]
            products += weighted.T @ block
            crossed += weighted.T @ (self.targets(part) - self._mean)
        values, self._axes = np.linalg.eigh(products)
        self._values = np.maximum(values, 0)
        self._sums = self._axes.T @ crossed

    def _parts(self) -> Iterator[slice]:
        for start in range(0, len(self._order), BLOCK):
            yield slice(start, start + BLOCK)

    def _block(self, part: slice | Array) -> Array:
        return np.asarray(self._rows[self._order[part]], dtype=np.float64)

    def targets(self, part: slice | Array) -> Array:
        """Return the labels of images as numbers: a column for each label."""
        return np.eye(self._labels)[self._own[part]]

    def blocks(self) -> Iterator[tuple[slice, Array, Array]]:
        """Yield which images, their coordinates along the axes, and their labels as numbers."""
        for part in self._parts():
            yield part, (self._block(part) - self._middle) @ self._axes, self.targets(part)

    def outputs(self, part: slice, turned: Array, targets: Array, strength: float) -> Array:
        """Return the outputs of the regression without each of the images itself."""
        count = len(self._order)
        inverse = 1 / (self._values + strength * self._scale * count / 10)
        leverage = np.minimum(
            self._weights[part] * ((turned**2) @ inverse + 1 / count), _MOST_LEVERAGE
        )[:, None]  # fmt: skip
        found = (turned * inverse) @ self._sums + self._mean
        return np.asarray((found - leverage * targets) / (1 - leverage))

    def together(self, group: Array, strength: float) -> Array:
        """Return the outputs of the regression without all images of a group."""
        count = len(self._order)
        inverse = 1 / (self._values + strength * self._scale * count / 10)
        turned = (self._block(group) - self._middle) @ self._axes
        targets = self.targets(group)
        hat = ((turned * inverse) @ turned.T + 1 / count) * self._weights[group]
        fitted = (turned * inverse) @ self._sums + self._mean
        left = np.linalg.solve(np.eye(len(group)) * _GROUP_RIDGE - hat, targets - fitted)
        return np.asarray(targets - left)

    def unexplained(self, given: Array, targets: Array) -> float:
        """Return the sum of squared errors of images by the shares of labels alone."""
        off = self._mean - targets
        return float(given @ np.einsum("ij,ij->i", off, off))
