"""More like these, fewer like those: order images by what a person kept and refused.

A linear model is fitted for each label with decisions: logistic regression on the vectors of the
space, centred on the label's mean and weakly regularised, so that a few dozen examples suffice.
Where there are examples of both sides, the undecided images of which it is surest teach it, too, by
a third of the weight (self-training).
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.scoring.likeness.spaces import Space, space_of
from pixtrawl.scoring.models.interface import Vectors, unit

__all__ = [
    "Examples", "LabelLikes", "LikeModel", "examples_of", "fit", "label_likes", "least_certain",
    "space_for_likes",
]  # fmt: skip

_RIDGE: Final = 0.02  # of the squared weights, per example
_STEPS: Final = 300
_MOST_OTHERS: Final = 2000  # of a label's images that are read as its usual ones
_SUREST: Final = 0.5  # of the images that are probably right or wrong: so many teach the model
_TAUGHT: Final = 0.3  # their weight beside that of the decisions
_ROUNDS: Final = 3  # of teaching: each by the order of the one before
_MOST_TAUGHT: Final = 1000  # images of which the surest are taken
_ASKED: Final = 100  # uncertain images that are named
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
    uncertain: tuple[int, ...]  # undecided ones, the least certain first


def fit(everything: Vectors, wanted: Vectors, refused: Vectors) -> LikeModel:
    """Fit the model to examples. Without examples of one side, the rest of the label stands for it.

    Args:
        everything: the vectors of the label's images; not empty.
        wanted: those of images that a person kept.
        refused: those of images that a person refused.
    """
    centre = everything.mean(axis=0)
    sides = [
        (given if len(given) else everything, target, 1.0 if len(given) else _UNKNOWN)
        for given, target in ((wanted, 1.0), (refused, 0.0))
    ]
    model = _fitted(centre, sides)
    if not len(wanted) or not len(refused):
        return model
    rest = everything[:: 1 + len(everything) // _MOST_TAUGHT]
    share = (len(wanted) + 1) / (len(wanted) + len(refused) + 2)
    right, wrong = (int(_SUREST * part * len(rest)) for part in (share, 1 - share))
    for _ in range(_ROUNDS):
        surest = rest[np.argsort(-model.scores(rest), kind="stable")]
        taught = [(surest[:right], 1.0, _TAUGHT), (surest[len(rest) - wrong :], 0.0, _TAUGHT)]
        model = _fitted(centre, [*sides, *taught])
    return model


def _fitted(centre: Vectors, sides: Sequence[tuple[Vectors, float, float]]) -> LikeModel:
    """Return the model of rows, the target of each part of them, and the part's weight."""
    there = [one for one in sides if len(one[0])]
    x = np.concatenate([unit(rows - centre) for rows, _, _ in there]).astype(np.float64)
    y = np.concatenate([np.full(len(rows), target) for rows, target, _ in there])
    w = np.concatenate([np.full(len(rows), weight / len(rows)) for rows, _, weight in there])
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
        decided = {one.id for one in examples[label]}
        uncertain = least_certain(order, decided)
        found.append(LabelLikes(label, len(wanted), len(refused), tuple(order), uncertain))
    return found


def least_certain(order: Sequence[tuple[int, float]], decided: set[int]) -> tuple[int, ...]:
    """Return the undecided images of an order whose scores are nearest to one half, a hundred.

    Decisions on them teach the model most.
    """
    left = [one for one in order if one[0] not in decided]
    return tuple(image for image, _ in sorted(left, key=lambda one: abs(one[1] - 0.5))[:_ASKED])
