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
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.scoring.model import Vectors
from pixtrawl.scoring.neighbours import near_neighbours
from pixtrawl.scoring.votes import VOTERS, votes_of

__all__ = ["MOST_CELLS", "label_chances", "true_labels"]

MOST_CELLS: Final = 10_000_000  # of a table of images with labels or numbers: 80 MB

_ROUNDS: Final = 2  # further ones find the same images, and are surer of them than is right
_STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # of the mean squared length of rows
_TEMPERATURES: Final = (0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
_LEAST_WEIGHT: Final = 0.02
_VOTES: Final = 0.25  # power of the share of votes: neighbours repeat what the regression says
_FEWEST_VOTES: Final = 0.02
_DOUBT: Final = 0.1  # of likelihood, for each unit of entropy: of equal ones the surer is taken
_STEPS: Final = 8  # of expectation maximisation
_FIRST_NOISE: Final = 0.1  # share of wrong labels to begin with
_MOST_NOISE: Final = 0.5
_LEAST_NOISE: Final = 0.005
_USUAL: Final = 20.0  # images of each label by which its confusions lean to the data set's

Array = np.ndarray[Any, Any]


def label_chances(vectors: Vectors, own: Array, labels: int) -> Array:
    """Do as `true_labels`, with the votes of the nearest images."""
    votes = votes_of(*near_neighbours(vectors, VOTERS), own, labels)
    return true_labels(vectors, own, votes.table(labels))


def true_labels(vectors: Vectors, own: Array, shares: Array) -> Array:
    """Return for each image how probable it is that each label is its true one.

    Args:
        vectors: rows of length 1.
        own: number of the label that each image has.
        shares: a row for each image, of the share of its neighbours' votes for each label.
    """
    labels = shares.shape[1]
    rows = np.arange(len(own))
    reduced = _reduced(vectors)
    targets = np.eye(labels)[own]
    votes = _VOTES * np.log(shares + _FEWEST_VOTES)
    weights = np.ones(len(own))
    found = targets
    for _ in range(_ROUNDS):
        outputs = _unseen(reduced, targets, weights)
        likeliest = -np.inf
        for temperature in _TEMPERATURES:
            shown = _softmax(outputs / temperature + votes)
            true, likelihood = _with_confusions(shown, own)
            likelihood -= _DOUBT * _entropy(true)
            if likelihood > likeliest:
                likeliest, found = likelihood, true
        weights = np.clip(found[rows, own], _LEAST_WEIGHT, 1)
    return found


def _with_confusions(shown: Array, own: Array) -> tuple[Array, float]:
    """Return the probabilities of true labels, and the log likelihood of the labels at hand.

    Args:
        shown: probabilities of the labels by what each image shows.
        own: the label that each image has.
    """
    labels = shown.shape[1]
    order = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[order], np.arange(labels))
    filed = _usual_confusions(_FIRST_NOISE, labels)  # under which label, by the true one
    for _ in range(_STEPS):
        counts = np.add.reduceat(_corrected(shown, filed[own])[0][order], starts, axis=0)
        noise = 1 - float(np.trace(counts)) / len(own)
        usual = _usual_confusions(min(max(noise, _LEAST_NOISE), _MOST_NOISE), labels)
        filed = (counts + _USUAL * usual) / (counts.sum(axis=0) + _USUAL)
    true, likelihoods = _corrected(shown, filed[own])
    return true, float(np.log(likelihoods).sum())


def _corrected(shown: Array, filed: Array) -> tuple[Array, Array]:
    """Return the probabilities of true labels, and how likely the label at hand is."""
    found = shown * filed
    sums = found.sum(axis=1, keepdims=True) + 1e-12
    return found / sums, sums


def _usual_confusions(noise: float, labels: int) -> Array:
    found = np.full((labels, labels), noise / max(labels - 1, 1))
    np.fill_diagonal(found, 1 - noise)
    return found


def _entropy(probable: Array) -> float:
    return -float((probable * np.log(probable + 1e-12)).sum())


def _softmax(outputs: Array) -> Array:
    found = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


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
