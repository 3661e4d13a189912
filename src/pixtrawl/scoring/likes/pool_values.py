"""How well each image of a pool suits its query, and in which order images are kept.

By an image-text model it is the cosine of image and query. A model without texts does not know what
the query means: it is the probability that an image is of its own label rather than of one of the
others in the data set, by the class check; where there is one label alone, how typical the image
is of it. Of images that the class check is about as sure of, those come first that differ most: a
set of the most alike trains less well than one that has the odd pictures of a class, too. Where a
person kept or refused images of the label, the order follows both: the more decisions there are,
the more the likeness to those.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.decisions import topic_refusals
from pixtrawl.catalog.decisions.topic_refusals import PoolImage
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.scoring.classes.wrong_labels import LabelChances, label_chances
from pixtrawl.scoring.likeness.spaces import Space
from pixtrawl.scoring.likeness.typical import typicality
from pixtrawl.scoring.likes.examples import Examples, examples_of
from pixtrawl.scoring.models.interface import Vectors, from_bytes, unit

__all__ = [
    "AT_ONCE", "Others", "PoolValues", "PoolView", "own_label_chances", "read_others", "read_view",
    "values_of",
]  # fmt: skip

AT_ONCE: Final = 1_500  # images of pools and of other labels in one class check

_LEAST_OTHERS: Final = 500  # of those, for labels without a pool among them
_FEWEST: Final = 8  # images of a pool, and of others, below which nothing is classified
_SURE: Final = 0.9  # beyond it one is as sure as another: the surest are the most alike
_VARIETY: Final = 0.1  # weight of an image's likeness to those before it, beside its probability
_COMPARED: Final = 1_000  # images of a pool at a time: their number squared is the work
_WRONG: Final = 0.2  # probability of the own label below which an image does not fit
_HALF: Final = 5  # decisions from which likes weigh as much as the model
_LIKED: Final = 0.5


class PoolView(Struct, frozen=True):
    """Values known of a pool: places and vectors of its images, and a person's decisions."""

    label: str
    size: int
    known: tuple[int, ...]  # places in the pool of the images that have a vector
    vectors: Vectors
    decisions: int  # of a person on images of the label
    examples: Examples | None
    compared: tuple[int, ...]  # places of the images that can be compared with the examples
    comparable: Vectors


class Others(Struct, frozen=True):
    """Labels and vectors of images of labels without a pool, for comparison with pools."""

    labels: tuple[str, ...]
    vectors: Vectors


class PoolValues(Struct, frozen=True):
    """Of each image: its score, its place in the order, its likeness to what was kept.

    None: not known. `limit` is the score below which an image does not fit; None: by the scores.
    `spared` are images that fit whatever their score: they are like what a person kept.
    """

    scores: tuple[float | None, ...]
    merits: tuple[float | None, ...]
    likes: tuple[float | None, ...]
    limit: float | None
    decisions: int
    spared: frozenset[int]


def read_view(
    db: sqlite3.Connection, label: str, model: tuple[int, str], pool: Sequence[PoolImage]
) -> PoolView:
    """Read what is known of a pool.

    Args:
        db: the catalog.
        label: of the pool's query.
        model: number and name of the model.
        pool: its images.
    """
    known = tuple(at for at, one in enumerate(pool) if one.vector)
    vectors = from_bytes([pool[at].vector for at in known]) if known else _nothing()
    decisions = sum(one.label == label for one in look_pairs.marked(db))
    space = Space("embedding", model[0], model[1])
    examples = examples_of(db, space, label) if decisions else None
    if decisions and examples is None:  # nothing decided has a vector by this model
        space = Space("look")
        examples = examples_of(db, space, label)
    compared: tuple[int, ...] = ()
    comparable = _nothing()
    if examples is not None:
        place = {one.id: at for at, one in enumerate(pool)}
        ids, comparable = space.vectors(db, list(place))
        compared = tuple(place[one] for one in ids)
    return PoolView(label, len(pool), known, vectors, decisions, examples, compared, comparable)


def _nothing() -> Vectors:
    return np.zeros((0, 1), np.float32)


def read_others(db: sqlite3.Connection, model: str, views: Sequence[PoolView]) -> Others:
    """Read images of other labels than those of the pools, drawn evenly."""
    count = max(AT_ONCE - sum(len(view.known) for view in views), _LEAST_OTHERS)
    rows = topic_refusals.of_other_labels(db, {view.label for view in views}, model, count)
    vectors = from_bytes([row[1] for row in rows]) if rows else _nothing()
    return Others(tuple(row[0] for row in rows), vectors)


