"""Describe the columns of a data set to Hugging Face `datasets`: types and names of classes.

The description goes into the data card (`dataset_info`, and `configs` for ImageFolder) and into the
schema of parquet files. Labels that are text in a file become the numbers of their ClassLabel when
`datasets` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["IMAGE", "TEXT", "Features", "class_label", "features_of", "floats", "value"]

Features = dict[str, Any]  # feature by column, in the JSON form of `datasets.Features`

IMAGE: Final[Mapping[str, Any]] = {"_type": "Image"}
_OWN: Final = {"bool": "bool", "int": "int64", "float": "float64"}


def value(dtype: str) -> dict[str, Any]:
    """Return the feature of plain values of an Arrow type."""
    return {"dtype": dtype, "_type": "Value"}


TEXT: Final[Mapping[str, Any]] = value("string")


def floats() -> dict[str, Any]:
    """Return the feature of lists of 32-bit numbers."""
    return {"feature": value("float32"), "_type": "Sequence"}


def class_label(names: Sequence[str]) -> dict[str, Any]:
    """Return the feature of labels; the number of a class is its place in `names`."""
    return {"names": list(names), "_type": "ClassLabel"}


def features_of(
    columns: Sequence[str],
    labels: Sequence[str],
    *,
    types: Mapping[str, str],
    own: Mapping[str, str],
) -> Features:
    """Return the features of these columns, `label` as a ClassLabel.

    Args:
        columns: names in their order.
        labels: names of the classes, sorted.
        types: Arrow types of columns that are no text.
        own: types of the user's own columns and others (bool, int, float, text, floats).
    """
    found: Features = {}
    for name in columns:
        if own.get(name) == "floats":
            found[name] = floats()
            continue
        kind = _OWN.get(own[name], "string") if name in own else types.get(name, "string")
        found[name] = value(kind)
    if "label" in found:
        found["label"] = class_label(labels)
    return found
