"""How well each image of a pool suits its query, and in which order images are kept.

By an image-text model it is the cosine of image and query. A model without texts does not know what
the query means: it is the probability that an image is of its own label rather than of one of the
others in the data set, by the class check; where there is one label alone, how typical the image
is of it. Where a person kept or refused images of the label, the order follows both: the more
decisions there are, the more the likeness to those.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog import look_pairs, topic_refusals
from pixtrawl.catalog.topic_refusals import PoolImage
from pixtrawl.scoring.label_model import label_chances
from pixtrawl.scoring.likes import Examples, examples_of
from pixtrawl.scoring.model import Vectors, from_bytes
from pixtrawl.scoring.spaces import Space
from pixtrawl.scoring.typical import typicality

__all__ = ["PoolValues", "PoolView", "read_view", "values_of"]

_MOST_OTHERS: Final = 1_500  # images of other labels that a pool is told from
_FEWEST: Final = 8  # images of a pool, and of others, from which they can be told
_SURE: Final = 0.9  # beyond it the order of the sources decides: the surest are the most alike
_WRONG: Final = 0.2  # probability of the own label below which an image does not fit
_HALF: Final = 5  # decisions from which likes weigh as much as the model
_LIKED: Final = 0.5


class PoolView(Struct, frozen=True):
    """Values known of a pool: places and vectors of its images, and of others."""

    size: int
    known: tuple[int, ...]  # places in the pool of the images that have a vector
    vectors: Vectors
    others: Vectors  # of images of other labels
    labels: tuple[str, ...]  # of those
    decisions: int  # of a person on images of the label
    examples: Examples | None
    compared: tuple[int, ...]  # places of the images that can be compared with the examples
    comparable: Vectors


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
    db: sqlite3.Connection, label: str, model: tuple[int, str], pool: Sequence[PoolImage], *,
    words: bool,
) -> PoolView:  # fmt: skip
    """Read what is known of a pool.

    Args:
        db: the catalog.
        label: of the pool's query.
        model: number and name of the model.
        pool: its images.
        words: whether the model reads texts, so that other labels are not needed.
    """
    known = tuple(at for at, one in enumerate(pool) if one.vector)
    vectors = from_bytes([pool[at].vector for at in known]) if known else _nothing()
    labels, others = ((), []) if words else _others(db, label, model[1])
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
    return PoolView(
        len(pool), known, vectors, from_bytes(others) if others else _nothing(), labels,
        decisions, examples, compared, comparable,
    )  # fmt: skip


def _nothing() -> Vectors:
    return np.zeros((0, 1), np.float32)


def _others(db: sqlite3.Connection, label: str, model: str) -> tuple[tuple[str, ...], list[bytes]]:
    rows = topic_refusals.of_other_labels(db, label, model, _MOST_OTHERS)
    return tuple(row[0] for row in rows), [row[1] for row in rows]


def values_of(view: PoolView, text: Vectors | None) -> PoolValues:
    """Return the values of a pool; `text` is the query's embedding, None by a model without."""
    scores: list[float | None] = [None] * view.size
    limit = None
    if view.known:
        if text is not None:
            found = np.clip(view.vectors @ text, -1, 1)
        elif min(len(view.known), len(view.others)) >= _FEWEST:
            found, limit = _told_apart(view), _WRONG
        else:
            found = typicality(view.vectors)
        for at, value in zip(view.known, found.tolist(), strict=True):
            scores[at] = value
    likes: list[float | None] = [None] * view.size
    if view.examples is not None and view.compared:
        liked = view.examples.fit().scores(view.comparable).tolist()
        for at, value in zip(view.compared, liked, strict=True):
            likes[at] = value
    merits = _merits(scores, likes, view.decisions, capped=limit is not None)
    spared = frozenset(
        at for at, one in enumerate(likes) if one is not None and one >= _LIKED
        and view.decisions >= _HALF
    )  # fmt: skip
    return PoolValues(tuple(scores), tuple(merits), tuple(likes), limit, view.decisions, spared)


def _told_apart(view: PoolView) -> Vectors:
    """Return the probability that each image is of the pool's label and of no other."""
    names = {label: at for at, label in enumerate(dict.fromkeys(view.labels), 1)}
    own = np.array([0] * len(view.known) + [names[one] for one in view.labels], np.int64)
    vectors = np.concatenate([view.vectors, view.others])
    found = label_chances(vectors, own, len(names) + 1)
    return np.asarray(found[: len(view.known), 0], np.float32)


def _merits(
    scores: Sequence[float | None], likes: Sequence[float | None], decisions: int, *, capped: bool
) -> list[float | None]:
    """Return the order of images by score and likes: larger ones come first."""
    given = [one if one is None or not capped else min(one, _SURE) for one in scores]
    if all(one is None for one in likes):
        return given
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
