"""Votes of an image's nearest neighbours on its label. Pure.

They are corrected for the sizes of labels, so that a large label does not win by its size, and
images that their own neighbours contradict lose their vote.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.scoring.models.interface import Vectors

__all__ = ["VOTERS", "Votes", "votes_of"]

VOTERS: Final = 12  # neighbours of each image
_ROUNDS: Final = 3  # votes of doubted images count less in the next round


class Votes(Struct, frozen=True):
    """The votes of each image's neighbours: a table of images and labels would be too large."""

    labels: np.ndarray  # of each neighbour
    shares: Vectors  # of all votes, by neighbour

    def of(self, label: np.ndarray) -> Vectors:
        """Return the share of votes for a label of each image."""
        votes = np.where(self.labels == label[:, None], self.shares, 0).sum(axis=1)
        return np.asarray(votes, dtype=np.float32)

    def table(self, labels: int, rows: np.ndarray) -> Vectors:
        """Return the shares of votes of some images, as a table of images and labels."""
        cells = np.arange(len(rows))[:, None] * labels + self.labels[rows]
        sums = np.bincount(cells.ravel(), self.shares[rows].ravel(), len(rows) * labels)
        return sums.reshape(len(rows), labels).astype(np.float32)

    def best_but(self, own: np.ndarray) -> tuple[np.ndarray, Vectors]:
        """Return the label with most votes beside the own one, and its share; 0 without any."""
        totals = np.stack([self.of(self.labels[:, at]) for at in range(self.labels.shape[1])], 1)
        totals[self.labels == own[:, None]] = 0
        rows, best = np.arange(len(own)), totals.argmax(axis=1)
        return self.labels[rows, best].astype(np.int32), totals[rows, best]


def votes_of(
    indices: np.ndarray, cosines: Vectors, own: np.ndarray, labels: int, copies: np.ndarray
) -> Votes:
    """Return the votes of images' neighbours, weighted by their cosines.

    Args:
        indices: of the neighbours of each image.
        cosines: of each of them.
        own: number of the label that each image has.
        labels: how many there are.
        copies: number of the group of near copies that each image is of: those have no vote on it.
    """
    strength = np.exp(8 * (cosines - cosines[:, :1]))  # near ones count most
    sizes = np.bincount(own, minlength=labels).astype(np.float32)
    near = own[indices].astype(np.min_scalar_type(labels), copy=False)
    strength /= np.sqrt(np.maximum(sizes, 1))[near]
    strength[copies[indices] == copies[:, None]] = 0
    trust = np.ones(len(own), np.float32)
    found = Votes(near, np.zeros_like(cosines))
    for _ in range(_ROUNDS):
        given = strength * trust[indices]
        given /= np.maximum(given.sum(axis=1, keepdims=True), 1e-9)
        found = Votes(near, np.asarray(given, dtype=np.float32))
        trust = np.clip(found.of(own), 0.05, 1)
    return found
