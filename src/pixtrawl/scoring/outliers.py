"""Detect outliers among the scores of a query. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

__all__ = ["Z_LIMIT", "lowest_usual"]

# Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993): the modified z-score, its
# limit of 3.5, and the mean deviation where more than half of the values are one.
Z_LIMIT: Final = 3.5
_MAD_TO_SIGMA: Final = 1.4826
_MEAN_DEVIATION_TO_SIGMA: Final = 1.2533
_FEWEST: Final = 5  # with fewer scores no outlier can be found
_LEAST_SIGMA: Final = 1e-4  # precision of stored embeddings


def lowest_usual(scores: Sequence[float], limit: float = Z_LIMIT) -> float | None:
    """Return the score below which an image is an outlier; None with too few scores.

    Only low scores count as outliers.
    """
    if len(scores) < _FEWEST:
        return None
    values = np.asarray(scores, dtype=np.float64)
    middle = float(np.median(values))
    away = np.abs(values - middle)
    sigma = _MAD_TO_SIGMA * float(np.median(away))
    if sigma < _LEAST_SIGMA:
        sigma = max(_MEAN_DEVIATION_TO_SIGMA * float(away.mean()), _LEAST_SIGMA)
    return middle - limit * sigma
