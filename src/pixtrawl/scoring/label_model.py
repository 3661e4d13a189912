"""How probable each label is for each image, by a linear model that did not see the image. Pure.

A ridge regression on the labels, all of equal weight; each image's prediction is that of the model
fitted without it, which has a closed form. Its strength and the temperature that makes
probabilities of its outputs are those that predict the labels of unseen images best. Images whose
label is improbable lose their weight in the next round, so that wrong labels teach little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.scoring.model import Vectors

__all__ = ["label_probabilities"]

_ROUNDS: Final = 3
_STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # of the mean squared length of rows
_TEMPERATURES: Final = (0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
_LEAST_WEIGHT: Final = 0.02
_FLOOR: Final = 1e-4  # of a probability, in likelihoods

Array = np.ndarray[Any, Any]


def label_probabilities(vectors: Vectors, own: Array, labels: int) -> Array:
    """Return a row of probabilities of the labels for each image.

    Args:
        vectors: rows of length 1.
        own: number of the label that each image has.
        labels: how many there are.
    """
    rows = np.arange(len(own))
    reduced = _reduced(vectors)
    targets = np.eye(labels)[own]
    weights = np.ones(len(own))
    found = targets
    for _ in range(_ROUNDS):
        outputs = _unseen(reduced, targets, weights)
        found = _calibrated(outputs, own, weights)
        share = found[rows, own] / np.maximum(found.max(axis=1), 1e-9)
        weights = np.clip(share, _LEAST_WEIGHT, 1)
    return found


def _reduced(vectors: Vectors) -> Array:
    """Return rows with the same products, of no more columns than rows."""
    rows = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    if len(rows) >= rows.shape[1]:
        return np.asarray(rows)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(left * sizes)


def _unseen(rows: Array, targets: Array, trust: Array) -> Array:
    """Return for each row the outputs of the regression on all others."""
    sizes = trust @ targets
    weights = trust / np.maximum(sizes, 1e-9)[targets.argmax(axis=1)]  # labels weigh the same
    weights *= len(rows) / weights.sum()
    centred = rows - (weights @ rows) / len(rows)
    mean = (weights @ targets) / len(rows)
    values, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    turned = centred @ axes
    sums = turned.T @ (weights[:, None] * (targets - mean))
    squares = turned**2
    scale = float(np.trace(centred.T @ centred)) / len(rows)
    best: tuple[float, Array] | None = None
    for strength in _STRENGTHS:
        inverse = 1 / (np.maximum(values, 0) + strength * scale * len(rows) / 10)
        leverage = np.minimum(weights * (squares @ inverse + 1 / len(rows)), 0.95)[:, None]
        outputs = (turned * inverse) @ sums + mean
        outputs = (outputs - leverage * targets) / (1 - leverage)
        error = float((trust[:, None] * (outputs - targets) ** 2).sum())
        if best is None or error < best[0]:
            best = (error, outputs)
    assert best is not None
    return best[1]


def _calibrated(outputs: Array, own: Sequence[int] | Array, trust: Array) -> Array:
    rows = np.arange(len(outputs))
    best: tuple[float, Array] | None = None
    for temperature in _TEMPERATURES:
        scaled = (outputs - outputs.max(axis=1, keepdims=True)) / temperature
        found = np.exp(scaled)
        found /= found.sum(axis=1, keepdims=True)
        likelihood = float((trust * np.log(found[rows, own] + _FLOOR)).sum())
        if best is None or likelihood > best[0]:
            best = (likelihood, found)
    assert best is not None
    return best[1]
