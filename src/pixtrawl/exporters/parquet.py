"""Parquet shards: `image` as a struct of bytes and path, and one typed column for each fact.

Hugging Face `datasets` reads `image` as its Image feature (named in the schema's metadata); Spark,
Ray, pandas, polars and DuckDB read plain columns. URL manifests have their parquet form here, too:
this is the only module that imports pyarrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    from pixtrawl.errors import MissingExtraError

    raise MissingExtraError("parquet", "formats") from None

from pixtrawl.errors import UsageError
from pixtrawl.exporters.base import ExportJob, FinalFile, Item, ShardPart, Written
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.columns import Columns
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.derived.features import IMAGE, TEXT, Features
from pixtrawl.manifests.reader import FIELDS, TEXTS, row_of
from pixtrawl.model import Candidate

__all__ = [
    "IN_PIECES", "ImageRows", "ManifestRows", "Parquet", "ParquetShard", "batches_of",
    "numbered", "read_manifest_rows",
]  # fmt: skip

_SHARD_BYTES: Final = 500_000_000  # what Hugging Face's own uploads use
_SHARD_IMAGES: Final = 10_000
_GROUP_IMAGES: Final = 100  # a row group is read whole to show one row
_GROUP_BYTES: Final = 32 * 2**20  # and is in memory while it is written
LABEL_NAME: Final = "label_name"
_GROUP_ROWS: Final = 2_000  # of a URL manifest
# Read a column by pages. Else pyarrow reads whole groups of rows (up to the whole file), and keeps
# each until the file is closed: memory would grow with the rows.
IN_PIECES: Final[dict[str, Any]] = {"pre_buffer": False, "buffer_size": 2**16}
_REQUIRED: Final = frozenset({"file_name", "label", "query", "source", "kind", "sha256", "format"})


class Parquet:
    """Shards `train-00000.parquet`."""

    name: ClassVar[str] = "parquet"
    shuffled: ClassVar[bool] = False
    layout: ClassVar[int] = 2
    taken: ClassVar[frozenset[str]] = frozenset({LABEL_NAME})

    def __init__(self, job: ExportJob) -> None:
        self._job = job

    @property
    def part_images(self) -> int:
        return self._job.shard_images(_SHARD_IMAGES)

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        return [f"{entries[0].split}-{number:05d}.parquet"]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> ParquetShard:
        (name,) = self.names(number, entries)
        return ParquetShard(self._job, name, self._job.shard_bytes(_SHARD_BYTES))

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        return card_files(
            self._job,
            parts,
            load='load_dataset("path/to/this/folder")',
            patterns={split: [f"{split}-*.parquet"] for split in splits},
            features={"image": dict(IMAGE), **numbered(self._job.features)},
        )


class ParquetShard(ShardPart):
    """A shard that is being written."""

    def __init__(self, job: ExportJob, name: str, max_bytes: int) -> None:
        super().__init__(job.target, name, max_bytes)
        self._rows = ImageRows(numbered(job.features))
        schema = self._rows.schema
        self._writer = pq.ParquetWriter(
            self.file,
            schema,
            compression={field: _codec(field) for field in _leaves(schema)},
            use_dictionary=[LABEL_NAME, "query", "source", "kind", "format", "license"],
            store_schema=True,
        )

    def takes(self, item: Item) -> bool:
        return self.fits(ImageRows.estimate_bytes(item))

    def add(self, item: Item) -> None:
        self.size_bytes += ImageRows.estimate_bytes(item)
        if self._rows.add(item):
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        super().close()

    def abandon(self) -> None:
        self._writer.close()  # into the temporary file, which is dropped
        super().abandon()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._rows.take())


class ImageRows:
    """Buffers the rows of an export for a row group.

    `features` are those of the columns, without the image. With a column `label_name` among them,
    `label` is the number of the class.
    """

    def __init__(self, features: Features) -> None:
        self.schema = _schema(features)
        self._is_numbered = LABEL_NAME in features
        self._rows: list[dict[str, Any]] = []
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, item: Item) -> bool:
        """Add an image; return whether the row group is full."""
        image = {"bytes": item.picture.data, "path": _leaf(item)}
        row = {"image": image, **_nulls(item.columns)}
        if self._is_numbered:
            row |= {"label": item.entry.class_index, LABEL_NAME: item.entry.label}
        self._rows.append(row)
        self._size_bytes += self.estimate_bytes(item)
        return len(self._rows) >= _GROUP_IMAGES or self._size_bytes >= _GROUP_BYTES

    def take(self) -> pa.Table:
        """Return the buffered rows as a table, and clear the buffer."""
        table = pa.Table.from_pylist(self._rows, schema=self.schema)
        self._rows.clear()
        self._size_bytes = 0
        return table

    @staticmethod
    def estimate_bytes(item: Item) -> int:
        """Estimate an image's size in a file."""
        return len(item.picture.data) + sum(len(str(v)) for v in item.columns.values()) + 200


