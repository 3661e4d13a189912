"""Parquet files of a shard: the outcome table, one row for each URL, and pictures with their facts.

All outcome tables have one schema, whatever the manifests held: columns of their own are JSON in
`extra`. With `exporters.parquet` this is the only module that imports pyarrow.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
except ImportError:
    from pixtrawl.errors import MissingExtraError

    raise MissingExtraError("a set of shards", "formats") from None

from pixtrawl.cluster.outcome_rows import COLUMNS, PICTURE_COLUMNS
from pixtrawl.errors import StorageError
from pixtrawl.exporters.parquet import IN_PIECES, batches_of
from pixtrawl.folder.derived.features import IMAGE

__all__ = [
    "DuplicatesFile",
    "KeptRows",
    "LookRow",
    "PictureGroups",
    "PictureTable",
    "count_outcomes",
    "outcome_columns",
    "read_duplicates",
    "read_looks",
    "read_outcomes",
    "select_outcomes",
    "write_looks",
    "write_outcomes",
]

_GROUP_ROWS: Final = 10_000
_GROUP_PICTURES: Final = 100
_GROUP_BYTES: Final = 32 * 2**20
_GROUP_LOOKS: Final = 1_000
_OPEN_FILES: Final = 8
_OPEN_GROUPS: Final = 8
_SCHEMA: Final = pa.schema(
    [pa.field(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()],
    metadata={"pixtrawl": "outcomes 1"},
)
_LOOKS: Final = pa.schema(
    [("row", pa.int64()), ("thumb", pa.binary()), ("chroma", pa.binary()), ("fine", pa.binary())],
    metadata={"pixtrawl": "looks 1"},
)
LookRow = tuple[int, bytes, bytes, bytes]  # row number, thumbnail, colours, fine greys
_DUPLICATES: Final = pa.schema(
    [
        ("row", pa.int64()), ("shard", pa.string()), ("reason", pa.string()),
        ("of_row", pa.int64()), ("distance", pa.int32()), ("detail", pa.string()),
    ],
    metadata={"pixtrawl": "duplicates 1"},
)  # fmt: skip
_DICTIONARY: Final = [
    "shard", "query", "label", "source", "kind", "status", "reason", "data", "format",
]  # fmt: skip


def write_outcomes(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the outcome table of a shard. Raise OSError."""
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd", use_dictionary=_DICTIONARY) as writer:
        writer.write_table(pa.Table.from_pylist(list(rows), schema=_SCHEMA))


