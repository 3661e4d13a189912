"""The label that each image should have, and how probable it is. Pure.

A ridge regression on the labels, all of equal weight, gives each image the outputs of the model
fitted without it, which has a closed form. With the votes of its neighbours they say what the image
shows. How often images of one label are filed under another is estimated beside it, from the labels
that the data set has (a confusion matrix by expectation maximisation, as of Dawid and Skene 1979;
its sums are the confident joint of Northcutt et al. 2021 with probabilities in place of counts). So
two labels that a data set mixes up are doubted for less evidence than two that it keeps apart, and
the share of wrong labels comes from the data. The strength of the regression and the temperature of
its outputs are those under which the labels at hand are likeliest. Images whose label is improbable
lose their weight in the next round, so that wrong labels teach little.

Non-negative numbers (what pooling leaves of a network's last layer) are taken by their root where
that predicts the labels better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.scoring.classes.copies import groups_of
from pixtrawl.scoring.classes.unseen import BLOCK, unseen
from pixtrawl.scoring.classes.votes import Votes
from pixtrawl.scoring.models.interface import Vectors, unit

__all__ = ["MOST_CELLS", "TrueLabels", "true_labels"]

MOST_CELLS: Final = 10_000_000  # of a table of images with labels or numbers: 40 MB

_ROUNDS: Final = 2  # further ones find the same images, and are surer of them than is right
_TEMPERATURES: Final = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
_LEAST_WEIGHT: Final = 0.02
_VOTES: Final = 0.25  # power of the share of votes: neighbours repeat what the regression says
_FEWEST_VOTES: Final = 0.02
_DOUBT: Final = 0.1  # of likelihood, for each unit of entropy: of equal ones the surer is taken
_STEPS: Final = 8  # of expectation maximisation
_FIRST_NOISE: Final = 0.1  # share of wrong labels to begin with
_MOST_NOISE: Final = 0.5
_LEAST_NOISE: Final = 0.005
_DRAWN: Final = 2_000  # images from which the usual outputs are known
_TINY: Final = np.float32(1e-12)
_USUAL: Final = 20.0  # images of each label by which its confusions lean to the data set's

Array = np.ndarray[Any, Any]


class TrueLabels(Struct, frozen=True):
    """Evidence about the labels of images, which are in an order of their labels.

    Outputs are those of the regression on the other images, which are near 1 for images that are
    usual of a label.
    """

    order: Array  # of the images
    probable: Vectors  # of each image in this order: the probability of each label
    mine: Vectors  # the output for the label that it has
    usual: float  # middle of the outputs for other labels
    spread: float  # and their median distance from it


def true_labels(
    vectors: Vectors, own: Array, votes: Votes, labels: int, copies: Array,
    on_progress: Callable[[float], None] = lambda done: None,
) -> TrueLabels:  # fmt: skip
    """Return how probable it is for each image that each label is its true one.

    Args:
        vectors: rows of length 1.
        own: number of the label that each image has.
        votes: of the neighbours of each image.
        labels: how many there are.
        copies: number of the group of near copies that each image is of.
        on_progress: called with the share that is done; it may raise, to end the work.
    """
    order = np.argsort(own, kind="stable")  # the images of a label lie together
    sorted_own, groups = own[order], groups_of(copies[order])
    rows = _rows_of_least_error(vectors, order, sorted_own, labels, groups)
    weights = np.ones(len(own))
    shown = np.zeros((len(own), labels), np.float32)
    mine, others = np.zeros(0, np.float32), (0.0, 0.0)
    for round_ in range(_ROUNDS):
        outputs, _error = unseen(rows, order, sorted_own, weights, labels, groups)
        best: tuple[float, float, Array] | None = None
        for at, temperature in enumerate(_TEMPERATURES):
            on_progress((round_ + at / len(_TEMPERATURES)) / _ROUNDS)
            _show(shown, outputs, temperature, votes, order)
            filed, likelihood = _confusions(shown, sorted_own)
            if best is None or likelihood > best[0]:
                best = likelihood, temperature, filed
        assert best is not None
        _, temperature, filed = best
        _show(shown, outputs, temperature, votes, order)
        for label, part in _groups(sorted_own):
            _correct(shown[part], filed[label])
        weights[order] = np.clip(shown[np.arange(len(own)), sorted_own], _LEAST_WEIGHT, 1)
        mine = np.asarray(outputs[np.arange(len(own)), sorted_own], np.float32)
        others = _middle_of_others(outputs, sorted_own)
        del outputs
    return TrueLabels(order, shown, mine, *others)


def _middle_of_others(outputs: Vectors, sorted_own: Array) -> tuple[float, float]:
    """Return the median of outputs for labels that images do not have, and that of the distances
    from it, by evenly drawn images.
    """
    drawn = slice(None, None, -(-len(outputs) // _DRAWN))
    some = outputs[drawn]
    found = some[sorted_own[drawn, None] != np.arange(some.shape[1])].astype(np.float32)
    if not found.size:
        return 0.0, 0.0
    middle = float(np.median(found))
    return middle, float(np.median(np.abs(found - middle)))


def _rows_of_least_error(
    vectors: Vectors, order: Array, sorted_own: Array, labels: int, groups: list[Array]
) -> Array:
    """Return the rows that predict the labels with the least error: as they are, or their roots."""
    plain = _reduced(vectors)
    if labels < 2 or min(float(one.min()) for one in _blocks(vectors)) < 0:
        return plain
    rooted = _reduced(unit(np.sqrt(vectors.astype(np.float32))))
    weights = np.ones(len(order))
    of_plain, of_rooted = (
        unseen(one, order, sorted_own, weights, labels, groups)[1] for one in (plain, rooted)
    )
    return rooted if of_rooted < of_plain else plain


def _blocks(vectors: Vectors) -> Iterator[Vectors]:
    for start in range(0, len(vectors), BLOCK):
        yield vectors[start : start + BLOCK]


def _show(shown: Vectors, outputs: Vectors, temperature: float, votes: Votes, order: Array) -> None:
    """Fill in the probabilities of the labels by what each image shows."""
    for start in range(0, len(order), BLOCK):
        part = slice(start, start + BLOCK)
        voted = votes.table(shown.shape[1], order[part])
        voted += np.float32(_FEWEST_VOTES)
        np.log(voted, out=voted)
        voted *= np.float32(_VOTES)
        voted += np.asarray(outputs[part], np.float32) / np.float32(temperature)
        voted -= voted.max(axis=1, keepdims=True)
        np.exp(voted, out=voted)
        voted /= voted.sum(axis=1, keepdims=True)
        shown[part] = voted


def _groups(sorted_own: Array) -> list[tuple[int, slice]]:
    """Return each label that has images, and which rows are theirs."""
    names, starts = np.unique(sorted_own, return_index=True)
    ends = [*starts[1:].tolist(), len(sorted_own)]
    return [
        (label, slice(start, end))
        for label, start, end in zip(names.tolist(), starts.tolist(), ends, strict=True)
    ]


def _confusions(shown: Vectors, sorted_own: Array) -> tuple[Array, float]:
    """Return under which label images are filed by their true one (a row for each label at hand),
    and how likely the labels at hand are, less the entropy of the true ones.

    Args:
        shown: probabilities of the labels by what each image shows.
        sorted_own: the label that each image has, ascending.
    """
    labels = shown.shape[1]
    groups = _groups(sorted_own)
    filed = _usual_confusions(_FIRST_NOISE, labels)
    for _ in range(_STEPS):
        counts = np.zeros((labels, labels))
        for label, part in groups:
            row = filed[label].astype(np.float32)
            counts[label] = row * ((1 / (shown[part] @ row + _TINY)) @ shown[part])
        noise = 1 - float(np.trace(counts)) / len(sorted_own)
        usual = _usual_confusions(min(max(noise, _LEAST_NOISE), _MOST_NOISE), labels)
        filed = (counts + _USUAL * usual) / (counts.sum(axis=0) + _USUAL)
    likelihood = 0.0
    for label, part in groups:
        true = shown[part].copy()
        likelihood += float(np.log(_correct(true, filed[label]), dtype=np.float64).sum())
        likelihood -= _DOUBT * _entropy(true)
    return filed, likelihood


def _correct(shown: Vectors, filed: Array) -> Vectors:
    """Turn what images of one label show into the probabilities of their true labels, in place.

    Return how likely the label at hand is, for each.
    """
    shown *= filed.astype(np.float32)
    sums = shown.sum(axis=1, keepdims=True) + _TINY
    shown /= sums
    return np.asarray(sums)


def _usual_confusions(noise: float, labels: int) -> Array:
    found = np.full((labels, labels), noise / max(labels - 1, 1))
    np.fill_diagonal(found, 1 - noise)
    return found


def _entropy(probable: Vectors) -> float:
    return -float((probable * np.log(probable + _TINY)).sum(dtype=np.float64))


def _reduced(vectors: Vectors) -> Array:
    """Return rows with the same products, of no more columns than rows, nor than there is room
    for: the strongest components.
    """
    most = MOST_CELLS // len(vectors)
    if len(vectors) < vectors.shape[1]:
        rows = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
        left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
        return np.asarray((left * sizes)[:, :most])
    if vectors.shape[1] <= most:
        return vectors
    middle = vectors.mean(axis=0, dtype=np.float64)
    products = np.zeros((vectors.shape[1], vectors.shape[1]))
    for block in _blocks(vectors):
        products += (block - middle).T @ (block - middle)
    axes = np.linalg.eigh(products)[1][:, ::-1][:, :most]
    found = np.zeros((len(vectors), most), np.float32)
    for at, block in enumerate(_blocks(vectors)):
        found[at * BLOCK : at * BLOCK + len(block)] = (block - middle) @ axes
    return found
