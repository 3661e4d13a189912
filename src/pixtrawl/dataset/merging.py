"""`pixtrawl.merge`: data sets joined, in Python."""

from __future__ import annotations

from pathlib import Path

from pixtrawl.dataset.images import Dataset
from pixtrawl.pipeline import merge as pipeline

__all__ = ["merge"]


def merge(
    *roots: Path | str, output: Path | str, dedup: str = "near", copy: bool = False
) -> Dataset:
    """Joins data sets into `output` without a download, as `pixtrawl merge` does.

    Raises UsageError, StorageError.
    """
    pipeline.merge(roots, output, dedup=dedup, copy=copy)
    return Dataset(output)
