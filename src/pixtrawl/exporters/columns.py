"""The columns of an exported image: those of metadata.jsonl, with one type each and no null.

Loaders such as Hugging Face's ImageFolder and WebDataset readers infer a column's type from the
first rows and fail when a null becomes text later; so unknown text is the empty string. Parquet,
which is typed, gets nulls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pixtrawl.folder.derived.metadata_rows import (
    FLAGS,
    INTEGERS as MEASURES,
    NUMBERS,
    metadata_row,
    row_text,
)
from pixtrawl.model import Sample

__all__ = [
    "FLOATS",
    "INTEGERS",
    "ORIGINALS",
    "TEXT",
    "TYPES",
    "Columns",
    "columns_of",
    "host_of",
    "own_types",
    "row_text",
]

Columns = dict[str, Any]  # text, numbers, truths; None only in the user's own columns

TEXT: Final = "text"  # the caption
_TYPES: Final = {bool: "bool", int: "int", float: "float", str: "text"}

INTEGERS: Final = frozenset(
    {
        *MEASURES,
        "class",
        "original_width",
        "original_height",
        *FLAGS,  # 0 or 1
    }
)
FLOATS: Final = frozenset(NUMBERS)
TYPES: Final = {**dict.fromkeys(INTEGERS, "int64"), **dict.fromkeys(FLOATS, "float64")}
# What pictures that were resized or encoded anew say of the file they come from.
ORIGINALS: Final = ("original_width", "original_height", "original_sha256")


def columns_of(sample: Sample, taken: frozenset[str] = frozenset()) -> Columns:
    """Return a sample's columns as plain text and numbers, in a fixed order.

    The user's own columns come last, as they are: with None where a number is not known.
    `taken` are names that the format needs for itself. A caption stands in `text`, too: the name
    that loaders of text and image look for.
    """
    if sample.caption is not None:
        taken |= {TEXT}
    columns = metadata_row(sample, taken)
    foreign = [*columns][len(columns) - len(sample.own) - len(sample.scores) :]
    others = {name: columns.pop(name) for name in foreign}
    _set_types(columns)
    if sample.caption is not None:
        columns[TEXT] = columns["caption"]
    for name, value in others.items():
        columns[name] = _text(value) if isinstance(value, str) else value
    return columns


def _set_types(columns: Columns) -> None:
    """Give each of our columns its one type, mostly by a look at the type it has."""
    for name, value in columns.items():
        if type(value) is str:
            if not value.isascii():
                columns[name] = _text(value)
        elif name in INTEGERS:
            if type(value) is not int:
                columns[name] = int(value) if isinstance(value, int | float) else 0
        elif name in FLOATS:
            if type(value) is not float:
                columns[name] = float(value) if isinstance(value, int | float) else 0.0
        else:
            columns[name] = _text(value)


def own_types(sample: Sample, columns: Columns, known: dict[str, str]) -> None:
    """Update `known` with the types (bool, int, ...) of a sample's own columns and scores."""
    for name in list(columns)[len(columns) - len(sample.own) - len(sample.scores) :]:
        kind = _TYPES.get(type(columns[name]))
        if kind is not None or name not in known:
            known[name] = kind or "text"


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        is_container = isinstance(value, Mapping | list | tuple)
        value = json.dumps(value, ensure_ascii=False) if is_container else str(value)
    return value.encode("utf-8", "replace").decode()  # a lone surrogate is no UTF-8


def host_of(columns: Columns) -> str:
    """Return the host of a file: lower case, without `www.` and port; "" for data: URLs."""
    for name in ("final_url", "url"):
        url = str(columns.get(name, ""))
        scheme, colon, rest = url.partition("://")
        if colon and scheme.lower() in {"http", "https"}:
            authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
            host = authority.rpartition("@")[2].lower()
            if not host.startswith("["):
                host = host.partition(":")[0]
            return host.rstrip(".").removeprefix("www.")
    return ""
