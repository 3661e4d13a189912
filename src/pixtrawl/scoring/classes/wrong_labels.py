"""How probable it is that the label of an image is wrong, calibrated. Pure.

Two measures: the odds that another label is the true one, by `label_model`, and how much lower the
regression's output for the own label is than is usual there, which also tells pictures of no label
at all. The odds of the first alone are too sure of themselves. The weights were fitted on planted
sets of drawn pictures (`bench.class_check`) and of vectors: 2 to 20 labels, 0 to 40 % wrong, of
other labels, in pairs, in one label, of none; sizes that differ, and copies.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.scoring.classes.copies import copies_of
from pixtrawl.scoring.classes.label_model import TrueLabels, true_labels
from pixtrawl.scoring.classes.votes import VOTERS, votes_of
from pixtrawl.scoring.likeness.neighbours import near_neighbours
from pixtrawl.scoring.models.interface import Vectors

__all__ = ["DOUBTED", "LabelChances", "label_chances", "wrong_chances"]

DOUBTED: Final = 0.65  # probability from which a label is doubted
_OF_ODDS, _OF_LOWNESS, _ELSE = 0.311, 0.485, -0.331  # logistic regression on the planted sets
_MOST_ODDS: Final = 12.0  # logarithms
_MOST_LOWNESS: Final = 6.0
_MAD: Final = 1.4826  # median absolute deviations in a standard deviation
_TINY: Final = 1e-6

Array = np.ndarray[Any, Any]


class LabelChances(Struct, frozen=True):
    """How probable it is of each image that its label is the true one among the labels, and that it
    is right at all, calibrated: less so where an image looks like none of them.
    """

    own: Vectors
    right: Vectors


def label_chances(vectors: Vectors, own: Array, labels: int) -> LabelChances:
    """Return how probable it is of each image that its label is right."""
    near, cosines = near_neighbours(vectors, VOTERS)
    copies = copies_of(near, cosines, own)
    shown = true_labels(vectors, own, votes_of(near, cosines, own, labels, copies), labels, copies)
    wrong, other = wrong_chances(shown, own[shown.order])
    found = np.empty((2, len(own)), np.float32)
    found[:, shown.order] = 1 - other, 1 - wrong
    return LabelChances(*found)


def wrong_chances(found: TrueLabels, sorted_own: Array) -> tuple[Array, Array]:
    """Return for each image how probable it is that its label is wrong, and that another one of
    the labels is right, which is the less where an image looks like none of them. All are in the
    order of the labels, as `sorted_own`.
    """
    other = 1 - found.probable[np.arange(len(sorted_own)), sorted_own]
    odds = np.clip(np.log((other + _TINY) / (1 - other + _TINY)), -_MOST_ODDS, _MOST_ODDS)
    lowness = np.clip(_lowness(found, sorted_own), -_MOST_LOWNESS, _MOST_LOWNESS)
    sum_ = _OF_ODDS * odds + _OF_LOWNESS * lowness + _ELSE
    return 1 / (1 + np.exp(-sum_)), other


def _lowness(found: TrueLabels, sorted_own: Array) -> Array:
    """Return the log likelihood ratio of outputs for the own label: as of images of other labels,
    to as of those of the own one. Both are taken as normal, from medians.
    """
    _, starts, places = np.unique(sorted_own, return_index=True, return_inverse=True)
    parts = np.split(found.mine, starts[1:])
    below = found.mine - np.array([np.median(one) for one in parts])[places]
    own_spread = _MAD * float(np.median(np.abs(below))) + _TINY
    low = np.minimum(below / own_spread, 0)
    high = np.maximum((found.mine - found.usual) / (_MAD * found.spread + _TINY), 0)
    return np.asarray((low**2 - high**2) / 2)
