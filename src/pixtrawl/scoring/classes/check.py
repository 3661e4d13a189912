"""The class check: labels that overlap, biased or near-empty labels, likely wrong labels. Pure.

An image's label is doubted by two witnesses: the votes of its nearest images (weighted by their
cosine, and corrected for the sizes of labels, so that a large label does not win by its size), and
a linear model of the labels that did not see the image. With the share of wrong labels that the
data set has, estimated beside it, they give the probability of each label (`label_model`). With how
unusual an image is of its own label that makes the probability that the label is wrong
(`wrong_labels`), by which images are ranked and doubted. In large sets of very many labels the
neighbours are the only witness.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.numeric import give_back
from pixtrawl.scoring.classes.copies import copies_of
from pixtrawl.scoring.classes.label_model import MOST_CELLS, true_labels
from pixtrawl.scoring.classes.votes import VOTERS, Votes, votes_of
from pixtrawl.scoring.classes.wrong_labels import DOUBTED, wrong_chances
from pixtrawl.scoring.likeness.neighbours import near_neighbours
from pixtrawl.scoring.likeness.typical import typicality
from pixtrawl.scoring.models.interface import Vectors
from pixtrawl.scoring.outliers import lowest_usual

__all__ = ["Audit", "Bias", "Doubt", "LooksOf", "Overlap", "SmallLabel", "audit"]

# Returns the looks of the images at these places: a row for each, or none where one is unknown.
LooksOf = Callable[[Sequence[int]], Vectors]

_VOTED: Final = 0.6  # share of votes for another label from which a label is likely wrong
_OWN_AT_MOST: Final = 0.3
_OTHER: Final = 0.5  # probability of other labels from which the likeliest of them is named
_OVERLAP: Final = 0.15  # share of votes across both ways
_HOST_SHARE: Final = 0.6
_LOOK_SHARE: Final = 0.5
_SAME_LOOK: Final = 0.92  # cosine with the middle of the largest group
_MOST_LOOKS: Final = 600  # of a label, that are compared: a share is exact to 2 in a hundred
_NEAREST: Final = 3  # neighbours that are named
_ENOUGH: Final = 12  # images of a label from which a share says something
_FEW: Final = 5
_FEW_SHARE: Final = 0.2  # of the median label


class Overlap(Struct, frozen=True):
    """Two labels whose images are each other's neighbours; `share` of their votes cross."""

    labels: tuple[str, str]
    share: float
    files: tuple[str, ...]  # on the border, the closest to the other label first


class Bias(Struct, frozen=True):
    """A label most of which is from one host, or of one look."""

    label: str
    kind: str  # host | look
    what: str  # the host; the file in the middle of the look
    share: float
    files: tuple[str, ...]


class SmallLabel(Struct, frozen=True):
    """A label with few images beside the others."""

    label: str
    images: int
    median: int


class Doubt(Struct, frozen=True):
    """An image whose label is likely wrong: it looks like another label, or like none (`""`)."""

    file_name: str
    label: str
    like: str
    score: float  # 0 to 1, the surest first
    neighbours: tuple[str, ...]


class Audit(Struct, frozen=True):
    """The result of a class check; `by` is `embedding` or `look`."""

    by: str
    model: str
    images: int
    overlaps: tuple[Overlap, ...]
    biases: tuple[Bias, ...]
    small: tuple[SmallLabel, ...]
    doubts: tuple[Doubt, ...]


def audit(  # noqa: PLR0913
    images: Sequence[CheckedImage], vectors: Vectors, looks: LooksOf, *,
    by: str, model: str, trusted: frozenset[int] = frozenset(),
    on_progress: Callable[[float], None] = lambda done: None,
) -> Audit:  # fmt: skip
    """Check the labels of images.

    Args:
        images: the images that have a vector.
        vectors: one row for each, of 32 bits a number or of 16.
        looks: reads looks, for the bias of one look.
        by: name of the space.
        model: of the embeddings.
        trusted: images that a person kept, which are not doubted.
        on_progress: called with the share that is done.
    """
    names = sorted({one.label for one in images})
    at = {name: place for place, name in enumerate(names)}
    own = np.array([at[one.label] for one in images], np.int32)
    small = _small(images)
    if len(images) < 2:
        return Audit(by, model, len(images), (), (), small, ())
    indices, cosines = near_neighbours(vectors, VOTERS, lambda done: on_progress(0.4 * done))
    copies = copies_of(indices, cosines, own)
    votes = votes_of(indices, cosines, own, len(names), copies)
    del cosines
    indices = indices[:, :_NEAREST].copy()
    give_back()  # what comes next needs most
    doubts = _doubts(
        images, names, own, votes, indices, vectors, copies, trusted,
        lambda done: on_progress(0.4 + 0.4 * done),
    )  # fmt: skip
    overlaps = _overlaps(images, names, own, votes, {one.file_name for one in doubts})
    found = _look_bias(images, looks, lambda done: on_progress(0.8 + 0.2 * done))
    biases = (*_host_bias(images), *found)
    return Audit(by, model, len(images), overlaps, biases, small, doubts)


def _doubts(  # noqa: PLR0913
    images: Sequence[CheckedImage], names: Sequence[str], own: np.ndarray, votes: Votes,
    indices: np.ndarray, vectors: Vectors, copies: np.ndarray, trusted: frozenset[int],
    on_progress: Callable[[float], None],
) -> tuple[Doubt, ...]:  # fmt: skip
    labels = len(names)
    if labels == 1 or len(own) * labels > MOST_CELLS:
        like, scores = _outvoted(own, votes)
        alone = _unlike_all(own, vectors, labels, on_progress)
        scores = np.where(like >= 0, scores, alone)
    else:
        like, scores = _improbable(own, votes, vectors, copies, labels, on_progress)
    found = []
    for at in np.flatnonzero(scores > 0).tolist():
        image = images[at]
        if image.id in trusted:
            continue
        near = tuple(images[one].file_name for one in indices[at])
        other = names[like[at]] if like[at] >= 0 else ""
        found.append(Doubt(image.file_name, image.label, other, float(scores[at]), near))
    found.sort(key=lambda one: (-one.score, one.file_name))
    return tuple(found)


