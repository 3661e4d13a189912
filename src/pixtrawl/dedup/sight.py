"""The second look at the few most similar images: a glance at all, then the promising ones."""

from __future__ import annotations

from typing import Final

import numpy as np

from pixtrawl.dedup.aligned import Glance, promise, refined_distance, window_scores

__all__ = ["closest"]

_WORTH_REFINING: Final = 0.75  # correlation of the best window: leaves one distinct pair in 350
_WORTH_A_GLANCE: Final = 0.6  # the same, estimated for all candidates at once


def closest(thumb: bytes, others: list[bytes], limit: int) -> tuple[int, int] | None:
    """The first of `others`, best window first, that is within `limit` bits once laid over.

    Returns its place in `others` and the distance, or None.
    """
    ours = Glance(thumb)
    scored = []
    for at in np.flatnonzero(promise(ours, others) >= _WORTH_A_GLANCE).tolist():
        theirs = Glance(others[at])
        score, window, in_ours = window_scores(ours, theirs)
        if score >= _WORTH_REFINING:
            scored.append((score, at, theirs, window, in_ours))
    for _, at, theirs, window, in_ours in sorted(scored, key=lambda row: -row[0]):
        distance = refined_distance(ours, theirs, window, in_ours)
        if distance <= limit:
            return at, distance
    return None
