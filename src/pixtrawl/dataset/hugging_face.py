"""Conversion to a data set of Hugging Face's `datasets`, which importing this module needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import datasets
import pyarrow as pa
import pyarrow.compute as pc

from pixtrawl.cluster.readers.shard_sample import ShardSample
from pixtrawl.dataset import shard_paths
from pixtrawl.dataset.pictures import GROUND, decoded, picture_of
from pixtrawl.errors import PictureError
from pixtrawl.folder.derived.metadata_rows import FLAGS, INTEGERS, NUMBERS, metadata_row
from pixtrawl.images.pixels import rgb
from pixtrawl.model import Sample
from pixtrawl.transform import BadPictureError

__all__ = ["UprightImage", "hugging_face"]

_AT_ONCE: Final = 2_000  # rows that are Python objects before they are columns of Arrow
_TYPES: Final = {
    **dict.fromkeys(INTEGERS, pa.int64()),
    **dict.fromkeys(NUMBERS, pa.float64()),
    **dict.fromkeys(FLAGS, pa.bool_()),
}
_NAMES: Final = {pa.int64(): "int64", pa.float64(): "float64", pa.bool_(): "bool"}


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
        path = value["path"]
        if value["bytes"] is None and path.startswith(shard_paths.PREFIX):
            return decoded(shard_paths.read_path(path), path, ground=self.ground)
        if value["bytes"] is None:
            return picture_of(path, ground=self.ground)
        try:
            return rgb(value["bytes"], ground=self.ground)
        except BadPictureError as error:
            raise PictureError(f"{value.get('path') or 'an image'}: {error}") from error


def hugging_face(samples: Iterable[Sample], *, ground: str = GROUND) -> datasets.Dataset:
    """Return the data set: columns `image`, `label` and those of metadata.jsonl, all typed."""
    found = iter(samples)
    parts: list[pa.Table] = []
    while chunk := list(islice(found, _AT_ONCE)):
        parts.append(_part(chunk))
    image = UprightImage(ground=ground)
    if not parts:
        empty = pa.table({"image": image.cast_storage(pa.array([], pa.string()))})
        return _dataset(empty, {"image": image})
    # Where a part has no value at all its type is null, and that of another part holds.
    table = pa.concat_tables(parts, promote_options="permissive")
    features: dict[str, Any] = {"image": image}
    columns: dict[str, Any] = {
        "image": pa.chunked_array([image.cast_storage(one) for one in table["image"].chunks])
    }
    for name in table.column_names[1:]:
        column = table[name]
        if name == "label":
            labels = pa.array(sorted(column.unique().to_pylist()))
            features[name] = datasets.ClassLabel(names=labels.to_pylist())
            columns[name] = pc.index_in(column, value_set=labels).cast(pa.int64())
            continue
        if pa.types.is_null(column.type):
            column = column.cast(pa.string())
        features[name] = datasets.Value(_NAMES.get(column.type, "string"))
        columns[name] = column
    return _dataset(pa.table(columns), features)


def _part(samples: list[Sample]) -> pa.Table:
    columns: dict[str, list[Any]] = {"image": [_path(sample) for sample in samples]}
    for sample in samples:
        for name, value in metadata_row(sample).items():
            columns.setdefault(name, []).append(value)
    return pa.table(
        {name: pa.array(values, type=_TYPES.get(name)) for name, values in columns.items()}
    )


def _path(sample: Sample) -> str:
    if isinstance(sample, ShardSample):
        return shard_paths.path_of(sample)
    return str(sample.path)


def _dataset(table: pa.Table, columns: dict[str, Any]) -> datasets.Dataset:
    features = datasets.Features(columns)
    return datasets.Dataset(
        datasets.table.InMemoryTable(table.cast(features.arrow_schema)),
        info=datasets.DatasetInfo(features=features),
    )
