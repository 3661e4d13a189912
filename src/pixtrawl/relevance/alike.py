"""Images of a label whose embeddings nearly agree: same scene or object, other picture perhaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.scores import Embedded
from pixtrawl.relevance.model import from_bytes

__all__ = ["Alike", "alike"]

_ROWS: Final = 512  # compared at a time with all before them: 200 MB at 100,000 images


class Alike(Struct, frozen=True):
    """An image and the first of its label that it agrees with."""

    file_name: str
    of: str
    cosine: float


def alike(images: Sequence[Embedded], threshold: float) -> Iterator[Alike]:
    """Every image whose cosine with an earlier one is at least `threshold`, with the nearest such.

    An image that is already like another stands for none, so that a chain of small steps does not
    tie unlike ends together.
    """
    if not images:
        return
    vectors = from_bytes([one.embedding for one in images])
    stands = np.ones(len(images), dtype=bool)
    for start in range(0, len(images), _ROWS):
        cosines = vectors[start : start + _ROWS] @ vectors[: start + _ROWS].T
        for row, found in enumerate(cosines, start):
            # float16 rounds cosines of equal pictures to just below 1
            fits = np.flatnonzero((found[:row] >= threshold - 5e-4) & stands[:row])
            if len(fits):
                nearest = int(fits[np.argmax(found[fits])])
                stands[row] = False
                cosine = min(1.0, float(found[nearest]))
                yield Alike(images[row].file_name, images[nearest].file_name, cosine)