def own_label_chances(views: Sequence[PoolView], others: Others) -> list[LabelChances | None]:
    """Return how probable it is of the known images of each pool that they are of its label.

    One class check covers all pools, against each other and `others`. None for a pool with too few
    images.
    """
    labels = [view.label for view in views for _ in view.known] + list(others.labels)
    names = {label: at for at, label in enumerate(dict.fromkeys(labels))}
    own = np.array([names[one] for one in labels], np.int64)
    sizes = np.bincount(own, minlength=1)
    sufficient = [
        bool(view.known) and min(len(view.known), len(own) - sizes[names[view.label]]) >= _FEWEST
        for view in views
    ]
    if not any(sufficient):
        return [None] * len(views)
    given = [*(view.vectors for view in views if view.known), others.vectors]
    vectors = np.concatenate([one for one in given if len(one)])
    chances = label_chances(vectors, own, len(names))
    ends = np.cumsum([len(view.known) for view in views])[:-1]
    of_pools = len(own) - len(others.labels)
    parts = zip(
        *(np.split(one[:of_pools], ends) for one in (chances.own, chances.right)), strict=True
    )
    return [
        LabelChances(*part) if known else None
        for part, known in zip(parts, sufficient, strict=True)
    ]


def values_of(
    view: PoolView, text: Vectors | None, chances: LabelChances | None = None
) -> PoolValues:
    """Return the values of a pool.

    Args:
        view: what is known of it.
        text: the query's embedding; None by a model that reads no texts.
        chances: by such a model, of `own_label_chances`; None where too few images are known.
    """
    scores: list[float | None] = [None] * view.size
    limit = None
    if view.known:
        if text is not None:
            found = np.clip(view.vectors @ text, -1, 1)
        elif chances is not None:
            found, limit = chances.own, _WRONG
        else:
            found = typicality(view.vectors)
        for at, value in zip(view.known, found.tolist(), strict=True):
            scores[at] = value
    likes: list[float | None] = [None] * view.size
    if view.examples is not None and view.compared:
        liked = view.examples.fit().scores(view.comparable).tolist()
        for at, value in zip(view.compared, liked, strict=True):
            likes[at] = value
    merits = _merits(scores if chances is None else _varied(view, chances), likes, view.decisions)
    spared = frozenset(
        at for at, one in enumerate(likes) if one is not None and one >= _LIKED
        and view.decisions >= _HALF
    )  # fmt: skip
    return PoolValues(tuple(scores), tuple(merits), tuple(likes), limit, view.decisions, spared)


def _varied(view: PoolView, chances: LabelChances) -> list[float | None]:
    """Return the order of images by probability and variety: larger ones come first.

    Next comes the image whose probability, less its likeness to the most similar one before it, is
    the largest (maximal marginal relevance, Carbonell and Goldstein 1998). The probability is that
    of a right label at all: an image of none of the labels differs most. Images of a large pool are
    compared in parts of it, which are evenly drawn.
    """
    # no likeness outweighs that an image does not fit
    misfits = chances.own < _WRONG
    worth = np.where(misfits, chances.own - 2, np.minimum(chances.right, _SURE))
    parts = -(-len(worth) // _COMPARED)
    merits = np.empty(len(worth))
    for at in range(parts):
        merits[at::parts] = _places(worth[at::parts], view.vectors[at::parts])
    found: list[float | None] = [None] * view.size
    for place, merit in zip(view.known, merits.tolist(), strict=True):
        found[place] = merit
    return found


def _places(worth: Vectors, vectors: Vectors) -> Vectors:
    """Return the share of images from each on, in the order in which they are taken."""
    rows = vectors.astype(np.float32)
    rows = unit(rows - rows.mean(axis=0))  # what all have in common tells none from another
    left, near = worth.copy(), np.zeros(len(rows), np.float32)
    found = np.empty(len(rows))
    for place in range(len(rows)):
        at = int((left - _VARIETY * near).argmax())
        found[at] = 1 - place / len(rows)
        left[at] = -np.inf
        likeness = rows @ rows[at]
        near = np.maximum(near, likeness) if place else likeness
    return np.asarray(found, np.float32)


def _merits(
    given: Sequence[float | None], likes: Sequence[float | None], decisions: int
) -> list[float | None]:
    """Return the order of images by what is given and likes: larger ones come first."""
    if all(one is None for one in likes):
        return list(given)
    weight = decisions / (decisions + _HALF)
    both = zip(_shares_below(given), _shares_below(likes), strict=True)
    return [
        one if liked is None else liked if one is None else (1 - weight) * one + weight * liked
        for one, liked in both
    ]


def _shares_below(values: Sequence[float | None]) -> list[float | None]:
    """Return for each value the share of the others that it exceeds; equal ones count half."""
    known = np.array([one for one in values if one is not None])
    return [
        None if one is None else float((known < one).sum() + (known == one).sum() / 2) / len(known)
        for one in values
    ]
