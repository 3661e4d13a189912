"""The order of images by a column of their metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pixtrawl.dataset.conditions import check
from pixtrawl.errors import UsageError
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.model import Sample

__all__ = ["ordered"]


def ordered(images: Iterable[Sample], column: str, *, descending: bool = False) -> list[int]:
    """Return the images' ids by the value of a column; those without one come last.

    Raises:
        UsageError: no such column, or its values cannot be compared.
    """
    there: list[tuple[Any, int]] = []
    without: list[int] = []
    for sample in images:
        row = metadata_row(sample)
        if not there and not without:
            check(row, {column: None})
        value = row[column]
        if value is None:
            without.append(sample.id)
        else:
            there.append((value, sample.id))
    try:
        there.sort(key=lambda one: one[0], reverse=descending)
    except TypeError:
        raise UsageError(f"sort: the values of {column!r} cannot be compared") from None
    return [*(image for _, image in there), *without]
