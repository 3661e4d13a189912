"""`pixtrawl.merge`: join data sets from Python."""

from __future__ import annotations

from pathlib import Path

from pixtrawl.dataset.images import Dataset
from pixtrawl.pipeline.finished import merge as pipeline

__all__ = ["merge"]


def merge(
    *roots: Path | str, output: Path | str, dedup: str = "near", copy: bool = False
) -> Dataset:
    """Join data sets into `output` without a download, as `pixtrawl merge` does.

    Args:
        roots: folders of data sets; none of them is changed.
        output: folder of the joined one.
        dedup: how alike two images of a label may be: strict, near, wide, exact or off.
        copy: copy files instead of linking them where the file system can.

    Raises:
        UsageError: no data set, or a folder given twice.
        StorageError: a folder cannot be read or written.

    Example:
        >>> ds = pixtrawl.merge("cats", "dogs", output="pets")
    """
    pipeline.merge(roots, output, dedup=dedup, copy=copy)
    return Dataset(output)
