"""Lance: a table `train.lance` for each split, with the columns and types of the parquet export.

Lance names its data files and transactions at random and notes the time of writing. Here data
files are called after their shard, the transaction after the export, and the version has the time
of the newest image, so that the same input gives the same bytes; a data file appears when its
shard is complete, the table when all are there.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, ClassVar, Final

try:
    import lance
    from lance.file import LanceFileWriter
    from lance.fragment import DataFile, FragmentMetadata, LanceFragment
except ImportError:
    from pixtrawl.errors import MissingExtraError

    raise MissingExtraError("lance", "lance") from None

from pixtrawl.exporters.base import ExportJob, FinalFile, Item, Written
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.parquet import ImageRows
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.exporters.protobuf import field, fields, varint
from pixtrawl.folder.derived.features import IMAGE, TEXT, Features

__all__ = ["Lance"]

_SHARD_BYTES: Final = 500_000_000
_SHARD_IMAGES: Final = 10_000
_FORMAT: Final = "2.1"  # of the files: read by every Lance since 0.38
_TIMESTAMP: Final = 7  # field of the manifest: lance's protos/table.proto
_LENGTH: Final = struct.Struct("<I")
_FOOTER: Final = struct.Struct("<QHH4s")


class Lance:
    """Tables `train.lance`, one data file for each shard."""

    name: ClassVar[str] = "lance"
    shuffled: ClassVar[bool] = False
    layout: ClassVar[int] = 2

    def __init__(self, job: ExportJob) -> None:
        self._job = job

    @property
    def part_images(self) -> int:
        return self._job.shard_images(_SHARD_IMAGES)

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        split = entries[0].split
        return [f"{split}.lance/data/{_data_name(split, number)}"]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> _LanceShard:
        (name,) = self.names(number, entries)
        return _LanceShard(self._job, name, self._job.shard_bytes(_SHARD_BYTES))

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        files: list[FinalFile] = []
        for split in splits:
            own = [part for part in parts if part.split == split and part.images]
            for name, data in _table(self._job, split, own):
                files.append((f"{split}.lance/{name}", partial(_put, data)))
        note = (
            "Each split is a Lance table, read by `lance.dataset(...)`, LanceDB and DuckDB; "
            "`image` is a struct of the file's bytes and its name."
        )
        return files + card_files(
            self._job,
            parts,
            load='load_dataset("path/to/this/folder")',
            patterns={split: [f"{split}.lance/**"] for split in splits},
            features={"image": dict(IMAGE), **self._job.features},
            notes=[note],
        )


class _LanceShard:
    """A data file, written locally and then published: Lance needs a path."""

    def __init__(self, job: ExportJob, name: str, max_bytes: int) -> None:
        self._target, self._name, self._max_bytes = job.target, name, max_bytes
        self._rows = ImageRows(_columns(job))
        self._size_bytes = 0
        self._open = ExitStack()
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="pixtrawl-export-"))
        self._path = Path(folder) / "shard.lance"
        self._writer = LanceFileWriter(str(self._path), self._rows.schema, version=_FORMAT)

    def takes(self, item: Item) -> bool:
        return self._size_bytes + ImageRows.estimate_bytes(item) <= self._max_bytes

    def add(self, item: Item) -> None:
        self._size_bytes += ImageRows.estimate_bytes(item)
        if self._rows.add(item):
            self._writer.write_batch(self._rows.take())

    def close(self) -> None:
        with self._open:
            if self._rows:
                self._writer.write_batch(self._rows.take())
            self._writer.close()
            with self._path.open("rb") as source, self._target.write(self._name) as file:
                shutil.copyfileobj(source, file, 2**20)

    def abandon(self) -> None:
        with self._open:
            if self._size_bytes:
                self._writer.close()


def _data_name(split: str, number: int) -> str:
    return f"{split}-{number:05d}.lance"


def _columns(job: ExportJob) -> Features:
    """Return the features of the columns; labels are text, on which tables are filtered."""
    return {**job.features, "label": dict(TEXT)}


def _put(data: bytes, file: IO[bytes]) -> None:
    file.write(data)


def _table(job: ExportJob, split: str, parts: Sequence[Written]) -> Iterator[tuple[str, bytes]]:
    """Return manifest and transaction, as Lance itself writes them, for the data files."""
    with tempfile.TemporaryDirectory(prefix="pixtrawl-export-") as folder:
        pattern = _layout_of(job, Path(folder) / "pattern")
        fragments = [
            FragmentMetadata(
                id=index,
                files=[_data_file(job, split, part.number, pattern)],
                physical_rows=part.images,
            )
            for index, part in enumerate(parts)
        ]
        operation = lance.LanceOperation.Overwrite(ImageRows(_columns(job)).schema, fragments)
        root = Path(folder) / "table"
        own_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{job.fingerprint} {split}")
        lance.LanceDataset.commit(root, lance.Transaction(0, operation, uuid=str(own_id)))
        for path in sorted(root.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                if path.suffix == ".manifest":
                    data = _dated(data, _newest(job))
                yield path.relative_to(root).as_posix(), data


def _layout_of(job: ExportJob, folder: Path) -> DataFile:
    """Return the layout of the columns in a file, by having Lance write one empty row."""
    schema = ImageRows(_columns(job)).schema
    table = schema.empty_table().from_pylist([{}], schema=schema)
    fragment = LanceFragment.create(str(folder), table, data_storage_version=_FORMAT)
    data_file: DataFile = fragment.files[0]
    return data_file


def _data_file(job: ExportJob, split: str, number: int, pattern: DataFile) -> DataFile:
    name = _data_name(split, number)
    return DataFile(
        name,
        pattern.fields,
        pattern.column_indices,
        pattern.file_major_version,
        pattern.file_minor_version,
        job.target.size(f"{split}.lance/data/{name}"),
    )


def _newest(job: ExportJob) -> int:
    """Return when the newest image was fetched, in seconds since 1970."""
    newest = max(str(entry.columns["fetched_at"]) for entry in job.plan.entries())
    try:
        return max(0, int(datetime.fromisoformat(newest).replace(tzinfo=UTC).timestamp()))
    except ValueError:
        return 0


def _dated(manifest: bytes, seconds: int) -> bytes:
    """Return the manifest with that timestamp, its lengths and footer rebuilt."""
    footer = manifest[-_FOOTER.size :]
    place, *_ = _FOOTER.unpack(footer)
    start = place + _LENGTH.size
    (size,) = _LENGTH.unpack(manifest[place:start])
    kept = [raw for number, raw in fields(manifest[start : start + size]) if number != _TIMESTAMP]
    message = b"".join(kept) + field(_TIMESTAMP, b"\x08" + varint(seconds))
    return manifest[:place] + _LENGTH.pack(len(message)) + message + footer
