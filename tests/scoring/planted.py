"""Labels of planted vectors, some of them under a wrong label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.scoring.classes.check import Audit, audit
from pixtrawl.scoring.models.interface import Vectors, unit

DIMENSIONS = 64


def unknown_looks(rows: Sequence[int]) -> Vectors:
    return np.zeros((0, 1), np.float32)


class Planted:
    """Labels of clusters with sub-clusters, on a common ground, and images planted wrong."""

    def __init__(self, labels: int, each: int, *, spread: float, wrong: float, outside: float = 0.0,
                 seed: int = 1) -> None:  # fmt: skip
        random = np.random.default_rng(seed)
        ground = random.normal(size=DIMENSIONS) * 0.8
        centres = ground + random.normal(size=(labels + 6, 1, DIMENSIONS))
        centres = centres + 0.6 * random.normal(size=(labels + 6, 3, DIMENSIONS))
        rows, self.images, planted = [], [], []
        for label in range(labels):
            for _ in range(each):
                at = random.random()
                source = label
                if at < wrong and labels > 1:
                    source = (label + 1 + int(random.integers(labels - 1))) % labels
                elif at < wrong + outside:
                    source = labels + int(random.integers(6))
                noise = random.normal(size=DIMENSIONS) * spread
                rows.append(centres[source, random.integers(3)] + noise)
                planted.append(source != label)
                id_ = len(planted)
                host = f"h{random.integers(9)}"
                self.images.append(CheckedImage(id_, f"l{label}", f"l{label}/{id_}.jpg", host))
        self.vectors: Vectors = unit(np.array(rows))
        self.wrong = np.array(planted)

    def audit(self) -> Audit:
        return audit(self.images, self.vectors, unknown_looks, by="embedding", model="m")

    def recall_and_precision(self) -> tuple[float, float]:
        found = {one.file_name for one in self.audit().doubts}
        hits = [one.file_name in found for one in self.images]
        both = float((np.array(hits) & self.wrong).sum())
        return both / max(1, self.wrong.sum()), both / max(1, len(found))
