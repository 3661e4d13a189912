"""The columns that a model's outputs become, by its description."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from pixtrawl.catalog import samples
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.catalog.scores.columns import ColumnType
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.scoring.models.description import Description
from pixtrawl.scoring.models.interface import Vectors

__all__ = ["check_name", "check_unused", "columns_of", "rows_of"]

Value = float | str | bool
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LOADERS: Final = frozenset({"image", "text", "label_name", "class", "split", "embedding"})


def check_name(name: str) -> None:
    """Raise UsageError for a name that cannot be a column."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--as {name}: a name is made of a-z, 0-9 and _, begins with a letter and has at most "
            "40 characters"
        )


def check_unused(db: sqlite3.Connection, folder: Folder, scoring: str, names: list[str]) -> None:
    """Raise UsageError if a column of another origin has one of these names."""
    taken = set(_LOADERS)
    first = next(samples.read(db, folder.root), None)
    if first is not None:
        taken |= set(metadata_row(replace(first, scores={}, own={})))
    clash = next((name for name in names if name in taken), None)
    clash = clash or scores.other_owner(db, scoring, names)
    if clash is not None:
        raise UsageError(
            f"--as {scoring}: the data set has another column {clash!r}; take a new name"
        )


def columns_of(scoring: str, description: Description) -> dict[str, ColumnType]:
    """Return name and type of the columns of a classifier or a score."""
    if description.score is not None or description.values:
        return {scoring: "float"}
    if description.kind == "score":
        if not description.labels:
            return {scoring: "float"}
        return {f"{scoring}_{_word(label)}": "float" for label in description.labels}
    own: dict[str, ColumnType] = {scoring: "text", f"{scoring}_score": "float"}
    return own | {f"{scoring}_{_word(label)}": "float" for label in description.columns}


def rows_of(description: Description, outputs: Vectors) -> Iterator[list[Value]]:
    """Yield the values of the columns for each picture's outputs."""
    labels = list(description.labels)
    for row in outputs.tolist():
        if description.score is not None:
            yield [row[labels.index(description.score)]]
        elif description.values:
            total = sum(row) or 1.0
            pairs = zip(row, description.values, strict=True)
            yield [sum(share * value for share, value in pairs) / total]
        elif description.kind == "score":
            yield list(row)
        else:
            best = max(range(len(row)), key=row.__getitem__)
            yield [labels[best], row[best], *(row[labels.index(c)] for c in description.columns)]


def _word(label: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
    if not word:
        raise UsageError(f"the label {label!r} has no letter that a column's name could have")
    return word
