"""Writes a shard's data objects and outcome table to local disk, uploads them, and commits.

Data objects are tars as WebDataset reads them, or Parquet. Nothing here is visible to readers
before the commit that names it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from pixtrawl.catalog import own_columns
from pixtrawl.cluster import outcome_rows, outcome_tables
from pixtrawl.cluster.commits import Commit, ObjectEntry
from pixtrawl.cluster.job.spool import Row
from pixtrawl.cluster.outcome_rows import key_of, row_of_outcome
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.workers.looks_spool import LooksSpool
from pixtrawl.errors import StorageError
from pixtrawl.exporters.webdataset import TAR_BLOCK, tar_end, tar_member
from pixtrawl.model import Outcome
from pixtrawl.transform import Picture, Transform

__all__ = ["SUFFIXES", "ShardOutcomes", "ShardWriter"]

SUFFIXES: Final[Mapping[str, str]] = {"webdataset": "tar", "parquet": "parquet"}
_OBJECT_BYTES: Final = 1_000_000_000  # about; loaders like 100 MB to 1 GB
_MIXED: Final = "jpg"  # readers want one name for one field, and look at the content


class ShardOutcomes(Struct):
    """The outcomes of a shard, by row number; staged files belong to it."""

    shard_id: str
    rows: Sequence[Row]
    outcomes: dict[int, Outcome]
    looks: LooksSpool  # thumbnails, which `outcomes` are without


class _DataObject(Protocol):
    def add(self, name: str, data: bytes, facts: Mapping[str, Any]) -> int | None:
        """Add a picture and its facts; return where its bytes begin, if they lie there as such."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class _Tar:
    """`KEY.jpg`, `KEY.json` and, where there is a title, `KEY.txt`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._size_bytes = 0

    def add(self, name: str, data: bytes, facts: Mapping[str, Any]) -> int | None:
        offset = self._size_bytes + TAR_BLOCK
        key = str(facts["key"])
        about = {column: facts[column] for column in outcome_rows.PICTURE_COLUMNS}
        members = [(name, data), (f"{key}.json", msgspec.json.encode(about))]
        if facts["title"]:
            members.append((f"{key}.txt", str(facts["title"]).encode()))
        for member, content in members:
            for piece in tar_member(member, content):
                self._file.write(piece)
                self._size_bytes += len(piece)
        return offset

    def close(self) -> None:
        self._file.write(tar_end(self._size_bytes))
        self._file.close()


class ShardWriter:
    """Writes the objects of shards; `folder` holds staged files and takes the new ones."""

    def __init__(
        self, store: Store, folder: Path, to: str, transform: Transform | None, worker: str
    ) -> None:
        self._store = store
        self.folder = folder
        self._to = to
        self._worker = worker
        kept = transform is None or transform.keeps_bytes
        self._extension = _MIXED if kept or transform is None else transform.extension(_MIXED)

    def write(self, attempt: str, shard: ShardOutcomes) -> Commit:
        """Upload the objects of a shard; return the commit that names them. Raise StorageError.

        Staged files are deleted.
        """
        try:
            return self._write(attempt, shard)
        except OSError as error:
            raise StorageError(f"cannot write in {self.folder}: {error.strerror}") from error

    def _write(self, attempt: str, shard: ShardOutcomes) -> Commit:
        data: list[ObjectEntry] = []
        table: list[dict[str, Any]] = []
        pending: list[tuple[dict[str, Any], Outcome]] = []
        size_bytes = 0
        for row in shard.rows:
            outcome = shard.outcomes[row.number]
            fact = row_of_outcome(shard.shard_id, row, outcome)
            table.append(fact)
            if outcome.staged_name is None:
                continue
            pending.append((fact, outcome))
            size_bytes += outcome.size_bytes
            if size_bytes >= _OBJECT_BYTES:
                data.append(self._put_data(f"{attempt}-{len(data):02d}", pending))
                pending, size_bytes = [], 0
        if pending:
            data.append(self._put_data(f"{attempt}-{len(data):02d}", pending))
        path = self.folder / f"{attempt}.outcomes"
        outcome_tables.write_outcomes(path, table)
        looks_path = self.folder / f"{attempt}.looks"
        looked_at = outcome_tables.write_looks(looks_path, shard.looks.read())
        shard.looks.discard()
        return Commit(
            shard=shard.shard_id,
            attempt=attempt,
            worker=self._worker,
            rows=len(table),
            data=data,
            looks=self._put(f"looks/{attempt}.parquet", looks_path, looked_at)
            if looked_at
            else None,
            outcomes=self._put(f"outcomes/{attempt}.parquet", path, len(table)),
            reasons=dict(sorted(Counter(fact["reason"] for fact in table).items())),
            fetched_bytes=sum(fact["fetched_bytes"] for fact in table),
            own=_own_types(table),
        )

    def _put_data(self, name: str, pictures: list[tuple[dict[str, Any], Outcome]]) -> ObjectEntry:
        name = f"data/{name}.{SUFFIXES[self._to]}"
        path = self.folder / name.rpartition("/")[2]
        file: _DataObject = (
            _Tar(path) if self._to == "webdataset" else outcome_tables.PictureTable(path)
        )
        for fact, outcome in pictures:
            stored = self._stored(outcome, fact)
            fact |= {"data": name, "key": key_of(fact["row"])}
            offset = file.add(f"{fact['key']}.{self._extension}", stored, fact)
            if offset is not None:
                fact |= {"offset": offset, "length": len(stored)}
        file.close()
        entry = self._put(name, path, len(pictures))
        for _, outcome in pictures:
            self.discard([outcome])
        return entry

    def _stored(self, outcome: Outcome, fact: dict[str, Any]) -> bytes:
        """Return the bytes to store: the file, or its rendition, which `fact` then describes."""
        if outcome.rendition_name is None:
            return (self.folder / str(outcome.staged_name)).read_bytes()
        packed = (self.folder / outcome.rendition_name).read_bytes()
        picture = msgspec.msgpack.decode(packed, type=Picture)
        fact |= {
            "stored_format": picture.format,
            "stored_width": picture.width,
            "stored_height": picture.height,
            "stored_bytes": len(picture.data),
            "stored_sha256": hashlib.sha256(picture.data).hexdigest(),
        }
        return picture.data

    def _put(self, name: str, path: Path, rows: int) -> ObjectEntry:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entry = ObjectEntry(name=name, size_bytes=path.stat().st_size, sha256=digest, rows=rows)
        self._store.put_file(name, path)
        path.unlink()
        return entry

    def discard(self, outcomes: Iterable[Outcome]) -> None:
        """Delete the staged files of outcomes."""
        for outcome in outcomes:
            for name in (outcome.staged_name, outcome.rendition_name):
                if name is not None:
                    (self.folder / name).unlink(missing_ok=True)

    def remove(self, commit: Commit) -> None:
        """Remove the objects of an attempt after another attempt was committed first."""
        for entry in commit.objects:
            self._store.remove(entry.name)


def _own_types(table: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the types of the user's own columns in the rows of a shard."""
    known: dict[str, str] = {}
    for fact in table:
        if fact["extra"]:
            own_columns.joined(known, fact["extra"])
    return known
