"""Parquet files of a shard: the outcome table, one row for each URL, and pictures with their facts.

All outcome tables have one schema, whatever the manifests held: columns of their own are JSON in
`extra`. With `exporters.parquet` this is the only module that imports pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    from pixtrawl.errors import MissingExtraError

    raise MissingExtraError("a set of shards", "formats") from None

from pixtrawl.cluster.outcome_rows import COLUMNS, PICTURE_COLUMNS
from pixtrawl.errors import StorageError
from pixtrawl.folder.features import IMAGE

__all__ = ["PictureTable", "read_outcomes", "read_pictures", "write_outcomes"]

_GROUP_ROWS: Final = 10_000
_GROUP_PICTURES: Final = 100
_GROUP_BYTES: Final = 32 * 2**20
_SCHEMA: Final = pa.schema(
    [pa.field(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()],
    metadata={"pixtrawl": "outcomes 1"},
)
_DICTIONARY: Final = [
    "shard", "query", "label", "source", "kind", "status", "reason", "data", "format",
]  # fmt: skip


def write_outcomes(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the outcome table of a shard. Raise OSError."""
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd", use_dictionary=_DICTIONARY) as writer:
        writer.write_table(pa.Table.from_pylist(list(rows), schema=_SCHEMA))


def read_outcomes(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of an outcome table, of all or of some columns. Raise StorageError."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_GROUP_ROWS, columns=columns):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} cannot be read as an outcome table: {error}") from error


def read_pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield key and bytes of the pictures of a `PictureTable`. Raise StorageError."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_GROUP_PICTURES, columns=["key", "image"]):
                for row in batch.to_pylist():
                    yield row["key"], row["image"]["bytes"]
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} cannot be read as pictures: {error}") from error


class PictureTable:
    """A Parquet file of pictures: `image` as Hugging Face reads it, and the facts of each."""

    def __init__(self, path: Path) -> None:
        image = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
        facts = [pa.field(name, pa.type_for_alias(COLUMNS[name])) for name in PICTURE_COLUMNS]
        features = {"image": dict(IMAGE)}
        metadata = {"huggingface": _json({"info": {"features": features}})}
        self._schema = pa.schema([pa.field("image", image), *facts], metadata=metadata)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._size_bytes = 0

    def add(self, name: str, data: bytes, facts: Mapping[str, Any]) -> None:
        """Add a picture; `name` is a file name for it. Its bytes have no place of their own."""
        row = {column: facts[column] for column in PICTURE_COLUMNS}
        self._rows.append({"image": {"bytes": data, "path": name}, **row})
        self._size_bytes += len(data)
        if len(self._rows) >= _GROUP_PICTURES or self._size_bytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left. The file is whole then."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows, self._size_bytes = [], 0


def _json(value: object) -> bytes:
    import msgspec

    return msgspec.json.encode(value)
