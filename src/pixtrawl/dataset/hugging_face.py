"""Conversion to a data set of Hugging Face's `datasets`, which importing this module needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import datasets

from pixtrawl.dataset.pictures import GROUND, picture_of
from pixtrawl.errors import PictureError
from pixtrawl.folder.derived import FLAGS, INTEGERS, NUMBERS, metadata_row
from pixtrawl.images.pixels import rgb
from pixtrawl.model import Sample
from pixtrawl.transform import BadPictureError

__all__ = ["UprightImage", "hugging_face"]

_OWN_TYPES: Final = {bool: "bool", int: "int64", float: "float64"}


@dataclass
class UprightImage(datasets.Image):  # type: ignore[misc]
    """An image feature that decodes every file to an upright 8-bit sRGB picture in mode RGB.

    `datasets.Image` returns a file's raw mode; `convert("RGB")` on that clips 16-bit greys and
    exposes the colours below transparent parts. The feature is stored under the type `Image`, so
    that a saved or published data set loads without pixtrawl.
    """

    ground: str = GROUND
    _type: str = field(default="Image", init=False, repr=False)

    def decode_example(self, value: Any, token_per_repo_id: Any = None) -> Any:
        """Return the picture of a path or of a file's bytes.

        Raises:
            PictureError: the file does not decode.
        """
        if not self.decode or (value.get("bytes") is None and not value.get("path")):
            return super().decode_example(value, token_per_repo_id)
        if value["bytes"] is None:
            return picture_of(value["path"], ground=self.ground)
        try:
            return rgb(value["bytes"], ground=self.ground)
        except BadPictureError as error:
            raise PictureError(f"{value.get('path') or 'an image'}: {error}") from error


def hugging_face(samples: Iterable[Sample], *, ground: str = GROUND) -> datasets.Dataset:
    """Return the data set: columns `image`, `label` and those of metadata.jsonl, all typed."""
    columns: dict[str, list[Any]] = {"image": []}
    for sample in samples:
        columns["image"].append(str(sample.path))
        for name, value in metadata_row(sample).items():
            columns.setdefault(name, []).append(value)
    labels = sorted(set(columns.get("label", ())))
    features: dict[str, Any] = {
        name: _feature(name, values, ground) for name, values in columns.items()
    }
    if labels:
        features["label"] = datasets.ClassLabel(names=labels)
        places = {label: at for at, label in enumerate(labels)}
        columns["label"] = [places[label] for label in columns["label"]]
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def _feature(name: str, values: Sequence[Any], ground: str) -> Any:
    if name == "image":
        return UprightImage(ground=ground)
    if name in INTEGERS:
        return datasets.Value("int64")
    if name in NUMBERS:
        return datasets.Value("float64")
    if name in FLAGS:
        return datasets.Value("bool")
    first = next((value for value in values if value is not None), "")  # own ones have one type
    return datasets.Value(_OWN_TYPES.get(type(first), "string"))
