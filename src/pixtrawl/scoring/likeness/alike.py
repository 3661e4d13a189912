"""Find images of a label with nearly equal embeddings: the same scene or object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.scores.embeddings import Embedded
from pixtrawl.scoring.models.interface import from_bytes

__all__ = ["Alike", "alike"]

_ROWS: Final = 512  # rows per matrix product with all earlier ones: 200 MB at 100,000 images


class Alike(Struct, frozen=True):
    """An image and the nearest earlier image of its label."""

    file_name: str
    of: str
    cosine: float


def alike(images: Sequence[Embedded], threshold: float) -> Iterator[Alike]:
    """Yield every image with a cosine of at least `threshold` to an earlier one, and the nearest.

    Images already yielded are not compared with, so that chains of small steps do not join
    unlike images.
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