def read_outcomes(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of an outcome table, of all or of some columns. Raise StorageError.

    Columns that a table of an older version lacks are None.
    """
    empty = dict.fromkeys(COLUMNS if columns is None else columns)
    for batch in _batches(path, columns, _GROUP_ROWS):
        for row in batch.to_pylist():
            yield empty | row


def outcome_columns(path: Path, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    """Yield some columns of each row of an outcome table. Raise StorageError."""
    for batch in _batches(path, columns, _GROUP_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def count_outcomes(path: Path, columns: list[str]) -> Counter[tuple[Any, ...]]:
    """Count the rows of an outcome table by their values in some columns. Raise StorageError."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for batch in _batches(path, columns, _GROUP_ROWS):
        groups = pa.Table.from_batches([batch]).group_by(columns).aggregate([([], "count_all")])
        for group in groups.to_pylist():
            counted[tuple(group[name] for name in columns)] += group["count_all"]
    return counted


def select_outcomes(path: Path, columns: list[str], rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return some rows of an outcome table by their numbers; others are ignored.

    Raise StorageError.
    """
    wanted = pa.array(rows, pa.int64())
    found: list[dict[str, Any]] = []
    for batch in _batches(path, ["row", *columns], _GROUP_ROWS):
        found += batch.filter(pc.is_in(batch.column("row"), value_set=wanted)).to_pylist()
    return found


def _batches(path: Path, columns: list[str] | None, rows: int) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path, **IN_PIECES) as file:
            known = file.schema_arrow.names
            there = None if columns is None else [name for name in columns if name in known]
            yield from batches_of(file, rows, there)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} cannot be read as an outcome table: {error}") from error


class KeptRows:
    """The rows of a shard whose pictures are kept, in memory, column by column."""

    def __init__(
        self,
        path: Path,
        keeps: Callable[[int], bool],
        looks: Mapping[int, Sequence[bytes]] | None = None,
    ) -> None:
        """Read an outcome table. Raise StorageError.

        `keeps` is asked with the number of each row with a picture; `looks` are thumbnail and
        colours by the number of the row.
        """
        self._looks = looks or {}
        batches = list(_batches(path, None, _GROUP_ROWS))
        table = pa.Table.from_batches(batches) if batches else _SCHEMA.empty_table()
        facts = zip(table.column("row").to_pylist(), table.column("data").to_pylist(), strict=True)
        places = [at for at, (row, data) in enumerate(facts) if data is not None and keeps(row)]
        self._table = table.take(pa.array(places, pa.int64())).combine_chunks()

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def rows(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Return some rows by their places."""
        empty = dict.fromkeys((*COLUMNS, "thumb", "chroma", "fine"))
        found = [empty | row for row in self._table.slice(start, stop - start).to_pylist()]
        for row in found:
            if (looks := self._looks.get(row["row"])) is not None:
                row["thumb"], row["chroma"], row["fine"] = looks
        return found


def write_looks(path: Path, looks: Iterable[LookRow]) -> int:
    """Write the looks of pictures; return their number. Raise OSError.

    Without any there is no file.
    """
    rows, total = iter(looks), 0
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        while some := list(islice(rows, _GROUP_LOOKS)):
            if writer is None:
                writer = stack.enter_context(
                    pq.ParquetWriter(path, _LOOKS, compression="zstd", use_dictionary=False)
                )
            columns = zip(zip(*some, strict=True), _LOOKS, strict=True)
            arrays = [pa.array(values, field.type) for values, field in columns]
            writer.write_table(pa.Table.from_arrays(arrays, schema=_LOOKS))
            total += len(some)
    return total


def read_looks(path: Path) -> Iterator[LookRow]:
    """Yield what `write_looks` has written. Raise StorageError."""
    for batch in _batches(path, None, _GROUP_ROWS):
        for row in batch.to_pylist():
            yield row["row"], row["thumb"], row["chroma"] or b"", row.get("fine") or b""


class DuplicatesFile:
    """A Parquet file of rows that show what another row shows."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(path, _DUPLICATES, compression="zstd")
        self._rows: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row: `row`, `shard`, `reason`, `of_row`, `distance`, `detail`."""
        self._rows.append(row)
        if len(self._rows) >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left. The file is whole then."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=_DUPLICATES))
        self._rows = []


def read_duplicates(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a `DuplicatesFile`. Raise StorageError."""
    for batch in _batches(path, None, _GROUP_ROWS):
        yield from batch.to_pylist()


class PictureGroups:
    """Reads pictures of `PictureTable`s by key, a hundred at a time; a few groups stay in memory.

    May be used by several threads.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[Any, list[tuple[str, str]]]] = OrderedDict()
        self._groups: OrderedDict[tuple[str, int], dict[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, name: str, key: str, open_file: Callable[[], Any]) -> bytes | None:
        """Return a picture, None where there is none of that key. Raise StorageError.

        `open_file` opens the object of that name, if it is not open yet.
        """
        with self._lock:
            try:
                return self._read(name, key, open_file)
            except (OSError, pa.ArrowException) as error:
                raise StorageError(f"{name} cannot be read as pictures: {error}") from error

    def _read(self, name: str, key: str, open_file: Callable[[], Any]) -> bytes | None:
        if name not in self._files:
            file = pq.ParquetFile(open_file(), pre_buffer=False)  # else each group read is kept
            self._files[name] = file, [_keys_of(file, at) for at in range(file.num_row_groups)]
            while len(self._files) > _OPEN_FILES:
                self._files.popitem(last=False)[1][0].close(force=True)
        file, ranges = self._files[name]
        self._files.move_to_end(name)
        for at, (first, last) in enumerate(ranges):
            if first <= key <= last:
                found = self._group(name, file, at).get(key)
                if found is not None:
                    return found
        return None

    def _group(self, name: str, file: Any, at: int) -> dict[str, bytes]:
        group = self._groups.get((name, at))
        if group is None:
            table = file.read_row_group(at, columns=["key", "image"], use_threads=False)
            group = {row["key"]: row["image"]["bytes"] for row in table.to_pylist()}
            self._groups[name, at] = group
            while len(self._groups) > _OPEN_GROUPS:
                self._groups.popitem(last=False)
        self._groups.move_to_end((name, at))
        return group


def _keys_of(file: Any, group: int) -> tuple[str, str]:
    """Return the first and the last key of a group of rows, by its statistics."""
    about = file.metadata.row_group(group)
    for at in range(about.num_columns):
        column = about.column(at)
        if column.path_in_schema == "key" and column.statistics is not None:
            return str(column.statistics.min), str(column.statistics.max)
    return "", chr(0x10FFFF)


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
