"""A data set as Hugging Face's `datasets` holds one. Imports it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import datasets

from pixtrawl.model import Sample
from pixtrawl.storage.derived import FLAGS, INTEGERS, NUMBERS, metadata_row

__all__ = ["hugging_face"]


def hugging_face(samples: Iterable[Sample]) -> datasets.Dataset:
    """Columns `image`, `label` and those of metadata.jsonl, with stated types."""
    columns: dict[str, list[Any]] = {"image": []}
    for sample in samples:
        columns["image"].append(str(sample.path))
        for name, value in metadata_row(sample).items():
            columns.setdefault(name, []).append(value)
    labels = sorted(set(columns.get("label", ())))
    features: dict[str, Any] = {name: _feature(name) for name in columns}
    if labels:
        features["label"] = datasets.ClassLabel(names=labels)
        places = {label: at for at, label in enumerate(labels)}
        columns["label"] = [places[label] for label in columns["label"]]
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def _feature(name: str) -> Any:
    if name == "image":
        return datasets.Image()
    if name in INTEGERS:
        return datasets.Value("int64")
    if name in NUMBERS:
        return datasets.Value("float64")
    return datasets.Value("bool" if name in FLAGS else "string")