def _improbable(
    own: np.ndarray, votes: Votes, vectors: Vectors, copies: np.ndarray, labels: int,
    on_progress: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the likeliest other label of each image, -1: none, and how probable it is that its
    own is wrong, 0: too little to doubt it.
    """
    found = true_labels(vectors, own, votes, labels, copies, on_progress)
    wrong, other = wrong_chances(found, own[found.order])
    probable = found.probable
    probable[np.arange(len(own)), own[found.order]] = -1
    like, scores = np.zeros(len(own), np.int32), np.zeros(len(own), np.float32)
    like[found.order] = np.where(other >= _OTHER, probable.argmax(axis=1), -1)
    scores[found.order] = np.where(wrong >= DOUBTED, wrong, 0)
    return like, scores


def _outvoted(own: np.ndarray, votes: Votes) -> tuple[np.ndarray, np.ndarray]:
    """Return by neighbours alone the likelier label of each image, -1: none, and how sure it is."""
    mine = votes.of(own)
    best, share = votes.best_but(own)
    sure = (share >= _VOTED) & (mine <= _OWN_AT_MOST)
    return np.where(sure, best, -1), np.where(sure, share - mine, 0)


def _unlike_all(
    own: np.ndarray, vectors: Vectors, labels: int, on_progress: Callable[[float], None]
) -> Vectors:
    """Return how far images stand apart from their label, 0 to 0.5; 0 for usual ones."""
    found = np.zeros(len(own), np.float32)
    for label in range(labels):
        on_progress(label / labels)
        rows = np.flatnonzero(own == label)
        values = typicality(vectors[rows])
        middle, limit = float(np.median(values)), lowest_usual(values.tolist())
        if limit is None:
            continue
        spread = max(middle - limit, 1e-6)
        low = values < limit
        found[rows[low]] = np.clip((limit - values[low]) / (2 * spread), 0.01, 0.5)
    return found


def _overlaps(
    images: Sequence[CheckedImage], names: Sequence[str], own: np.ndarray, votes: Votes,
    doubted: set[str],
) -> tuple[Overlap, ...]:  # fmt: skip
    right = np.array([one.file_name not in doubted for one in images])
    count = len(names)
    pairs = own[right, None] * count + votes.labels[right]
    sums = np.bincount(pairs.ravel(), votes.shares[right].ravel(), count * count)
    sizes = np.bincount(own[right], minlength=count)
    mean = sums.reshape(count, count) / np.maximum(sizes, 1)[:, None]
    crossing = np.triu((mean + mean.T) / 2, 1)
    found = []
    for one, other in np.argwhere(crossing >= _OVERLAP).tolist():
        pair = np.flatnonzero(right & ((own == one) | (own == other)))
        foreign = Votes(votes.labels[pair], votes.shares[pair]).of(
            np.where(own[pair] == one, other, one)
        )
        border = pair[np.argsort(-foreign, kind="stable")[:6]]
        files = tuple(images[at].file_name for at in border.tolist())
        share = round(float(crossing[one, other]), 4)
        found.append(Overlap((names[one], names[other]), share, files))
    found.sort(key=lambda pair: -pair.share)
    return tuple(found)


def _by_label(images: Sequence[CheckedImage]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(images):
        found[one.label].append(at)
    return found


def _host_bias(images: Sequence[CheckedImage]) -> list[Bias]:
    found = []
    labels = _by_label(images)
    everywhere = Counter(one.host for one in images)
    if len(everywhere) < 2:
        return []  # a set from one place: no label is special
    for label, rows in labels.items():
        host, count = Counter(images[at].host for at in rows).most_common(1)[0]
        share = count / len(rows)
        if len(rows) >= _ENOUGH and share >= _HOST_SHARE:
            files = tuple(images[at].file_name for at in rows if images[at].host == host)[:6]
            found.append(Bias(label, "host", host, round(share, 4), files))
    return found


def _look_bias(
    images: Sequence[CheckedImage], looks: LooksOf, on_progress: Callable[[float], None]
) -> list[Bias]:
    found = []
    labels = _by_label(images)
    for at_label, (label, every) in enumerate(labels.items()):
        on_progress(at_label / len(labels))
        rows = every[:: -(-len(every) // _MOST_LOOKS)]  # evenly drawn ones give the share
        if len(every) < _ENOUGH:
            continue
        own = looks(rows)
        if len(own) != len(rows):
            continue
        alike = own @ own.T >= _SAME_LOOK
        middle = int(alike.sum(axis=1).argmax())
        share = float(alike[middle].mean())
        if share >= _LOOK_SHARE:
            group = [rows[at] for at in np.flatnonzero(alike[middle])]
            files = tuple(images[at].file_name for at in group)[:6]
            what = images[rows[middle]].file_name
            found.append(Bias(label, "look", what, round(share, 4), files))
    return found


def _small(images: Sequence[CheckedImage]) -> tuple[SmallLabel, ...]:
    sizes = Counter(one.label for one in images)
    if len(sizes) < 2:
        return ()
    median = int(np.median(list(sizes.values())))
    limit = max(_FEW, _FEW_SHARE * median)
    return tuple(
        SmallLabel(label, count, median)
        for label, count in sorted(sizes.items(), key=lambda one: one[1])
        if count < limit and count < median
    )
