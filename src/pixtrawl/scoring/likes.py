"""More like these, fewer like those: order images by what a person kept and refused.

A linear model is fitted for each label with decisions: logistic regression on the vectors of the
space, centred on the label's mean and weakly regularised, so that a few dozen examples suffice.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog import look_pairs
from pixtrawl.scoring.model import Vectors, unit
from pixtrawl.scoring.spaces import Space, space_of

__all__ = [
    "Examples", "LabelLikes", "LikeModel", "examples_of", "fit", "label_likes", "space_for_likes",
]  # fmt: skip

_RIDGE: Final = 0.02  # of the squared weights, per example
_STEPS: Final = 300
_MOST_OTHERS: Final = 2000  # of a label's images that are read as its usual ones
_UNKNOWN: Final = 0.25  # weight of the label's other images, as examples of neither


class LikeModel(Struct, frozen=True):
    """A direction in a space, and the centre from which it is measured."""

    centre: Vectors
    weights: Vectors
    bias: float

    def scores(self, vectors: Vectors) -> Vectors:
        """Return how much each row is like the wanted ones, 0 to 1."""
        found = unit(vectors - self.centre) @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(found, -30, 30))), dtype=np.float32)


class Examples(Struct, frozen=True):
    """The vectors of one label: its images, and those that a person kept and refused."""

    everything: Vectors
    wanted: Vectors
    refused: Vectors

    def fit(self) -> LikeModel:
        """Fit the model to them."""
        return fit(self.everything, self.wanted, self.refused)


class LabelLikes(Struct, frozen=True):
    """The order of one label's images, the most liked first."""

    label: str
    kept: int  # examples wanted
    refused: int
    images: tuple[tuple[int, float], ...]


def fit(everything: Vectors, wanted: Vectors, refused: Vectors) -> LikeModel:
    """Fit the model to examples. Without examples of one side, the rest of the label stands for it.

    Args:
        everything: the vectors of the label's images; not empty.
        wanted: those of images that a person kept.
        refused: those of images that a person refused.
    """
    centre = everything.mean(axis=0)
    sides = [(wanted, 1.0), (refused, 0.0)]
    rows, targets, weights = [], [], []
    for vectors, target in sides:
        weight = 1.0 / len(vectors) if len(vectors) else _UNKNOWN / len(everything)
        given = vectors if len(vectors) else everything
        rows.append(unit(given - centre))
        targets.append(np.full(len(given), target))
        weights.append(np.full(len(given), weight))
    x = np.concatenate(rows).astype(np.float64)
    y, w = np.concatenate(targets), np.concatenate(weights)
    return LikeModel(centre, *_logistic(x, y, w / w.sum()))


def _logistic(
    x: np.ndarray, y: np.ndarray, w: np.ndarray
) -> tuple[Vectors, float]:  # fmt: skip
    """Return weights and bias, by Newton's method in the space of the examples."""
    gram = x @ x.T
    dual, bias = np.zeros(len(x)), 0.0
    for _ in range(_STEPS):
        margin = gram @ dual + bias
        p = 1 / (1 + np.exp(-np.clip(margin, -30, 30)))
        gradient = w * (y - p)
        change = gradient / _RIDGE - dual
        dual += 0.1 * change
        bias += 0.5 * gradient.sum()
        if np.abs(change).max() < 1e-4:
            break
    return np.asarray(x.T @ dual, dtype=np.float32), float(bias)


def space_for_likes(db: sqlite3.Connection, model: str = "") -> Space:
    """Return the space in which most of the decided images have a vector: embeddings, or looks."""
    ids = [one.id for one in look_pairs.marked(db)]
    space = space_of(db, (), model)
    if space.by == "embedding" and len(space.vectors(db, ids)[0]) * 2 >= len(ids):
        return space
    return Space("look")


def examples_of(db: sqlite3.Connection, space: Space, label: str) -> Examples | None:
    """Return the examples of one label; None where nothing of it is decided, or has no vector."""
    marked = [one for one in look_pairs.marked(db) if one.label == label]
    if not marked:
        return None
    ids = [one.id for one in look_pairs.images(db, label)]
    usual = space.vectors(db, ids[:: 1 + len(ids) // _MOST_OTHERS])[1]
    sides = [
        space.vectors(db, [one.id for one in marked if one.wanted is wanted])[1]
        for wanted in (True, False)
    ]
    there = [one for one in (usual, *sides) if len(one)]
    if not any(map(len, sides)):
        return None
    width = there[0].shape[1]
    wanted, refused = (one if len(one) else np.zeros((0, width), np.float32) for one in sides)
    return Examples(usual if len(usual) else np.concatenate(there), wanted, refused)


def label_likes(db: sqlite3.Connection, space: Space, only: Sequence[str] = ()) -> list[LabelLikes]:
    """Return the order of each label that has decisions (of `only` these labels, if given)."""
    examples: dict[str, list[look_pairs.Marked]] = defaultdict(list)
    for one in look_pairs.marked(db):
        examples[one.label].append(one)
    images: dict[str, list[int]] = defaultdict(list)
    for image in look_pairs.images(db):
        images[image.label].append(image.id)
    found = []
    for label in sorted(examples):
        if not images[label] or (only and label not in only):
            continue
        ids, vectors = space.vectors(db, images[label])
        if not ids:
            continue
        sides = [
            space.vectors(db, [one.id for one in examples[label] if one.wanted is wanted])[1]
            for wanted in (True, False)
        ]
        wanted, refused = (side if len(side) and side.shape[1] == vectors.shape[1]
                           else vectors[:0] for side in sides)  # fmt: skip
        if not len(wanted) and not len(refused):
            continue
        scores = fit(vectors, wanted, refused).scores(vectors).tolist()
        order = sorted(zip(ids, scores, strict=True), key=lambda one: (-one[1], one[0]))
        found.append(LabelLikes(label, len(wanted), len(refused), tuple(order)))
    return found