def _schema(features: Features) -> pa.Schema:
    """Return the schema of `image` and these columns."""
    image = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
    fields = [pa.field("image", image)]
    for name, feature in features.items():
        if feature["_type"] == "Sequence":
            fields.append(pa.field(name, pa.list_(pa.field("element", pa.float32()))))
            continue
        fields.append(pa.field(name, pa.type_for_alias(feature.get("dtype", "int64"))))
    named = {"image": dict(IMAGE), **features}
    metadata = {"huggingface": json.dumps({"info": {"features": named}})}
    return pa.schema(fields, metadata=metadata)


def numbered(features: Features) -> Features:
    """Return the features with the label as a number, and its name in a column behind it.

    `datasets` believes a schema's ClassLabel only where the column has its type, int64.
    """
    found: Features = {}
    for name, feature in features.items():
        found[name] = feature
        if name == "label":
            found[LABEL_NAME] = dict(TEXT)
    return found


def _leaves(schema: pa.Schema) -> list[str]:
    lists = (pa.types.is_list(field.type) for field in schema)
    names = zip(schema.names, lists, strict=True)
    plain = [f"{name}.list.element" if is_list else name for name, is_list in names]
    return ["image.bytes", "image.path", *plain[1:]]


def _codec(leaf: str) -> str:
    return "none" if leaf == "image.bytes" else "snappy"  # images are compressed already


def _nulls(columns: Columns) -> dict[str, Any]:
    return {
        name: None if value == "" and name not in _REQUIRED else value
        for name, value in columns.items()
    }


def _leaf(item: Item) -> str:
    return f"{item.entry.file_name.rpartition('.')[0]}.{item.picture.extension}"


class ManifestRows:
    """Writes the rows of a URL manifest (`manifests.writer.RowWriter`)."""

    def __init__(self, path: Path) -> None:
        numbers = {"rank", "width", "height"}
        names = (*FIELDS, *TEXTS)
        fields = [pa.field(n, pa.int64() if n in numbers else pa.string()) for n in names]
        alternate = pa.struct([pa.field("url", pa.string()), pa.field("kind", pa.string())])
        self._schema = pa.schema([*fields, pa.field("alternates", pa.list_(alternate))])
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(self._file, self._schema)
        self._rows: list[dict[str, object]] = []

    def add_query(self, text: str) -> None:
        """Do nothing: rows name their query, and a query without rows has no place here."""

    def add(self, candidate: Candidate) -> None:
        self._rows.append(row_of(candidate))
        if len(self._rows) >= _GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the buffered rows. The file can be read once it is closed."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()

    def close(self) -> None:
        try:
            self.flush()
            self._writer.close()
        finally:
            self._file.close()


# ValueError: text that is no UTF-8; OverflowError: a time beyond what Python can state.
_DAMAGE: Final = (OSError, pa.ArrowException, ValueError, OverflowError)


def batches_of(
    file: pq.ParquetFile, rows: int, columns: list[str] | None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in batches, read by this thread alone.

    Each of pyarrow's threads would have a heap of its own, where freed pages stay: some 30 MB more
    after three million rows, for no less CPU.
    """
    yield from file.iter_batches(batch_size=rows, columns=columns, use_threads=False)


def read_manifest_rows(path: Path) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a parquet file as mappings. Raises UsageError, before the first row."""
    try:
        file = pq.ParquetFile(path, **IN_PIECES)
    except _DAMAGE as error:
        raise UsageError(f"{path}: cannot be read as parquet: {error}") from error
    # All but pictures, embeddings and the like, which are no facts to carry along.
    columns = [
        field.name
        for field in file.schema_arrow
        if not pa.types.is_large_binary(field.type) and not pa.types.is_binary(field.type)
    ]
    return _rows_of(file, columns, path)


def _rows_of(
    file: pq.ParquetFile, columns: list[str], path: Path
) -> Iterator[Mapping[str, object]]:
    with file:
        try:
            for batch in batches_of(file, _GROUP_ROWS, columns):
                yield from batch.to_pylist()
        except _DAMAGE as error:
            raise UsageError(f"{path}: is damaged: {error}") from error
